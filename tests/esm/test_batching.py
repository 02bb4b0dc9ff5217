from hypothesis import given
from hypothesis import strategies as st

from chaosqs.esm.machines.batching import Batcher
from chaosqs.lambda_.machines.sqs_event import Payload, plain_record_bytes
from chaosqs.model.design import PAYLOAD_LIMIT

SMALL = plain_record_bytes(100)
LARGE = plain_record_bytes(256 * 1024)
LARGEST = plain_record_bytes(1024 * 1024)


def payload_bytes(sizes: list[int]) -> int:
    payload = Payload()
    for size in sizes:
        payload.add(size)
    return payload.size


def gather(batcher: Batcher, size: int) -> int:
    receives = 0
    while not batcher.full:
        batcher.add([size] * batcher.wanted, now=receives)
        receives += 1
    return receives


def test_EP_3_without_a_window_one_receive_is_one_batch() -> None:
    """At window 0 a batch is due at once, however few messages the receive brought."""
    batcher = Batcher(batch_size=10, window=0)
    assert batcher.due() is None
    batcher.add([SMALL] * 3, now=700)
    assert (batcher.due(), batcher.full, batcher.take(now=700), batcher.held) == (700, False, 3, 0)
    assert batcher.due() is None


def test_EP_3_a_receive_of_nothing_makes_no_batch() -> None:
    """An empty receive neither opens a window nor makes a batch due."""
    batcher = Batcher(batch_size=10, window=1_000)
    batcher.add([], now=5)
    assert batcher.due() is None
    batcher.add([SMALL], now=400)
    assert batcher.due() == 1_400


def test_EP_4_a_batch_is_due_when_it_has_its_size() -> None:
    """With a window, the message that completes the batch makes it due at once."""
    batcher = Batcher(batch_size=25, window=60_000)
    asked: list[int] = []
    for second in range(3):
        asked.append(batcher.wanted)
        batcher.add([SMALL] * batcher.wanted, now=second * 1_000)
    assert (asked, batcher.wanted, batcher.full, batcher.due(), batcher.gathered) == ([10, 10, 5], 0, True, 2_000, 25)


def test_EP_4_a_batch_of_10_000_is_gathered_from_receives_of_ten() -> None:
    """A thousand receives make one batch of the largest size, if its records are as small as 629 bytes each."""
    batcher = Batcher(batch_size=10_000, window=300_000)
    assert gather(batcher, 628) == 1_000
    assert (batcher.due(), batcher.take(now=1_000), batcher.held) == (999, 10_000, 0)


def test_EP_8_metadata_alone_keeps_a_batch_below_10_000() -> None:
    """Even of messages with one byte, 6 MB hold fewer than 10,000: receipt handle, ids and times count as well."""
    batcher = Batcher(batch_size=10_000, window=300_000)
    gather(batcher, plain_record_bytes(1))
    assert 7_000 < batcher.take(now=0) < 10_000


def test_EP_4_a_batch_is_due_when_its_window_closes() -> None:
    """Neither full nor heavy: the batch waits for its window, counted from the first message of the first batch."""
    batcher = Batcher(batch_size=100, window=5_000)
    batcher.add([SMALL], now=1_000)
    batcher.add([SMALL] * 10, now=4_000)
    assert (batcher.due(), batcher.full) == (6_000, False)


def test_EP_5_the_next_window_begins_when_the_previous_invocation_finishes() -> None:
    """A message that comes in the middle of the window that began so waits for the rest of it only."""
    batcher = Batcher(batch_size=100, window=60_000)
    batcher.add([SMALL], now=0)
    batcher.take(now=60_000)
    batcher.finished(now=62_000)
    batcher.add([SMALL], now=112_000)
    assert batcher.due() == 122_000


