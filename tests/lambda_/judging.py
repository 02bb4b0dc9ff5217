"""Results of a batch for values that a handler returns; the runtime turns them into JSON."""

from collections.abc import Sequence

from chaosqs.lambda_.machines.partial_batch import Outcome, judge_error, judge_payload
from chaosqs.lambda_.results import returned


def judge(value: object, ids: Sequence[str], *, reporting: bool) -> Outcome:
    """Return what a handler's return value means."""
    result = returned(value, "a request")
    if result.failed:
        return judge_error(ids, reporting=reporting)
    return judge_payload(result.payload.decode(errors="replace"), ids, reporting=reporting)
