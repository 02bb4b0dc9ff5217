"""Lambda's readers of a stream: one for each shard, with one batch in flight at a time, in order."""

from collections.abc import Iterable, Sequence
from functools import partial

import attrs

from chaosqs.comparison.machines.shard import Batch, Record, Shard, shard_of
from chaosqs.comparison.simulation import AlternativeSimulation, label, request_of
from chaosqs.kernel.context import stream
from chaosqs.lambda_.machines.asynchronous import pause
from chaosqs.model.alternative import Stream
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.events import InvocationEnded
from chaosqs.model.figures import Happened
from chaosqs.model.workload import Arrival

POLL = 1000
"""Milliseconds between two polls of an empty shard."""
_PHASE, _PAUSE = stream("phase of a shard's polls"), stream("pause of a shard")


@attrs.define(eq=False)
class _Reader:
    """The reader of one shard."""

    number: int
    shard: Shard
    phase: int
    """Offset of its polls within a second, in milliseconds."""
    awake: bool = False
    """True while its next step is on the event queue or a batch is in flight."""
    tries: int = 0
    """Failed tries of its batch since the latest one that succeeded."""
    invocations: int = 0


@attrs.define(eq=False)
class Streaming:
    """All shards of one stream."""

    stream: Stream
    simulation: AlternativeSimulation
    readers: list[_Reader] = attrs.field(factory=list[_Reader])
    label: EventSourceMapping = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Open the shards."""
        self.label = label(self.stream)
        for number in range(1, self.stream.shards + 1):
            phase = int(self.simulation.context.random.fraction(_PHASE, number) * POLL)
            self.readers.append(_Reader(number, Shard(self.stream), phase))

    @property
    def busy(self) -> bool:
        """True if records are left."""
        return any(not reader.shard.empty for reader in self.readers)

    @property
    def idling(self) -> int:
        """0: every invocation has work to do."""
        return 0

    def start(self) -> None:
        """Do nothing: a shard is polled once it has a record."""

    def send(self, batch: Sequence[tuple[int, Arrival]]) -> None:
        """Put records into their shards."""
        for number, arrival in batch:
            self.simulation.note(number, Happened.SENT)
            reader = self.readers[shard_of(arrival.group or str(number), self.stream.shards)]
            reader.shard.put(Record(number, arrival.body_bytes, self.simulation.context.now))
            if not reader.awake:
                reader.awake = True
                self.simulation.after((reader.phase - self.simulation.context.now) % POLL, partial(self._read, reader))

    def _read(self, reader: _Reader) -> None:
        """Try the next batch, or wait until there is one."""
        shard, now = reader.shard, self.simulation.context.now
        self._give_up(shard.too_old(now=now), notify=not shard.ends_by_retention)
        batch = shard.batch(now=now)
        if batch is not None:
            reader.invocations += 1
            latency = self.simulation.invoke_latency(reader.number, reader.invocations)
            self.simulation.after(latency, partial(self._invoke, reader, batch))
        elif shard.empty:
            reader.awake = False
        else:
            self.simulation.after(shard.readable_at - now, partial(self._read, reader))

    def _invoke(self, reader: _Reader, batch: Batch) -> None:
        entries = [(record.number, batch.failures + 1) for record in batch.records]
        request = request_of(self.label, reader.number, entries)
        refused = self.simulation.invoke(request, reader.tries + 1, partial(self._ended, reader))
        if refused is not None:
            self._try_later(reader, self.simulation.context.assumptions.rate_retry if refused.by_rate else None)

    def _ended(self, reader: _Reader, event: InvocationEnded, _: int) -> None:
        if event.outcome == "succeeded":
            reader.tries = 0
            reader.shard.succeeded()
            self.simulation.context.event_queue.may_be_over = True
            self._read(reader)
        elif given_up := reader.shard.failed():
            reader.tries = 0
            self._give_up(given_up, notify=True)
            self._read(reader)
        else:
            self._try_later(reader, None)

    def _try_later(self, reader: _Reader, wait: int | None) -> None:
        reader.tries += 1
        assumed = self.simulation.context.assumptions
        share = self.simulation.context.random.fraction(_PAUSE ^ reader.number, reader.invocations, reader.tries)
        longer = pause(reader.tries, assumed.throttle_retry, assumed.throttle_retry_limit, share)
        self.simulation.after(longer if wait is None else wait, partial(self._read, reader))

    def _give_up(self, records: Iterable[Record], *, notify: bool) -> None:
        """Note records that are given up; with `notify` they go to the failure destination, if there is one."""
        what = Happened.DEAD_LETTERED if notify and self.stream.on_failure_destination else Happened.DISCARDED
        for record in records:
            self.simulation.note(record.number, what)
