import numpy as np
import pytest

from emgmon.dsp.orientation import OrientationStage
from emgmon.dsp.pelvis_motion import PelvisMotionStage
from emgmon.dsp.pipeline import MotionPipeline
from emgmon.dsp.timeline import SampleClock
from tests.builders import Movement

LIFT = Movement([(4.0, 1.2, 1.0, 1.2, 0.2), (9.0, 1.0, 1.0, 1.0, 0.2)])


def run(imu, clock, size, *, restore_between=False):
    pipeline = MotionPipeline(rate_hz=clock.rate_hz)
    first_hop, pieces = None, []
    for start in range(0, imu.shape[1], size):
        hops = pipeline.process(imu[:, start : start + size], clock, start).height
        if first_hop is None and len(hops.height_m):
            first_hop = hops.first_hop
        pieces.append(np.stack([hops.height_m, hops.velocity_mps, hops.acceleration_mps2]))
        if restore_between:
            other = MotionPipeline(rate_hz=clock.rate_hz)
            other.state, pipeline = pipeline.state, other
    hops = pipeline.finish()
    pieces.append(np.stack([hops.height_m, hops.velocity_mps, hops.acceleration_mps2]))
    return first_hop, np.concatenate(pieces, axis=1)


def imu_of(movement, rate_hz=100.0):
    return movement.imu(rate_hz=rate_hz).T.astype(np.float64)


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 110.2, 208.0])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_every_cut_gives_the_same_bits(rate_hz, size):
    imu = imu_of(LIFT, rate_hz)[:, : int(6 * rate_hz)]
    imu[:, 150:153] = np.nan
    imu[:, 220:280] = np.nan
    clock = SampleClock(0, 0.003, rate_hz)
    whole_first, whole = run(imu, clock, imu.shape[1])
    first, cut = run(imu, clock, size)
    assert first == whole_first
    np.testing.assert_array_equal(cut, whole)


def test_the_state_put_into_another_pipeline_goes_on_with_the_same_bits():
    imu, clock = imu_of(LIFT), SampleClock(0, 0.0, 100.0)
    np.testing.assert_array_equal(
        run(imu, clock, 83, restore_between=True)[1], run(imu, clock, imu.shape[1])[1]
    )


def test_once_it_has_settled_the_curve_rises_by_what_the_pelvis_rose():
    late = Movement([(30.0, 1.2, 2.0, 1.2, 0.2)])
    _, (height, _, _) = run(imu_of(late), SampleClock(0, 0.0, 100.0), 10_000)
    # The curve leaks; the range of a repetition is integrated anew and is sharper than this.
    assert height[3130:3300].mean() - height[2900:3000].mean() == pytest.approx(0.2, abs=0.05)


def test_lying_still_does_not_drift():
    still = Movement([], tail_s=60.0)
    _, (height, velocity, _) = run(imu_of(still), SampleClock(0, 0.0, 100.0), 10_000)
    assert np.ptp(height) < 0.01
    assert np.abs(velocity).max() < 0.01


def test_gravity_is_found_however_the_sensor_is_mounted():
    rng = np.random.default_rng(1)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    imu = imu_of(LIFT)
    turned = np.concatenate([rotation @ imu[:3], rotation @ imu[3:]])
    clock = SampleClock(0, 0.0, 100.0)
    upright = OrientationStage(rate_hz=100.0).process(imu, clock, 0)
    mounted = OrientationStage(rate_hz=100.0).process(turned, clock, 0)
    # Tilt settles within the first seconds.
    np.testing.assert_allclose(mounted.acceleration_mps2[300:], upright.acceleration_mps2[300:], atol=0.02)


def test_a_short_hole_is_bridged_and_a_long_one_is_a_break():
    imu, clock = imu_of(LIFT), SampleClock(0, 0.0, 100.0)
    imu[:, 100:110] = np.nan
    imu[:, 300:360] = np.nan
    hops = OrientationStage(rate_hz=100.0).process(imu, clock, 0)
    missing = np.flatnonzero(np.isnan(hops.acceleration_mps2)) + hops.first_hop
    assert set(range(300, 360)) <= set(missing) <= set(range(299, 361))


def test_hops_lie_between_samples_on_a_straight_line():
    clock = SampleClock(0, 0.005, 100.0)
    imu = imu_of(LIFT)
    samples = np.sqrt((imu[3:] ** 2).sum(axis=0))
    hops = OrientationStage(rate_hz=100.0).process(imu, clock, 0)
    assert hops.first_hop == 0
    # Before the first sample there is nothing to draw a line from.
    expected = [samples[0], *((samples[:-1] + samples[1:]) / 2)]
    np.testing.assert_allclose(hops.turn_rate_radps, expected, rtol=1e-12)


def test_finishing_gives_every_hop_that_was_taken_but_the_last_few():
    clock = SampleClock(0, 0.0, 100.0)
    imu = imu_of(LIFT)
    vertical = OrientationStage(rate_hz=100.0).process(imu, clock, 0)
    stage = PelvisMotionStage()
    given = len(stage.process(vertical).height_m) + len(stage.finish().height_m)
    assert len(vertical.acceleration_mps2) - given == stage.params.smoothing_half_hops


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize(("n_axes", "follow_height"), [(6, False), (3, True), (3, False)])
def test_where_height_is_not_asked_for_or_not_possible_there_is_attitude_alone(size, n_axes, follow_height):
    imu, clock = imu_of(LIFT)[:n_axes], SampleClock(0, 0.0, 100.0)
    whole = OrientationStage(rate_hz=100.0, n_axes=n_axes).process(imu, clock, 0)
    pipeline = MotionPipeline(rate_hz=100.0, n_axes=n_axes, follow_height=follow_height)
    pieces = []
    for start in range(0, imu.shape[1], size):
        pieces.append(pipeline.process(imu[:, start : start + size], clock, start))
        other = MotionPipeline(rate_hz=100.0, n_axes=n_axes, follow_height=follow_height)
        other.state, pipeline = pipeline.state, other
    assert {piece.height for piece in pieces} == {None}
    assert pipeline.finish() is None
    np.testing.assert_array_equal(np.concatenate([piece.orientation.up for piece in pieces]), whole.up)


def test_a_gap_is_a_break_for_attitude_and_height_alike():
    imu, clock = imu_of(LIFT), SampleClock(0, 0.0, 100.0)
    pipeline = MotionPipeline(rate_hz=100.0)
    before = pipeline.process(imu[:, :400], clock, 0)
    skipped = list(pipeline.skip(100, clock, 400))
    after = pipeline.process(imu[:, 500:], clock, 500)
    assert before.orientation.next_hop == after.orientation.first_hop
    assert all(len(piece.orientation) == 0 for piece in skipped)
    assert np.isnan(after.orientation.up[:95]).all()
    assert not np.isnan(after.orientation.up[105:]).any()
    assert np.isnan(after.height.height_m).any()