def test_EP_5_a_window_that_closed_empty_is_followed_by_one_from_the_first_message() -> None:
    """Assumed: who comes after an empty window waits for a whole one."""
    batcher = Batcher(batch_size=100, window=60_000)
    batcher.finished(now=0)
    assert batcher.due() is None
    batcher.add([SMALL], now=60_000)
    assert batcher.due() == 120_000


def test_EP_6_with_low_traffic_a_batch_waits_with_the_long_poll() -> None:
    """A window shorter than the long poll does not end it; the wait counts from the latest receive with messages."""
    batcher = Batcher(batch_size=100, window=1_000, low_traffic_wait=20_000)
    batcher.add([SMALL], now=0)
    assert batcher.due() == 20_000
    batcher.add([SMALL], now=900)
    assert batcher.due() == 20_900


def test_EP_6_a_message_that_ends_the_long_poll_makes_the_batch_due() -> None:
    """When the window is over, the receive that brings something is the last one."""
    batcher = Batcher(batch_size=100, window=1_000, low_traffic_wait=20_000)
    batcher.add([SMALL], now=0)
    for now in (1_000, 7_000):
        batcher.add([SMALL], now)
        assert batcher.due() == now
    assert batcher.take(now=7_000) == 3


def test_EP_6_a_long_window_is_not_prolonged() -> None:
    """The wait of low traffic shows only where the window is shorter."""
    batcher = Batcher(batch_size=100, window=60_000, low_traffic_wait=20_000)
    batcher.add([SMALL], now=0)
    assert batcher.due() == 60_000


def test_EP_9_A9_23_messages_of_256_KB_fit() -> None:
    """The third receive brings the 24th message, which is cut; it and the rest of that receive begin the next batch."""
    batcher = Batcher(batch_size=10_000, window=10_000)
    assert gather(batcher, LARGE) == 3
    assert (batcher.gathered, batcher.held, batcher.due()) == (23, 30, 2)
    assert (batcher.take(now=2), batcher.gathered, batcher.full) == (23, 7, False)


def test_EP_9_A9_5_messages_of_1_MiB_fit() -> None:
    """One receive of ten of the largest messages makes two batches of five, without a window too."""
    batcher = Batcher(batch_size=10, window=0)
    gather(batcher, LARGEST)
    assert (batcher.take(now=0), batcher.due(), batcher.take(now=3), batcher.held) == (5, 0, 5, 0)


def test_EP_4_messages_cut_off_wait_for_the_window_of_the_next_batch() -> None:
    """What was cut is gathered already; its window opens when the invocation of the others has finished."""
    batcher = Batcher(batch_size=100, window=10_000)
    batcher.add([LARGEST] * 7, now=0)
    assert batcher.take(now=50) == 5
    batcher.finished(now=1_000)
    assert (batcher.due(), batcher.gathered, batcher.wanted) == (11_000, 2, 10)


@given(
    st.lists(st.lists(st.sampled_from([SMALL, LARGE, LARGEST]), max_size=10), max_size=12),
    st.integers(1, 40),
    st.sampled_from([0, 1_000, 60_000]),
)
def test_EP_4_every_message_is_in_one_batch_that_could_take_no_more(
    receives: list[list[int]], batch_size: int, window: int
) -> None:
    """No message is lost or reordered, and a batch is under both limits; where it was cut, one more would be over."""
    batcher = Batcher(batch_size, window)
    waiting: list[int] = []
    for now, sizes in enumerate(receives):
        batcher.add(sizes, now)
        waiting += sizes
        while batcher.full:
            due = batcher.due()
            assert due is not None
            assert due <= now
            taken = batcher.take(now)
            batch, waiting = waiting[:taken], waiting[taken:]
            assert batch
            assert len(batch) == batch_size or payload_bytes([*batch, waiting[0]]) > PAYLOAD_LIMIT
            assert payload_bytes(batch) <= PAYLOAD_LIMIT
        assert batcher.held == batcher.gathered == len(waiting)
        assert (batcher.due() is None) == (not waiting)
