"""Counts the files of the product that three operations run through: the files that a reader must open to follow them.

A file counts if one of its functions is called, as seen by `sys.setprofile` (in Python 3.11, comprehensions and
generators are calls, too; code that attrs generates has no file). Modules that are imported meanwhile do not count, and
each journey runs once before it is traced, so that everything is imported.

The journeys use recorded events and public names, not the names of modules:

* **throttled invoke**: the step of the event queue in which the first event of the kind `throttled` is created, from
  its first call to its return. In it a poller asks Lambda to invoke, is refused, records that, and schedules its next
  attempt. The step is the outermost call that is on the stack when this event is created, but not when the others of
  the same run are: all of them share the loop that takes the steps.
* **boto3 receive**: one `receive_message` of a client in `chaosqs.aws()` that returns one message at once.
* **one message**: one `simulate`, from the call to the return, of one message through one queue, one mapping and one
  modelled function.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

import attrs

import chaosqs
from chaosqs import Behaviour, Burst, Design, EventSourceMapping, Function, Queue, Scenario
from tools.net import EVENTS

ROOT = Path(__file__).parents[1]
PRODUCT = (ROOT / "chaosqs", ROOT / "strategies")
_AUDIT_HOOK = "_heard"
"""The function in `lambda_/guards.py` that Python calls for audit events of the whole process: it is on no journey."""


@attrs.define
class Trace:
    """The calls and returns of the current thread within a block, in order."""

    watched: CodeType | None = None
    """A function; the stack of each of its calls is stored in `stacks`."""
    steps: list[tuple[FrameType, str]] = attrs.field(factory=list[tuple[FrameType, str]])
    """Frames, each with `call` or `return`, except those of imports."""
    stacks: list[list[FrameType]] = attrs.field(factory=list[list[FrameType]])
    _importing: int = 0

    @contextmanager
    def on(self) -> Generator[None]:
        """Trace the calls in the block."""
        sys.setprofile(self._follow)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _follow(self, frame: FrameType, event: str, _: object) -> None:
        if event not in {"call", "return"} or frame.f_code.co_name == _AUDIT_HOOK:
            return
        if frame.f_code.co_name == "<module>":
            self._importing += 1 if event == "call" else -1
        elif not self._importing:
            if event == "call" and frame.f_code is self.watched:
                self.stacks.append(_stack(frame))
            self.steps.append((frame, event))

    def files(self, within: FrameType | None = None) -> list[str]:
        """Return the files of the product whose functions were called, in all or within one call."""
        steps = self.steps
        if within is not None:
            first = steps.index((within, "call"))
            steps = steps[first : steps.index((within, "return"), first)]
        paths = {Path(frame.f_code.co_filename).resolve() for frame, event in steps if event == "call"}
        return sorted(str(path.relative_to(ROOT)) for path in paths if any(map(path.is_relative_to, PRODUCT)))


def _stack(frame: FrameType | None) -> list[FrameType]:
    """Return the stack of a frame, the outermost first, the frame itself last."""
    found: list[FrameType] = []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found[::-1]


def _scenario(messages: int, reserved: int | None) -> Scenario:
    design = Design(
        [Queue("orders")],
        [Function("worker", reserved_concurrency=reserved)],
        [EventSourceMapping("orders", "worker", 1)],
    )
    return Scenario(design, [Burst("orders", messages)], {"worker": Behaviour(seconds_per_batch=2)})


def throttled_invoke() -> list[str]:
    """Return the files of a throttled invoke: three messages, one at a time, on one reserved execution."""
    scenario = _scenario(messages=3, reserved=1)
    kinds = {type(event).__name__: type(event) for event in chaosqs.simulate(scenario).events}
    throttled = next(kind for name, kind in kinds.items() if EVENTS[name][0] == "throttled")
    trace = Trace(throttled.__init__.__code__)
    with trace.on():
        chaosqs.simulate(scenario)
    return trace.files(step_of(trace.stacks))


def step_of(stacks: Sequence[Sequence[FrameType]]) -> FrameType:
    """Return the outermost call of the first stack that not all stacks have."""
    first, *others = stacks
    assert others, "one throttle alone does not tell its step from the loop that takes steps"
    return next(frame for frame in first if not all(frame in other for other in others))


def boto3_receive() -> list[str]:
    """Return the files of a `receive_message` that returns a message: the second one of a client."""
    trace = Trace()
    with chaosqs.aws() as mocked:
        sqs = mocked.client()
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        for body in ("warm", "traced"):
            sqs.send_message(QueueUrl=url, MessageBody=body)
        sqs.receive_message(QueueUrl=url)
        with trace.on():
            answer = sqs.receive_message(QueueUrl=url)
    assert [message.get("Body") for message in answer.get("Messages", [])] == ["traced"]
    return trace.files()


def one_message() -> list[str]:
    """Return the files of one message through `simulate`: the second such run."""
    scenario, trace = _scenario(messages=1, reserved=None), Trace()
    chaosqs.simulate(scenario)
    with trace.on():
        history = chaosqs.simulate(scenario)
    assert history.summary()["messages"]["processed"] == 1
    return trace.files()


JOURNEYS: Mapping[str, Callable[[], list[str]]] = {
    "throttled invoke": throttled_invoke,
    "boto3 receive": boto3_receive,
    "one message": one_message,
}
