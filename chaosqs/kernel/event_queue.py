"""Who runs next: entries ordered by moment, then by the scenario's tie-break, then by when they were made.

Nothing else decides the order of a run: neither trio nor Python's hashing. A scenario that wants another order holds
single tasks back (`HoldingAgenda`): pollers and invocations of real code are tasks, everything else is AWS's clock.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import TypeAlias

import attrs

from chaosqs.model.faults import Pause

Step: TypeAlias = Callable[[], None]
Hold: TypeAlias = Callable[[str, int, int], int]
"""Given a task, the number of its step, and how many steps of tasks there were so far, this one included (all from 1),
returns how many steps of others go first; 0: none."""
_Entry: TypeAlias = tuple[int, int, int, Step]

_MASK = (1 << 64) - 1


@attrs.define
class EventQueue:
    """The steps that are still to be run."""

    seed: int
    """0: entries of one moment run in the order in which they were made; else in an order that seed decides."""
    now: int = 0
    """The present moment, in milliseconds."""
    steps: int = 0
    """How many have been taken."""
    may_be_over: bool = True
    """Set where something ended, so that only then somebody looks whether all has."""
    _heap: list[_Entry] = attrs.field(factory=list[_Entry])
    _sequence: int = 0
    _salt: int = 0

    def __attrs_post_init__(self) -> None:
        """Choose the order of ties."""
        self.reseed(self.seed)

    def reseed(self, seed: int) -> None:
        """Have another seed decide the ties of all steps that are put on from now on."""
        self.seed = seed
        self._salt = seed * 0x9E3779B97F4A7C15 & _MASK

    def at(self, due: int, step: Step, task: str = "") -> None:  # noqa: ARG002 - for an event queue that holds tasks back
        """Run a step at a moment, which must not be over; `task`: whose step it is, where it is a task's."""
        assert due >= self.now, f"a step is due at {due} ms, but it is {self.now} ms already"
        self._sequence = sequence = self._sequence + 1
        tie = 0
        if self._salt:
            tie = (sequence * 0xBF58476D1CE4E5B9 ^ self._salt) & _MASK
            tie = (tie ^ tie >> 29) * 0x94D049BB133111EB & _MASK
        heappush(self._heap, (due, tie, sequence, step))

    def after(self, milliseconds: int, step: Step, task: str = "") -> None:
        """Run a step so many milliseconds from now, with `task` as for `at`."""
        self.at(self.now + milliseconds, step, task)

    def first_at(self, due: int, step: Step) -> None:
        """Run a step before all others of its moment; one a run. It leaves the order of the others as it was."""
        heappush(self._heap, (due, -1, 0, step))

    def next_due(self) -> float:
        """Return when the next step is due; infinity where there is none."""
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
    """A task that is held back, or was."""

    task: str
    number: int
    asked: int
    step: Step
    due: int
    until: int
    """When it goes on at the latest, in milliseconds."""
    since: int
    """How many steps had been taken when it came up."""
    behind: list[_Entry] = attrs.field(factory=list[_Entry])
    """Later steps of the same task that have come up meanwhile: a task does not overtake itself."""
    taken: int | None = None
    """How many steps of others went first; None while it is held."""

    def pause(self, steps: int) -> Pause | None:
        """Return the pause that does the same, or None where it did nothing; `steps`: taken in the run.

        A hold that time has ended is as long as one of one more step than went first.
        """
        taken = steps - self.since if self.taken is None else self.taken
        if self.taken == 0 and self.until == self.due:
            return None
        return Pause(self.task, self.number, min(self.asked, taken + 1))


@attrs.define(kw_only=True)
class HoldingEventQueue(EventQueue):
    """An event queue that holds steps of tasks back until others have taken so many, or time is up.

    With a hold of one step the next step goes first, whoever's it is, and be it at the same instant.
    """

    hold: Hold
    longest: int
    """Milliseconds that a hold lasts at most."""
    heals: float = inf
    """The moment from which on nothing is held, in milliseconds."""
    counts: dict[str, int] = attrs.field(factory=dict[str, int])
    """How many steps of each task have come up, in the order of their first ones."""
    _came: int = 0
    _owners: dict[int, str] = attrs.field(factory=dict[int, str])
    """Whose a step is, by its sequence."""
    _held: dict[str, _Held] = attrs.field(factory=dict[str, _Held])
    _all: list[_Held] = attrs.field(factory=list[_Held])

    def at(self, due: int, step: Step, task: str = "") -> None:
        """Run a step at a moment, or later where its task is held then."""
        super().at(due, step)
        if task:
            self._owners[self._sequence] = task

    def next_due(self) -> float:
        """Return when the next step comes up or is let go."""
        return min([super().next_due(), *map(self._lets_go, self._held.values())])

    def take_by(self, limit: float) -> Step | None:
        """Take the next step that is not held, if it is due by a moment; None otherwise."""
        heap = self._heap
        while True:
            first = min(self._held.values(), key=self._lets_go, default=None)
            if first is not None and (not heap or self._lets_go(first) <= heap[0][0]):
                return self._release(first) if self._lets_go(first) <= limit else None
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
        """Hold a step that has come up, if its task is held or is to be."""
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

    def _lets_go(self, held: _Held) -> int:
        """Return when a task goes on: now, if enough others went first."""
        return self.now if self.steps - held.since >= held.asked else held.until

    def _release(self, held: _Held) -> Step:
        """Let a task go on, and what came up for it meanwhile come up again, before all others of this instant."""
        self.now = self._lets_go(held)
        held.taken = self.steps - held.since
        del self._held[held.task]
        for _, _, sequence, step in held.behind:
            self._owners[sequence] = held.task
            heappush(self._heap, (self.now, 0, sequence, step))
        self.steps += 1
        return held.step
