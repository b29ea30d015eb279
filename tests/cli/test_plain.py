"""Events as lines of text."""

import numpy as np

from emgmon.cli.plain import Line, line
from emgmon.events import (
    BatteryRead,
    DuplicateReceived,
    EnvelopeComputed,
    LinkChanged,
    LinkState,
    Metric,
    MovementComputed,
    MovementSignal,
    NotificationRejected,
    Quality,
    RepCompleted,
    RepWithdrawn,
    SamplesLost,
    SessionEnded,
    SetCompleted,
    Verdict,
    VerdictBasis,
)


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
