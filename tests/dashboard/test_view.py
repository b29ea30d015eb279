"""The state behind the screen: events in, facts out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.dashboard.view import SessionView, metric_value
from emgmon.events import (
    BatteryRead,
    DuplicateReceived,
    EnvelopeComputed,
    Event,
    Healed,
    LinkChanged,
    LinkState,
    MovementComputed,
    MovementSignal,
    NotificationRejected,
    Quality,
    RepWithdrawn,
    Rewound,
    SamplesLost,
    SamplesMissing,
    SessionEnded,
    Verdict,
)
from tests.dashboard.synthetic import (
    CUE,
    GLUTE_AND_BACK,
    IMU_ONLY,
    NO_SIGNAL,
    PARTIAL,
    Script,
    closed_set,
    emg_channel,
    emg_rep,
    measured,
    normalised,
    partial_rep,
    quality_changed,
    sensor,
    surrogate,
    unmeasured,
)


def view_of(*events: Event) -> SessionView:
    view = SessionView(sensors=(GLUTE_AND_BACK,))
    for event in events:
        view.apply(event)
    return view


def envelope(first_hop: int, n_hops: int, *, activation: float = 40.0, stream: int = 1) -> EnvelopeComputed:
    return EnvelopeComputed(
        0, stream, first_hop, np.full((n_hops, 2), 80.0), np.full((n_hops, 2), activation)
    )


def test_before_anything_came_nothing_is_known() -> None:
    view = SessionView()
    assert view.loss_pct is None
    assert view.lowest_battery_pct is None
    assert view.set_number is None
    assert view.link is None
    assert not view.set_is_closed


def test_repetitions_are_counted_within_their_set() -> None:
    view = view_of(emg_rep(1, share=60), emg_rep(2, share=60), emg_rep(1, share=60, set_number=2))
    assert (view.set_number, view.n_reps_in_set) == (2, 1)
    assert len(view.reps_of_set(1)) == 2


def test_a_set_is_closed_until_the_next_repetition() -> None:
    rep = emg_rep(1, share=60)
    view = view_of(rep, closed_set([rep]))
    assert view.set_is_closed
    view.apply(emg_rep(1, share=60, set_number=2))
    assert not view.set_is_closed
    assert view.last_set is not None
    assert view.last_set.set_number == 1


def test_loss_is_the_share_of_the_samples_expected_of_all_streams() -> None:
    # 2 s of 2000 Hz and 100 Hz are 4200 samples.
    view = view_of(envelope(0, 200), SamplesLost(0, 1, 0.5, 42), SamplesLost(0, 2, 0.5, 42))
    assert view.loss_pct == pytest.approx(2.0)


def test_loss_never_exceeds_everything() -> None:
    view = view_of(envelope(0, 1), SamplesLost(0, 1, 0.0, 10**6))
    assert view.loss_pct == 100.0


def test_of_several_links_the_worst_is_told() -> None:
    view = view_of(LinkChanged(0, LinkState.STREAMING), LinkChanged(1, LinkState.STALLED, "1.2 s"))
    assert view.link == LinkChanged(1, LinkState.STALLED, "1.2 s")
    view.apply(LinkChanged(1, LinkState.STREAMING))
    assert view.link is not None
    assert view.link.state is LinkState.STREAMING


def test_of_several_batteries_the_lowest_is_told() -> None:
    assert view_of(BatteryRead(0, 80), BatteryRead(1, 30), BatteryRead(1, 29)).lowest_battery_pct == 29


def test_hops_of_a_stream_that_no_sensor_told_of_are_left_out() -> None:
    view = view_of(envelope(0, 10, stream=9))
    assert not view.emg
    assert view.end_hop == 0


def test_a_channel_counts_as_calibrated_once_an_activation_was_measured() -> None:
    view = view_of(envelope(0, 10, activation=np.nan))
    assert view.emg[0, 1].calibrated == [False, False]
    view.apply(envelope(10, 10))
    assert view.emg[0, 1].calibrated == [True, True]


def test_rejects_are_counted_and_the_end_is_noted() -> None:
    view = view_of(NotificationRejected(0, "too short", "3.1"), DuplicateReceived(0, 1, 5), SessionEnded(9.0))
    assert (view.n_rejected, view.n_duplicates, view.ended) == (1, 1, True)


def test_after_rewinding_the_session_is_told_anew_and_comes_out_the_same() -> None:
    events = [event for _, event in Script(GLUTE_AND_BACK).timed_events()]
    once, twice = view_of(*events), view_of(*events, Rewound(), *events)
    assert twice.reps == once.reps
    assert twice.sets == once.sets
    assert twice.loss_pct == once.loss_pct
    np.testing.assert_array_equal(
        twice.emg[0, 1].activation_pct.window(once.end_hop, 1000),
        once.emg[0, 1].activation_pct.window(once.end_hop, 1000),
    )


def test_what_is_not_counted_is_seen_but_is_no_repetition() -> None:
    view = view_of(emg_rep(1, share=60), partial_rep(), emg_rep(2, share=60))
    assert [rep.number for rep in view.movements] == [1, None, 2]
    assert [rep.number for rep in view.reps] == [1, 2]
    assert view.n_reps_in_set == 2
    assert view.n_uncounted_in_set(1) == 1


def withdrawn(number: int, *, set_number: int = 1) -> RepWithdrawn:
    return RepWithdrawn(set_number, number, 0.0, 3.0, PARTIAL)


def test_a_repetition_taken_back_keeps_its_place_and_reason_and_later_ones_move_up() -> None:
    reps = [emg_rep(number, share=60, start_s=4.0 * number) for number in (1, 2, 3)]
    view = view_of(*reps, withdrawn(2))
    assert [(rep.start_s, rep.number, rep.uncounted) for rep in view.movements] == [
        (4.0, 1, None),
        (8.0, None, PARTIAL),
        (12.0, 2, None),
    ]


def test_taking_back_touches_no_other_set() -> None:
    view = view_of(emg_rep(1, share=60), emg_rep(1, share=60, set_number=2), withdrawn(1, set_number=2))
    assert [(rep.set_number, rep.number) for rep in view.movements] == [(1, 1), (2, None)]
    # Of the second set nothing is left, so the first one is the set that counts again.
    assert (view.set_number, view.n_reps_in_set) == (1, 1)


def test_a_session_of_which_every_repetition_was_taken_back_has_counted_nothing() -> None:
    view = view_of(emg_rep(1, share=60), withdrawn(1))
    assert view.set_number is None
    assert view.n_reps_in_set == 0
    assert view.newest is not None


@given(st.lists(st.integers(0, 9), max_size=40))
def test_whatever_is_taken_back_numbers_run_on_without_holes(chosen: list[int]) -> None:
    """0 is a new repetition, 1 a partial one; anything else takes back one of those there are."""
    view, n_counted = view_of(), 0
    for choice in chosen:
        if choice > 1 and n_counted:
            view.apply(withdrawn(1 + choice % n_counted))
            n_counted -= 1
        elif choice == 1:
            view.apply(partial_rep())
        else:
            n_counted += 1
            view.apply(emg_rep(n_counted, share=60))
    assert [rep.number for rep in view.reps] == list(range(1, n_counted + 1))


def test_every_change_of_the_list_is_noticed_also_after_rewinding() -> None:
    events: list[Event] = [emg_rep(1, share=60), withdrawn(1), Rewound(), emg_rep(1, share=60)]
    view, seen = view_of(), [0]
    for event in events:
        view.apply(event)
        seen.append(view.movements_revision)
    assert len(set(seen)) == len(seen)


def test_a_session_with_movements_taken_back_comes_out_the_same_when_told_anew() -> None:
    events: list[Event] = [emg_rep(1, share=60), partial_rep(), emg_rep(2, share=50), withdrawn(1)]
    once, twice = view_of(*events), view_of(*events, Rewound(), *events)
    assert twice.movements == once.movements
    assert [rep.number for rep in once.movements] == [None, None, 1]


def test_rewinding_keeps_the_link_and_the_sensors() -> None:
    view = view_of(LinkChanged(0, LinkState.STREAMING), emg_rep(1, share=60), SessionEnded(1.0), Rewound())
    assert view.link is not None
    assert view.sensors == (GLUTE_AND_BACK,)
    assert not view.reps
    assert not view.ended


def test_movement_moves_the_end_of_the_session_on() -> None:
    view = SessionView(sensors=(IMU_ONLY,))
    view.apply(MovementComputed(0, MovementSignal.PELVIS_HEIGHT, np.zeros(250)))
    assert view.end_s == 2.5
    assert not view.has_emg


def test_a_metric_that_was_not_measured_has_no_value() -> None:
    metrics = (measured("lift_s", 1.2), unmeasured("glute_share_pct", "an electrode was loose"))
    assert metric_value(metrics, "lift_s") == 1.2
    assert metric_value(metrics, "glute_share_pct") is None
    assert metric_value(metrics, "symmetry_pct") is None


def test_a_channel_is_in_trouble_until_it_recovers_and_the_rejected_come_first() -> None:
    hum = quality_changed(GLUTE_AND_BACK, 0, Quality.USABLE, "mains hum")
    off = quality_changed(GLUTE_AND_BACK, 1, Quality.REJECT, NO_SIGNAL)
    view = view_of(hum, off)
    assert view.troubles == [off, hum]
    view.apply(quality_changed(GLUTE_AND_BACK, 1, Quality.GOOD))
    assert view.troubles == [hum]


@pytest.mark.parametrize("first", ["envelope", "quality"])
def test_when_a_channel_was_rejected_is_kept_for_its_curve(first: str) -> None:
    events: list[Event] = [envelope(0, 10), quality_changed(GLUTE_AND_BACK, 0, Quality.REJECT, at_s=5.0)]
    view = view_of(*(events if first == "envelope" else reversed(events)))
    assert view.emg[0, 1].rejected == [[(5.0, None)], []]
    view.apply(quality_changed(GLUTE_AND_BACK, 0, Quality.REJECT, "another reason", at_s=6.0))
    view.apply(quality_changed(GLUTE_AND_BACK, 0, Quality.USABLE, at_s=7.0))
    assert view.emg[0, 1].rejected == [[(5.0, 7.0)], []]


def test_rewinding_forgets_troubles() -> None:
    view = view_of(envelope(0, 10), quality_changed(GLUTE_AND_BACK, 0, Quality.REJECT), Rewound())
    assert view.troubles == []
    view.apply(envelope(0, 10))
    assert view.emg[0, 1].rejected == [[], []]


def test_a_cue_goes_with_the_next_repetition_that_calls_for_none_but_not_with_a_partial_one() -> None:
    view = view_of(emg_rep(1, share=40), emg_rep(2, share=40, warning=CUE))
    assert view.cue == CUE
    view.apply(partial_rep())
    assert view.cue == CUE
    view.apply(emg_rep(3, share=60))
    assert view.cue is None


def test_what_100_percent_stands_for_is_known_from_the_first_repetition_that_tells() -> None:
    view = view_of(emg_rep(1, share=60))
    assert view.normalisations == {}
    view.apply(normalised(emg_rep(2, share=60), "submaximal"))
    assert view.normalisations["back_engagement_pct"] == "submaximal"
    assert "lift_s" not in view.normalisations


def test_electrodes_on_neither_glute_nor_back_give_no_activity_share() -> None:
    view = SessionView(sensors=(sensor(emg_channel("biceps_femoris", "right")),))
    assert not view.has_emg
    view.apply(surrogate(1, Verdict.STEADY))
    assert view_of().has_emg


def test_what_was_told_without_the_missing_samples_is_taken_back_and_told_anew() -> None:
    first, provisional, corrected = emg_rep(1, share=60), emg_rep(2, share=20), emg_rep(2, share=61)
    view = view_of(first, provisional, Healed(1, 0), corrected)
    assert view.movements == [first, corrected]


def test_a_repetition_that_only_the_missing_samples_took_back_comes_back() -> None:
    reps = [emg_rep(1, share=60), emg_rep(2, share=50)]
    view = view_of(*reps, withdrawn(1), Healed(2, 0))
    assert view.movements == reps


def test_a_channel_that_was_rejected_only_without_the_missing_samples_is_good_again() -> None:
    off = quality_changed(GLUTE_AND_BACK, 1, Quality.REJECT, NO_SIGNAL)
    view = view_of(envelope(0, 10), off, Healed(0, 0))
    assert view.troubles == []
    assert view.emg[0, 1].rejected == [[], []]


def test_samples_that_may_still_come_are_being_fetched_until_they_have() -> None:
    view = view_of(SamplesMissing(0, 1, 3000))
    assert view.fetching_s == 3000 / GLUTE_AND_BACK.streams[0].rate_hz
    view.apply(SamplesMissing(0, 1, 0))
    assert view.fetching_s is None
