"""Writes a counterexample as a folder: a report in GitHub's Markdown, `scenario.json`, and `fix.patch`."""

import ast
import hashlib
import re
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from chaosqs.errors import InvalidInput
from chaosqs.model.causal_slice import Slice, causal_slice
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.explanation import Fix, Setting
from chaosqs.model.history import History
from chaosqs.model.json import to_json
from chaosqs.model.scenario import Scenario
from chaosqs.report import explanation as told
from chaosqs.report import premises
from chaosqs.report.arrows import Actors, Arrow, Drawing
from chaosqs.report.descriptions import DESCRIPTIONS
from chaosqs.report.story import replay_command
from chaosqs.report.summary import bodies, in_code, paragraph
from chaosqs.report.text import code, counted, fenced, mapping_text, mermaid, plain_text, shown, title_of
from chaosqs.report.timeline import narrate

# Names of users as names of folders ----------------------------------------------------------------------------------

_SUFFIXES = re.compile(r"(\.template)?\.(yaml|yml|json|py|tf)(?=$|:)", re.IGNORECASE)
_MAX_SLUG = 60


def slug(text: str) -> str:
    """Return a name in `[a-z0-9-]` of 1 to 60 characters; if characters are lost, it ends in a hash of the text."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    foreign = any(character.isalnum() and not character.isascii() for character in plain)
    if words and len(words) <= _MAX_SLUG and not foreign:
        return words
    mark = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=4).hexdigest()
    return "-".join(part for part in (words[: _MAX_SLUG - len(mark) - 1].strip("-"), mark) if part)


def design_slug(design: str) -> str:
    """Return the folder name of a design, which usually is a file: `infra/template.yaml` becomes `infra-template`.

    Of an absolute path, only the file's name is used, so that the folder does not depend on the project's place.
    """
    path = design.replace("\\", "/")
    absolute = path.startswith("/") or re.match(r"[A-Za-z]:/", path)
    return slug(_SUFFIXES.sub("", path.rstrip("/").rsplit("/", 1)[-1] if absolute else path))


# A scenario as the source of a test for the user's own suite ---------------------------------------------------------

_WIDTH = 96
_INDENT = "    "


def source(scenario: Scenario, invariant: str) -> str:
    """Return the source of a test that fails while the invariant is violated in the scenario."""
    tree = ast.parse(repr(scenario), mode="eval").body
    names = sorted({*_called(tree), "check", "invariants", "simulate"}, key=lambda name: (name.islower(), name))
    return "\n".join(
        [
            *_imports(names),
            "",
            "",
            f"def test_{_identifier(invariant)}() -> None:",
            f"{_INDENT}scenario = {laid_out(tree, 1)}",
            f"{_INDENT}invariant = invariants.by_name({invariant!r})",
            f"{_INDENT}violations = check(simulate(scenario), [invariant])",
            f'{_INDENT}assert not violations, "\\n".join(map(str, violations))',
        ]
    )


def _called(tree: ast.expr) -> list[str]:
    nodes = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [function.id for function in nodes if isinstance(function, ast.Name)]


def _imports(names: Sequence[str]) -> Iterator[str]:
    line = f"from chaosqs import {', '.join(names)}"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield from ("from chaosqs import (", *(f"{_INDENT}{name}," for name in names), ")")


def _identifier(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower())[:60].strip("_") or "counterexample"


def laid_out(node: ast.expr, depth: int) -> str:
    """Return the source of an expression, on one line if it fits, else with each of its parts on its own line."""
    line = ast.unparse(node)
    if len(line) + len(_INDENT) * (depth + 2) <= _WIDTH:
        return line
    match node:
        case ast.Call(func=function, args=positional, keywords=named):
            parts = [laid_out(part, depth + 1) for part in positional]
            parts += [f"{part.arg}={laid_out(part.value, depth + 1)}" for part in named]
            return _block(f"{ast.unparse(function)}(", parts, ")", depth)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            start, end = "()" if isinstance(node, ast.Tuple) else "[]"
            return _block(start, [laid_out(part, depth + 1) for part in parts], end, depth)
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            items = [f"{ast.unparse(key)}: {laid_out(value, depth + 1)}" for key, value in pairs if key is not None]
            return _block("{", items, "}", depth)
        case _:
            return line


def _block(start: str, parts: Sequence[str], end: str, depth: int) -> str:
    inner = "".join(f"{_INDENT * (depth + 1)}{part},\n" for part in parts)
    return f"{start}\n{inner}{_INDENT * depth}{end}"


# The report ----------------------------------------------------------------------------------------------------------


def markdown(counterexample: Counterexample, history: History, *, replay: str) -> str:
    """Return the report as Markdown; `replay` is the path of the counterexample's file for the replay command."""
    explanation = counterexample.explanation
    faults = told.faults(counterexample)
    fixes = _best_first(explanation.fixes)
    return _template().render(
        **_about_code(counterexample, history),
        mapping=mapping_text(counterexample.mapping),
        title=title_of(counterexample.invariant),
        design=counterexample.design,
        paragraph=paragraph(counterexample, history),
        own_bug=explanation.own_bug,
        note=told.note(explanation),
        **_about_settings(counterexample),
        faults=faults,
        no_fault=faults == [told.NO_FAULT],
        assumptions=told.assumptions(counterexample),
        assumed=explanation.assumptions is not None,
        in_sets=any(each.sets for setting in explanation.settings for each in setting.thresholds),
        over_sets=told.over_sets(explanation),
        ensemble=explanation.ensemble,
        rate=told.rate(explanation),
        fixes=[_row(fix, counterexample.mapping) for fix in fixes],
        works=any(fix.prevents for fix in fixes),
        point_of_no_return=told.point_of_no_return(counterexample, history),
        patch=fenced(explanation.patch, "diff") if explanation.patch else "",
        diagram=fenced(sequence(causal_slice(history, counterexample.violation)), "mermaid"),
        steps=narrate(counterexample, history),
        source=fenced(source(counterexample.scenario, counterexample.invariant), "python"),
        command=fenced(replay_command(replay), "sh"),
        unfinished=told.unfinished(explanation),
        cut_by=told.cut_by(explanation, hint="; `--profile ci` allows more"),
        versions=sorted(counterexample.versions.items()),
        digest=counterexample.digest,
    )


