"""Invariants of runs, judged by pure functions of a history. Each invariant has its own file."""

from chaosqs.invariants.bounded_retries import bounded_retries as bounded_retries
from chaosqs.invariants.catalogue import *  # noqa: F403 - each invariant has one line, and that is in the catalogue
from chaosqs.invariants.dead_letter_queue_outlives_source import dead_letters_kept as dead_letters_kept
from chaosqs.invariants.exactly_once_effect import exactly_once_effect as exactly_once_effect
from chaosqs.invariants.limits import downstream_concurrency as downstream_concurrency
from chaosqs.invariants.limits import oldest_message as oldest_message
from chaosqs.invariants.limits import throttle_rate as throttle_rate
from chaosqs.invariants.registry import ALL as ALL
from chaosqs.invariants.registry import DEFAULT as DEFAULT
from chaosqs.invariants.registry import OURS as OURS
from chaosqs.invariants.registry import by_name as by_name
from chaosqs.invariants.registry import check as check
from chaosqs.invariants.registry import judge as judge
from chaosqs.invariants.verdicts import Invariant as Invariant
