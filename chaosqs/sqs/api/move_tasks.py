"""StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask (MV-1 … MV-7)."""

import json
from base64 import b64decode, b64encode
from binascii import Error
from functools import partial

from chaosqs.model.events import Deleted
from chaosqs.sqs.api.parameters import (
    ApiError,
    Parameters,
    error,
    from_arn,
    integer,
    invalid,
    invalid_value,
    is_map,
    required_text,
    structure,
    text,
)
from chaosqs.sqs.api.queues import list_dead_letter_source_queues
from chaosqs.sqs.api.region import EPOCH, QueueResource, Region
from chaosqs.sqs.machines.message import Message, redriven, uuid
from chaosqs.sqs.machines.move_task import MOST_PER_SECOND, RUNNING, MoveTask

_MOST_ACTIVE = 100
_MOST_LISTED = 10


def start_message_move_task(region: Region, parameters: Parameters) -> dict[str, object]:
    """Begin to move the messages of a dead-letter queue back to their source queues, or to another queue."""
    source_arn, destination_arn = required_text(parameters, "SourceArn"), text(parameters, "DestinationArn") or ""
    rate = integer(parameters, "MaxNumberOfMessagesPerSecond")
    if rate is not None and not 1 <= rate <= MOST_PER_SECOND:
        raise invalid_value(rate, "MaxNumberOfMessagesPerSecond", f"Value must be between 1 and {MOST_PER_SECOND}.")
    source = _queue(region, source_arn, "SourceArn")
    destination = _queue(region, destination_arn, "DestinationArn") if destination_arn else None
    if not list_dead_letter_source_queues(region, {"QueueUrl": source.address.url})["queueUrls"]:  # MV-1
        raise invalid("Source queue must be configured as a Dead Letter Queue.")
    if destination is not None and destination.fifo != source.fifo:  # MV-2
        raise invalid("Source queue and destination queue must be of the same type.")
    if any(task.active and task.source == source_arn for task in region.tasks):  # MV-3, MV-7
        message = (
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        )
        raise invalid(message)
    if sum(task.active for task in region.tasks) >= _MOST_ACTIVE:
        raise invalid(f"There are already {_MOST_ACTIVE} active tasks.")
    return {"TaskHandle": begin(region, source, destination_arn, rate).handle}


def begin(
    region: Region, source: QueueResource, destination: str = "", rate: int | None = None, *, cause: int | None = None
) -> MoveTask:
    """Begin to move messages to the queue with ARN `destination`, or each back to its source queue; return the task."""
    region.accounts.tasks += 1
    handle = _handle(uuid(b"move task", region.accounts.tasks), source.address.arn)
    waiting = source.state.machine.store.visible
    task = MoveTask(handle, source.address.arn, destination, rate, region.now, waiting, cause=cause)
    region.tasks.append(task)
    region.accounts.context.event_queue.after(task.interval, partial(_step, region, task))
    return task


def list_message_move_tasks(region: Region, parameters: Parameters) -> dict[str, object]:
    """List the tasks of a source, the latest first (MV-6)."""
    source_arn = required_text(parameters, "SourceArn")
    most = integer(parameters, "MaxResults")
    if most is not None and not 1 <= most <= _MOST_LISTED:
        raise invalid_value(most, "MaxResults", f"Value for parameter MaxResults must be between 1 and {_MOST_LISTED}.")
    _queue(region, source_arn, "SourceArn")
    tasks = [task for task in reversed(region.tasks) if task.source == source_arn]
    return {"Results": [_shown(task) for task in tasks[: most or 1]]}


def cancel_message_move_task(region: Region, parameters: Parameters) -> dict[str, object]:
    """Ask a task to stop; messages that it has moved stay moved."""
    handle = required_text(parameters, "TaskHandle")
    source_arn = _read_handle(handle)
    _queue(region, source_arn, "SourceArn")
    task = next((task for task in region.tasks if task.handle == handle and task.status == RUNNING), None)
    if task is None:
        raise error("ResourceNotFoundException", "Task does not exist.")
    task.cancel()
    return {"ApproximateNumberOfMessagesMoved": task.moved}


def _step(region: Region, task: MoveTask) -> None:
    """Move one message, or end the task."""
    source = _found(region, task.source)
    if task.status != RUNNING or task.over(region.now) or source is None:
        return _end(region, task)
    region.service.catch_up(source.state)
    message = source.state.machine.head()
    if message is None or task.moved >= task.to_move:
        return _end(region, task)
    destination = _found(region, task.destination) if task.destination else region.queues.get(message.source)
    if destination is None:
        known = task.destination or message.source
        return _end(
            region, task, "AWS.SimpleQueueService.NonExistentQueue" if known else "CouldNotDetermineMessageSource"
        )
    _move(region, task, source, destination, message)
    task.moved += 1
    if task.moved >= task.to_move:
        return _end(region, task)
    region.accounts.context.event_queue.after(task.interval, partial(_step, region, task))
    return None


def _end(region: Region, task: MoveTask, failure: str = "") -> None:
    task.end(failure)
    region.accounts.context.event_queue.may_be_over = True


def _move(region: Region, task: MoveTask, source: QueueResource, destination: QueueResource, message: Message) -> None:
    now, service = region.now, region.service
    cause = message.last_event if task.cause is None else task.cause
    source.state.machine.take_out(message)
    gone = Deleted(now, cause, source.state.queue.name, "", (message.number,), (), "StartMessageMoveTask")
    index = service.context.record(gone)
    service.put(destination.state, redriven(message, region.accounts.numbers.take(), now=now), cause=index)
    service.serve(destination.state)


def _shown(task: MoveTask) -> dict[str, object]:
    shown: dict[str, object] = {
        "Status": task.status,
        "SourceArn": task.source,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": EPOCH + task.started_at,
    }
    if task.status == RUNNING:
        shown["TaskHandle"] = task.handle
    if task.destination:
        shown["DestinationArn"] = task.destination
    if task.rate is not None:
        shown["MaxNumberOfMessagesPerSecond"] = task.rate
    if task.failure:
        shown["FailureReason"] = task.failure
    return shown


def _found(region: Region, arn: str) -> QueueResource | None:
    address = from_arn(arn)
    here = address is not None and (address.region, address.account) == (region.name, region.account)
    return region.queues.get(address.name) if here and address is not None else None


def _queue(region: Region, arn: str, parameter: str) -> QueueResource:
    resource = _found(region, arn)
    if resource is None:
        raise error(
            "ResourceNotFoundException", f"The resource that you specified for the {parameter} parameter doesn't exist."
        )
    return resource


def _handle(task: str, source_arn: str) -> str:
    return b64encode(json.dumps({"taskId": task, "sourceArn": source_arn}).encode()).decode()


def _read_handle(handle: str) -> str:
    """Return the ARN of the source that a task handle names."""
    try:
        value: object = json.loads(b64decode(handle.encode(), validate=True))
    except (Error, ValueError, RecursionError):
        raise _bad_handle() from None
    fields = structure(value if is_map(value) else None)
    if not isinstance(fields.get("sourceArn"), str) or not isinstance(fields.get("taskId"), str):
        raise _bad_handle()
    return str(fields["sourceArn"])


def _bad_handle() -> ApiError:
    return invalid("Value for parameter TaskHandle is invalid.")
