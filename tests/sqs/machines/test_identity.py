from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from chaosqs.sqs.machines.message import message_id, read_receipt_handle, receipt_handle, sequence_number

NUMBERS = st.integers(0, 2**64 - 1)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_RH_1_a_handle_says_which_receive_it_is(queue: int, message: int, receipt: int) -> None:
    """No table of handles is needed to read it back."""
    handle = receipt_handle(queue, message, receipt)
    assert read_receipt_handle(handle) == (queue, message, receipt)
    assert re.fullmatch(r"AQEB[A-Za-z0-9+/]{256}", handle)


@given(NUMBERS, st.integers(0, 259), st.sampled_from("Aa0+/="))
def test_RH_9_a_handle_that_was_changed_is_garbage(number: int, index: int, character: str) -> None:
    """Whichever character it is."""
    handle = receipt_handle(1, number, 2)
    changed = handle[:index] + character + handle[index + 1 :]
    assert (read_receipt_handle(changed) is not None) == (changed == handle)


@given(st.text())
def test_RH_9_other_text_is_garbage(text: str) -> None:
    """Never an exception."""
    assert read_receipt_handle(text) is None


def test_RH_1_message_ids_look_like_uuids() -> None:
    """Version 4, all different, always the same."""
    ids = [message_id(number) for number in range(2000)]
    assert len(set(ids)) == len(ids)
    shape = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(shape.fullmatch(each) for each in ids)


def test_FF_12_sequence_numbers_have_twenty_digits() -> None:
    """For longer than anybody will run it."""
    assert [len(sequence_number(index)) for index in (0, 1, 10**15)] == [20, 20, 20]
