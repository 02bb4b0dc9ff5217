"""`Sqs`: all of SQS in process, as operations on queues in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from chaosqs.model.events import DeadLettered, Deleted, Event
from chaosqs.sqs.api import move_tasks, queues, receiving, sending
from chaosqs.sqs.api.parameters import Parameters, error
from chaosqs.sqs.api.receiving import Wait
from chaosqs.sqs.api.region import ACCOUNT, EPOCH, REGION, Accounts, Region
from chaosqs.sqs.service import Service

Operation: TypeAlias = Callable[[Region, Parameters], "dict[str, object] | Wait"]

OPERATIONS: Mapping[str, Operation] = {
    "AddPermission": queues.add_permission,
    "CancelMessageMoveTask": move_tasks.cancel_message_move_task,
    "ChangeMessageVisibility": receiving.change_message_visibility,
    "ChangeMessageVisibilityBatch": receiving.change_message_visibility_batch,
    "CreateQueue": queues.create_queue,
    "DeleteMessage": receiving.delete_message,
    "DeleteMessageBatch": receiving.delete_message_batch,
    "DeleteQueue": queues.delete_queue,
    "GetQueueAttributes": queues.get_queue_attributes,
    "GetQueueUrl": queues.get_queue_url,
    "ListDeadLetterSourceQueues": queues.list_dead_letter_source_queues,
    "ListMessageMoveTasks": move_tasks.list_message_move_tasks,
    "ListQueueTags": queues.list_queue_tags,
    "ListQueues": queues.list_queues,
    "PurgeQueue": queues.purge_queue,
    "ReceiveMessage": receiving.receive_message,
    "RemovePermission": queues.remove_permission,
    "SendMessage": sending.send_message,
    "SendMessageBatch": sending.send_message_batch,
    "SetQueueAttributes": queues.set_queue_attributes,
    "StartMessageMoveTask": move_tasks.start_message_move_task,
    "TagQueue": queues.tag_queue,
    "UntagQueue": queues.untag_queue,
}


@attrs.define(eq=False)
class Sqs:
    """SQS for every account and Region.

    No call blocks; the event queue has the time. Without a simulation, callers use `advance` to let time pass and
    `finish` for a `Wait`. In a simulation the clock takes the event queue's steps, and callers use `Wait.then`.
    """

    accounts: Accounts = attrs.field(factory=Accounts)

    @classmethod
    def of(cls, service: Service, messages: int) -> Sqs:
        """Return SQS with the queues of a simulation, in the account and Region of the design.

        `messages` is the number of messages of the workload; clients' messages are numbered from there. Events of
        queues outside of the design are not recorded.
        """
        record, known = service.context.record, frozenset(service.states)

        def record_known(event: Event) -> int:
            if getattr(event, "queue", None) not in known:
                return -1
            if isinstance(event, DeadLettered) and event.target not in known:
                event = Deleted(
                    event.at, event.cause, event.queue, "", (event.message,), (), f"moved to {event.target}"
                )
            return record(event)

        service.context = attrs.evolve(service.context, record=record_known)
        accounts = Accounts(service.context)
        accounts.numbers.next_free = messages
        accounts.adopt(service, ACCOUNT, REGION)
        return cls(accounts)

    @property
    def epoch(self) -> int:
        """Moment 0 of virtual time, in milliseconds since 1970."""
        return EPOCH

    @property
    def now(self) -> int:
        """The present moment, in milliseconds of virtual time."""
        return self.accounts.context.now

    def call(
        self, operation: str, parameters: Mapping[str, object], *, region: str = REGION, account: str = ACCOUNT
    ) -> dict[str, object] | Wait:
        """Carry out one operation and return its result; both in botocore's shapes, binary values as bytes.

        A ReceiveMessage that has to wait returns a `Wait` instead. Raises `ApiError` for a request that AWS would
        refuse, and then changes nothing.
        """
        found = OPERATIONS.get(operation)
        if found is None:
            raise error("UnknownOperationException", f"The action {operation} is not valid for this endpoint.")
        return found(self.accounts.region(account, region), parameters)

    def advance(self, milliseconds: int) -> None:
        """Let time pass: everything that is due happens at its moment, in order."""
        queue = self.accounts.context.event_queue
        until = queue.now + milliseconds
        while queue.next_due() <= until:
            queue.take()()
        queue.now = until

    def finish(self, wait: Wait) -> dict[str, object]:
        """Move time on until a wait has its response, and return that."""
        responses: list[dict[str, object]] = []
        wait.then(responses.append)
        while not responses:
            self.accounts.context.event_queue.take()()
        return responses[0]