def _about_code(counterexample: Counterexample, history: History) -> dict[str, object]:
    """Return what the report says of messages and of real code."""
    end = told.failure(history, counterexample.violation)
    output = "" if end is None else "\n".join(shown(line, 500) for line in end.output)
    return {
        "error": "" if end is None or end.outcome == "succeeded" else told.error_text(end),
        "output": fenced(output, "text") if end is not None and end.output else "",
        "bodies": bodies(counterexample, history),
        "in_code": in_code(counterexample, history),
    }


def _about_settings(counterexample: Counterexample) -> dict[str, object]:
    """Return what the report says of causes, premises and settings."""
    explanation = counterexample.explanation
    return {
        "cause": told.cause(explanation),
        "needs": premises.needs(counterexample),
        "safe_load": premises.safe_load(explanation),
        "load_label": premises.load_label(explanation),
        "settings": [_plain(setting) for setting in told.telling(explanation)],
        "explained": bool(explanation.settings),
        "partly": "settings" in explanation.unfinished,
        "safety": told.safety(explanation),
        "free": told.uninvolved(explanation),
        "throughput": told.throughput_only(explanation),
        "unsettled": told.unsettled(explanation),
    }


def _plain(setting: Setting) -> dict[str, str]:
    return {
        "owner": told.owner(setting.path),
        "name": setting.path.attribute,
        "value": told.value_text(setting),
        "threshold": told.part(setting),
        "origin": "" if setting.origin is None else str(setting.origin),
    }


def _row(fix: Fix, mapping: str) -> dict[str, object]:
    price = fix.price
    return {
        "change": told.changes_text(fix, mapping),
        "violated": f"{fix.evidence.violations:,} of {fix.evidence.trials:,} seeds"
        + (f", 0 of {fix.cases:,} cases" if fix.cases else "")
        + (f", and {sets}" if (sets := told.in_sets(fix.sets)) and fix.prevents else ""),
        "evidence": told.fix_evidence(fix),
        "conditions": told.conditions(fix),
        "breaks": told.breaks(fix),
        "price": [
            "–" if part is None else told.growth(part) for part in (price.drain, price.latency, price.concurrency)
        ],
    }


def _best_first(fixes: tuple[Fix, ...]) -> list[Fix]:
    return sorted((fix for fix in fixes if fix.evidence.trials > 0), key=lambda fix: not fix.prevents)


