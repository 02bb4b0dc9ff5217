"""The words of violations: messages numbered from 1, lists with an `and`, thousands with a comma."""

from __future__ import annotations

from collections.abc import Iterable


def message_text(message: int) -> str:
    """Return how a sentence begins about a message: `Message 4` for number 3."""
    return f"Message {message + 1:,}"


def messages_text(messages: Iterable[int]) -> str:
    """Return several messages as they stand within a sentence: `message 4`, `messages 1, 2 and 5`."""
    numbers = [f"{message + 1:,}" for message in messages]
    return f"message{'' if len(numbers) == 1 else 's'} {listed(numbers)}"


def times(count: int) -> str:
    """Return how often: `once`, `2 times`."""
    return "once" if count == 1 else f"{count:,} times"


def counted(count: int, thing: str) -> str:
    """Return so many things: `1 delivery`, `2 deliveries`."""
    plural = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{count:,} {thing if count == 1 else plural}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """Return words as a list: `a`, `a and b`, `a, b and c`."""
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


def unique(words: Iterable[str]) -> list[str]:
    """Return each word once, in the order of first appearance."""
    return list(dict.fromkeys(words))


def function_of(mapping: str) -> str:
    """Return the function that a mapping, `orders→worker`, invokes."""
    return mapping.rpartition("→")[2]
