"""Python's import system works in an execution environment, and leaves nothing behind."""

from __future__ import annotations

import atexit
import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import chaosqs
from chaosqs.lambda_.handler_loading import probe
from chaosqs.simulation.run import simulate
from tests.conformance.lambda_under_test import functions
from tests.lambda_.test_environments import effects, errors, scenario, write

ENDS = "\ndef handler(event, context): chaosqs.record('done')\n"


@pytest.fixture(autouse=True)
def nothing_left() -> object:
    """After each test the process has the modules, paths and loggers that it had, but for shared modules."""
    before = dict(sys.modules), list(sys.path), list(sys.meta_path), dict(logging.root.manager.loggerDict)
    yield
    modules, path, finders, loggers = before
    assert {name: sys.modules.get(name) for name in modules} == modules
    new = [module for name, module in sys.modules.items() if name not in modules]
    assert not [module for module in new if "pytest-of" in str(getattr(module, "__file__", ""))]
    assert (sys.path, sys.meta_path) == (path, finders)
    assert {name: logging.root.manager.loggerDict.get(name) for name in loggers} == loggers


PROGRAMS: Mapping[str, Mapping[str, str]] = {
    "a lazy import": {
        "app.py": "def handler(event, context):\n    import later\n    later.does()",
        "later.py": "import chaosqs\ndef does(): chaosqs.record('done')",
    },
    "a relative import": {
        "app/__init__.py": "from .inner.deep import handler",
        "app/inner/__init__.py": "",
        "app/inner/deep.py": "import chaosqs\nfrom .. import other\nfrom . import beside" + ENDS,
        "app/inner/beside.py": "",
        "app/other.py": "",
    },
    "a namespace package": {
        "app.py": "import chaosqs, parts.one, parts.two.three" + ENDS,
        "parts/one.py": "",
        "parts/two/three.py": "",
    },
    "a circular import": {
        "app.py": "import chaosqs\nimport other\nVALUE = 1" + ENDS,
        "other.py": "import app\ndef value(): return app.VALUE",
    },
    "pickle": {
        "app.py": "import chaosqs, pickle\nclass Order: ...\ncopy = pickle.loads(pickle.dumps(Order()))\n"
        "def handler(event, context):\n    assert type(pickle.loads(pickle.dumps(Order()))) is Order is type(copy)\n"
        "    chaosqs.record('done')",
    },
    "dataclasses and type hints": {
        "app.py": "from __future__ import annotations\nimport chaosqs, typing\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Order:\n    total: int = 0\n    next: Order | None = None\n"
        "assert typing.get_type_hints(Order)['next'] == typing.Optional[Order]" + ENDS,
    },
    "its own entry in sys.modules": {
        "app.py": "import chaosqs, sys\nhere = sys.modules[__name__]\nhere.VALUE = 5\ndef handler(event, context):\n"
        "    assert sys.modules[__name__].VALUE == VALUE == 5\n    chaosqs.record('done')",
    },
    "an object in place of a module": {
        "app.py": "import chaosqs, settings\ndef handler(event, context):\n    import settings as again\n"
        "    assert again is settings and again.name == 'me'\n    chaosqs.record('done')",
        "settings.py": "import sys\nclass Settings:\n    name = 'me'\nsys.modules[__name__] = Settings()",
    },
    "__name__ and __file__": {
        "app.py": "import chaosqs, os\nassert __name__ == 'app'\nif __name__ == '__main__': raise SystemExit\n"
        "with open(os.path.join(os.path.dirname(__file__), 'data.txt')) as file:\n"
        "    assert file.read() == 'data'\n"
        "assert os.path.dirname(__file__) == os.environ['LAMBDA_TASK_ROOT']" + ENDS,
        "data.txt": "data",
    },
    "importlib": {
        "app.py": "import chaosqs, importlib, importlib.resources, importlib.util, pkgutil, inspect\nimport pack.one\n"
        "assert importlib.import_module('.one', 'pack') is pack.one\n"
        "pack.one.VALUE = 2\nassert importlib.reload(pack.one).VALUE == 1\n"
        "assert importlib.util.find_spec('pack.two') is not None\n"
        "assert [each.name for each in pkgutil.iter_modules(pack.__path__)] == ['one', 'two']\n"
        "assert importlib.resources.files('pack').joinpath('data.txt').read_text() == 'data'\n"
        "assert 'VALUE = 1' in inspect.getsource(pack.one)" + ENDS,
        "pack/__init__.py": "",
        "pack/one.py": "VALUE = 1",
        "pack/two.py": "",
        "pack/data.txt": "data",
    },
    "a change of sys.path": {
        "app.py": "import chaosqs, os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'vendor'))\n"
        "import vendored\ndef handler(event, context):\n    import vendored_later\n    chaosqs.record('done')",
        "vendor/vendored.py": "",
        "vendor/vendored_later.py": "",
    },
    "a directory with a shared module's name": {
        "app.py": "import chaosqs, yaml\nassert yaml.safe_load('5') == 5" + ENDS,
        "yaml/values.yaml": "5",
    },
    "a module with a dash in its path": {"a-b/app.py": "import chaosqs" + ENDS},
    "a library of its own": {
        "app.py": "import chaosqs, boto3, vendored\nassert not hasattr(boto3, 'MINE')\nvendored.client()" + ENDS,
        "vendored.py": "import boto3\ndef client(): return boto3.client('sqs')",
        "boto3/__init__.py": "MINE = True",
    },
}


