"""Real handlers in a project's checks: which checks have them, and the database of findings for the child process."""

import json
from collections.abc import Iterable, Mapping

from hypothesis.database import ExampleDatabase

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.json import Json
from chaosqs.project.child import ask


def has_real_code(behaviours: Mapping[str, Behaviour]) -> bool:
    """Return whether any of some functions is real code."""
    return any(behaviour.handler is not None for behaviour in behaviours.values())


# The database ---------------------------------------------------------------------------------------------------------
#
# Hypothesis's settings belong to the parent, and its database may be any object, in memory too. So the child asks.


class ParentDatabase(ExampleDatabase):
    """The database of the parent process, for jobs of the child."""

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the entries of a key."""
        found: Json = json.loads(_asked("fetch", key))
        assert isinstance(found, list)
        return [bytes.fromhex(str(entry)) for entry in found]

    def save(self, key: bytes, value: bytes) -> None:
        """Store an entry."""
        _asked("save", key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Delete an entry."""
        _asked("delete", key, value)


def _asked(method: str, *values: bytes) -> str:
    return ask(json.dumps([method, *(value.hex() for value in values)]))


def answered(database: ExampleDatabase, question: str) -> str:
    """Answer a question of the child's database."""
    asked: Json = json.loads(question)
    assert isinstance(asked, list)
    method, *values = map(str, asked)
    key, *value = map(bytes.fromhex, values)
    if method == "fetch":
        return json.dumps([entry.hex() for entry in database.fetch(key)])
    change = database.save if method == "save" else database.delete
    change(key, *value)
    return ""
