"""Designs: one or two queues, one or two functions, one or two mappings between them.

Filters, provisioned pollers and provisioned concurrency are left at their defaults. Parts are drawn independently and
fitted to each other afterwards (a visibility timeout is raised to the function's timeout, a window is added to a large
batch …), so that no draw is thrown away.
"""

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.design import ERAS, Account, Design, Era, EventSourceMapping, Function, Queue, Redrive

_UNRESERVED_MINIMUM = 100  # LC-4
_LEAST_MAXIMUM_CONCURRENCY = 2  # EC-5
_LARGEST_PLAIN_BATCH = 10  # EC-1, EC-3
_TIMEOUTS, _RECEIVES = 6, 5  # EC-19, EC-20
_DAY, _LONGEST_RETENTION = 86_400, 1_209_600  # RT-1


def designs(
    *,
    fifo: bool = False,
    dead_letter_queues: bool | None = None,
    maximum_concurrency_fits: bool = False,
    sound: bool = False,
) -> SearchStrategy[Design]:
    """Return a strategy for designs; the simplest has AWS's defaults everywhere.

    `fifo`: all queues are FIFO queues; else all are standard queues.
    `dead_letter_queues`: True: every queue that is polled has one; False: none has; None: each as it comes.
    `maximum_concurrency_fits`: every mapping has a maximum concurrency, and all those of a function find room in
    what it can have at once (MC-3), as `Design.maximum_concurrency_fits` tells.
    `sound`: that, and all of AWS's advice: a visibility timeout of six times the function's plus the window (EC-19),
    five receives or more (EC-20), partial batch responses, a retention of a day or more, and dead-letter queues that
    keep messages for longer than their sources (DLQ-9).
    """
    maximum_concurrency_fits = maximum_concurrency_fits or sound
    end = ".fifo" if fifo else ""
    shapes = (
        ((f"orders{end}", "worker"),),
        ((f"orders{end}", "worker"), (f"returns{end}", "worker")),
        ((f"orders{end}", "worker"), (f"returns{end}", "auditor")),
        ((f"orders{end}", "worker"), (f"orders{end}", "auditor")),
    )
    redrives = _REDRIVES[dead_letter_queues]
    drawn = st.one_of([_of_shape(shape, redrives, fits=maximum_concurrency_fits) for shape in shapes])
    return drawn.map(_advised) if sound else drawn


def _of_shape(
    shape: tuple[tuple[str, str], ...], redrives: SearchStrategy[int | None], *, fits: bool
) -> SearchStrategy[Design]:
    queues = dict.fromkeys(queue for queue, _ in shape)
    functions = dict.fromkeys(function for _, function in shape)
    return st.builds(
        _fitted_together,
        queues=st.tuples(*(_queues(name, redrives) for name in queues)),
        functions=st.tuples(*(_functions(name) for name in functions)),
        mappings=st.tuples(*(_mappings(queue, function) for queue, function in shape)),
        account=st.sampled_from((1000, 10)),
        spare=st.sampled_from((None, 1, 2, 5, 10)),
        era=st.sampled_from(tuple(reversed(ERAS))),
        fits=st.just(fits),
    )


_COUNTS = st.sampled_from((5, 1, 2, 3, 10))
_REDRIVES: dict[bool | None, SearchStrategy[int | None]] = {None: st.none() | _COUNTS, True: _COUNTS, False: st.none()}
"""The max_receive_count of a queue's redrive policy, if it has one."""


def _queues(name: str, redrives: SearchStrategy[int | None]) -> SearchStrategy[Queue]:
    stem, dot, end = name.partition(".")
    return st.builds(
        Queue,
        name=st.just(name),
        visibility_timeout=st.sampled_from((30, 6, 60, 180, 5)),
        retention_period=st.sampled_from((345_600, 3600, 60)),
        delay=st.sampled_from((0, 1, 30)),
        redrive=redrives.map(lambda count: None if count is None else Redrive(f"{stem}-dlq{dot}{end}", count)),
    )


def _functions(name: str) -> SearchStrategy[Function]:
    return st.builds(
        Function,
        name=st.just(name),
        timeout=st.sampled_from((3, 1, 5, 30, 60)),
        reserved_concurrency=st.sampled_from((None, 1, 2, 3, 5, 10, 0)),
    )


def _mappings(queue: str, function: str) -> SearchStrategy[EventSourceMapping]:
    return st.builds(
        EventSourceMapping,
        queue=st.just(queue),
        function=st.just(function),
        batch_size=st.sampled_from((10, 1, 2, 5) if queue.endswith(".fifo") else (10, 1, 2, 5, 25)),
        maximum_batching_window=st.just(0) if queue.endswith(".fifo") else st.sampled_from((0, 1, 5)),
        maximum_concurrency=st.sampled_from((None, 2, 3, 5, 10)),
        report_batch_item_failures=st.booleans(),
    )