@cache
def _template() -> Template:
    """Return the template of the report, which escapes or fences all texts of users."""
    environment = Environment(
        loader=PackageLoader("chaosqs.report", ""),
        autoescape=False,  # noqa: S701 - the filters below escape for Markdown, where HTML is only half of it
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters["prose"] = plain_text
    environment.filters["code"] = code
    return environment.get_template("report.md.j2")


# The folder of a report: `report.md` for people, `scenario.json` for replays, `fix.patch` ----------------------------
#
# A new folder appears complete, and files of an existing one are replaced atomically: several processes may write it.

REPORT = "report.md"
SCENARIO = "scenario.json"
PATCH = "fix.patch"


def write_report(directory: Path, counterexample: Counterexample, history: History) -> Path:
    """Write the report to its own folder in `directory`, and return that folder.

    Equal input gives equal bytes. Raises `InvalidInput` if the directory cannot be written.
    """
    folder = directory / folder_name(counterexample)
    replay = _as_given(directory) / folder.name / SCENARIO
    files = {
        REPORT: markdown(counterexample, history, replay=replay.as_posix()),
        SCENARIO: to_json(counterexample),
        **({PATCH: counterexample.explanation.patch} if counterexample.explanation.patch else {}),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _put(folder, files)
    except OSError as error:
        message = (
            f"cannot write the report to {shown(str(folder), 300)}: {error.strerror or type(error).__name__}\n"
            "Name a directory that can be written: --report-dir of chaosqs, --chaosqs-report-dir of pytest,\n"
            "or report_dir in [tool.chaosqs] of pyproject.toml."
        )
        raise InvalidInput(message) from None
    return folder


def folder_name(counterexample: Counterexample) -> str:
    """Return the name of the folder: `template-orders-worker-no-dead-lettering-by-throttling`."""
    return f"{design_slug(counterexample.design)}-{slug(counterexample.mapping)}-{slug(counterexample.invariant)}"


def _as_given(directory: Path) -> Path:
    """Return a directory as a relative path, so that reports do not contain paths of one machine."""
    if not directory.is_absolute():
        return directory
    here = Path.cwd()
    return directory.relative_to(here) if directory.is_relative_to(here) else Path(directory.name)


def _put(folder: Path, files: dict[str, str]) -> None:
    """Write the files to a temporary folder, then move them to their place."""
    with tempfile.TemporaryDirectory(prefix=".chaosqs-", dir=folder.parent, ignore_cleanup_errors=True) as beside:
        whole = Path(beside) / folder.name
        whole.mkdir()
        for name, text in files.items():
            (whole / name).write_text(text, encoding="utf-8", newline="\n")
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            for name in files:
                (whole / name).replace(folder / name)
            if PATCH not in files:  # an earlier report may have left one
                (folder / PATCH).unlink(missing_ok=True)


# The diagram ----------------------------------------------------------------------------------------------------------

MOST_ARROWS = 60


def sequence(story: Slice) -> str:
    """Return the diagram of the whole slice, or, if that is too long, of the messages concerned."""
    whole = story.without_retries(story.indexes)
    actors, arrows = _drawn(story, whole)
    if len(arrows) > MOST_ARROWS:
        actors, arrows = _drawn(story, [index for index in whole if story.concerns(index)])
    left, right = arrows, list[Arrow]()
    omitted: list[str] = []
    if len(arrows) > MOST_ARROWS:
        left, right = arrows[: MOST_ARROWS // 2], arrows[-(MOST_ARROWS // 2 - 1) :]
        count = sum(arrow.events for arrow in arrows[len(left) : -len(right)])
        words = mermaid(f"… {counted(count, 'event')} omitted")
        omitted = [f"    Note over {left[-1].source}: {words}"]
    lines = [*(arrow.text() for arrow in left), *omitted, *(arrow.text() for arrow in right)]
    return "\n".join(["sequenceDiagram", *actors.declarations(), *lines])


def _drawn(story: Slice, indexes: Sequence[int]) -> tuple[Actors, list[Arrow]]:
    actors, arrows = Actors.of(story, indexes), list[Arrow]()
    for index in indexes:
        event = story.event(index)
        arrow = DESCRIPTIONS[type(event)].arrow(event, Drawing(actors, index))
        joined = arrows[-1].joined(arrow) if arrows and arrow else None
        if joined:
            arrows[-1] = joined
        elif arrow:
            arrows.append(arrow)
    return actors, arrows
