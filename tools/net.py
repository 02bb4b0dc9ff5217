"""The net: recorded results of some 600 runs, under neutral names, which show that a refactoring changes no behaviour.

    python -m tools.net check [PATTERN …]        compare the runs, or those whose ids match; exit with 1 if any differs
    python -m tools.net dump DIR [PATTERN …]     write the events of each run to a file: two checkouts can be diffed
    python -m tools.net record [FILE|DIR]        write a new record; by default, replace the committed one
    python -m tools.net add ID FILE [ID FILE …]  store scenarios or counterexamples under these ids, for `record`

Runs are of three kinds: scenarios stored in `tests/net/scenarios.jsonl.gz` (JSON as `to_json` writes it, read with its
migrations), the same with an alternative to event source mappings, and boto3 sessions in `tests/net/sessions.py`.
Recorded are a SHA-256 of the neutral events, the summary, and the verdict of each invariant (of an alternative, its
figures instead).

The record changes with behaviour, not with names: after renaming a class, field or metric, only the tables below must
be changed. A name that is not in a table raises an error. The strings inside events (reasons, faults, errors) are
recorded as they are.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatch
from functools import cache, partial
from pathlib import Path

import attrs

from chaosqs.comparison.run import journey
from chaosqs.invariants import by_name
from chaosqs.model.alternative import KINDS, RateLimitedFront
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.figures import figures
from chaosqs.model.history import History
from chaosqs.model.json import Json, parsed, structure, to_json
from chaosqs.model.scenario import Scenario
from chaosqs.simulation.run import simulate
from tests.net.sessions import SESSIONS, is_mapping, is_sequence

NET = Path(__file__).parents[1] / "tests" / "net"
SCENARIOS, RECORD = NET / "scenarios.jsonl.gz", NET / "record.json"

# Neutral names -------------------------------------------------------------------------------------------------------
# A table lists every field of a class: `name`; `name:neutral` if the record has another name for it; `name:` if it is
# not recorded.

EVENTS: Mapping[str, tuple[str, str]] = {
    "Sent": ("sent", "at cause queue message body_bytes group copy_of fault deduplication_id contents: place:"),
    "Deduplicated": ("send deduplicated", "at cause queue message first"),
    "SendFailed": ("send failed", "at cause queue message fault"),
    "Received": ("received", "at cause queue mapping poller messages receive_counts visible_at fault lost"),
    "ReceiveFailed": ("receive failed", "at cause queue mapping poller fault"),
    "ReceivedNothing": ("received nothing", "at cause queue mapping poller count since every"),
    "Throttled": ("throttled", "at cause function mapping poller messages attempt reason running limit fault"),
    "ServiceFailed": ("service failed", "at cause function mapping poller messages fault reason"),
    "InvocationStarted": (
        "invocation started",
        "at cause function mapping poller invocation messages cold running fault",
    ),
    "InvocationEnded": (
        "invocation ended",
        (
            "at cause function mapping invocation messages outcome failed duration answered fault rule error answer: "
            "trace: output:"
        ),
    ),
    "PointPassed": ("fault point passed", "at cause function invocation point fault"),
    "Effect": ("effect", "at cause function invocation name values message"),
    "Reached": ("mark reached", "at cause function invocation mark"),
    "Released": ("released", "at cause mapping poller messages why fault"),
    "Held": ("held", "at cause mapping poller messages until fault"),
    "Deleted": ("deleted", "at cause queue mapping messages stayed fault"),
    "FilteredOut": ("filtered out", "at cause queue mapping poller messages rules"),
    "Returned": ("returned", "at cause queue message receive_count fault"),
    "DeadLettered": ("dead-lettered", "at cause queue target message receive_count"),
    "Expired": ("expired", "at cause queue message receive_count"),
    "PollersChanged": ("pollers changed", "at cause mapping pollers why fault"),
    "Operated": ("operated", "at cause kind target setting value fault"),
    # Further lines of alternatives: notes and figures.
    "Note": ("note", "at message what"),
    "Figures": (
        "figures",
        (
            "name sent processed processed_twice dead_lettered dead_lettered_by_throttling discarded "
            "lost_to_the_caller remaining throttles rate_limited invocations concurrent_executions longest_wait "
            "drained_at digest:"
        ),
    ),
}
"""Neutral kind and table of fields, by class name."""

SUMMARY = "queues functions mappings messages drained_at ended_at"
PARTS: Mapping[str, str] = {
    "queues": "NumberOfMessagesSent NumberOfMessagesReceived NumberOfMessagesDeleted NumberOfEmptyReceives "
    "ApproximateAgeOfOldestMessage ApproximateNumberOfMessagesNotVisible ApproximateNumberOfMessagesVisible",
    "functions": "Invocations Errors Throttles ConcurrentExecutions Duration",
    "mappings": "PolledEventCount InvokedEventCount FilteredOutEventCount FailedInvokeEventCount DeletedEventCount "
    "batches",
}
MESSAGES = (
    "sent processed processed_twice dead_lettered dead_lettered_unprocessed dead_lettered_by_throttling expired "
    "remaining"
)
STATUSES = {"holds": "h", "violated": "v", "not applicable": "-", "not exercised": "e", "inconclusive": "i"}
INVARIANTS = (
    "no-dead-lettering-by-throttling",
    "at-least-once-delivery",
    "no-loss-after-send",
    "no-early-dead-lettering",
    "no-bystander-dead-lettered",
    "dead-letter-queue-outlives-source",
    "reported-failures-kept",
    "no-concurrent-processing",
    "no-second-processing",
    "fifo-order",
    "one-group-at-a-time",
    "deduplication-holds",
    "batches-within-limits",
    "filtered-never-delivered",
    "bounded-retries",
    "drains-after-healing",
    "no-starvation",
    "concurrency-within-its-limits",
    "conservation",
    "bounded-retries-up-to-3",
    "throttle-rate-up-to-50-percent",
    "oldest-message-within-60-s",
    "downstream-concurrency-up-to-2-of-worker",
    "exactly-once-charged-by-order",
)
"""The invariants in the order of the record's verdicts; names with numbers are of invariants with parameters."""


