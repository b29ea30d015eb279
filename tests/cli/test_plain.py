"""Events as lines of text."""

from dataclasses import replace

import numpy as np
import pytest

from emgmon.cli.plain import Line, lines
from emgmon.events import (
    BatteryRead,
    ChannelQuality,
    DuplicateReceived,
    EnvelopeComputed,
    Healed,
    LinkChanged,
    LinkState,
    Metric,
    MovementComputed,
    MovementSignal,
    NotificationRejected,
    Quality,
    QualityChanged,
    QualityFigures,
    RepCompleted,
    RepWithdrawn,
    SamplesLost,
    SensorStatus,
    SessionEnded,
    SetCompleted,
    Verdict,
    VerdictBasis,
)


def line(event):
    """The only line of an event; ``None`` where there is none."""
    said = lines(event)
    assert len(said) < 2
    return said[0] if said else None


def share(value, *, low=None, high=None, reason=None):
    return Metric("glute_share_pct", value, low, high, 1, Quality.GOOD, reason)


def a_rep(**changes):
    fields = {
        "set_number": 2,
        "number": 7,
        "side": None,
        "start_s": 12.04,
        "turn_s": 13.0,
        "end_s": 14.5,
        "verdict": Verdict.BACK_LED,
        "verdict_basis": VerdictBasis.EMG,
        "sentence": "The back took over.",
        "excluded": None,
        "metrics": (share(41.6),),
    }
    return RepCompleted(**(fields | changes))


def test_a_repetition_is_a_result_with_its_share_and_verdict():
    assert line(a_rep()) == Line(
        "set 2 rep 7  12.0-14.5 s  glute share 42 %  back-led: The back took over.", is_result=True
    )


def test_a_verdict_that_the_sentence_begins_with_is_not_said_twice():
    said = line(a_rep(sentence="Back-led: the back took over."))
    assert said.text.endswith("glute share 42 %  Back-led: the back took over.")


def test_an_interval_is_told_where_there_is_one():
    said = line(a_rep(metrics=(share(41.6, low=38.2, high=45.9),)))
    assert "glute share 42 % (38-46)" in said.text


def test_what_was_not_measured_is_said_to_be_so_and_never_zero():
    said = line(a_rep(metrics=(share(None, reason="an electrode was loose"),)))
    assert "glute share not measured (an electrode was loose)" in said.text
    assert "glute share not measured " in line(a_rep(metrics=())).text


def test_a_repetition_that_does_not_vote_says_why():
    assert line(a_rep(excluded="samples are missing")).text.endswith("(left out: samples are missing)")


def test_the_side_is_told_where_there_is_one():
    assert line(a_rep(side="left")).text.startswith("set 2 rep 7 left ")


def test_a_movement_that_is_not_counted_is_a_result_with_its_reason_but_no_number():
    partial = a_rep(number=None, side="left", uncounted="partial: 38 % of the usual range of this set")
    assert line(partial) == Line(
        "set 2 movement left  12.0-14.5 s  not counted: partial: 38 % of the usual range of this set",
        is_result=True,
    )


def test_a_repetition_taken_back_says_which_one_and_what_that_does_to_later_ones():
    assert line(RepWithdrawn(2, 7, 12.04, 14.5, "begun elsewhere")) == Line(
        "set 2 rep 7 taken back  12.0-14.5 s  begun elsewhere; later ones of the set move up by one",
        is_result=True,
    )


def test_a_repetition_corrected_by_hand_says_so():
    assert line(a_rep(origin="added")).text.endswith("The back took over. (added by hand)")
    assert line(a_rep(origin="moved")).text.endswith("The back took over. (edges moved by hand)")
    assert "by hand" not in line(a_rep()).text


def test_a_set_is_a_result_with_its_count():
    summary = SetCompleted(1, "bridge", 10.0, 32.5, 5, (share(61.0),))
    assert line(summary) == Line("set 1 bridge: 5 reps in 22.5 s, glute share 61 %", is_result=True)
    assert "1 rep in" in line(SetCompleted(1, "bridge", 0.0, 4.0, 1, ())).text


def test_whatever_else_is_worth_a_line_is_no_result():
    others = [
        SessionEnded(40.0),
        LinkChanged(0, LinkState.LOST, "gone"),
        BatteryRead(0, 87),
        SamplesLost(0, 1, 3.25, 40),
        NotificationRejected(0, "too short", "4.1"),
        DuplicateReceived(0, 1, 20),
    ]
    said = [line(event) for event in others]
    assert not any(one.is_result for one in said)
    assert [one.text for one in said] == [
        "session ended after 40.0 s",
        "link: lost, gone",
        "battery: 87 %",
        "lost 40 samples of stream 1 at 3.25 s",
        "left out a notification: too short (SPEC 4.1)",
        "left out 20 repeated samples of stream 1",
    ]


