"""A performance is complete, reproducible, and its truth is that of its noise-free curves."""

from dataclasses import replace

import numpy as np
import pytest

from emgmon.virtual.athlete import AthleteParams, Performance, activate_muscles, perform
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.plan import make_plan
from emgmon.virtual.truth import Truth
from firmware_protocol.capabilities import Capabilities, Quantity

SHORT = AthleteParams(n_reps=2)


@pytest.fixture(scope="module")
def performance() -> Performance:
    return perform(SHORT)


def test_the_streams_are_four_emg_channels_and_six_axes_for_the_whole_duration(
    performance: Performance,
) -> None:
    emg, imu = performance.streams
    duration_s = performance.truth.duration_s
    assert duration_s is not None
    assert emg.counts.dtype == imu.counts.dtype == np.int16
    assert emg.counts.shape == (round(duration_s * 2000), 4)
    assert imu.counts.shape == (round(duration_s * 100), 6)
    assert len(emg.counts) == 20 * len(imu.counts)


def test_the_capabilities_say_what_the_streams_are_and_survive_the_air(performance: Performance) -> None:
    capabilities = performance.capabilities
    assert Capabilities.from_bytes(capabilities.to_bytes()) == capabilities
    assert tuple(samples.stream for samples in performance.streams) == capabilities.streams
    emg, imu = capabilities.streams
    assert [(c.site, c.side) for c in emg.channels] == [
        (site, side) for site in ("gluteus_maximus", "erector_spinae") for side in ("left", "right")
    ]
    assert [(c.quantity, c.axis) for c in imu.channels] == [
        (quantity, axis) for quantity in (Quantity.ACCELERATION, Quantity.ANGULAR_RATE) for axis in "xyz"
    ]
    assert {c.site for c in imu.channels} == {"pelvis"}


def test_equal_parameters_give_equal_samples(performance: Performance) -> None:
    again = perform(AthleteParams(n_reps=2))
    for first, second in zip(performance.streams, again.streams, strict=True):
        assert np.array_equal(first.counts, second.counts)
    assert again.truth == performance.truth
    assert again.calibration == performance.calibration
    assert again.capabilities == performance.capabilities


def test_another_seed_gives_other_samples(performance: Performance) -> None:
    other = perform(AthleteParams(n_reps=2, seed=2))
    assert not np.array_equal(performance.streams[0].counts[:10_000], other.streams[0].counts[:10_000])
    assert not np.array_equal(performance.streams[1].counts[:500], other.streams[1].counts[:500])


def test_artefacts_change_neither_truth_of_the_repetitions_nor_motion(performance: Performance) -> None:
    noisy = perform(AthleteParams(n_reps=2, snr_db=8.0, hum_uv=30.0, heartbeat_uv=200.0))
    assert noisy.truth.reps == performance.truth.reps
    assert np.array_equal(noisy.streams[1].counts, performance.streams[1].counts)


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_the_truth_is_the_mean_of_the_noise_free_activation_over_the_work(exercise: str) -> None:
    params = AthleteParams(exercise=exercise, n_reps=3, glute_share_pct=55.0)
    plan = make_plan(params)
    glute, back = activate_muscles(plan, params)
    for rep in perform(params).truth.reps:
        assert rep.work_start_s is not None
        assert rep.work_end_s is not None
        steps = 40_000
        width_s = (rep.work_end_s - rep.work_start_s) / steps
        times_s = rep.work_start_s + (np.arange(steps) + 0.5) * width_s
        glute_pct = np.mean([glute.left.at(times_s), glute.right.at(times_s)])
        back_pct = np.mean([back.left.at(times_s), back.right.at(times_s)])
        assert rep.glute_engagement_pct == pytest.approx(glute_pct, rel=1e-6)
        assert rep.back_engagement_pct == pytest.approx(back_pct, rel=1e-6)
        assert rep.glute_share_pct == pytest.approx(100 * glute_pct / (glute_pct + back_pct), rel=1e-6)


@pytest.mark.parametrize(
    ("exercise", "names", "work"),
    [
        ("bridge", ["lift", "hold", "return"], ("lift", "hold")),
        ("hip-thrust", ["lift", "hold", "return"], ("lift", "hold")),
        ("squat", ["return", "hold", "lift"], ("turn", "lift")),
        ("lunge", ["return", "hold", "lift"], ("turn", "lift")),
        ("romanian-deadlift", ["return", "hold", "lift"], ("turn", "lift")),
        ("scorpion", ["lift", "hold", "return"], ("lift", "hold")),
        ("bird-dog", ["lift", "hold", "return"], ("lift", "hold")),
        ("leg-extension-tubing", ["lift", "hold", "return"], ("lift", "hold")),
        ("prone-hip-extension", ["lift", "hold", "return"], ("lift", "hold")),
    ],
)
def test_phases_follow_each_other_and_the_work_is_made_of_them(
    exercise: str, names: list[str], work: tuple[str, str]
) -> None:
    for rep in perform(AthleteParams(exercise=exercise, n_reps=2)).truth.reps:
        assert [phase.name for phase in rep.phases] == names
        assert rep.phases[0].start_s == rep.start_s
        assert rep.phases[0].end_s == rep.phases[1].start_s
        assert rep.phases[1].end_s == rep.phases[2].start_s
        assert rep.phases[2].end_s == rep.end_s
        assert rep.turn_s == pytest.approx((rep.phases[1].start_s + rep.phases[1].end_s) / 2, abs=1e-4)
        by_name = {phase.name: phase for phase in rep.phases}
        start_s = rep.turn_s if work[0] == "turn" else by_name[work[0]].start_s
        assert (rep.work_start_s, rep.work_end_s) == (start_s, by_name[work[1]].end_s)


