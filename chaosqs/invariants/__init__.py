"""Promises about runs, judged as pure functions of a history: one promise a file."""

from chaosqs.invariants.bounded_retries import bounded_retries
from chaosqs.invariants.catalogue import *  # noqa: F403 - each invariant has one line, and that is in the catalogue
from chaosqs.invariants.exactly_once_effect import exactly_once_effect
from chaosqs.invariants.limits import downstream_concurrency, oldest_message, throttle_rate
from chaosqs.invariants.registry import ALL, DEFAULT, OURS, by_name, check, judge
from chaosqs.invariants.verdicts import Invariant