@pytest.mark.parametrize("files", PROGRAMS.values(), ids=PROGRAMS)
def test_what_a_project_does_with_modules_works(tmp_path: Path, files: Mapping[str, str]) -> None:
    """And nothing of it stays in the process or beside the source."""
    root = write(tmp_path, files)
    handler = "a-b/app:handler" if "a-b/app.py" in files else "app:handler"
    history = simulate(scenario(root, handler, 2), verify=True)
    assert set(errors(history)) == {""}
    assert len(effects(history, "done")) == 2
    assert not list(root.rglob("__pycache__"))


def test_an_installed_package_has_globals_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the handler itself is among installed packages, its top-level package is the project."""
    installed = tmp_path / "lib" / "site-packages"
    write(
        installed,
        {
            "chaosqs_app/__init__.py": "import chaosqs_library\nSEEN = []",
            "chaosqs_app/main.py": "import chaosqs, chaosqs_app, chaosqs_library\ndef handler(event, context):\n"
            "    chaosqs_app.SEEN.append(1); chaosqs_library.SEEN.append(1)\n"
            "    chaosqs.record('seen', own=len(chaosqs_app.SEEN), shared=len(chaosqs_library.SEEN))",
            "chaosqs_library.py": "SEEN = []",
        },
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(installed)])
    one = scenario(Path(), "chaosqs_app.main:handler", 2)
    behaviours = {"worker": chaosqs.Behaviour(handler="chaosqs_app.main:handler")}
    counts: list[Mapping[str, object]] = []
    for _ in range(2):
        history = simulate(chaosqs.Scenario(one.design, one.workload, behaviours, until=60))
        counts += [dict(effect.values) for effect in effects(history, "seen")]
    assert [count["own"] for count in counts] == [1, 2, 1, 2]
    assert [count["shared"] for count in counts] == [1, 2, 3, 4]
    del sys.modules["chaosqs_library"]


def test_a_layer_belongs_to_the_function(tmp_path: Path) -> None:
    """Its modules are imported by each environment, and two functions may have different ones of one name."""
    for name in ("one", "two"):
        write(tmp_path / name, {"app.py": "import chaosqs, common\ndef handler(e, c): chaosqs.record(common.does())"})
        source = f"SEEN = []\ndef does():\n    SEEN.append(1)\n    return f'{name}{{len(SEEN)}}'"
        write(tmp_path / f"layer_{name}", {"common.py": source})
    design = chaosqs.Design(
        [chaosqs.Queue("first"), chaosqs.Queue("second")],
        [chaosqs.Function("one"), chaosqs.Function("two")],
        [chaosqs.EventSourceMapping("first", "one"), chaosqs.EventSourceMapping("second", "two")],
    )
    behaviours = {
        name: chaosqs.Behaviour(
            handler="app:handler",
            code=str(tmp_path / name),
            environment={"PYTHONPATH": str(tmp_path / f"layer_{name}")},
        )
        for name in ("one", "two")
    }
    loads = [chaosqs.Burst("first", 1), chaosqs.Burst("second", 1)]
    history = simulate(chaosqs.Scenario(design, loads, behaviours), verify=True)
    assert [len(effects(history, name)) for name in ("one1", "two1")] == [1, 1]


def test_a_package_that_was_installed_into_the_code_is_imported_once_for_it(tmp_path: Path) -> None:
    """As `pip install --target` and `sam build` do; the caller and other code roots never see it."""
    files = {
        "app.py": "import chaosqs, vendored.part\nvendored.part.COUNT.append(1)\n"
        "def handler(event, context): chaosqs.record('imports', count=len(vendored.part.COUNT))",
        "vendored/__init__.py": "",
        "vendored/part.py": "COUNT = []",
        "vendored-1.0.dist-info/RECORD": "vendored/__init__.py,,\nvendored/part.py,,\n../../bin/vendored,,\n",
    }
    counts: list[object] = []
    for name in ("one", "two"):
        history = simulate(scenario(write(tmp_path / name, files)))
        counts += [dict(effect.values)["count"] for effect in effects(history, "imports")]
    assert counts == [2, 2], "one by the probe, one by the run"
    assert "vendored" not in sys.modules
    assert not list(tmp_path.rglob("__pycache__"))


def test_each_environment_sets_up_its_own_loggers(tmp_path: Path) -> None:
    """So none gets a second handler from the next one, and the caller's are as they were."""
    source = """
        import chaosqs, logging
        logger = logging.getLogger("orders")
        logger.addHandler(logging.StreamHandler())
        logging.getLogger(__name__).setLevel("DEBUG")
        def handler(event, context):
            logger.warning("hello")
            chaosqs.record("handlers", count=len(logging.getLogger("orders").handlers))
    """
    mine = logging.getLogger("orders")
    history = simulate(scenario(write(tmp_path, {"app.py": source}), count=3, over=0), verify=True)
    assert {dict(effect.values)["count"] for effect in effects(history, "handlers")} == {1}
    assert logging.getLogger("orders") is mine
    assert not mine.handlers


