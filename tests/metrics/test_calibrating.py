"""Rest and reference of a channel: what is measured, and each refusal with its channel, value and advice."""

import math
from dataclasses import replace

import numpy as np
import pytest

from emgmon.dsp.cleaning import Cleaning
from emgmon.errors import CalibrationError
from emgmon.metrics.calibrating import (
    ChannelStretches,
    Stretch,
    Trial,
    bandwidth_at_work,
    gather,
    measure_channel,
    raised,
)
from emgmon.metrics.calibration import CalibrationMethod
from emgmon.metrics.uncertainty import statistical_bandwidth
from emgmon.virtual.muscle import emg_power, muscle_noise

RATE_HZ = 1000.0
NOISE_UV = 5.0


def noise(seconds, chance, rms_uv=NOISE_UV):
    return rms_uv * chance.standard_normal(round(seconds * RATE_HZ))


def hum(seconds, rms_uv, hz=50.0):
    return math.sqrt(2) * rms_uv * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def contraction(rms_uv, chance, *, seconds=5.0):
    return rms_uv * muscle_noise(round(seconds * RATE_HZ), RATE_HZ, chance) + noise(seconds, chance)


def channel(*trials_uv, rest=None, seed=1, hum_uv=0.0, positions=None, **changes):
    """Stretches of a channel whose trials have these amplitudes, with hum over all of it."""
    chance = np.random.default_rng(seed)
    rest_uv = noise(5.0, chance) + hum(5.0, hum_uv) if rest is None else rest
    positions = positions or [""] * len(trials_uv)
    trials = tuple(
        Trial(position, Stretch(contraction(uv, chance) + hum(5.0, hum_uv)))
        for uv, position in zip(trials_uv, positions, strict=True)
    )
    fields = {"site": "gluteus_maximus", "side": "left", "rate_hz": RATE_HZ} | changes
    return ChannelStretches(rest=Stretch(rest_uv), trials=trials, **fields)


def gain(hum_hz=None):
    """How much of the muscle's RMS the cleaning leaves."""
    emg_uv = muscle_noise(100_000, RATE_HZ, np.random.default_rng(0)).astype(float)[np.newaxis]
    return float(np.sqrt(np.nanmean(Cleaning(1, RATE_HZ, (hum_hz,)).process(emg_uv) ** 2)))


def refusal(stretches, **method):
    with pytest.raises(CalibrationError) as refused:
        measure_channel(stretches, **method)
    assert refused.value.advice
    assert "left gluteus maximus" in str(refused.value)
    return str(refused.value)


def test_the_reference_of_steady_trials_is_their_amplitude_and_scatters_as_stated():
    found = [measure_channel(channel(100.0, 100.0, 100.0, seed=seed)).channel for seed in range(60)]
    references = np.array([one.reference_uv for one in found]) / (100.0 * gain())
    assert references.mean() == pytest.approx(1.0, abs=0.01)
    assert np.mean([one.reference_cv for one in found]) == pytest.approx(references.std(), rel=0.3)
    assert {one.n_trials for one in found} == {3}


def test_rest_is_the_rms_of_the_cleaned_noise_and_its_power_is_taken_off():
    quiet = measure_channel(channel(100.0)).channel
    # White noise over 500 Hz, of which 30 to 450 Hz are left.
    assert quiet.rest_uv == pytest.approx(NOISE_UV * math.sqrt(420.0 / 500.0), rel=0.06)
    chance = np.random.default_rng(9)
    work = 30.0 * muscle_noise(20_000, RATE_HZ, chance) + noise(20.0, chance, 12.0)
    trial = Trial("", Stretch(work))
    noisy = measure_channel(replace(channel(rest=noise(5.0, chance, 12.0)), trials=(trial,))).channel
    assert noisy.reference_uv == pytest.approx(30.0 * gain(), rel=0.06)


def test_the_bandwidth_is_that_of_the_cleaned_spectrum():
    frequency_hz = np.linspace(30.0, 450.0, 4201)
    expected = float(statistical_bandwidth(emg_power(frequency_hz), frequency_hz))
    assert measure_channel(channel(100.0, 100.0)).channel.bandwidth_hz == pytest.approx(expected, rel=0.1)