def renamed(fields: Mapping[str, object], table: str) -> dict[str, Json]:
    """Return fields under their neutral names. Raises KeyError for fields that only the table or only the value has."""
    names = dict(_entry(entry) for entry in table.split())
    if names.keys() != fields.keys():
        raise KeyError(f"the table of tools/net.py differs in {', '.join(sorted(names.keys() ^ fields.keys()))}")
    return {neutral: plain(fields[name]) for name, neutral in names.items() if neutral}


def _entry(entry: str) -> tuple[str, str]:
    name, colon, neutral = entry.partition(":")
    return name, neutral if colon else name


def plain(value: object) -> Json:
    """Return a value as JSON. Raises TypeError for a value without neutral form."""
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.timestamp()
    if is_sequence(value):
        return [plain(item) for item in value]
    if is_mapping(value):
        return {str(key): plain(item) for key, item in value.items()}
    raise TypeError(f"{type(value).__name__} has no neutral form")


def neutral(value: attrs.AttrsInstance) -> str:
    """Return an event, a note or figures as a line of JSON. Raises KeyError for a class without a table."""
    name = type(value).__name__
    if name not in EVENTS:
        raise KeyError(f"the table of tools/net.py has no {name}")
    kind, table = EVENTS[name]
    fields: dict[str, object] = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
    return _json([kind, renamed(fields, table)])


