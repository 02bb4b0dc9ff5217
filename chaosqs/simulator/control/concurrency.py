"""Reserved concurrency (LC-3 … LC-5)."""

from __future__ import annotations

from chaosqs.simulator.control.errors import invalid
from chaosqs.simulator.control.names import Named, named
from chaosqs.simulator.control.region import LambdaRegion
from chaosqs.simulator.operations.parameters import Parameters, integer, text

_UNRESERVED_MINIMUM = 100


def put_function_concurrency(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Set executions aside for a function; 0 switches it off (LC-3, LC-5)."""
    function, _ = region.find(_name(parameters))
    amount = integer(parameters, "ReservedConcurrentExecutions") or 0
    reserve(region, function.name, amount)
    return {"ReservedConcurrentExecutions": amount}


def reserve(region: LambdaRegion, name: str, amount: int | None) -> None:
    """Set, or with None take back, a function's reservation; 100 have to stay unreserved (LC-4)."""
    others = sum(other.reserved or 0 for other in region.functions.values() if other.name != name)
    if amount is not None and others + amount > region.concurrency - _UNRESERVED_MINIMUM:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            f"UnreservedConcurrentExecution below its minimum value of [{_UNRESERVED_MINIMUM}]."
        )
    region.functions[name].reserved = amount
    region.redeploy()


def get_function_concurrency(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return a function's reservation; nothing where it has none."""
    function, _ = region.find(_name(parameters))
    return {} if function.reserved is None else {"ReservedConcurrentExecutions": function.reserved}


def delete_function_concurrency(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Take a reservation back."""
    function, _ = region.find(_name(parameters))
    reserve(region, function.name, None)
    return {}


def _name(parameters: Parameters) -> Named:
    return Named(named(text(parameters, "FunctionName") or "").name)
