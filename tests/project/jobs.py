"""Jobs of the child process, for its tests: they do what code of users may do."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module

from chaosqs.errors import EscapedSimulation, InvalidScenario
from chaosqs.lambda_.handler_runtime import WATCHERS
from chaosqs.project.child import ask


@contextmanager
def running(function: str) -> Generator[None]:
    """Let the code of a block, such as an import, count as the handler of a function."""
    for switched in WATCHERS:
        switched(function)
    try:
        yield
    finally:
        for switched in WATCHERS:
            switched("")


KEPT: list[str] = []


def echoes(text: str) -> str:
    return text


def asks_twice(text: str) -> str:
    return ask(text) + ask(text)


def imports(text: str) -> str:
    """Import a module, and return whether it was there already."""
    known = text in sys.modules
    import_module(text)
    return str(known)


def keeps(text: str) -> str:
    KEPT.append(text)
    return f"{os.getpid()} {' '.join(KEPT)}"


def is_wrong(text: str) -> str:
    raise InvalidScenario(text)


def escapes(text: str) -> str:
    error = EscapedSimulation(text)
    error.add_note("while simulating")
    raise error


class Silent(BaseException):
    def __str__(self) -> str:
        raise RuntimeError


def raises_without_words(text: str) -> str:
    raise Silent(text)


def raises(text: str) -> str:
    raise KeyError(text)


def loops(_: str) -> str:
    with running("worker"):
        while True:
            pass


def loops_outside(_: str) -> str:
    with running("worker"):
        pass
    total = 0
    for number in range(10**6):
        total += number
    return str(total)


def holds_the_interpreter(_: str) -> str:
    with running("worker"):
        return str(pow(9, 10**9))  # as a call: type checkers work out literals themselves


def waits_for_a_lock(_: str) -> str:
    lock = threading.Lock()
    with running("worker"), lock:
        lock.acquire()
    return ""


def reads_nothing(_: str) -> str:
    with running("worker"):
        ctypes.string_at(0)
    return ""


def exits(_: str) -> str:
    with running("worker"):
        import_module("posix")._exit(3)
    return ""


def kills_itself(_: str) -> str:
    with running("worker"):
        os.kill(os.getpid(), signal.SIGKILL)
    return ""


def closes_everything(_: str) -> str:
    with running("worker"):
        os.closerange(0, 256)
    return "done"


def recurses(_: str) -> str:
    sys.setrecursionlimit(10**9)

    def again() -> None:
        again()

    with running("worker"):
        again()
    return ""


def allocates(_: str) -> str:
    with running("worker"):
        return str(len(bytearray(1 << 40)))


def forks(_: str) -> str:
    """Leave a process behind, and return its id."""
    pid = os.fork()
    if not pid:
        signal.pause()
    return str(pid)


def prints(text: str) -> str:
    for _ in range(100):
        print("x" * 1_000_000)  # noqa: T201 - it is the point
        os.write(2, b"x" * 1_000_000)
    return f"{text} printed"


def knows(_: str) -> str:
    return f"{sys.argv} {sys.stdin.read()!r} {signal.getsignal(signal.SIGINT) is signal.default_int_handler}"
