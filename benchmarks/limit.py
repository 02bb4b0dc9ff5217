"""The speed limit: a bare heap loop of the same mechanism.

The mechanism: a standard queue, 5 pollers, held batches, reserved concurrency, back-off. No trio, no history, no
objects per message. Used only as the denominator of speed ratios, measured in the same process as the numerator.
"""

from __future__ import annotations
import heapq
import random
from collections import deque


def simulate(
    *, n: int, seconds: float, bs: int, rc: int, vt: float, mrc: int, seed: int, held: int = 10, cap: float = 20.0
) -> dict[str, int]:
    rng = random.Random(seed)
    heap: list[tuple[float, int, str, object]] = []
    sequence = throttles = invocations = running = events = dead = 0
    ready: deque[int] = deque(range(n))
    idle: list[object] = []
    count = [0] * n
    done = bytearray(n)
    now = 0.0

    def at(when: float, what: str, data: object) -> None:
        nonlocal sequence
        sequence += 1
        heapq.heappush(heap, (when, sequence, what, data))

    for poller in range(5):
        at(0.0, "poll", poller)
    for poller in range(5, held):
        at(float(poller - 4), "poll", poller)
    while heap:
        now, _, what, data = heapq.heappop(heap)
        events += 1
        if what == "poll":
            batch = []
            while ready and len(batch) < bs:
                message = ready.popleft()
                if done[message]:
                    continue
                if count[message] >= mrc:
                    done[message] = 1
                    dead += 1
                    continue
                count[message] += 1
                batch.append(message)
            if batch:
                at(now + vt, "visible", (batch, [count[i] for i in batch]))
                at(now + 0.02 * rng.random(), "invoke", (data, batch, 0))
            else:
                idle.append(data)
        elif what == "visible":
            batch, counts = data
            ready.extend(i for i, c in zip(batch, counts) if not done[i] and count[i] == c)
            if ready and idle:
                at(now, "poll", idle.pop())
        elif what == "invoke":
            poller, batch, attempt = data
            if running >= rc:
                throttles += 1
                at(now + min(cap, 2.0**attempt) * rng.random(), "invoke", (poller, batch, attempt + 1))
            else:
                running += 1
                invocations += 1
                at(now + seconds * len(batch), "finish", (poller, batch))
        else:
            poller, batch = data
            running -= 1
            for message in batch:
                done[message] = 1
            at(now, "poll", poller)
    return {"throttles": throttles, "invocations": invocations, "events": events, "dead": dead}
