"""No message makes real code have the same effect on another service again: people are told twice, jobs start twice.

A batch whose invocation dies or times out after the effect comes back (EF-3), and a message may be delivered twice
(OR-4). Effects are calls that the service repeats faithfully: a message to a topic or a stream, an event, a mail, the
start of an execution without a name, a number that is added to an item (`lambda_/service_calls.py`). Code keeps this
only if the service recognises the repetition, or if it claims its work by a conditional write. No fault excuses a
violation.
"""

from chaosqs.invariants.repetition import Done, judge_repetitions
from chaosqs.invariants.verdicts import Invariant, not_applicable
from chaosqs.model.events import ServiceCalled
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict

NAME = "no-repeated-effect"
_SAME = {"dynamodb": "addition"}
"""By service: the contents that two calls with the same effect share, if it is not all of them."""


def judge(history: History) -> Verdict:
    """Blame the first repetition of each effect."""
    if not any(history.is_real(mapping.function) for mapping in history.scenario.design.mappings):
        return not_applicable(NAME, "only real code calls other services, and no function is real code")
    effects = (
        Done(index, f"call {call.what} with the same {_SAME.get(call.service, 'contents')}", digest, call.place)
        for index, call in history.each(ServiceCalled)
        for digest in call.effects
    )
    return judge_repetitions(NAME, history, effects, "no function had an effect on another service")


NO_REPEATED_EFFECT = Invariant(
    name=NAME,
    title="no repeated effect",
    statement="No message makes real code publish, put, add or start the same on another service more than once.",
    applies="To designs with functions that are real code; exercised by calls that have one more effect each time.",
    unit="effects on other services",
    default=True,
    judge=judge,
)
