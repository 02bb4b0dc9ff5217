"""The gallery's designs: mistakes that teams make, with templates in tools/designs/ and the invariants they violate."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from chaosqs.model.behaviour import Behaviour


@attrs.frozen
class Mistake:
    """A small design that violates invariants."""

    name: str
    """Name in the gallery; the template is the file of that name in tools/designs/."""
    breaks: tuple[str, ...]
    """Names of the violated invariants."""
    why: str
    """The mistake, in one sentence."""
    mapping: str
    """The mapping that is searched."""
    behaviours: Mapping[str, Behaviour] = attrs.field(factory=dict[str, Behaviour])
    """Behaviours of the functions that are real code."""
    remedy: str = ""
    """The remedy, if changing a single setting does not help."""
    simulations: int | None = None
    """Maximum simulations of an explanation, if its runs take long; None: no limit."""
    example: str = ""
    """A template in another directory, relative to the root directory."""

    @property
    def template(self) -> str:
        """The template, relative to the root directory."""
        return self.example or f"tools/designs/{self.name}.yaml"


OVER_POLLING = Mistake(
    "over-polling",
    ("no-dead-lettering-by-throttling",),
    "Reserved concurrency without maximum concurrency: pollers read what the function has no room for.",
    "orders→charge-order",
    example="examples/over-polling/template.yaml",
)
MENDED = "examples/over-polling-fixed/template.yaml"

MISTAKES = (
    OVER_POLLING,
    Mistake(
        "answer-nobody-reads",
        ("at-least-once-delivery", "reported-failures-kept"),
        "The handler answers which messages failed, but `FunctionResponseTypes` is missing: nobody reads the answer.",
        "orders→import-orders",
        {"import-orders": Behaviour(handler="tools.gallery_handlers:answers")},
    ),
    Mistake(
        "poison-in-the-batch",
        ("no-bystander-dead-lettered",),
        "Without partial batch responses one bad message fails its whole batch, each time.",
        "orders→import-orders",
    ),
    Mistake(
        "same-retention",
        ("dead-letter-queue-outlives-source",),
        "Both queues keep messages equally long, and a dead letter brings its age along.",
        "prices→store-prices",
    ),
    Mistake(
        "visibility-as-timeout",
        ("no-concurrent-processing",),
        "The visibility timeout equals the function timeout, but begins earlier, at the receive.",
        "videos→transcode",
    ),
    Mistake(
        "window-eats-visibility",
        ("no-second-processing",),
        "The batching window and the function together take longer than messages stay hidden.",
        "mails→send-mails",
    ),
    Mistake(
        "partial-answer-on-fifo",
        ("fifo-order",),
        "On a FIFO queue the handler reports the message that failed, and goes on with those after it.",
        "payments.fifo→book-payments",
        {"book-payments": Behaviour(poison=(0,), goes_on_after_failure=True)},
    ),
    Mistake(
        "fifo-visibility-as-timeout",
        ("one-group-at-a-time",),
        "The visibility timeout of a FIFO queue equals the function timeout, but begins earlier, at the receive.",
        "payments.fifo→book-payments",
    ),
    Mistake(
        "no-dead-letter-queue",
        ("bounded-retries-up-to-5",),
        "Without a redrive policy a message that always fails comes back for days.",
        "orders→import-orders",
    ),
    Mistake(
        "blocked-group",
        ("drains-after-healing",),
        "A FIFO queue without a dead-letter queue: what always fails blocks the rest of its group.",
        "payments.fifo→book-payments",
    ),
    Mistake(
        "shared-reservation",
        ("no-starvation",),
        "Two mappings share one reserved execution, and nothing shares it out.",
        "urgent→charge-order",
        remedy="a function of its own for each queue",
        simulations=120,
    ),
    Mistake(
        "patient-visibility",
        ("oldest-message-within-300-s",),
        "After each failure a message stays hidden for six times the function timeout, as AWS advises.",
        "alerts→send-alert",
    ),
    Mistake(
        "shared-database",
        ("downstream-concurrency-up-to-5-of-book-order+book-return",),
        "Each function keeps to its own maximum; what they share counts both.",
        "orders→book-order",
        remedy="`maximum_concurrency` that adds up to what they share",
    ),
    Mistake(
        "reservation-as-rate-limit",
        ("throttle-rate-up-to-50-percent",),
        "Reserved concurrency is no brake: pollers read on, and nearly every attempt is throttled.",
        "exports→export-invoice",
        simulations=400,
    ),
    Mistake(
        "charge-again",
        ("exactly-once-charged-by-order",),
        "The handler does not look whether it has charged an order before.",
        "orders→charge-order",
        {"charge-order": Behaviour(handler="tools.gallery_handlers:charges")},
        remedy="a look, in the code, whether the order was charged before",
    ),
)
