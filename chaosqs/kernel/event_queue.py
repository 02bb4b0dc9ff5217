"""The event queue: steps ordered by due moment, then by the scenario's tie-break, then by insertion.

Nothing else decides the order of a run: neither trio nor Python's hashing. A scenario that wants another order holds
single tasks back (`HoldingEventQueue`). Pollers and invocations of real code are tasks; all other steps belong to AWS.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import TypeAlias

import attrs

from chaosqs.model.faults import Pause

Step: TypeAlias = Callable[[], None]
Hold: TypeAlias = Callable[[str, int, int], int]
"""Function of a task, the number of its step, and the number of this step among those of all tasks (both from 1).
Returns the number of other steps that go first; 0: none."""
_Entry: TypeAlias = tuple[int, int, int, Step]

_MASK = (1 << 64) - 1


@attrs.define
class EventQueue:
    """The steps that are still to be run."""

    seed: int
    """0: steps due at one moment run in the order of insertion. Other seeds: in an order drawn from the seed."""
    now: int = 0
    """The present moment, in milliseconds."""
    steps: int = 0
    """Number of steps taken."""
    may_be_over: bool = True
    """Set when something ends: the clock checks only then whether the run is over."""
    _heap: list[_Entry] = attrs.field(factory=list[_Entry])
    _sequence: int = 0
    _salt: int = 0

    def __attrs_post_init__(self) -> None:
        """Choose the order of ties."""
        self.reseed(self.seed)

    def reseed(self, seed: int) -> None:
        """Order the ties of all steps that are added from now on by another seed."""
        self.seed = seed
        self._salt = seed * 0x9E3779B97F4A7C15 & _MASK

    def at(self, due: int, step: Step, task: str = "") -> None:  # noqa: ARG002 - for an event queue that holds tasks back
        """Run a step at a moment, which must not be in the past; `task`: the task that the step belongs to, if any."""
        assert due >= self.now, f"a step is due at {due} ms, but it is {self.now} ms already"
        self._sequence = sequence = self._sequence + 1
        tie = 0
        if self._salt:
            tie = (sequence * 0xBF58476D1CE4E5B9 ^ self._salt) & _MASK
            tie = (tie ^ tie >> 29) * 0x94D049BB133111EB & _MASK
        heappush(self._heap, (due, tie, sequence, step))

    def after(self, milliseconds: int, step: Step, task: str = "") -> None:
        """Run a step after a delay; `task` as for `at`."""
        self.at(self.now + milliseconds, step, task)

    def first_at(self, due: int, step: Step) -> None:
        """Run a step before all others of its moment, once a run. The order of the others stays as it was."""
        heappush(self._heap, (due, -1, 0, step))

    def next_due(self) -> float:
        """Return when the next step is due; infinity if there is none."""
        return self._heap[0][0] if self._heap else inf

    def take_by(self, limit: float) -> Step | None:
        """Take the next step if it is due by a moment; None otherwise."""
        heap = self._heap
        if not heap or heap[0][0] > limit:
            return None
        self.now, _, _, step = heappop(heap)
        self.steps += 1
        return step

    def take(self) -> Step:
        """Move on to the next step's moment and return the step."""
        self.now, _, _, step = heappop(self._heap)
        self.steps += 1
        return step


@attrs.define
class _Held:
    """A hold of one task, current or past."""

    task: str
    number: int
    asked: int
    """Number of other steps that were to go first."""
    step: Step
    due: int
    until: int
    """Moment at which the hold ends at the latest, in milliseconds."""
    since: int
    """Steps taken in the run when the hold began."""
    behind: list[_Entry] = attrs.field(factory=list[_Entry])
    """Later steps of the same task that became due during the hold: a task does not overtake itself."""
    taken: int | None = None
    """Number of other steps that went first; None while the task is held."""

    def pause(self, steps: int) -> Pause | None:
        """Return a pause with the effect of this hold, or None if it had none; `steps`: steps taken in the run so far.

        A hold that ended by time is the same as a pause of one step more than went first.
        """
        taken = steps - self.since if self.taken is None else self.taken
        if self.taken == 0 and self.until == self.due:
            return None
        return Pause(self.task, self.number, min(self.asked, taken + 1))


@attrs.define(kw_only=True)
class HoldingEventQueue(EventQueue):
    """An event queue that holds tasks back until a number of other steps were taken, or a time limit is reached.

    With a hold of one step, the next step of any other owner goes first, even if it is due at the same moment.
    """

    hold: Hold
    longest: int
    """Maximum milliseconds that a hold lasts."""
    heals: float = inf
    """Moment from which no task is held any more, in milliseconds."""
    counts: dict[str, int] = attrs.field(factory=dict[str, int])
    """Number of steps of each task that became due, in the order of the tasks' first steps."""
    _came: int = 0
    _owners: dict[int, str] = attrs.field(factory=dict[int, str])
    """Task of each step, by the step's sequence number."""
    _held: dict[str, _Held] = attrs.field(factory=dict[str, _Held])
    _all: list[_Held] = attrs.field(factory=list[_Held])

    def at(self, due: int, step: Step, task: str = "") -> None:
        """Run a step at a moment, or later if its task is held then."""
        super().at(due, step)
        if task:
            self._owners[self._sequence] = task

    def next_due(self) -> float:
        """Return when the next step is due or the next hold ends."""
        return min([super().next_due(), *map(self._ends_at, self._held.values())])

    def take_by(self, limit: float) -> Step | None:
        """Take the next step that is not held, if it is due by a moment; None otherwise."""
        heap = self._heap
        while True:
            first = min(self._held.values(), key=self._ends_at, default=None)
            if first is not None and (not heap or self._ends_at(first) <= heap[0][0]):
                return self._release(first) if self._ends_at(first) <= limit else None
            if not heap or heap[0][0] > limit:
                return None
            entry = heappop(heap)
            self.now = entry[0]
            if not self._holds(entry):
                self.steps += 1
                return entry[3]

    def take(self) -> Step:
        """Take the next step that is not held."""
        step = self.take_by(inf)
        assert step is not None, "nothing is left to be taken"
        return step

    def pauses(self) -> tuple[Pause, ...]:
        """Return all holds so far that had an effect, as pauses that have the same effect."""
        return tuple(pause for held in self._all if (pause := held.pause(self.steps)) is not None)

    def _holds(self, entry: _Entry) -> bool:
        """Hold a step that is due if its task is held or is to be held; return whether it is held."""
        task = self._owners.pop(entry[2], "")
        if not task:
            return False
        if task in self._held:
            self._held[task].behind.append(entry)
            return True
        number = self.counts[task] = self.counts.get(task, 0) + 1
        self._came += 1
        asked = self.hold(task, number, self._came) if self.now < self.heals else 0
        if asked > 0:
            until = int(min(self.now + self.longest, self.heals))
            held = self._held[task] = _Held(task, number, asked, entry[3], self.now, until, self.steps)
            self._all.append(held)
        return asked > 0

    def _ends_at(self, held: _Held) -> int:
        """Return when a hold ends: now, if enough other steps went first."""
        return self.now if self.steps - held.since >= held.asked else held.until

    def _release(self, held: _Held) -> Step:
        """End a hold and return its step; queue the task's later steps before all others of this moment."""
        self.now = self._ends_at(held)
        held.taken = self.steps - held.since
        del self._held[held.task]
        for _, _, sequence, step in held.behind:
            self._owners[sequence] = held.task
            heappush(self._heap, (self.now, 0, sequence, step))
        self.steps += 1
        return held.step
