"""The registry of importers: each file is read by the importer of its format, and nobody else names a format."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaosqs.errors import InvalidDesign
from chaosqs.importers import registry
from chaosqs.importers.protocol import Imported, Importer, NoDesign
from chaosqs.importers.registry import IMPORTERS, importer_of
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.explanation import Origin
from chaosqs.project.discovery import discover, read_source
from tests.importers.helpers import with_timeout


def read_toy(path: Path) -> Imported:
    """Read `orders 30 worker`: a queue with its visibility timeout, and the function that handles its messages."""
    words = path.read_text(encoding="utf-8").split()
    if not words:
        raise NoDesign(f"{path}: has no line")
    if len(words) != 3:
        raise InvalidDesign(f"{path}:1: must be a queue, seconds and a function")
    queue, seconds, function = words
    design = Design(
        [Queue(queue, visibility_timeout=int(seconds))], [Function(function)], [EventSourceMapping(queue, function)]
    )
    origins = {f"queues.{queue}.visibility_timeout": Origin(str(path), 1, seconds)}
    return Imported(design, origins, ("its timeout is assumed",), ("the rest is left out",))


TOY = Importer(
    suffixes=(".toy", ".yaml"), patterns=("*.toy",), read=read_toy, recognises=lambda path: "toy" in path.name
)
CLOUDFORMATION = IMPORTERS[-1]


@pytest.fixture
def with_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register a second importer, as its line in the registry would."""
    monkeypatch.setattr(registry, "IMPORTERS", (TOY, *IMPORTERS))
    monkeypatch.setattr("chaosqs.project.discovery.IMPORTERS", (TOY, *IMPORTERS))


@pytest.mark.usefixtures("with_toy")
@pytest.mark.parametrize(
    ("name", "importer"),
    [("a.toy", TOY), ("toy.yaml", TOY), ("template.yaml", CLOUDFORMATION), ("a.txt", CLOUDFORMATION)],
)
def test_a_file_is_read_by_the_importer_that_recognises_it(name: str, importer: Importer) -> None:
    """By its suffix, and by what it is where several formats share one; CloudFormation takes the rest."""
    assert importer_of(Path(name)) is importer


@pytest.mark.usefixtures("with_toy")
def test_a_design_has_its_provenance_whatever_its_format(tmp_path: Path) -> None:
    """Origins by the places of the parts, and what was assumed and left out as sentences."""
    (tmp_path / "a.toy").write_text("orders 31 worker", encoding="utf-8")
    source = read_source("a.toy", base=tmp_path, root=tmp_path)
    assert source.design.queue("orders").visibility_timeout == 31
    assert source.origins == {"queues[0].visibility_timeout": Origin("a.toy", 1, "31")}
    assert source.assumptions == ("its timeout is assumed", "the rest is left out")


@pytest.mark.usefixtures("with_toy")
def test_files_of_all_formats_are_discovered(tmp_path: Path) -> None:
    """A file without a design is noted, and one that is wrong is an error."""
    (tmp_path / "a.toy").write_text("orders 31 worker", encoding="utf-8")
    (tmp_path / "b.toy").write_text("", encoding="utf-8")
    (tmp_path / "template.yaml").write_text(with_timeout("31"), encoding="utf-8")
    found = discover(tmp_path)
    assert [source.name for source in found.sources] == ["a.toy", "template.yaml"]
    assert found.notices == ("b.toy is not judged: has no line",)
    (tmp_path / "b.toy").write_text("orders", encoding="utf-8")
    with pytest.raises(InvalidDesign, match=r"^b\.toy:1: must be a queue, seconds and a function$"):
        discover(tmp_path)


def test_templates_of_other_names_are_found_where_no_usual_one_is(tmp_path: Path) -> None:
    """In other directories, too, but not among fixtures, hidden copies and what is no template."""
    for name in ("infra/cfn/stack.yaml", "orders.template", "tests/stack.yaml", ".aws-sam/build/template.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(with_timeout("31"), encoding="utf-8")
    (tmp_path / "infra" / "values.yaml").write_text("a: b", encoding="utf-8")
    (tmp_path / "infra" / "api.yaml").write_text("# AWS::Serverless::Function\nResources: {}", encoding="utf-8")
    found = discover(tmp_path)
    assert ([source.name for source in found.sources], found.notices) == (
        ["orders.template", "infra/cfn/stack.yaml"],
        (),
    )
    (tmp_path / "template.yaml").write_text(with_timeout("31"), encoding="utf-8")
    assert [source.name for source in discover(tmp_path).sources] == ["template.yaml"]


def test_large_and_unreadable_files_are_not_searched(tmp_path: Path) -> None:
    """CloudFormation takes no template above 1 MB, and a dangling link is no template."""
    (tmp_path / "large.yaml").write_text(with_timeout("31") + "#" * 1_000_000, encoding="utf-8")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nothing")
    assert discover(tmp_path).sources == ()


def test_an_importer_patches_only_if_it_says_how() -> None:
    """Without a function for patches there is none."""
    assert TOY.patch(Path("a.toy"), Design([Queue("orders")]), (), "a.toy") == ""