def test_the_muscles_are_louder_at_work_than_at_rest_by_about_the_snr() -> None:
    clean = {"hum_uv": 0.0, "heartbeat_uv": 0.0, "drift_uv": 0.0, "motion_uv": 0.0}
    performance = perform(AthleteParams(n_reps=4, snr_db=15.0, **clean))
    counts = performance.streams[0].counts.astype(np.float64)
    rest = np.sqrt(np.mean(np.square(counts[:9000]), axis=0))
    holds = [
        counts[round(rep.phases[1].start_s * 2000) : round(rep.phases[1].end_s * 2000)]
        for rep in performance.truth.reps
    ]
    work = np.sqrt(np.mean(np.square(np.concatenate(holds)), axis=0))
    # The hold lies above the mean of lift and hold, and tonic activity adds to the noise at rest.
    assert 20.0 * np.log10(work / rest) == pytest.approx([16.0] * 4, abs=2.5)


def test_the_whole_duration_is_performed_when_one_is_asked_for() -> None:
    performance = perform(AthleteParams(duration_s=40.0, n_reps=3))
    assert len(performance.streams[0].counts) == 80_000
    assert len(performance.streams[1].counts) == 4000


def test_nothing_of_a_normal_performance_reaches_the_end_of_the_converter(performance: Performance) -> None:
    for samples in performance.streams:
        assert np.abs(samples.counts.astype(np.int32)).max() < 32_767


def test_every_site_worn_has_its_own_stream() -> None:
    performance = perform(
        AthleteParams(exercise="lunge", n_reps=1, imu_sites=("pelvis", "lumbar", "thigh"), side="left")
    )
    places = [
        (samples.stream.number, samples.stream.channels[0].site, samples.stream.channels[0].side)
        for samples in performance.streams
    ]
    assert places[1:] == [(2, "pelvis", None), (3, "lumbar", None), (4, "thigh", "left")]
    assert len({len(samples.counts) for samples in performance.streams[1:]}) == 1
    alone = perform(AthleteParams(exercise="lunge", n_reps=1, side="left"))
    assert np.array_equal(performance.streams[1].counts, alone.streams[1].counts)


def test_an_accelerometer_alone_gives_the_same_accelerations() -> None:
    params = AthleteParams(exercise="bird-dog", n_reps=1, imu_sites=("thigh",))
    whole, three = perform(params).streams[1], perform(replace(params, imu_axes=3)).streams[1]
    assert [channel.quantity for channel in three.stream.channels] == [Quantity.ACCELERATION] * 3
    assert np.array_equal(three.counts, whole.counts[:, :3])


def test_without_electrodes_there_is_motion_no_calibration_and_a_reference_of_motion_alone() -> None:
    performance = perform(AthleteParams(n_reps=1, emg=False))
    assert [samples.stream.number for samples in performance.streams] == [2]
    assert performance.calibration is None
    assert performance.reference.log_ratio is None
    assert performance.reference.motion
    assert np.array_equal(performance.streams[0].counts, perform(AthleteParams(n_reps=1)).streams[1].counts)


def test_electrodes_alone_are_enough() -> None:
    performance = perform(AthleteParams(n_reps=1, imu_sites=()))
    assert [samples.stream.number for samples in performance.streams] == [1]
    assert np.array_equal(performance.streams[0].counts, perform(AthleteParams(n_reps=1)).streams[0].counts)


def test_the_truth_tells_side_partial_repetitions_and_set_up() -> None:
    params = AthleteParams(exercise="scorpion", n_reps=6, n_partial=2, set_up=("walking",), emg=False)
    plan, truth = make_plan(params), perform(params).truth
    assert [rep.side for rep in truth.reps] == ["left", "right"] * 3
    assert [rep.partial for rep in truth.reps] == [rep.partial for rep in plan.reps]
    assert [(move.kind, move.start_s, move.end_s) for move in truth.set_up] == [
        (move.kind, move.start_s, move.end_s) for move in plan.set_up
    ]
    assert Truth.from_json(truth.to_json()) == truth


def test_the_truth_tells_how_much_each_side_did() -> None:
    for rep in perform(AthleteParams(exercise="bird-dog", n_reps=4, emg=False)).truth.reps:
        glutes_pct = (rep.glute_left_engagement_pct, rep.glute_right_engagement_pct)
        backs_pct = (rep.back_left_engagement_pct, rep.back_right_engagement_pct)
        assert np.mean(glutes_pct) == pytest.approx(rep.glute_engagement_pct)
        assert np.mean(backs_pct) == pytest.approx(rep.back_engagement_pct)
        assert (glutes_pct[0] > 2.0 * glutes_pct[1]) is (rep.side == "left")
        assert (backs_pct[0] < backs_pct[1]) is (rep.side == "left")


def test_the_truth_of_movement_does_not_depend_on_what_is_worn_or_how() -> None:
    params = AthleteParams(exercise="bridge", n_reps=3, emg=False)
    worn = replace(
        params, imu_sites=("lumbar",), wobble_deg=3.0, slip_deg=30.0, mounting_deg=(10.0, 0.0, 0.0)
    )
    assert perform(worn).truth.reps == perform(params).truth.reps
