"""What may become of a notification, one thing at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.virtual.fate import DELIVER, DROP, DUPLICATE, Fate, Passage, corrupted, cut_short, held_back


def sent(*fates):
    """Send one-byte notifications numbered from 0, each with its fate; what arrives, in order."""
    passage = Passage()
    return [value[0] for number, fate in enumerate(fates) for value in passage.through(bytes([number]), fate)]


def test_by_itself_everything_arrives_once_and_in_order():
    assert sent(DELIVER, DELIVER, DELIVER) == [0, 1, 2]


def test_dropped_never_arrives_and_duplicated_arrives_twice():
    assert sent(DELIVER, DROP, DUPLICATE, DELIVER) == [0, 2, 2, 3]


def test_held_back_arrives_behind_as_many_later_ones():
    assert sent(held_back(2), DELIVER, DELIVER, DELIVER) == [1, 2, 0, 3]


def test_what_is_lost_still_goes_by():
    assert sent(held_back(1), DROP, DELIVER) == [0, 2]


def test_what_nothing_comes_after_can_be_released():
    passage = Passage()
    assert list(passage.through(b"a", held_back(5))) == []
    assert list(passage.release()) == [b"a"]
    assert list(passage.release()) == []


@pytest.mark.parametrize(
    ("fate", "arrives"),
    [
        (corrupted(), b"\x01\x02\xfc"),
        (corrupted(0, 0x80), b"\x81\x02\x03"),
        (cut_short(1), b"\x01"),
        (cut_short(0), b""),
        (DELIVER, b"\x01\x02\x03"),
    ],
)
def test_bytes_are_bent_as_the_fate_says(fate, arrives):
    assert list(Passage().through(b"\x01\x02\x03", fate)) == [arrives]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=30))
def test_as_many_arrive_as_there_are_copies(drawn):
    passage, arrived = Passage(), []
    for number, (copies, behind) in enumerate(drawn):
        arrived += passage.through(bytes([number]), Fate(copies=copies, behind=behind))
    arrived += passage.release()
    expected = [number for number, (copies, _) in enumerate(drawn) for _ in range(copies)]
    assert sorted(value[0] for value in arrived) == expected