def test_curves_are_worth_no_line():
    assert line(EnvelopeComputed(0, 1, 0, np.zeros((1, 2)), np.zeros((1, 2)))) is None
    assert line(MovementComputed(0, MovementSignal.PELVIS_HEIGHT, np.zeros(1))) is None


def test_a_verdict_from_motion_says_so_once_whatever_its_sentence():
    changes = {"verdict": Verdict.STEADY, "verdict_basis": VerdictBasis.MOTION, "metrics": ()}
    said = line(a_rep(sentence="Steady, from motion alone: the pelvis turned by 5 degrees.", **changes)).text
    assert said.endswith("  Steady, from motion alone: the pelvis turned by 5 degrees.")
    assert line(a_rep(sentence="As usual.", **changes)).text.endswith("  steady: As usual. (from motion)")
    assert "from motion" not in line(a_rep()).text


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [(Verdict.BEYOND_RANGE, "Beyond range, from motion."), (Verdict.CANNOT_TELL, "Cannot tell: no signal.")],
)
def test_a_verdict_of_two_words_is_not_said_twice_either(verdict, sentence):
    assert line(a_rep(verdict=verdict, sentence=sentence)).text.endswith(f"42 %  {sentence}")


def test_a_practice_cue_is_a_line_of_its_own():
    cue = "Practice cue: glute first, back easy."
    first, second = lines(a_rep(side="left", warning=cue))
    assert cue not in first.text
    assert second == Line(f"  > {cue}", is_result=True)


def test_why_a_repetition_does_not_vote_is_not_said_twice():
    said = line(a_rep(sentence="Cannot tell: left glute: no signal.", excluded="left glute: no signal")).text
    assert said.endswith("Cannot tell: left glute: no signal. (left out)")


def test_percentages_say_what_100_percent_stands_for():
    said = line(a_rep(metrics=(replace(share(41.6), normalisation="mvic"),))).text
    assert "glute share 42 % [100 % = mvic]  " in said


@pytest.mark.parametrize(
    ("grade", "side", "reason", "said"),
    [
        (Quality.REJECT, "left", "no signal", "signal of left gluteus maximus rejected at 12.4 s: no signal"),
        (Quality.USABLE, None, "mains hum", "signal of gluteus maximus only usable at 12.4 s: mains hum"),
        (Quality.GOOD, "left", None, "signal of left gluteus maximus good again at 12.4 s"),
    ],
)
def test_a_channel_that_changes_is_told_and_is_no_result(grade, side, reason, said):
    quality = ChannelQuality("gluteus_maximus", side, grade, reason, QualityFigures())
    assert line(QualityChanged(0, 1, 2, 12.4, quality)) == Line(said, is_result=False)


def test_a_set_tells_levels_and_notes_in_lines_of_their_own():
    levels = (
        Metric("glute_engagement_pct", 132.4, 120.0, 144.0, 8, Quality.GOOD, normalisation="mvic"),
        Metric("back_engagement_pct", None, None, None, 0, Quality.REJECT, "no electrode on the back"),
    )
    notes = ("The glute's signal slowed.", "The left glute was more active.")
    said = lines(SetCompleted(1, "bridge", 10.0, 32.5, 5, (share(61.0), *levels), notes))
    assert [one.text for one in said] == [
        "set 1 bridge: 5 reps in 22.5 s, glute share 61 %",
        "  glute 132 % (120-144) [100 % = mvic]",
        "  The glute's signal slowed.",
        "  The left glute was more active.",
    ]
    assert all(one.is_result for one in said)


def test_what_was_told_without_the_missing_samples_is_said_to_follow_anew():
    assert line(Healed(0, 0)).text.endswith(
        "of the lines about repetitions none stands, the others follow anew"
    )
    assert "the first one stands" in line(Healed(1, 3)).text
    assert "the first 7 stand" in line(Healed(7, 0)).text


def test_links_and_batteries_name_their_sensor_where_there_are_several():
    assert line(LinkChanged(0, LinkState.STREAMING)).text == "link: streaming"
    assert line(LinkChanged(1, LinkState.RECONNECTING, "gone")).text == "link of sensor 1: reconnecting, gone"
    assert line(BatteryRead(1, 40)).text == "battery of sensor 1: 40 %"


def test_what_a_sensor_says_about_itself_is_passed_on():
    assert line(SensorStatus(0, "battery at 7 %, low")).text == "sensor 0: battery at 7 %, low"
