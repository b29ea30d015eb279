"""How figures and states are said."""

import math

import pytest

from emgmon.dashboard import words
from emgmon.events import LinkState, Verdict
from tests.dashboard.synthetic import measured


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0:00"),
        (59.999, "0:59"),
        (61.0, "1:01"),
        (3600.0, "1:00:00"),
        (36_061.0, "10:01:01"),
        (-1.0, "0:00"),
    ],
)
def test_time_is_written_as_minutes_and_seconds(seconds: float, expected: str) -> None:
    assert words.duration(seconds) == expected


@pytest.mark.parametrize(("factor", "expected"), [(1.0, "1×"), (0.25, "0.25×"), (math.inf, "full speed")])
def test_speed_is_written_as_a_factor(factor: float, expected: str) -> None:
    assert words.speed(factor) == expected


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_missing_is_never_written_as_a_number(value: float | None) -> None:
    assert words.percent(value) == words.number(value, decimals=1) == words.MISSING


def test_there_is_no_minus_nought() -> None:
    assert words.number(-0.04, decimals=1) == "0.0"


def test_an_interval_is_written_only_when_both_ends_are_known() -> None:
    assert words.interval(measured("glute_share_pct", 62.0, 5.0)) == "57–67"
    assert words.interval(measured("glute_share_pct", 62.0)) == ""
    assert words.interval(None) == ""


def test_every_state_and_verdict_has_a_word_and_a_mark_of_its_own() -> None:
    assert set(words.LINK_MARKS) == set(words.LINK_WORDS) == set(words.LINK_ORDER) == set(LinkState)
    assert len(set(words.LINK_WORDS.values())) == len(LinkState)
    assert set(words.VERDICT_MARKS) == set(words.VERDICT_WORDS) == set(words.VERDICT_TONES) == set(Verdict)
    assert len(set(words.VERDICT_MARKS.values())) == len(Verdict)
