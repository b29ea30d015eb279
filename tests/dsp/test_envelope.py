import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.dsp.envelope import HALF_WINDOW, EnvelopeStage
from emgmon.dsp.timeline import SampleClock

RATES_HZ = (250.0, 997.3, 1000.0, 1116.0, 2000.0)


def run(emg_uv, clock, cuts, *, restore_between=False):
    """First hop and envelope of a signal fed in pieces of the given lengths, the last one repeated."""
    stage = EnvelopeStage(n_channels=len(emg_uv), rate_hz=clock.rate_hz)
    first_hop, pieces, start, step = None, [], 0, 0
    while start < emg_uv.shape[1]:
        size = cuts[min(step, len(cuts) - 1)]
        hops = stage.process(emg_uv[:, start : start + size].copy(), clock, clock.anchor_sample + start)
        if len(hops.envelope_uv):
            first_hop = hops.first_hop if first_hop is None else first_hop
            assert hops.first_hop == first_hop + sum(map(len, pieces))
            pieces.append(hops.envelope_uv)
        start, step = start + size, step + 1
        if restore_between:
            other = EnvelopeStage(n_channels=len(emg_uv), rate_hz=clock.rate_hz)
            other.state, stage = stage.state, other
    pieces.append(stage.finish().envelope_uv)
    return first_hop, np.concatenate(pieces)


def holed_noise(rate_hz):
    emg_uv = np.random.default_rng(0).normal(0, 20, (3, int(2 * rate_hz))) + 500
    emg_uv[1, 100:130] = np.nan
    emg_uv[:, 200:205] = np.nan
    emg_uv[2, 300] = np.nan
    return emg_uv


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("size", [1, 3, 7, 20, 33, 333])
def test_every_cut_gives_the_same_bits(rate_hz, size):
    emg_uv, clock = holed_noise(rate_hz), SampleClock(7, 0.0137, rate_hz)
    first_hop, whole = run(emg_uv, clock, [emg_uv.shape[1]])
    cut_first_hop, cut = run(emg_uv, clock, [size])
    assert cut_first_hop == first_hop
    np.testing.assert_array_equal(cut, whole)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_any_cuts_with_the_state_restored_in_between_give_the_same_bits(cuts):
    emg_uv, clock = holed_noise(997.3), SampleClock(0, 0.0, 997.3)
    np.testing.assert_array_equal(
        run(emg_uv, clock, cuts, restore_between=True)[1], run(emg_uv, clock, [emg_uv.shape[1]])[1]
    )


def test_the_envelope_of_a_sine_is_its_amplitude_over_root_two():
    clock = SampleClock(0, 0.0, 1000.0)
    sine = 40.0 * np.sin(2 * np.pi * 100 * np.arange(3000) / 1000.0)[np.newaxis]
    _, envelope_uv = run(sine, clock, [3000])
    np.testing.assert_allclose(envelope_uv[100:-10, 0], 40.0 / np.sqrt(2), rtol=1e-3)


def test_the_window_is_centred_on_its_hop():
    clock = SampleClock(0, 0.0, 1000.0)
    emg_uv = np.zeros((1, 2000))
    emg_uv[0, 1000:1010] = 100.0 * np.sin(2 * np.pi * 200 * np.arange(10) / 1000.0)
    first_hop, envelope_uv = run(emg_uv, clock, [2000])
    loud = np.flatnonzero(envelope_uv[:, 0] > 5.0) + first_hop
    assert (loud[0], loud[-1]) == (100 - HALF_WINDOW, 100 + HALF_WINDOW + 1)


def test_hops_with_missing_samples_have_no_envelope():
    clock = SampleClock(0, 0.0, 1000.0)
    emg_uv = np.random.default_rng(0).normal(0, 20, (1, 2000))
    emg_uv[0, 1005] = np.nan
    first_hop, envelope_uv = run(emg_uv, clock, [2000])
    missing = np.flatnonzero(np.isnan(envelope_uv[:, 0])) + first_hop
    # The filter settles at the start, and at the end too few hops are left for a window.
    assert [hop for hop in missing if 10 <= hop < 190] == [100]


def test_a_stream_that_begins_between_two_hops_starts_with_the_next_whole_hop():
    clock = SampleClock(0, 0.0137, 1000.0)
    first_hop, _ = run(np.ones((1, 500)), clock, [1])
    assert first_hop == 2
