"""Every invariant, one line each, in the order in which reports list them. A new one is registered by its line here."""

# isort: off
from chaosqs.invariants.no_dead_lettering_by_throttling import (
    NO_DEAD_LETTERING_BY_THROTTLING as NO_DEAD_LETTERING_BY_THROTTLING,
)
from chaosqs.invariants.at_least_once_delivery import AT_LEAST_ONCE_DELIVERY as AT_LEAST_ONCE_DELIVERY
from chaosqs.invariants.no_loss_after_send import NO_LOSS_AFTER_SEND as NO_LOSS_AFTER_SEND
from chaosqs.invariants.no_early_dead_lettering import NO_EARLY_DEAD_LETTERING as NO_EARLY_DEAD_LETTERING
from chaosqs.invariants.no_bystander_dead_lettered import NO_BYSTANDER_DEAD_LETTERED as NO_BYSTANDER_DEAD_LETTERED
from chaosqs.invariants.dead_letter_queue_outlives_source import (
    DEAD_LETTER_QUEUE_OUTLIVES_SOURCE as DEAD_LETTER_QUEUE_OUTLIVES_SOURCE,
)
from chaosqs.invariants.reported_failures_kept import REPORTED_FAILURES_KEPT as REPORTED_FAILURES_KEPT
from chaosqs.invariants.answers_understood import ANSWERS_UNDERSTOOD as ANSWERS_UNDERSTOOD
from chaosqs.invariants.no_loss_by_own_delete import NO_LOSS_BY_OWN_DELETE as NO_LOSS_BY_OWN_DELETE
from chaosqs.invariants.no_work_half_done import NO_WORK_HALF_DONE as NO_WORK_HALF_DONE
from chaosqs.invariants.no_expiry_unseen import NO_EXPIRY_UNSEEN as NO_EXPIRY_UNSEEN
from chaosqs.invariants.no_recursive_loop import NO_RECURSIVE_LOOP as NO_RECURSIVE_LOOP
from chaosqs.invariants.no_concurrent_processing import NO_CONCURRENT_PROCESSING as NO_CONCURRENT_PROCESSING
from chaosqs.invariants.no_second_processing import NO_SECOND_PROCESSING as NO_SECOND_PROCESSING
from chaosqs.invariants.no_repeated_send import NO_REPEATED_SEND as NO_REPEATED_SEND
from chaosqs.invariants.no_repeated_effect import NO_REPEATED_EFFECT as NO_REPEATED_EFFECT
from chaosqs.invariants.fifo_order import FIFO_ORDER as FIFO_ORDER
from chaosqs.invariants.one_group_at_a_time import ONE_GROUP_AT_A_TIME as ONE_GROUP_AT_A_TIME
from chaosqs.invariants.deduplication_holds import DEDUPLICATION_HOLDS as DEDUPLICATION_HOLDS
from chaosqs.invariants.batches_within_limits import BATCHES_WITHIN_LIMITS as BATCHES_WITHIN_LIMITS
from chaosqs.invariants.filtered_never_delivered import FILTERED_NEVER_DELIVERED as FILTERED_NEVER_DELIVERED
from chaosqs.invariants.bounded_retries import BOUNDED_RETRIES as BOUNDED_RETRIES
from chaosqs.invariants.drains_after_healing import DRAINS_AFTER_HEALING as DRAINS_AFTER_HEALING
from chaosqs.invariants.no_starvation import NO_STARVATION as NO_STARVATION
from chaosqs.invariants.concurrency_within_its_limits import (
    CONCURRENCY_WITHIN_ITS_LIMITS as CONCURRENCY_WITHIN_ITS_LIMITS,
)
from chaosqs.invariants.polling_as_documented import POLLING_AS_DOCUMENTED as POLLING_AS_DOCUMENTED
from chaosqs.invariants.conservation import CONSERVATION as CONSERVATION