def test_too_little_work_has_no_bandwidth():
    assert bandwidth_at_work([np.full(1000, np.nan)], RATE_HZ) is None
    assert bandwidth_at_work([np.zeros(1000)], RATE_HZ) is None
    assert bandwidth_at_work([np.ones(100)], RATE_HZ) is None


def test_of_two_positions_the_stronger_counts_and_they_need_not_agree():
    both = channel(60.0, 62.0, 100.0, 98.0, positions=["prone", "prone", "standing", "standing"])
    found = measure_channel(both)
    assert found.position == "standing"
    assert found.channel.n_trials == 2
    assert found.channel.reference_uv == pytest.approx(99.0 * gain(), rel=0.06)


def test_trials_that_differ_widen_the_scatter():
    alike, unlike = measure_channel(channel(100.0, 100.0)), measure_channel(channel(100.0, 82.0))
    assert unlike.channel.reference_cv > 1.5 * alike.channel.reference_cv
    assert unlike.spread == pytest.approx(0.18, abs=0.07)
    assert measure_channel(channel(100.0)).spread is None


def test_filters_settle_in_the_lead_and_it_counts_for_nothing():
    chance = np.random.default_rng(4)
    before, work = contraction(300.0, chance, seconds=0.5), contraction(100.0, chance)
    led = replace(channel(), trials=(Trial("", Stretch(np.concatenate([before, work]), 500)),))
    plain = replace(led, trials=(Trial("", Stretch(work)),))
    assert measure_channel(led).channel.reference_uv == pytest.approx(
        measure_channel(plain).channel.reference_uv, rel=0.02
    )


def test_hum_that_dominates_the_reference_is_taken_out_of_rest_and_reference():
    found = measure_channel(channel(60.0, 60.0, 60.0, hum_uv=35.0)).channel
    assert found.hum_hz == 50.0
    assert found.rest_uv == pytest.approx(NOISE_UV * math.sqrt(420.0 / 500.0), rel=0.1)
    assert found.reference_uv == pytest.approx(60.0 * gain(50.0), rel=0.06)


def test_little_hum_stays_and_is_part_of_rest():
    found = measure_channel(channel(100.0, 100.0, hum_uv=5.0)).channel
    assert found.hum_hz is None
    assert found.rest_uv == pytest.approx(math.hypot(5.0, NOISE_UV * math.sqrt(0.84)), rel=0.05)


def test_hum_counts_as_it_will_in_repetitions_which_are_weaker_than_the_reference():
    # A hundredth of the power of the reference, but a sixth of that of a quarter of its amplitude.
    found = measure_channel(channel(100.0, 100.0, hum_uv=10.0)).channel
    assert found.hum_hz == 50.0
    assert found.rest_uv == pytest.approx(NOISE_UV * math.sqrt(0.84), rel=0.1)


def test_rest_between_heartbeats_is_known_where_the_beats_are():
    chance = np.random.default_rng(5)
    beats = np.arange(400, 7600, 800)
    rest = noise(8.0, chance)
    wave = 80.0 * np.sin(2 * np.pi * 50.0 * np.arange(40) / RATE_HZ) * np.hanning(40)
    for beat in beats:
        rest[beat : beat + 40] += wave
    found = measure_channel(channel(100.0, rest=rest, beats=beats)).channel
    assert found.rest_between_beats_uv == pytest.approx(NOISE_UV * math.sqrt(0.84), rel=0.1)
    assert found.rest_uv > 1.2 * found.rest_between_beats_uv
    assert measure_channel(channel(100.0, rest=rest)).channel.rest_between_beats_uv is None


def test_an_envelope_is_measured_as_it_is():
    chance = np.random.default_rng(6)
    rectified = np.abs(contraction(100.0, chance))
    stretches = replace(
        channel(rest=np.abs(noise(5.0, chance)), is_envelope=True), trials=(Trial("", Stretch(rectified)),)
    )
    found = measure_channel(stretches).channel
    assert (found.bandwidth_hz, found.hum_hz) == (None, None)
    assert found.reference_uv == pytest.approx(100.0, rel=0.08)


def test_a_short_rest_or_trial_is_refused():
    chance = np.random.default_rng(7)
    assert "rest of the left gluteus maximus is 1.50 s long" in refusal(
        channel(100.0, rest=noise(1.5, chance))
    )
    short = replace(channel(), trials=(Trial("", Stretch(contraction(100.0, chance, seconds=0.8))),))
    assert "reference of the left gluteus maximus is 0.80 s long" in refusal(short)


