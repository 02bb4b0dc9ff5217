"""Promises about runs, judged as pure functions of a history: one promise a file."""

from chaosqs.invariants.at_least_once_delivery import AT_LEAST_ONCE_DELIVERY
from chaosqs.invariants.batches_within_limits import BATCHES_WITHIN_LIMITS
from chaosqs.invariants.bounded_retries import BOUNDED_RETRIES, bounded_retries
from chaosqs.invariants.concurrency_within_its_limits import CONCURRENCY_WITHIN_ITS_LIMITS
from chaosqs.invariants.conservation import CONSERVATION
from chaosqs.invariants.dead_letter_queue_outlives_source import DEAD_LETTER_QUEUE_OUTLIVES_SOURCE
from chaosqs.invariants.deduplication_holds import DEDUPLICATION_HOLDS
from chaosqs.invariants.drains_after_healing import DRAINS_AFTER_HEALING
from chaosqs.invariants.exactly_once_effect import exactly_once_effect
from chaosqs.invariants.fifo_order import FIFO_ORDER
from chaosqs.invariants.filtered_never_delivered import FILTERED_NEVER_DELIVERED
from chaosqs.invariants.limits import downstream_concurrency, oldest_message, throttle_rate
from chaosqs.invariants.no_bystander_dead_lettered import NO_BYSTANDER_DEAD_LETTERED
from chaosqs.invariants.no_concurrent_processing import NO_CONCURRENT_PROCESSING
from chaosqs.invariants.no_dead_lettering_by_throttling import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.invariants.no_early_dead_lettering import NO_EARLY_DEAD_LETTERING
from chaosqs.invariants.no_loss_after_send import NO_LOSS_AFTER_SEND
from chaosqs.invariants.no_second_processing import NO_SECOND_PROCESSING
from chaosqs.invariants.no_starvation import NO_STARVATION
from chaosqs.invariants.one_group_at_a_time import ONE_GROUP_AT_A_TIME
from chaosqs.invariants.registry import ALL, DEFAULT, OURS, by_name, check, judge
from chaosqs.invariants.reported_failures_kept import REPORTED_FAILURES_KEPT
from chaosqs.invariants.verdicts import Invariant

__all__ = [
    "ALL",
    "AT_LEAST_ONCE_DELIVERY",
    "BATCHES_WITHIN_LIMITS",
    "BOUNDED_RETRIES",
    "CONCURRENCY_WITHIN_ITS_LIMITS",
    "CONSERVATION",
    "DEAD_LETTER_QUEUE_OUTLIVES_SOURCE",
    "DEDUPLICATION_HOLDS",
    "DEFAULT",
    "DRAINS_AFTER_HEALING",
    "FIFO_ORDER",
    "FILTERED_NEVER_DELIVERED",
    "NO_BYSTANDER_DEAD_LETTERED",
    "NO_CONCURRENT_PROCESSING",
    "NO_DEAD_LETTERING_BY_THROTTLING",
    "NO_EARLY_DEAD_LETTERING",
    "NO_LOSS_AFTER_SEND",
    "NO_SECOND_PROCESSING",
    "NO_STARVATION",
    "ONE_GROUP_AT_A_TIME",
    "OURS",
    "REPORTED_FAILURES_KEPT",
    "Invariant",
    "bounded_retries",
    "by_name",
    "check",
    "downstream_concurrency",
    "exactly_once_effect",
    "judge",
    "oldest_message",
    "throttle_rate",
]
