"""Write reports/side-roads/: one workload on event source mappings and on the alternatives to them, side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chaosqs.model.alternative import Alternative, RateLimitedFront, SelfPolling, Stream
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.figures import Figures
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.project.comparing import Choice, compare
from chaosqs.report.comparison import Comparison
from chaosqs.report.text import code

FOLDER = "side-roads"
DRAWS = 20
RESERVED, MAXIMUM = "reserved concurrency 5", "maximum concurrency 5"
TITLE = "Side roads: one workload, five ways to bring it to a function"
INTRODUCTION = """\
100 orders arrive at once, each takes 2 seconds, and the function may run 5 times at once: 40 seconds of work at the
least. The first two columns are event source mappings, the others alternatives to them, with the same function, the
same account and the same chance. How to make such a table: [comparing](../../docs/comparing.md).
"""
READING = """\
The mapping with reserved concurrency polls more than the function can take, and is throttled; with maximum concurrency
it is not. The function that polls itself needs a schedule and a lock instead of a mapping. The front turns the load
away and leaves it to its callers: what they do not push again is lost, and only what was processed counts as a wait.
The stream is as fast as its fullest shard.
"""
LIMITS = """\
The figures are those of small models. Beyond what [fidelity](../../docs/fidelity.md) says of mappings:

* **Self-polling.** The handler catches nothing and extends no visibility, and its lock never fails. Lambda's queue of
  asynchronous events is as long as one likes, and its retries have no jitter.
* **Rate-limited front.** The limit is exact, where API Gateway's is by best effort. Clients know nothing of one
  another, and never stop waiting. A caller that gives up is counted, and nothing of what that costs it.
* **Stream.** Producers are never refused, nobody else reads the shards, and there is no parallelisation factor, no
  batching window and no partial batch response. The pauses after an error are assumed to be those of an SQS mapping.
* Nothing here says what a design costs, nor what it takes to build and to watch it.
"""


def design(maximum_concurrency: int | None = None) -> Design:
    """Return the design of the first two columns."""
    return Design(
        [Queue("orders", visibility_timeout=180, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
        [Function("worker", timeout=30, reserved_concurrency=5)],
        [EventSourceMapping("orders", "worker", batch_size=5, maximum_concurrency=maximum_concurrency)],
    )


ALTERNATIVES: dict[str, Alternative] = {
    "self-polling": SelfPolling("orders", "worker", chains=5, reserve=25),
    "rate-limited front": RateLimitedFront("worker", requests_per_second=2.5, burst=5, retries=5),
    "stream": Stream("worker", shards=5, batch_size=5),
}


def compared(seed: int) -> Comparison:
    """Return the comparison under one seed."""
    behaviours = {"worker": Behaviour(seconds_per_message=2)}
    scenario = Scenario(design(), [Burst("orders", 100)], behaviours, seed=seed)
    choices: dict[str, Choice] = {MAXIMUM: design(5), **ALTERNATIVES}
    return compare(scenario, choices, name=RESERVED)


def page() -> str:
    """Return the page."""
    draws = [compared(seed) for seed in range(1, DRAWS + 1)]
    parts = [f"# {TITLE}\n", INTRODUCTION, "## Side by side, with seed 1\n", str(draws[0]), READING]
    parts += [f"## Under {DRAWS} seeds, from the least to the most\n", _ranges(draws), "## The alternatives\n"]
    parts += [f"* **{name}** {code(repr(value), 400)}\n" for name, value in ALTERNATIVES.items()]
    return "\n".join([*parts, "## Limits\n", LIMITS])


def _ranges(draws: list[Comparison]) -> str:
    names = [column.name for column in draws[0].columns]
    rows = [["", *names], ["---", *["---:"] * len(names)]]
    for title, figure, unit in _ROWS:
        columns = [[figure(draw.column(name)) for draw in draws] for name in names]
        rows.append([title, *(_range([value for value in column if value is not None], unit) for column in columns)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _range(values: list[float], unit: str) -> str:
    if not values:
        return "–"
    low, high = (f"{value:,.1f}" if unit else f"{value:,.0f}" for value in (min(values), max(values)))
    return (low if low == high else f"{low}–{high}") + unit


_ROWS: tuple[tuple[str, Callable[[Figures], float | None], str], ...] = (
    ("processed", lambda figures: figures.processed, ""),
    ("processed twice", lambda figures: figures.processed_twice, ""),
    ("dead-lettered", lambda figures: figures.dead_lettered, ""),
    ("lost to the caller", lambda figures: figures.lost_to_the_caller, ""),
    ("throttles", lambda figures: figures.throttles, ""),
    ("invocations", lambda figures: figures.invocations, ""),
    ("drained after", lambda figures: figures.drained_at, " s"),
)


def tell(reports: Path) -> list[str]:
    """Write the page; return its line of the index."""
    folder = reports / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(page(), encoding="utf-8", newline="\n")
    return [f"* **[{TITLE}]({FOLDER}/report.md)**"]
