import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.dsp.beat_watch import STEP_HOPS, WINDOW_HOPS, BeatWatch
from emgmon.dsp.envelope import EnvelopeHops, EnvelopeStage
from emgmon.dsp.filters import BandPass
from emgmon.dsp.timeline import SampleClock
from tests.dsp.heart import beat_samples, heart_uv, muscle_uv

RATE_HZ = 1000.0


def envelope_of(raw_uv):
    stage = EnvelopeStage(n_channels=1, rate_hz=RATE_HZ)
    return stage.process(raw_uv[np.newaxis].copy(), SampleClock(0, 0.0, RATE_HZ), 0).envelope_uv


def watched(envelope_uv, cuts=(1_000_000,), *, restore_between=False):
    watch, readings, start, step = BeatWatch(envelope_uv.shape[1]), [], 0, 0
    while start < len(envelope_uv):
        size = cuts[min(step, len(cuts) - 1)]
        readings += watch.process(EnvelopeHops(start, envelope_uv[start : start + size]))
        start, step = start + size, step + 1
        if restore_between:
            other = BeatWatch(envelope_uv.shape[1])
            other.state, watch = watch.state, other
    return readings


def heart_on_muscle(*, per_min=75, peak_uv=100.0, work_uv=0.0, duration_s=60):
    n = round(duration_s * RATE_HZ)
    beats = beat_samples(duration_s, RATE_HZ, per_min, spread=0.03)
    heart = heart_uv(beats, n, RATE_HZ, peak_uv=peak_uv)
    return heart, heart + muscle_uv(n, RATE_HZ, rest_uv=3, work_uv=work_uv)


@pytest.mark.parametrize("per_min", [50, 75, 120, 180])
def test_the_power_of_the_heartbeat_is_told(per_min):
    heart, raw_uv = heart_on_muscle(per_min=per_min)
    true_uv2 = np.nanmean(np.square(BandPass(n_channels=1, rate_hz=RATE_HZ).process(heart[np.newaxis])))
    readings = watched(envelope_of(raw_uv))
    assert len(readings) == 10
    for reading in readings[1:]:
        assert reading.heartbeat_uv2[0] == pytest.approx(true_uv2, rel=0.25)


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_heartbeat(seed):
    noise_uv = muscle_uv(120_000, RATE_HZ, rest_uv=5, seed=seed)
    assert {reading.heartbeat_uv2 for reading in watched(envelope_of(noise_uv))} == {(None,)}


@pytest.mark.parametrize("pulse_hz", [0.6, 0.8, 1.0, 1.4])
def test_quick_repetitions_are_no_heartbeat(pulse_hz):
    time_s = np.arange(60_000) / RATE_HZ
    level = 1 + 10 * np.clip(np.sin(2 * np.pi * pulse_hz * time_s), 0, None)
    pulses_uv = level * muscle_uv(60_000, RATE_HZ, rest_uv=3)
    assert {reading.heartbeat_uv2 for reading in watched(envelope_of(pulses_uv))} == {(None,)}


def test_what_was_seen_at_rest_holds_while_the_muscle_works_and_goes_with_a_rest_without_beats():
    _, rest_uv = heart_on_muscle(duration_s=20)
    work_uv = muscle_uv(40_000, RATE_HZ, rest_uv=3, work_uv=200)
    quiet_uv = muscle_uv(30_000, RATE_HZ, rest_uv=3)
    readings = watched(envelope_of(np.concatenate([rest_uv, work_uv, quiet_uv])))
    seen = {reading.hop: reading.heartbeat_uv2[0] for reading in readings}
    assert seen[1500] is not None
    assert {seen[hop] for hop in range(3000, 6001, STEP_HOPS)} == {seen[3000]} != {None}
    assert seen[8000] is None


def test_channels_are_watched_each_for_itself():
    _, raw_uv = heart_on_muscle()
    envelope_uv = envelope_of(raw_uv)
    quiet_uv = envelope_of(muscle_uv(60_000, RATE_HZ, rest_uv=3, seed=5))
    both = watched(np.concatenate([envelope_uv, quiet_uv], axis=1))
    assert [reading.heartbeat_uv2[0] for reading in both] == [
        reading.heartbeat_uv2[0] for reading in watched(envelope_uv)
    ]
    assert {reading.heartbeat_uv2[1] for reading in both} == {None}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 1500), min_size=1, max_size=20))
def test_any_cuts_with_the_state_restored_in_between_give_the_same_readings(cuts):
    envelope_uv = envelope_of(heart_on_muscle(work_uv=50.0)[1])
    envelope_uv[700:730] = np.nan
    whole = watched(envelope_uv)
    assert watched(envelope_uv, cuts, restore_between=True) == whole
    assert [reading.hop for reading in whole] == list(range(WINDOW_HOPS, len(envelope_uv) + 1, STEP_HOPS))


def test_hops_left_out_are_missing_hops():
    envelope_uv = envelope_of(heart_on_muscle()[1])
    holed = envelope_uv.copy()
    holed[1200:2500] = np.nan
    watch = BeatWatch(1)
    readings = watch.process(EnvelopeHops(0, envelope_uv[:1200]))
    readings += watch.process(EnvelopeHops(2500, envelope_uv[2500:]))
    assert readings == [reading for reading in watched(holed) if not 1200 < reading.hop <= 2500]


def test_a_channel_without_signal_tells_nothing():
    assert {reading.heartbeat_uv2 for reading in watched(np.full((2000, 1), np.nan))} == {(None,)}
    assert {reading.heartbeat_uv2 for reading in watched(np.zeros((2000, 1)))} == {(None,)}
