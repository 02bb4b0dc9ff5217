"""Whether the repr of a value, pasted into a test, makes the same value again."""

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import Action, FaultPlan, Pause, Window
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Steady

_KINDS = (
    Account,
    Action,
    Behaviour,
    Burst,
    Design,
    EventSourceMapping,
    FaultPlan,
    Function,
    Message,
    Pause,
    Queue,
    Redrive,
    Scenario,
    Steady,
    Window,
)


def pastes_back(value: object) -> bool:
    namespace: dict[str, object] = {kind.__name__: kind for kind in _KINDS}
    pasted: object = eval(repr(value), namespace)  # noqa: S307 - a repr of our own
    return pasted == value
