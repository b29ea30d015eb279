"""From a CSV file of EMG alone to counted repetitions: raw from 200 Hz on, envelopes from far below."""

import numpy as np
import pytest

from emgmon.analysis import analyse
from emgmon.events import EnvelopeComputed
from emgmon.recording.csv_import import import_csv
from emgmon.virtual.muscle import muscle_noise

RATES_HZ = (200.0, 250.0, 500.0, 1000.0, 1111.0)
N_REPS = 6
REP_S = 4.0
GLUTE_UV, BACK_UV, REST_UV = 60.0, 30.0, 2.0


def emg_of_bridges(rate_hz):
    """Times, glute and back: active for 2 of every 4 s."""
    t_s = np.arange(round((5.0 + N_REPS * REP_S + 8.0) * rate_hz)) / rate_hz
    in_set = (t_s >= 5.0) & (t_s < 5.0 + N_REPS * REP_S)
    effort = np.where(in_set, np.sin(np.pi * np.clip(((t_s - 5.0) % REP_S) / 2.0, 0.0, 1.0)) ** 2, 0.0)
    chance = np.random.default_rng(7)
    columns = [t_s]
    for loudest_uv in (GLUTE_UV, BACK_UV):
        noise = chance.normal(0.0, REST_UV, len(t_s))
        columns.append(loudest_uv * effort * muscle_noise(len(t_s), rate_hz, chance) + noise)
    return columns


def write(path, names, columns):
    header = ",".join(["t_s", *names])
    np.savetxt(path, np.column_stack(columns), delimiter=",", fmt="%.6f", header=header, comments="")
    return path


def emg_csv(path, rate_hz):
    """Raw EMG over an offset as converters give it."""
    t_s, glute_uv, back_uv = emg_of_bridges(rate_hz)
    names = ("emg.gluteus_maximus.left_uV", "emg.erector_spinae.left_uV")
    return write(path, names, [t_s, glute_uv + 1500.0, back_uv + 1500.0])


def moving_rms(emg_uv, width):
    return np.sqrt(np.convolve(emg_uv * emg_uv, np.ones(width) / width, "same"))


def analysed(path, recording, **how):
    """The document and the envelopes, shape (n_hops, n_channels), of a CSV file."""
    report = import_csv([path], recording, exercise="bridge", **how)
    envelopes = []
    document = analyse(
        recording,
        watch=lambda event: envelopes.append(event) if isinstance(event, EnvelopeComputed) else None,
    )
    return report, document, np.concatenate([event.envelope_uv for event in envelopes])


def ratio(envelope_uv):
    """Back to glute over the set, rest taken off in power."""
    power = np.nanmean(envelope_uv[500:2900] ** 2, axis=0) - np.nanmean(envelope_uv[50:450] ** 2, axis=0)
    return np.sqrt(power[1] / power[0])


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_repetitions_are_counted_on_emg_alone(rate_hz, tmp_path):
    source = emg_csv(tmp_path / "set.csv", rate_hz)
    report, document, envelope_uv = analysed(source, tmp_path / "set.arrows")
    assert report.warnings == ()
    assert report.streams[0].stream.rate_hz == pytest.approx(rate_hz, rel=1e-5)
    assert [len(done.reps) for done in document.sets] == [N_REPS]
    for number, rep in enumerate(document.sets[0].reps):
        assert abs(rep.turn_s - (5.0 + number * REP_S + 1.0)) < 0.7
    assert not [sentence for sentence in document.recording.warnings if "too slow" in sentence]
    assert np.isnan(envelope_uv[20:-20]).sum() == 0


def test_the_ratio_of_back_to_glute_does_not_depend_on_the_rate(tmp_path):
    """The band that a rate leaves is the same for both."""
    ratios = [
        ratio(analysed(emg_csv(tmp_path / "set.csv", rate_hz), tmp_path / f"{rate_hz:g}.arrows")[2])
        for rate_hz in RATES_HZ
    ]
    assert ratios == pytest.approx([BACK_UV / GLUTE_UV] * len(RATES_HZ), abs=0.03)


@pytest.mark.parametrize("every", [1, 10, 20, 40])
def test_envelopes_are_counted_however_slowly_they_come(every, tmp_path):
    """Moving RMS of 100 ms, 1000, 100, 50 and 25 times a second."""
    t_s, *emg_uv = emg_of_bridges(1000.0)
    names = ("env.gluteus_maximus.left_uV", "env.erector_spinae.left_uV")
    columns = [t_s[::every], *(moving_rms(channel, 100)[::every] for channel in emg_uv)]
    source = write(tmp_path / "set.csv", names, columns)
    report, document, envelope_uv = analysed(source, tmp_path / "set.arrows")
    assert report.warnings == ()
    assert [len(done.reps) for done in document.sets] == [N_REPS]
    assert ratio(envelope_uv) == pytest.approx(BACK_UV / GLUTE_UV, abs=0.03)


def test_raw_emg_and_an_envelope_are_analysed_side_by_side(tmp_path):
    """The band-pass takes a twentieth of the raw glute; the envelope of the back keeps all of its own."""
    t_s, glute_uv, back_uv = emg_of_bridges(1000.0)
    names = ("emg.gluteus_maximus.left_uV", "env.erector_spinae.left_uV")
    source = write(tmp_path / "set.csv", names, [t_s, glute_uv, moving_rms(back_uv, 100)])
    _, document, envelope_uv = analysed(source, tmp_path / "set.arrows")
    assert [len(done.reps) for done in document.sets] == [N_REPS]
    assert ratio(envelope_uv) == pytest.approx(BACK_UV / GLUTE_UV, abs=0.05)
