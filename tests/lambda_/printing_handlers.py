"""Handlers that print and log: what is tested is where that goes."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback

Event = dict[str, list[dict[str, str]]]

KEPT = sys.stdout
LOGGER = logging.getLogger(__name__)


def fail() -> None:
    raise ValueError("no")


def prints_and_fails(_event: Event, _context: object) -> None:
    print("printed")
    LOGGER.warning("logged %d", 1)
    LOGGER.info("too quiet")
    sys.stdout.buffer.write(b"bytes\n")
    KEPT.write("kept from the import\n")
    print("an object at 0x7f0e7404e5e0", file=sys.stderr)
    print("not ended", end="")
    fail()


def prints(_event: Event, _context: object) -> None:
    print("printed")


def waits_forever(_event: Event, _context: object) -> None:
    print("waiting")
    time.sleep(1000)


def fails_for_another(_event: Event, _context: object) -> None:
    try:
        fail()
    except ValueError:
        raise RuntimeError(f"all failed:\n{traceback.format_exc()}") from None


def takes_turns(event: Event, _context: object) -> None:
    number = json.loads(event["Records"][0]["body"])["message"]
    print("begins", number)
    time.sleep(1)
    print("ends", number)
    fail()


def prints_its_address(_event: Event, _context: object) -> None:
    print(object(), time.perf_counter)
    fail()


def logs_badly(_event: Event, _context: object) -> None:
    LOGGER.warning("%d", "text")
    fail()