def test_nothing_of_an_environment_runs_when_the_process_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that the code registers for that is forgotten, as Lambda's environments are frozen and then killed."""
    registered: list[object] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    simulate(scenario(write(tmp_path, {"app.py": "import atexit, chaosqs\n@atexit.register\ndef ends(): ..." + ENDS})))
    assert registered == []


def test_a_changed_file_is_compiled_again(tmp_path: Path) -> None:
    """Within one process, as where a test or an editor writes it."""
    for number in range(3):
        source = f"import chaosqs\ndef handler(event, context): chaosqs.record('v{number}')"
        history = simulate(scenario(write(tmp_path, {"app.py": source})))
        assert len(effects(history, f"v{number}")) == 1


def test_a_shared_module_is_imported_outside_of_the_invocation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first import takes no chance and no time from the run that happens to need it first."""
    shared = write(tmp_path / "shared", {"chaosqs_shared.py": "import random, time\nGENERATOR = random.random()"})
    root = write(
        tmp_path / "code",
        {
            "app.py": "import chaosqs\ndef handler(event, context):\n    import chaosqs_shared, random\n"
            "    chaosqs.record('chance', value=random.random())"
        },
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(shared)])
    first, second = (effects(simulate(scenario(root)), "chance") for _ in range(2))
    assert first[0].values == second[0].values
    del sys.modules["chaosqs_shared"]


@pytest.mark.parametrize(
    ("call", "loads"),
    [
        ("import socket\nsocket.create_connection(('192.0.2.1', 80))", False),
        ("import boto3\nNAME = boto3.client('ssm').get_parameter(Name='n')['Parameter']['Name']", True),
    ],
)
def test_the_import_of_a_shared_module_stays_off_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, *, loads: bool
) -> None:
    """A connection is refused, with file and line; a call of boto3 is as little followed as one of the project's."""
    shared = write(tmp_path / "shared", {"chaosqs_calling.py": call})
    root = write(tmp_path / "code", {"app.py": "import chaosqs_calling\ndef handler(event, context): ..."})
    monkeypatch.setattr(sys, "path", [*sys.path, str(shared)])
    said = probe(chaosqs.Function("worker"), scenario(root).behaviours["worker"])
    assert (said == "") is loads
    assert loads or ("asks for an address" in said and "chaosqs_calling.py:2" in said)


def test_modules_of_tests_may_have_handlers_with_any_import_mode(tmp_path: Path) -> None:
    """Also with `importlib`, where pytest rewrites them and their directory is not on `sys.path`."""
    source = """
        from chaosqs import Behaviour, Burst, Design, EventSourceMapping, Function, Queue, Scenario, simulate
        SEEN = []

        def handler(event, context):
            assert len(SEEN) == 0
            SEEN.append(1)

        def test_it():
            design = Design([Queue("q")], [Function("f")], [EventSourceMapping("q", "f")])
            behaviours = {"f": Behaviour(handler=__name__ + ":handler")}
            history = simulate(Scenario(design, [Burst("q", 1)], behaviours))
            assert history.summary()["messages"]["processed"] == 1
            assert SEEN == []
    """
    write(tmp_path, {"tests/test_it.py": source, "pyproject.toml": "[tool.pytest.ini_options]\n"})
    for mode in ("importlib", "prepend"):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--import-mode={mode}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_zip_in_aws_has_environments_of_its_own() -> None:
    """As `simulate` and searches have them; a timeout ends them."""
    source = """
import time
SEEN = []
def handler(event, context):
    SEEN.append(1)
    time.sleep(event)
    return len(SEEN)
"""
    with chaosqs.aws():
        worker = functions("us-east-1")
        worker.create(source, Timeout=3)
        assert [worker.invoke(seconds)[0] for seconds in (0, 1, 0)] == [1, 2, 3]
        worker.invoke(5)
        assert worker.invoke(0)[0] == 1
