"""A counterexample as text for a terminal and for the message of a failed test: at most 30 lines of 110 columns.

Only the replay command may be longer, because a shortened path would be useless.
"""

import shlex
from collections.abc import Iterator, Sequence

from chaosqs.model.counterexample import Counterexample
from chaosqs.model.history import History
from chaosqs.report import explanation as told
from chaosqs.report import premises
from chaosqs.report.event_text import Step
from chaosqs.report.summary import bodies, in_code
from chaosqs.report.text import flowing, mapping_text, padded, shortened, shown, title_of, wrapped
from chaosqs.report.timeline import MOST_STEPS, narrate

# The replay command --------------------------------------------------------------------------------------------------


def replay_command(path: str) -> str:
    """Return the command that replays a counterexample, on one line, with the path quoted for a shell."""
    if shown(path, len(path) * 10) == path:
        return f"chaosqs replay {shlex.quote(path)}"
    escaped = path.encode("unicode_escape").decode().replace("'", "\\'")
    return f"chaosqs replay $'{escaped}'"


# The story -----------------------------------------------------------------------------------------------------------

LINES = 30  # maximum lines of a story
WIDTH = 110  # maximum columns of a line
_LABEL_WIDTH = 16
_MIN_TIME_WIDTH = 8
_OUTPUT_LINES = 3
"""Maximum lines of the output of real code."""
_STATUS = "VIOLATED"
_ARTEFACT = "ARTEFACT"


def story(counterexample: Counterexample, history: History, *, replay: str = "") -> str:
    """Return the story; `replay` is the path of the counterexample's file, for the replay command; empty: none."""
    head = [headline(counterexample)]
    head += ["  " + line for line in wrapped(shown(counterexample.violation.text, 500), WIDTH - 2, 3)]
    rest = list(_facts(counterexample, history, replay))
    if counterexample.explanation.cause:
        return "\n\n".join("\n".join(part) for part in (head, rest) if part) + "\n"
    room = LINES - len(head) - len(rest) - 2
    said = [*_bodies(counterexample, history), *_said(counterexample, history)][: max(0, room - MOST_STEPS)]
    rest, room = [*said, *rest], room - len(said)
    steps = timeline(narrate(counterexample, history, min(MOST_STEPS, room - 1)), room)
    parts = [part for part in (head, list(steps), rest) if part]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def headline(counterexample: Counterexample) -> str:
    """Return the first line: mapping, invariant and verdict."""
    left = "    ".join(filter(None, [mapping_text(counterexample.mapping), title_of(counterexample.invariant)]))
    status = _STATUS if not counterexample.explanation.is_artefact else _ARTEFACT
    room = WIDTH - len(status) - 1
    return f"{padded(shortened(left, room), room)} {status}"


def timeline(steps: Sequence[Step], lines: int) -> Iterator[str]:
    """Yield the steps with their times, on one line or two each; the last long step is the first to get two."""
    time = max((len(step.time) for step in steps), default=0)
    time = max(time, _MIN_TIME_WIDTH)
    width, spare = WIDTH - time - 2, lines - len(steps)
    indexes = [index for index, step in enumerate(steps) if len(wrapped(step.text, width, 2)) > 1]
    long = [*indexes[-1:], *indexes[:-1]][: max(0, spare)]
    for index, step in enumerate(steps):
        for number, line in enumerate(wrapped(step.text, width, 2 if index in long else 1)):
            yield f"{('' if number else step.time).rjust(time)}  {line}"


def _bodies(counterexample: Counterexample, history: History) -> Iterator[str]:
    """Yield the bodies of poison messages, and of those that the violation is about."""
    for index, body in enumerate(bodies(counterexample, history)):
        yield f"  {padded('' if index else 'Messages', _LABEL_WIDTH)}{body.line(WIDTH - _LABEL_WIDTH - 2)}"


def _said(counterexample: Counterexample, history: History) -> Iterator[str]:
    """Yield the error of real code with its place, and the last lines that it printed or logged."""
    end = told.failure(history, counterexample.violation)
    if end is None:
        return
    yield from _line("Error", [told.error_text(end)] if end.outcome != "succeeded" else [])
    for number, line in enumerate(end.output[-_OUTPUT_LINES:]):
        yield f"  {padded('' if number else 'Output', _LABEL_WIDTH)}{shown(line, WIDTH - _LABEL_WIDTH - 2)}"


def _facts(counterexample: Counterexample, history: History, replay: str) -> Iterator[str]:
    """Yield the lines below the timeline, for the facts that are known."""
    explanation = counterexample.explanation
    yield from _line("Note", [text] if (text := told.note(explanation)) else [])
    yield from _line("Same cause", [text] if (text := told.cause(explanation)) else [])
    found = [] if explanation.cause else told.faults(counterexample)
    unneeded = found == [told.NO_FAULT]
    free = [*told.uninvolved(explanation), *(f"{name} (throughput only)" for name in told.throughput_only(explanation))]
    yield from _line("Needs", premises.needs(counterexample))
    yield from _line(premises.load_label(explanation), premises.safe_load(explanation), 3)
    yield from _line("What matters", told.matters(explanation), 4)
    yield from _line("", [text] if (text := told.safety(explanation)) else [])
    yield from _line("At a price", told.at_a_price(explanation), 1)
    yield from _line("Not involved", [*free, *(found if unneeded else [])] if free else [], 2)
    yield from _line("Faults", [] if unneeded and free else found)
    if explanation.ensemble is not None:
        yield from _line(told.OVER_SETS[explanation.ensemble.verdict], [told.over_sets(explanation)])
    yield from _line("Hangs on", told.assumptions(counterexample), 1)
    yield from _line("How often", [text] if (text := told.rate(explanation)) else [])
    yield from _line("Inevitable", [text] if (text := told.point_of_no_return(counterexample, history)) else [], 1)
    yield from _line("Prevented by", told.fixes(counterexample), 3)
    yield from _line("In the code", in_code(counterexample, history), 3)
    left = told.unfinished(explanation)
    yield from _line("Not tried", [*left, told.cut_by(explanation)] if left else [], 2)
    yield from _line("From", told.origins(explanation), 1)
    if replay:
        yield f"  {padded('Replay', _LABEL_WIDTH)}{replay_command(replay)}"


def _line(label: str, values: Sequence[str], lines: int = 2) -> Iterator[str]:
    for number, line in enumerate(flowing(values, WIDTH - _LABEL_WIDTH - 2, lines)):
        yield f"  {padded('' if number else label, _LABEL_WIDTH)}{line}"
