"""Stubs: answers that a user gives for calls of AWS's services, in the place of the service."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias

import attrs
from botocore.exceptions import BotoCoreError, ClientError

from chaosqs.errors import InvalidInput, Problem, SimulationError

Answer: TypeAlias = Callable[[Mapping[str, object]], object]
"""A function from the parameters of a call to its result."""


class Around(Protocol):
    """Carries out a stubbed call: in virtual time, and recorded."""

    def __call__(
        self, service: str, operation: str, parameters: Mapping[str, object], answer: Callable[[], object]
    ) -> object:
        """Return what `answer` returns."""
        ...


class Refusal(Protocol):
    """Raises `SimulationError` for a call, with the reason; in a handler it ends the run."""

    def __call__(self, call: str, why: str) -> object:
        """Raise the error."""
        ...


@attrs.define(eq=False)
class Stubs:
    """The stubs of one world."""

    around: Around
    refuse: Refusal
    _answers: dict[str, Answer] = attrs.field(factory=dict[str, Answer])

    def add(self, target: str, response: object) -> None:
        """Answer an operation (`bedrock-runtime:InvokeModel`) with a result or a function; raise `InvalidInput`."""
        service, _, operation = target.partition(":")
        if not operation.isalnum() or service in {"sqs", "lambda", "http", "https"}:
            must = "must be service:Operation, as dynamodb:PutItem, of a service other than sqs and lambda"
            raise InvalidInput([Problem("stub", repr(target), must)])
        self._answers[target] = response if callable(response) else lambda _: response

    def find(self, service: str, operation: str) -> Answer | None:
        """Return the function that carries out a stubbed call, or None if there is no stub."""
        answer = self._answers.get(f"{service}:{operation}")
        return None if answer is None else partial(self._call, service, operation, answer)

    def _call(self, service: str, operation: str, answer: Answer, parameters: Mapping[str, object]) -> object:
        try:
            return self.around(service, operation, parameters, partial(answer, parameters))
        except (BotoCoreError, ClientError, SimulationError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a user's function raises
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename.removeprefix(str(Path.cwd()) + os.sep)}:{where.lineno}"
            return self.refuse(f"{service} {operation}", f"its stub raises {type(error).__name__}: {error}\n{place}")