def test_a_channel_without_a_trial_is_refused():
    assert "no reference" in refusal(channel())


def test_a_stretch_that_misses_too_much_is_refused():
    stretches = channel(100.0)
    stretches.trials[0].stretch.raw_uv[1000:3000] = np.nan
    assert "40 % of the reference" in refusal(stretches)


def test_a_rest_that_moves_is_refused():
    rest = noise(3.0, np.random.default_rng(8))
    rest[1200:2200] *= 10.0
    assert "was not at rest" in refusal(channel(100.0, rest=rest))


def test_an_electrode_that_swings_at_rest_is_refused():
    rest = noise(5.0, np.random.default_rng(8)) + hum(5.0, 2000.0, hz=10.0)
    assert "was moved at rest: its electrode or cable swung by 2" in refusal(channel(100.0, rest=rest))


def test_an_electrode_that_hums_like_an_antenna_is_refused():
    assert "picks up 200 µV of mains hum at rest" in refusal(channel(100.0, hum_uv=200.0))


def test_hum_that_cannot_be_taken_out_is_refused():
    chance = np.random.default_rng(10)
    # A mains frequency far off: the notch is 2 Hz wide.
    trials = tuple(Trial("", Stretch(contraction(40.0, chance) + hum(5.0, 45.0, hz=51.2))) for _ in range(3))
    said = refusal(replace(channel(rest=noise(5.0, chance)), trials=trials))
    assert "mains hum makes up" in said
    assert "taken out already" in said


def test_a_flat_electrode_is_refused():
    flat = refusal(channel(100.0, rest=np.zeros(5000)))
    assert "gave no signal for 100 % of its rest" in flat


def test_a_reference_that_is_cut_off_is_refused():
    stretches = channel(100.0, 100.0)
    for trial in stretches.trials:
        np.clip(trial.stretch.raw_uv, -150.0, 150.0, out=trial.stretch.raw_uv)
    assert "cut off at the amplifier's limit" in refusal(stretches)


def test_a_reference_hardly_above_rest_is_refused_with_both_figures():
    said = refusal(channel(5.0, 5.0))
    assert "stands only" in said
    assert "dB above its rest, 4." in said
    assert "does not stand" in refusal(channel(0.0))


def test_trials_that_differ_by_more_than_a_quarter_are_refused():
    said = refusal(channel(100.0, 100.0, 60.0))
    assert "differ by" in said
    assert "µV" in said


def test_best_so_far_passes_over_what_shows_no_skin():
    chance = np.random.default_rng(11)
    whole = contraction(50.0, chance, seconds=20.0)
    whole[8000:12000] = hum(4.0, 900.0)
    whole[12000:16000] = 0.0
    stretches = replace(channel(rest=noise(5.0, chance)), trials=(Trial("", Stretch(whole)),))
    found = measure_channel(stretches, method=CalibrationMethod.BEST_SO_FAR)
    assert found.channel.reference_uv == pytest.approx(50.0 * gain(), rel=0.08)
    assert found.channel.hum_hz is None
    with pytest.raises(CalibrationError):
        measure_channel(stretches)


def test_a_calibration_says_where_a_channel_stands_on_another_contraction():
    held = measure_channel(channel(100.0))
    best = measure_channel(channel(80.0, site="multifidus"), method=CalibrationMethod.BEST_SO_FAR)
    mixed = gather([held, best], made_utc="2025-03-01T18:20:07+00:00", placement=2)
    assert mixed.method == "mvic"
    assert [mixed.method_of(one) for one in mixed.channels] == ["mvic", "best-so-far"]
    assert (mixed.made_utc, mixed.placement) == ("2025-03-01T18:20:07+00:00", 2)
    assert gather([best]).method == "best-so-far"
    assert gather([best]).channels[0].method is None


def test_a_reference_that_the_recording_passed_is_raised_to_its_strongest():
    known = measure_channel(channel(100.0)).channel
    new = raised(known, channel(130.0, seed=12))
    assert new.reference_uv == pytest.approx(130.0 * gain(), rel=0.08)
    assert (new.method, new.n_trials, new.rest_uv) == ("best-so-far", 1, known.rest_uv)


def test_a_reference_that_was_not_passed_stays():
    known = measure_channel(channel(100.0)).channel
    assert raised(known, channel(80.0, seed=13)) is known
