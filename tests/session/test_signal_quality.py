"""What the engine says of the electrodes while the session runs and of every repetition."""

from dataclasses import replace

import pytest

from emgmon.events import Quality, QualityChanged, Verdict
from emgmon.session import Session
from tests.session.performing import (
    counted,
    events_of,
    metric,
    notifications_of,
    performed,
    run,
    sets_of,
    setup_of,
)

OFF_AT_S = 20.0
RADIO_S = 0.1
"""Samples wait for their packet, and packets for the air."""


def changes_of(events):
    return [event for event in events if isinstance(event, QualityChanged)]


def one_by_one(performance):
    """Every change of quality, with the moment at which the notification arrived that showed it."""
    session = Session(setup_of(performance))
    return [
        (notification.arrival_ns / 1e9, event)
        for notification in notifications_of(performance)
        for event in changes_of(session.receive(notification))
    ]


@pytest.mark.parametrize("kind", ["flat", "floating"])
@pytest.mark.parametrize("electrode", ["gluteus_maximus.left", "erector_spinae.right"])
def test_an_electrode_that_falls_off_is_noticed_within_a_second(electrode, kind):
    off = performed(
        "bridge",
        n_reps=6,
        seed=4,
        electrode_off=electrode,
        electrode_off_at_s=OFF_AT_S,
        electrode_off_kind=kind,
    )
    arrived_s, first = one_by_one(off)[0]
    assert ".".join((first.quality.site, first.quality.side)) == electrode
    assert first.quality.grade is Quality.REJECT
    assert OFF_AT_S < arrived_s < OFF_AT_S + 1.0 + RADIO_S
    reps = counted(events_of(off))
    after = [rep for rep in reps if rep.start_s > OFF_AT_S]
    before = [rep for rep in reps if rep.end_s < OFF_AT_S]
    assert len(after) >= 2
    assert len(before) >= 2
    assert {rep.verdict for rep in after} == {Verdict.CANNOT_TELL}
    assert Verdict.CANNOT_TELL not in {rep.verdict for rep in before}
    assert all(rep.excluded and electrode.split(".")[0].replace("_", " ") in rep.excluded for rep in after)
    (done,) = sets_of(events_of(off))
    assert metric_of(done.summary, "glute_share_pct").n == len(before)


def metric_of(metrics, name):
    return next(found for found in metrics if found.name == name)


def test_good_electrodes_are_never_called_bad():
    assert changes_of(events_of(performed("bridge", n_reps=6, seed=4))) == []


def test_changes_of_quality_do_not_depend_on_the_delivery():
    off = performed("bridge", n_reps=6, seed=4, electrode_off="gluteus_maximus.left")
    assert [event for _, event in one_by_one(off)] == changes_of(events_of(off))


def test_the_quality_of_a_repetition_is_the_same_after_a_checkpoint_in_its_middle():
    off = performed("bridge", n_reps=6, seed=4, electrode_off="gluteus_maximus.left")
    notifications, kept = notifications_of(off), setup_of(off)
    whole = Session(kept)
    events = [event for notification in notifications for event in whole.receive(notification)]
    half = len(notifications) // 2
    first, second = Session(kept), Session(kept)
    again = [event for notification in notifications[:half] for event in first.receive(notification)]
    second.state = first.state
    again += [event for notification in notifications[half:] for event in second.receive(notification)]
    assert counted(again) == counted(events)
    assert changes_of(again) == changes_of(events)


def test_every_repetition_carries_the_figures_of_every_channel():
    (rep, *_) = counted(events_of(performed("bridge", n_reps=3, seed=4)))
    assert [(c.site, c.side) for c in rep.channels] == [
        ("gluteus_maximus", "left"),
        ("gluteus_maximus", "right"),
        ("erector_spinae", "left"),
        ("erector_spinae", "right"),
    ]
    for channel in rep.channels:
        assert channel.figures.snr_db > 10.0
        assert channel.figures.noise_uv < 10.0
        assert channel.figures.clipped_share == 0.0


def test_clipping_costs_the_repetition():
    clipped = performed("bridge", n_reps=3, seed=4, clip_uv=250.0)
    for rep in counted(events_of(clipped)):
        assert rep.verdict is Verdict.CANNOT_TELL
        assert "cut off at the amplifier's limit" in rep.sentence


def test_the_percentages_say_what_100_percent_is():
    performance = performed("bridge", n_reps=3, seed=4)
    task = replace(performance.calibration, method="submaximal")
    for rep in counted(run(Session(setup_of(performance, calibration=task)), performance)):
        assert metric(rep, "glute_share_pct").normalisation == "submaximal"
        assert metric(rep, "lift_s").normalisation is None


def test_two_of_three_repetitions_beyond_the_range_make_a_warning_and_one_does_not():
    leaning = counted(events_of(performed("bridge", n_reps=4, seed=4, glute_share_pct=35.0)))
    assert leaning[0].warning is None
    assert all("2 of the last 2" in rep.warning or "of the last 3" in rep.warning for rep in leaning[1:])
    good = counted(events_of(performed("bridge", n_reps=4, seed=4)))
    assert [rep.warning for rep in good] == [None] * 4
    assert {rep.grounds.reason for rep in leaning} == {"below-range"}


def test_a_tiring_glute_shows_as_a_slope_and_as_a_note():
    (done,) = sets_of(
        events_of(
            performed("bridge", n_reps=12, seed=4, fatigue_pct_per_rep=2.0, fatigue_rise_pct_per_rep=4.0)
        )
    )
    slope = metric_of(done.summary, "fatigue_slope_pct_per_rep")
    assert slope.low < -2.0 * 0.8
    assert slope.high < 0.0
    assert any("slowed while it grew" in note for note in done.notes)
    (fresh,) = sets_of(events_of(performed("bridge", n_reps=12, seed=4)))
    assert not any("slowed" in note for note in fresh.notes)
