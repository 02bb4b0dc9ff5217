"""The life of a run's event source mappings: which of them poll, when they stop, and when they start anew.

Whoever changes a mapping while a run goes on goes through here: the fault plan's windows (`disabled`, `scale_down`),
and an operator, by `change`. A mapping that stops polling finishes what its pollers carry (Assumed: EC-23); what
polls after it is a new `Mapping`, whose pollers are numbered on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import Event, Operated
from chaosqs.model.time import milliseconds
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.mapping import Mapping
from chaosqs.simulator.nemesis import Nemesis, Strike
from chaosqs.simulator.succession import succeed


@attrs.define(eq=False)
class Life:
    """The mappings of one run over time."""

    agenda: Agenda
    nemesis: Nemesis
    record: Callable[[Event], int]
    make: Callable[[EventSourceMapping, int], Mapping]
    """Returns a mapping that does not poll yet, and numbers its pollers from one more than so many on."""
    settings: dict[str, EventSourceMapping]
    """How each mapping is configured now, by name."""
    mappings: list[Mapping] = attrs.field(factory=list[Mapping])
    """All that poll or did: those that have stopped may still carry batches."""
    _polling: dict[str, Mapping] = attrs.field(factory=dict[str, Mapping])
    _forbidden: dict[str, int] = attrs.field(factory=dict[str, int])
    """How many open windows keep each mapping disabled."""

    def start(self) -> None:
        """Set every enabled mapping to work, at the start of the run, and plan what the windows do."""
        for name in self.settings:
            self._settle(name)
        for window in self.nemesis.windows("mapping"):
            begin = {"disabled": self._forbid, "scale_down": self._scale_down}[window.kind]
            strike, start = self.nemesis.of_window(window), milliseconds(window.start)
            for name in self.settings:
                if window.scope in {"", name} and window.seconds:
                    self.agenda.at(start, partial(begin, name, strike))

    def polling(self, name: str) -> Mapping | None:
        """Return what polls for a mapping now, or None: it is disabled."""
        return self._polling.get(name)

    def change(self, name: str, settings: EventSourceMapping) -> None:
        """Configure a mapping anew, at once: its pollers retire, and, where it is enabled, new ones start.

        `settings` have the same queue and function as before. Nothing is recorded but the new number of pollers.
        """
        self.settings[name] = settings
        self._retire(name)
        self._settle(name)

    def _settle(self, name: str) -> None:
        """Have a mapping poll if it may and should, and stop it otherwise."""
        wanted = self.settings[name].enabled and not self._forbidden.get(name)
        if not wanted:
            self._retire(name)
        elif name not in self._polling:
            self._begin(name)

    def _begin(self, name: str) -> None:
        former = [mapping for mapping in self.mappings if mapping.mapping.name == name]
        numbered_from = sum(len(mapping.crew.pollers) for mapping in former)
        self._polling[name] = mapping = self.make(self.settings[name], numbered_from)
        self.mappings.append(mapping)
        succeed(mapping, former)

    def _retire(self, name: str) -> None:
        mapping = self._polling.pop(name, None)
        if mapping is not None:
            mapping.retire()

    # What windows do

    def _forbid(self, name: str, strike: Strike) -> None:
        """Disable a mapping until the window ends; one that is disabled anyhow stays it, unrecorded."""
        if not self.settings[name].enabled:
            return
        assert strike.until is not None
        self._forbidden[name] = self._forbidden.get(name, 0) + 1
        self._operated(name, strike, enabled=False)
        self._settle(name)
        self.agenda.at(strike.until, partial(self._allow, name, strike))

    def _allow(self, name: str, strike: Strike) -> None:
        self._forbidden[name] -= 1
        self._operated(name, strike, enabled=True)
        self._settle(name)

    def _operated(self, name: str, strike: Strike, *, enabled: bool) -> None:
        self.record(Operated(self.agenda.now, None, "change", name, "enabled", str(enabled), strike.name))

    def _scale_down(self, name: str, strike: Strike) -> None:
        mapping = self.polling(name)
        if mapping is not None:
            mapping.crew.scale_down(strike.name)
