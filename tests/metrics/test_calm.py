"""Rest: the longest calm part, heartbeats included; what moved is refused."""

import numpy as np
import pytest

from emgmon.errors import CalibrationError
from emgmon.metrics.calm import longest_calm

RATE_HZ = 1000.0


def noise(seconds, rms_uv=4.0, seed=0):
    return rms_uv * np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))


def calm(clean_uv):
    return longest_calm(clean_uv, RATE_HZ, name="left gluteus maximus")


def test_a_quiet_stretch_is_calm_from_end_to_end():
    part = calm(noise(5.0))
    assert (part.first, part.stop) == (0, 5000)
    assert part.rms_uv == pytest.approx(np.sqrt(np.mean(noise(5.0) ** 2)), rel=0.02)


def test_a_movement_at_one_end_is_left_out():
    rest = noise(6.0)
    rest[:1000] *= 10.0
    part = calm(rest)
    assert 900 <= part.first <= 1010
    assert part.stop == 6000
    assert part.rms_uv == pytest.approx(4.0, rel=0.03)


def test_of_two_calm_parts_the_longer_counts():
    rest = noise(9.0)
    rest[3000:3500] *= 20.0
    part = calm(rest)
    assert part.first >= 3400
    assert part.stop == 9000


@pytest.mark.parametrize("per_minute", [45, 60, 90, 120])
def test_a_heartbeat_is_part_of_rest(per_minute):
    rest = noise(8.0)
    wave = 40.0 * np.sin(np.pi * np.arange(60) / 60.0)
    for beat in np.arange(0.2, 7.9, 60.0 / per_minute):
        rest[round(beat * RATE_HZ) :][:60] += wave
    part = calm(rest)
    assert (part.first, part.stop) == (0, 8000)


def test_a_rest_that_is_calm_for_too_short_is_refused_with_what_was_seen():
    said = r"left gluteus maximus was not at rest: from \d+\.\d to \d+\.\d µV, and calm for 1\.\d s only"
    with pytest.raises(CalibrationError, match=said) as refused:
        calm(np.concatenate([noise(1.7), 12.0 * noise(2.0, seed=3)]))
    assert "relaxed" in refused.value.advice


def test_a_rest_full_of_holes_is_refused():
    rest = noise(5.0)
    rest[::2] = np.nan
    with pytest.raises(CalibrationError, match="in one piece"):
        calm(rest)
