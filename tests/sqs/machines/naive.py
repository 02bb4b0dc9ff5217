"""Queues written from the ledger as plainly as can be: lists that are searched, times that are compared. Slow."""

from __future__ import annotations

import attrs


@attrs.define(eq=False)
class Entry:
    """One message."""

    number: int
    group: str
    index: int
    sent_at: int
    visible_at: int
    count: int = 0
    receipt: int = 0
    received_at: int = 0
    hidden: bool = False
    hidden_as: int = 0


@attrs.define(eq=False)
class NaiveQueue:
    """One queue; seconds are milliseconds here, as in the machine."""

    fifo: bool
    visibility: int
    delay: int
    retention: int
    most: int | None
    """max_receive_count."""
    now: int = 0
    entries: list[Entry] = attrs.field(factory=list[Entry])
    returned: dict[str, int] = attrs.field(factory=dict[str, int])
    ticks: int = 0
    receipts: int = 0

    def tick(self) -> int:
        self.ticks += 1
        return self.ticks

    def send(self, number: int, group: str) -> None:
        self.delete_groups()
        hidden = self.delay > 0
        index = self.tick() if self.fifo or not hidden else 0
        entry = Entry(number, group, index, self.now, self.now + self.delay, hidden=hidden, hidden_as=self.tick())
        self.entries.append(entry)

    def delete_groups(self) -> None:
        known = {entry.group for entry in self.entries}
        self.returned = {group: at for group, at in self.returned.items() if group in known}

    def advance(self, milliseconds: int) -> None:
        self.now += milliseconds
        due = [entry for entry in self.entries if entry.hidden and entry.visible_at <= self.now]
        for entry in sorted(due, key=lambda entry: (entry.visible_at, entry.hidden_as)):
            self.show(entry)
        self.entries = [entry for entry in self.entries if entry.sent_at + self.retention > self.now]
        self.delete_groups()

    def show(self, entry: Entry) -> None:
        entry.hidden = False
        if not self.fifo and not entry.index:
            entry.index = self.tick()
        if self.fifo and entry.receipt:
            self.returned[entry.group] = self.tick()

    def receive(self, maximum: int, visibility: int | None) -> tuple[list[tuple[int, int]], list[int]]:
        """Return (number, count) of the received, and the numbers of the moved."""
        received: list[tuple[int, int]] = []
        moved: list[int] = []
        while len(received) < maximum:
            entry = self.next_of_group(received) if self.fifo else self.next_in_line()
            if entry is None:
                break
            if self.most is not None and entry.count >= self.most:
                self.entries.remove(entry)
                self.delete_groups()
                moved.append(entry.number)
                continue
            entry.count += 1
            self.receipts += 1
            entry.receipt, entry.received_at = self.receipts, self.now
            self.hide(entry, self.visibility if visibility is None else visibility)
            received.append((entry.number, entry.count))
        return received, moved

    def hide(self, entry: Entry, milliseconds: int) -> None:
        entry.hidden, entry.visible_at, entry.hidden_as = True, self.now + milliseconds, self.tick()

    def next_in_line(self) -> Entry | None:
        visible = [entry for entry in self.entries if not entry.hidden]
        return min(visible, key=lambda entry: entry.index, default=None)

    def next_of_group(self, received: list[tuple[int, int]]) -> Entry | None:
        """Go on with the group of the last received message while it yields; then take the first group that does."""
        now = {number for number, _ in received}
        firsts: dict[str, tuple[int, Entry]] = {}
        for group in {entry.group for entry in self.entries}:
            mine = sorted((e for e in self.entries if e.group == group), key=lambda entry: entry.index)
            rest = list(mine)
            while rest and rest[0].hidden and rest[0].number in now:
                rest.pop(0)
            if rest and not rest[0].hidden:
                firsts[group] = (mine[0].index, rest[0])
        if received:
            last = next((e.group for e in self.entries if e.number == received[-1][0]), "")
            if last in firsts:
                return firsts[last][1]
        fresh = {g: first for g, first in firsts.items() if first[1].index == first[0]}
        ready = sorted((max(index, self.returned.get(g, 0)), entry.number) for g, (index, entry) in fresh.items())
        return next((e for e in self.entries if ready and e.number == ready[0][1]), None)

    def find(self, number: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.number == number), None)

    def delete(self, number: int, receipt: int) -> str:
        entry = self.find(number)
        if entry is None:
            return "GONE"
        if self.fifo and (not entry.hidden or entry.receipt != receipt):
            return "EXPIRED"
        if entry.receipt != receipt:
            return "STAYED"
        self.entries.remove(entry)
        self.delete_groups()
        return "DONE"

    def change(self, number: int, receipt: int, milliseconds: int) -> str:
        entry = self.find(number)
        if entry is None:
            return "GONE"
        if self.fifo and (not entry.hidden or entry.receipt != receipt):
            return "EXPIRED"
        if self.now + milliseconds > entry.received_at + 43_200_000:
            return "BEYOND"
        if milliseconds:
            self.hide(entry, milliseconds)
        elif entry.hidden:
            self.show(entry)
        return "DONE"

    def counts(self) -> tuple[int, int, int]:
        """Return how many are visible, in flight, delayed."""
        hidden = [entry for entry in self.entries if entry.hidden]
        delayed = sum(not entry.receipt for entry in hidden)
        return len(self.entries) - len(hidden), len(hidden) - delayed, delayed
