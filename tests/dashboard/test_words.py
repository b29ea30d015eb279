"""How figures and states are said."""

import math

import pytest

from emgmon.dashboard import words
from emgmon.events import ChannelQuality, LinkState, MovementSignal, Quality, QualityFigures, Verdict
from emgmon.events import VerdictBasis as Basis
from tests.dashboard.synthetic import NO_SIGNAL, emg_rep, measured


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


def test_every_movement_signal_has_words_of_its_own() -> None:
    assert set(words.SIGNAL_WORDS) == set(MovementSignal)
    assert len(set(words.SIGNAL_WORDS.values())) == len(MovementSignal)


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [(4.4, "4°", "+4°"), (-4.4, "-4°", "-4°"), (0.2, "0°", "0°"), (-0.2, "0°", "0°"), (None, "–", "–")],
)
def test_angles_are_whole_degrees_and_changes_have_a_sign(
    value: float | None, plain: str, signed: str
) -> None:
    assert words.degrees(value) == plain
    assert words.degrees(value, signed=True) == signed


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (("left", "right", "left"), "L 2  R 1"),
        # The other leg may have worked without a sensor to see it: no 0 is said of it.
        (("right", "right"), "R 2"),
        (("left", None), "L 1  ? 1"),
        ((None, None), ""),
        ((), ""),
    ],
)
def test_sides_are_counted_as_far_as_they_are_known(sides: tuple[str | None, ...], expected: str) -> None:
    assert words.sides([emg_rep(1, share=60, side=side) for side in sides]) == expected


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_verdict_from_motion_says_so_and_the_same_from_emg_does_not(verdict: Verdict) -> None:
    from_motion = words.verdict(emg_rep(1, share=60, verdict=verdict, verdict_basis=Basis.MOTION))
    from_emg = words.verdict(emg_rep(1, share=60, verdict=verdict))
    assert from_motion[0].endswith(", from motion")
    assert from_motion[1:] == from_emg
    assert [len(way) for way in from_motion] == sorted((len(way) for way in from_motion), reverse=True)


def test_verdicts_from_motion_have_marks_words_and_tones_that_no_muscle_has() -> None:
    motion, emg = (Verdict.STEADY, Verdict.BEYOND_RANGE), (Verdict.GLUTE_LED, Verdict.BACK_LED)
    assert {words.VERDICT_TONES[verdict] for verdict in motion}.isdisjoint(
        words.VERDICT_TONES[verdict] for verdict in emg
    )
    assert not any(
        muscle in words.VERDICT_WORDS[verdict] for verdict in motion for muscle in ("glute", "back")
    )


def test_a_figure_above_100_percent_is_marked() -> None:
    assert [words.level(value) for value in (46.0, 100.0, 132.0, None)] == ["46 %", "100 %", "↑132 %", "–"]


@pytest.mark.parametrize(
    ("value", "expected"), [(0.8, "+0.8"), (-0.8, "-0.8"), (-0.04, "0.0"), (0.04, "0.0")]
)
def test_a_difference_has_a_sign_unless_it_is_nought(value: float, expected: str) -> None:
    assert words.with_sign(value, decimals=1) == expected


def test_a_trouble_names_the_channel_and_the_reason() -> None:
    quality = ChannelQuality("gluteus_maximus", "right", Quality.REJECT, NO_SIGNAL, QualityFigures())
    assert words.trouble(quality) == f"✕ right gluteus maximus: {NO_SIGNAL}"
    unexplained = ChannelQuality("multifidus", None, Quality.USABLE, None, QualityFigures())
    assert words.trouble(unexplained) == "! multifidus: the signal is graded usable"


def test_every_grade_has_a_mark_of_its_own() -> None:
    assert set(words.QUALITY_MARKS) == set(words.QUALITY_TONES) == set(Quality)
    assert len(set(words.QUALITY_MARKS.values())) == len(Quality)