def _json(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _fingerprint(text: str, length: int = 64) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


# One run --------------------------------------------------------------------------------------------------------------


@attrs.frozen
class Run:
    """A run: its history, and further lines for the record."""

    history: History
    others: tuple[str, ...] = ()
    """Further lines for the record."""
    invariants: tuple[str, ...] = INVARIANTS
    """The invariants that judge it."""

    @property
    def lines(self) -> list[str]:
        """The events and the further lines, each as one line of JSON."""
        history = self.history
        end: Json = ["end", {"drained_at": history.drained_at_ms, "ended_at": history.ended_at_ms}]
        return [*map(neutral, history.events), _json(end), *self.others]

    @property
    def text(self) -> str:
        """The lines as one text, whose SHA-256 is in the record."""
        return "".join(f"{line}\n" for line in self.lines)

    def recorded(self) -> dict[str, Json]:
        """Return the run's entry in the record."""
        summary, verdicts = _summary(self.history), [by_name(name).judge(self.history) for name in self.invariants]
        return {
            "sha256": _fingerprint(self.text),
            "events": len(self.history.events),
            "summary": {"sha256": _fingerprint(_json(summary), 16), **_main(summary)},
            "verdicts": " ".join(f"{STATUSES[str(verdict.status)]}{verdict.exercised or ''}" for verdict in verdicts),
            "violations": {
                verdict.invariant: [
                    len(verdict.violations),
                    [*sorted({message for violation in verdict.violations for message in violation.messages})],
                    _fingerprint(_json([[v.at, v.queue, *v.messages, *v.events] for v in verdict.violations]), 16),
                ]
                for verdict in verdicts
                if verdict.violations
            },
        }


def _summary(history: History) -> dict[str, Json]:
    found = renamed(history.summary(), SUMMARY)
    for part, table in PARTS.items():
        owners = found[part]
        assert isinstance(owners, dict)
        found[part] = {name: renamed(_object(figures), table) for name, figures in owners.items()}
    found["messages"] = renamed(_object(found["messages"]), MESSAGES)
    return found


def _object(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value


def _main(summary: Mapping[str, Json]) -> dict[str, Json]:
    """Return the figures that are not 0."""
    figures = {**_object(summary["messages"]), "ended_at": summary["ended_at"]}
    return {name: value for name, value in figures.items() if value}


# All runs -------------------------------------------------------------------------------------------------------------


@cache
def stored() -> dict[str, dict[str, Json]]:
    """Return the stored scenarios by id, each with its scenario's document, and its alternative if it has one."""
    lines = gzip.decompress(SCENARIOS.read_bytes()).decode().splitlines()
    return {str(entry.pop("id")): entry for entry in map(_object, map(parsed, lines))}


def _simulated(entry: Mapping[str, Json]) -> Run:
    scenario = structure(Scenario, entry["scenario"])
    if "alternative" not in entry:
        return Run(simulate(scenario))
    ((kind, fields),) = _object(entry["alternative"]).items()
    alternative = structure(KINDS[kind], fields)
    done = journey(scenario, alternative)
    column = figures(kind, done.history, done.notes, pushed=isinstance(alternative, RateLimitedFront))
    return Run(done.history, (*map(neutral, done.notes), neutral(column)), invariants=())


def _played(session: Callable[[], tuple[History, Sequence[object]]]) -> Run:
    history, answers = session()
    return Run(history, tuple(_json(["answer", plain(answer)]) for answer in answers))


@cache
def runs() -> dict[str, Callable[[], Run]]:
    """Return the functions that make the runs, by id."""
    simulated: dict[str, Callable[[], Run]] = {name: partial(_simulated, entry) for name, entry in stored().items()}
    return simulated | {f"session/{name}": partial(_played, session) for name, session in SESSIONS.items()}


def record() -> dict[str, Json]:
    """Return the committed record."""
    return _object(parsed(RECORD.read_text(encoding="utf-8")))


def difference(name: str) -> str:
    """Make one run again; return its difference from the record, or nothing."""
    expected = record_of(name)
    if expected is None or name not in runs():
        return "is not in the record" if expected is None else "is in the record, but no longer stored"
    try:
        found = runs()[name]().recorded()
    except Exception as error:  # noqa: BLE001 - the other runs must be compared in any case
        return f"raises {type(error).__name__}: {error}"
    differing = [
        f"{key}: {_json(expected.get(key))} → {_json(found[key])}" for key in found if found[key] != expected.get(key)
    ]
    return "\n".join(differing)


@cache
def _known() -> dict[str, Json]:
    return record()


def record_of(name: str) -> dict[str, Json] | None:
    """Return the record's entry of one run, or None."""
    return _object(_known()[name]) if name in _known() else None


def names(patterns: Sequence[str] = ()) -> list[str]:
    """Return the ids of all stored or recorded runs, or of those that match one of the patterns."""
    every = sorted(runs().keys() | _known().keys())
    return [name for name in every if not patterns or any(fnmatch(name, pattern) for pattern in patterns)]


# The commands ---------------------------------------------------------------------------------------------------------


def check(patterns: Sequence[str] = ()) -> int:
    """Print the difference of each run from the record; return the exit status."""
    chosen = names(patterns)
    differing = 0
    for name in chosen:
        found = difference(name)
        if found:
            differing += 1
            print(f"{name}\n  " + found.replace("\n", "\n  "))
    print(f"{differing} of {len(chosen)} runs differ from the record")
    return int(differing > 0 or not chosen)


def dump(folder: Path, patterns: Sequence[str] = ()) -> None:
    """Write the lines of each run to a file of its own."""
    for name in names(patterns):
        file = folder / f"{name}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(runs()[name]().text, encoding="utf-8", newline="\n")


def write_record(path: Path) -> None:
    """Write the record of all runs, one line each."""
    lines = (f"{_json(name)}:{_json(run().recorded())}" for name, run in sorted(runs().items()))
    file = path / RECORD.name if path.is_dir() else path
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8", newline="\n")


def add(pairs: Sequence[tuple[str, Path]]) -> None:
    """Store the scenarios of files under ids; they replace those with the same ids."""
    added = {name: {"scenario": _document(file)} for name, file in pairs}
    store(dict(stored()) | added)


def _document(file: Path) -> Json:
    document = _object(parsed(file.read_text(encoding="utf-8")))
    counterexample = "violation" in document
    scenario = structure(Counterexample, document).scenario if counterexample else structure(Scenario, document)
    return parsed(to_json(scenario))


def store(entries: Mapping[str, Mapping[str, Json]]) -> None:
    """Write all scenarios to the store; the same scenarios give the same bytes."""
    lines = (_json({"id": name, **entry}) + "\n" for name, entry in sorted(entries.items()))
    SCENARIOS.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))


def _pairs(given: Sequence[str]) -> Iterator[tuple[str, Path]]:
    for name, file in zip(given[::2], given[1::2], strict=True):
        yield name, Path(file)


def main(arguments: Sequence[str]) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m tools.net", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check").add_argument("patterns", nargs="*")
    dumping = commands.add_parser("dump")
    dumping.add_argument("folder", type=Path)
    dumping.add_argument("patterns", nargs="*")
    commands.add_parser("record").add_argument("path", nargs="?", type=Path, default=RECORD)
    commands.add_parser("add").add_argument("pairs", nargs="+")
    chosen = vars(parser.parse_args(arguments))
    match chosen.pop("command"):
        case "check":
            return check(**chosen)
        case "dump":
            dump(**chosen)
        case "record":
            write_record(**chosen)
        case _:
            add(tuple(_pairs(chosen["pairs"])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
