"""A shard: what is read, in which order, and what a failing batch does to it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chaosqs.comparison.machines.shard import READ_LIMIT, Record, Shard, shard_of
from chaosqs.model.alternative import Stream
from chaosqs.model.design import PAYLOAD_LIMIT

DAY = 86_400_000


def filled(stream: Stream, count: int, size: int = 100) -> Shard:
    """Return a shard with records 0, 1, 2 …, one put each millisecond."""
    shard = Shard(stream)
    for number in range(count):
        shard.put(Record(number, size, number))
    return shard


def numbers(shard: Shard, now: int = 0) -> list[int]:
    """Return the records of the batch that is tried now."""
    batch = shard.batch(now=now)
    return [] if batch is None else [record.number for record in batch.records]


def test_records_come_in_order_one_batch_at_a_time() -> None:
    """The head batch stays until it is done."""
    shard = filled(Stream("worker", 1, batch_size=3), 5)
    assert (numbers(shard), numbers(shard)) == ([0, 1, 2], [0, 1, 2])
    shard.succeeded()
    assert numbers(shard, now=1000) == [3, 4]
    shard.succeeded()
    assert shard.empty
    assert numbers(shard, now=2000) == []


def test_a_shard_is_read_at_two_megabytes_a_second() -> None:
    """What follows a batch of one megabyte waits for half a second."""
    shard = filled(Stream("worker", 1, batch_size=1), 2, READ_LIMIT // 2)
    assert numbers(shard) == [0]
    shard.succeeded()
    assert numbers(shard, now=499) == []
    assert shard.readable_at == 500
    assert numbers(shard, now=500) == [1]


def test_a_batch_fits_a_payload() -> None:
    """6 MB in Base64; a record that alone is larger goes by itself."""
    shard = filled(Stream("worker", 1, batch_size=100), 10, 1_048_576)
    assert len(numbers(shard)) == PAYLOAD_LIMIT // (1_048_576 * 4 // 3 + 4) == 4
    assert numbers(filled(Stream("worker", 1), 2, PAYLOAD_LIMIT)) == [0]


def test_a_failing_batch_blocks_its_shard_until_its_retries_are_over() -> None:
    """Two retries are three attempts."""
    shard = filled(Stream("worker", 1, batch_size=2, maximum_retry_attempts=2), 3)
    for _ in range(2):
        assert numbers(shard) == [0, 1]
        assert shard.failed() == ()
    assert [record.number for record in shard.failed()] == [0, 1]
    assert numbers(shard, now=1000) == [2]


def test_halving_isolates_a_record_and_is_no_retry() -> None:
    """Of eight records the bad one is alone after three failures; only then its retries count."""
    shard = filled(Stream("worker", 1, maximum_retry_attempts=0, bisect_batch_on_function_error=True), 8)
    tried, given_up = list[list[int]](), list[int]()
    while batch := numbers(shard, now=1000):
        tried.append(batch)
        if 5 in batch:
            given_up += [record.number for record in shard.failed()]
        else:
            shard.succeeded()
    assert tried == [[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3], [4, 5, 6, 7], [4, 5], [4], [5], [6, 7]]
    assert given_up == [5]


def test_what_is_too_old_is_given_up_read_or_not() -> None:
    """At its maximum age, and not a moment before."""
    shard = filled(Stream("worker", 1, batch_size=2, maximum_record_age=60), 4)
    assert numbers(shard) == [0, 1]
    assert shard.too_old(now=59_999) == []
    assert [record.number for record in shard.too_old(now=60_000)] == [0]
    assert numbers(shard) == [1]
    assert [record.number for record in shard.too_old(now=60_002)] == [1, 2]
    assert not shard.ends_by_retention


def test_the_retention_period_ends_every_record() -> None:
    """Whatever the maximum age: then nobody is told."""
    shard = filled(Stream("worker", 1), 1)
    assert shard.too_old(now=DAY - 1) == []
    assert len(shard.too_old(now=DAY)) == 1
    assert shard.ends_by_retention


@given(st.text(), st.integers(1, 1000))
def test_a_key_has_one_shard(key: str, shards: int) -> None:
    """The same each time, and one that there is."""
    assert 0 <= shard_of(key, shards) < shards
    assert shard_of(key, shards) == shard_of(key, shards)


def test_keys_are_spread_over_the_shards_as_kinesis_does() -> None:
    """By the MD5 of the key among equal ranges: about evenly, and never exactly."""
    counts = Counter(shard_of(str(number), 5) for number in range(1000))
    assert sorted(counts) == [0, 1, 2, 3, 4]
    assert all(150 < count < 250 for count in counts.values())
    assert shard_of("", 2) == 1  # the MD5 of nothing begins with d4
