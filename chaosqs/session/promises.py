"""Which promises a project's designs are judged by: the usual ones, the limits that it sets, and its own."""

from __future__ import annotations

from pathlib import Path

from chaosqs import invariants
from chaosqs.errors import InvalidInput
from chaosqs.invariants import Invariant
from chaosqs.session.python_file import value_in
from chaosqs.session.settings import FILE, Settings, read_settings
from chaosqs.session.wording import relative_to


def asked_of(settings: Settings, root: Path) -> tuple[Invariant, ...]:
    """Return the invariants that a project asks for, each once. Raises `InvalidInput` for those that are none."""
    limits = settings.limits
    given = [
        *invariants.DEFAULT,
        *([] if limits.oldest_message is None else [invariants.oldest_message(limits.oldest_message)]),
        *(
            []
            if limits.downstream_concurrency is None
            else [invariants.downstream_concurrency(limits.downstream_concurrency)]
        ),
        *([] if limits.throttle_rate is None else [invariants.throttle_rate(limits.throttle_rate)]),
        *(_given(name, root) for name in settings.invariants),
    ]
    return tuple({invariant.name: invariant for invariant in given}.values())


def _given(text: str, root: Path) -> Invariant:
    """Return what an entry of `invariants` stands for: the name of one of ours, or `path.py:attribute`."""
    file, colon, attribute = text.rpartition(":")
    if not colon or not file.endswith(".py"):
        try:
            return invariants.by_name(text)
        except ValueError as error:
            raise InvalidInput(f"{FILE}, [tool.chaosqs]: invariants: {error}, as path.py:name") from None
    name = relative_to(root, root / file)
    value = value_in(root / file, attribute, shown=name, root=root)
    if isinstance(value, Invariant):
        return value
    raise InvalidInput(f"{name}:{attribute}: must be an invariant: put @chaosqs.invariant('…') above the function")


def known(name: str, design: str, root: Path) -> Invariant:
    """Return the invariant that judged a design, from wherever the project has it. Raises `InvalidInput` for others."""
    try:
        return invariants.by_name(name)
    except ValueError:
        asked_of(read_settings(root), root)  # which imports the project's own
    file, _, attribute = design.rpartition(":")
    if file.endswith(".py") and (root / file).is_file():
        value_in(root / file, attribute, shown=file, root=root)
    try:
        return invariants.by_name(name)
    except ValueError as error:
        raise InvalidInput(f"{error}.\nName the file in {FILE}: [tool.chaosqs] invariants = ['path.py:name']") from None
