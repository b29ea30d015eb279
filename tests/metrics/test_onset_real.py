"""Real bursts, held against knees of their envelopes that are found without our code."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from emgmon.dsp.change_point import runs_above
from emgmon.dsp.filters import BandPass
from emgmon.metrics.onset import Onset, find_onset

REAL_DATA = Path(os.environ.get("EMGMON_REAL_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))

pytestmark = pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real recordings are not on this machine")

HALF_S = 0.5


def clean(path, column, rate_hz, scale=1.0):
    """One column, cleaned, and its first time."""
    table = np.genfromtxt(REAL_DATA / path, delimiter=",", names=True)
    raw_uv = np.asarray(table[column]) * scale
    raw_uv = (raw_uv - np.median(raw_uv))[None]
    return np.nan_to_num(BandPass(n_channels=1, rate_hz=rate_hz).process(raw_uv)[0]), float(table["t_s"][0])


def zero_phase(clean_uv, rate_hz, corner_hz):
    sos = signal.butter(2, corner_hz, fs=rate_hz, output="sos")
    return np.maximum(signal.sosfiltfilt(sos, np.abs(clean_uv)), 1e-9)


def around(clean_uv, rate_hz, at):
    first, last = (int(at + part * rate_hz) for part in (-HALF_S, HALF_S))
    first = max(first, 0)
    return find_onset(clean_uv[None, first:last], rate_hz, np.array([np.nan]), first / rate_hz)


def broken_line(y):
    """Where a level that turns into a slope fits best."""
    at = np.arange(len(y), dtype=float)
    left = []
    for knee in range(5, len(y) - 4):
        lines = np.stack([np.ones_like(at), np.clip(at - knee, 0.0, None)], axis=1)
        left.append(np.square(y - lines @ np.linalg.lstsq(lines, y, rcond=None)[0]).sum())
    return 5 + int(np.argmin(left))


def knees(envelope, rest, begin):
    """Three ways to see where the envelope bends up ahead of `begin`, in samples at 1 kHz."""
    first = max(0, begin - 500)
    look = envelope[first : begin + 100 : 5]
    left_rest = np.flatnonzero(envelope[:begin] <= rest.mean() + 3.0 * rest.std())[-1]
    return left_rest, first + 5 * broken_line(look), first + 5 * broken_line(np.log(look))


def test_real_bursts_have_their_onset_among_the_knees_that_three_ways_of_looking_give():
    clean_uv, _ = clean("bursts_fatigue_ecg/emg_bursts.csv.gz", "channel_3_adc", 1000.0)
    quiet = slice(2600, 3900)
    slow = zero_phase(clean_uv, 1000.0, 4.0)
    begins = np.flatnonzero(np.diff((slow > 4.0 * slow[quiet].mean()).astype(int)) == 1)
    assert len(begins) == 9
    envelope = zero_phase(clean_uv, 1000.0, 10.0)
    at_knee = []
    for begin in begins:
        found = around(clean_uv, 1000.0, begin)
        assert isinstance(found, Onset)
        seen_s = np.array(knees(envelope, envelope[quiet], begin)) / 1000.0
        # A muscle that is tensed slowly has no single knee: the three lie up to 0.5 s apart.
        assert found.low_s - 0.05 <= seen_s.max()
        assert found.high_s + 0.05 >= seen_s.min()
        at_knee.append(seen_s.min() - 0.05 <= found.at_s <= seen_s.max() + 0.05)
    assert sum(at_knee) >= 8


@pytest.mark.parametrize("begin", [4519, 17311, 23281])
def test_where_a_real_burst_begins_abruptly_its_onset_is_within_50_ms_of_leaving_rest(begin):
    clean_uv, _ = clean("bursts_fatigue_ecg/emg_bursts.csv.gz", "channel_3_adc", 1000.0)
    envelope = zero_phase(clean_uv, 1000.0, 10.0)
    knee = knees(envelope, envelope[2600:3900], begin)[0]
    assert around(clean_uv, 1000.0, begin).at_s == pytest.approx(knee / 1000.0, abs=0.05)


def test_the_gluteus_maximus_begins_once_a_stride_shortly_before_the_foot_touches_down():
    strides = json.loads((REAL_DATA / "gait_gluteus" / "strides.json").read_text())["touchdown_and_liftoff_s"]
    clean_uv, first_s = clean("gait_gluteus/emg.csv.gz", "emggluteus_maximusright_uV", 1000.0)
    envelope = zero_phase(clean_uv, 1000.0, 6.0)
    low, high = np.quantile(envelope, (0.2, 0.98))
    bursts = first_s + runs_above(envelope, low + 0.25 * (high - low), 80, 150) / 1000.0
    before_ms = []
    for (touchdown_s, _), (following_s, _) in zip(strides, [*strides[1:], (np.inf, 0.0)], strict=True):
        assert np.sum((bursts[:, 1] > touchdown_s) & (bursts[:, 0] < following_s - 0.3)) == 1
        found = around(clean_uv, 1000.0, (touchdown_s - first_s) * 1000.0)
        before_ms.append(1e3 * (touchdown_s - first_s - found.at_s))
    assert all(80.0 <= ms <= 140.0 for ms in before_ms)
    assert np.ptp(before_ms) <= 50.0


def test_eleven_liftings_are_eleven_bursts_of_the_back_at_250_hz():
    clean_uv, _ = clean("back_lifting/back_lifting.csv.gz", "emg_V", 250.0, 1e6)
    envelope = zero_phase(clean_uv, 250.0, 2.0)
    low, high = np.quantile(envelope, (0.1, 0.98))
    bursts = runs_above(envelope, low + 0.3 * (high - low), 125, 125)
    assert len(bursts) == 11
    found = [around(clean_uv, 250.0, first) for first, _ in bursts]
    told = [(one, first) for one, (first, _) in zip(found, bursts, strict=True) if isinstance(one, Onset)]
    assert len(told) >= 10
    assert all(first / 250.0 - 0.5 <= one.at_s <= first / 250.0 + 0.1 for one, first in told)