def _fitted_together(
    *,
    queues: tuple[Queue, ...],
    functions: tuple[Function, ...],
    mappings: tuple[EventSourceMapping, ...],
    account: int,
    spare: int | None,
    era: Era,
    fits: bool,
) -> Design:
    """Make a design of parts that were drawn on their own, changing as little as makes it valid."""
    mappings = tuple(_with_window(mapping) for mapping in mappings)
    if fits:
        mappings = tuple(_with_maximum(mapping) for mapping in mappings)
        functions = tuple(_with_room(function, mappings) for function in functions)
    shared = _shared_room(functions, mappings) if fits else 0
    return Design(
        queues=(*(_visible_long_enough(queue, functions, mappings) for queue in queues), *_dead_letter_queues(queues)),
        functions=functions,
        mappings=mappings,
        account=_account(account, spare, shared, functions),
        era=era,
    )


def _with_window(mapping: EventSourceMapping) -> EventSourceMapping:
    """Give a batch that one receive cannot fill the time to fill (EC-3)."""
    if mapping.batch_size <= _LARGEST_PLAIN_BATCH or mapping.maximum_batching_window:
        return mapping
    return attrs.evolve(mapping, maximum_batching_window=1)


def _with_maximum(mapping: EventSourceMapping) -> EventSourceMapping:
    return attrs.evolve(mapping, maximum_concurrency=mapping.maximum_concurrency or _LEAST_MAXIMUM_CONCURRENCY)


def _with_room(function: Function, mappings: tuple[EventSourceMapping, ...]) -> Function:
    """Raise a reservation to what the function's mappings may use at once."""
    if function.reserved_concurrency is None:
        return function
    return attrs.evolve(
        function, reserved_concurrency=max(function.reserved_concurrency, _used(mappings, (function.name,)))
    )


def _shared_room(functions: tuple[Function, ...], mappings: tuple[EventSourceMapping, ...]) -> int:
    """Count the executions that mappings of functions without a reservation may use at once."""
    return _used(mappings, tuple(function.name for function in functions if function.reserved_concurrency is None))


def _used(mappings: tuple[EventSourceMapping, ...], functions: tuple[str, ...]) -> int:
    return sum(mapping.maximum_concurrency or 0 for mapping in mappings if mapping.function in functions)


def _visible_long_enough(
    queue: Queue, functions: tuple[Function, ...], mappings: tuple[EventSourceMapping, ...]
) -> Queue:
    polling = [mapping.function for mapping in mappings if mapping.queue == queue.name]
    timeout = max(function.timeout for function in functions if function.name in polling)
    return attrs.evolve(queue, visibility_timeout=max(queue.visibility_timeout, timeout))  # EC-11


def _dead_letter_queues(queues: tuple[Queue, ...]) -> tuple[Queue, ...]:
    return tuple(Queue(queue.redrive.dead_letter_queue) for queue in queues if queue.redrive is not None)


def _advised(design: Design) -> Design:
    """Return a design with AWS's advice followed."""
    return attrs.evolve(
        design,
        queues=[
            attrs.evolve(queue, retention_period=_LONGEST_RETENTION)
            if any(source.redrive and source.redrive.dead_letter_queue == queue.name for source in design.queues)
            else _patient(queue, design)
            for queue in design.queues
        ],
        mappings=[attrs.evolve(mapping, report_batch_item_failures=True) for mapping in design.mappings],
    )


def _patient(queue: Queue, design: Design) -> Queue:
    polling = [mapping for mapping in design.mappings if mapping.queue == queue.name]
    advice = [
        _TIMEOUTS * design.function(mapping.function).timeout + mapping.maximum_batching_window for mapping in polling
    ]
    redrive = queue.redrive
    if redrive is not None:
        redrive = attrs.evolve(redrive, max_receive_count=max(_RECEIVES, redrive.max_receive_count))
    visibility = max([queue.visibility_timeout, *advice])
    retention = max(_DAY, queue.retention_period)
    return attrs.evolve(queue, visibility_timeout=visibility, retention_period=retention, redrive=redrive)


def _account(concurrency: int, spare: int | None, shared: int, functions: tuple[Function, ...]) -> Account:
    """Make an account of about this size in which other traffic leaves `spare` executions, and at least `shared`."""
    reservations = [
        function.reserved_concurrency for function in functions if function.reserved_concurrency is not None
    ]
    least = max(shared, _UNRESERVED_MINIMUM if reservations else 1)
    size = max(concurrency, sum(reservations) + least)
    other = 0 if spare is None else max(0, size - sum(reservations) - max(spare, shared))
    return Account(concurrency=size, other_traffic=other)
