"""The trace header that botocore adds where it runs in Lambda: SQS keeps it with the messages that are sent (LX-16).

Worlds read it off the request, as SQS does; a run of `simulate`, whose handlers have no environment of their own, makes
it from the invocation that sends. Here it is put to the messages, for both.
"""

from __future__ import annotations

from chaosqs.simulator.operations.parameters import Parameters, sequence, structure


def traced(operation: str, parameters: Parameters, trace: str) -> Parameters:
    """Return the parameters of a call with a trace header for each message; one of the sender's own stays."""
    own = {"MessageSystemAttributes": {"AWSTraceHeader": {"StringValue": trace, "DataType": "String"}}}
    if trace and operation == "SendMessage":
        return {**own, **parameters}
    if trace and operation == "SendMessageBatch" and "Entries" in parameters:
        return {**parameters, "Entries": [{**own, **structure(entry)} for entry in sequence(parameters, "Entries")]}
    return parameters
