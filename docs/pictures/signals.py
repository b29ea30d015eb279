"""Pictures from electrode to activation: cleaning, heartbeat, reference, an electrode that fails."""

import math

import numpy as np
from material import (
    BACK_LEFT,
    GLUTE_LEFT,
    RECORDINGS,
    analysed,
    clean,
    emg_of,
    performed,
    reps_of,
    truth_of,
)
from svg import Picture

from emgmon.dsp.beats import find_beats
from emgmon.dsp.heartbeat import subtract_beats
from emgmon.dsp.spectrum import welch
from emgmon.metrics.calibrating import bandwidth_at_work
from emgmon.metrics.calibration import REFERENCE_WINDOW_S
from emgmon.metrics.strongest import step_samples, strongest, window_power
from emgmon.virtual.muscle import muscle_noise
from emgmon.virtual.params import AthleteParams

WORKED = RECORDINGS / "bridge-back-led.arrows"
WORKED_REP = 4
"""The repetition of the worked example."""

HUMMING = AthleteParams(exercise="bridge", n_reps=4, hum_uv=40.0, snr_db=20.0, seed=21)
BEATING = AthleteParams(exercise="bridge", n_reps=6, heartbeat_uv=250.0, seed=22)
FALLING = AthleteParams(
    exercise="bridge",
    glute_share_pct=45.0,
    electrode_off="gluteus_maximus.left",
    electrode_off_at_s=23.0,
    seed=5,
)


def one_repetition() -> Picture:
    """Raw, cleaned, envelope and activation of one repetition."""
    document, envelopes = analysed(WORKED)
    track, calibration = emg_of(WORKED), document.recording.calibration
    assert calibration is not None
    rep = reps_of(document)[WORKED_REP - 1]
    span = (rep.start_s - 0.8, rep.end_s + 0.6)
    lift, hold = (rep.metrics[name].value or 0.0 for name in ("lift_s", "hold_s"))
    top_s, left_s = rep.start_s + lift, rep.start_s + lift + hold
    time_s = (track.first_sample + np.arange(track.raw_uv.shape[1])) / track.rate_hz
    raw = track.raw_uv[BACK_LEFT]
    picture = Picture(
        f"From electrode to activation: repetition {WORKED_REP} of bridge-back-led, left lower back"
    )
    near = (time_s >= span[0]) & (time_s <= span[1])
    middle, reach = float(np.mean(raw[near])), float(np.abs(raw[near] - np.mean(raw[near])).max())
    y = (middle - 1.05 * reach, middle + 1.05 * reach)
    first = picture.panel(110, span, y, title="1  raw, as the electrode gives it", y_label="µV")
    first.line(time_s, raw, "raw", width=0.8)
    cleaned = clean(raw, track.rate_hz)
    most = float(np.nanmax(np.abs(cleaned[near])))
    second = picture.panel(110, span, (-most, most), title="2  cleaned: 30 to 450 Hz", y_label="µV")
    second.line(time_s, cleaned, "raw", width=0.8)
    envelope = envelopes.envelope_uv[:, BACK_LEFT]
    third = picture.panel(
        110, span, (0.0, 1.1 * _most(envelope, envelopes.time_s, span)), y_label="µV",
        title="3  envelope: root mean square over 150 ms, with the rest noise below it",
    )  # fmt: skip
    third.line(envelopes.time_s, envelope, "back")
    third.across(calibration.channels[BACK_LEFT].rest_uv, "mark", "rest noise")
    glute, back = (envelopes.activation_pct[:, pair].mean(axis=1) for pair in ([0, 1], [2, 3]))
    last = picture.panel(
        170, span, (0.0, 1.15 * _most(back, envelopes.time_s, span)),
        y_label="% of reference", x_label="seconds",
        title="4  activation of both muscles, left and right averaged; what counts is lift and hold",
    )  # fmt: skip
    for words, begin, end in (("lift", rep.start_s, top_s), ("hold", top_s, left_s)):
        last.stretch(begin, end, "good", words)
    last.stretch(left_s, rep.end_s, "raw", "return")
    for values, tone, name in ((glute, "glute", "glute"), (back, "back", "lower back")):
        last.line(envelopes.time_s, values, tone)
        engaged = rep.metrics[f"{'glute' if tone == 'glute' else 'back'}_engagement_pct"].value or 0.0
        last.line((rep.start_s, left_s), (engaged, engaged), tone, width=2.0, dash="3 3")
        last.words(rep.start_s, engaged, f"{name} {engaged:.1f} %", tone, anchor="end", dx=-4, dy=4)
    return picture


def _most(values: np.ndarray, time_s: np.ndarray, span: tuple[float, float]) -> float:
    return float(np.nanmax(values[(time_s >= span[0]) & (time_s <= span[1])]))


def spectrum() -> Picture:
    """Spectrum of one channel before and after cleaning, with hum that dominates."""
    path = performed("humming", HUMMING)
    track, truth = emg_of(path), truth_of(path)
    rep = truth.reps[1]
    first, stop = track.between(rep.work_start_s or 0.0, rep.work_end_s or 0.0)
    raw = track.raw_uv[BACK_LEFT]
    shown = {
        "raw": (raw, "raw", "raw"),
        "band": (clean(raw, track.rate_hz), "back", "after 30 to 450 Hz"),
        "notch": (clean(raw, track.rate_hz, 50.0), "glute", "and hum taken out"),
    }
    picture = Picture("Spectrum of a back muscle at work, with 40 µV of mains hum")
    panel = picture.panel(
        270, (0.0, 500.0), (-40.0, 40.0), y_label="power density, dB re 1 µV²/Hz", x_label="Hz",
        title="The band-pass removes movement and drift; hum goes only where it dominates",
    )  # fmt: skip
    panel.stretch(30.0, 450.0, "good", "what is kept")
    for row, (signal, tone, name) in enumerate(shown.values()):
        frequency_hz, density = welch(signal[np.newaxis, first:stop], track.rate_hz, 0.5)
        panel.line(frequency_hz, 10.0 * np.log10(np.maximum(density[0], 1e-9)), tone, width=1.5)
        panel.words(490.0, 34.0 - 8.0 * row, name, tone, anchor="end")
    panel.down(50.0, "mark", "50 Hz", dash="2 3")
    panel.down(150.0, "mark", "150 Hz", dash="2 3")
    return picture


def heartbeat() -> Picture:
    """A back channel with a strong heartbeat: raw, after the high-pass, after a second look."""
    path = performed("beating", BEATING)
    track, truth = emg_of(path), truth_of(path)
    raw = track.raw_uv[BACK_LEFT]
    back = track.raw_uv[[BACK_LEFT, BACK_LEFT + 1]]
    beats = find_beats(back, track.rate_hz)
    without, _ = subtract_beats(back, beats, track.rate_hz)
    live, refined = clean(raw, track.rate_hz), clean(without[0], track.rate_hz)
    end_s = truth.reps[0].start_s + 0.8
    span = (end_s - 4.5, end_s)
    time_s = (track.first_sample + np.arange(len(raw))) / track.rate_hz
    quiet = (time_s > span[0]) & (time_s < truth.reps[0].start_s - 0.6)
    picture = Picture("Heartbeat on the lower back at rest, before the first repetition")
    rows = (
        ("1  raw: each beat about 250 µV", raw - np.median(raw[quiet]), 420.0, "raw"),
        ("2  live: after the 30 Hz high-pass", live, 120.0, "back"),
        ("3  second look (--refine): less the mean beat of its neighbours", refined, 120.0, "glute"),
    )
    for title, signal, most, tone in rows:
        rms = math.sqrt(float(np.nanmean(np.square(signal[quiet]))))
        said = title if tone == "raw" else f"{title}; root mean square at rest {rms:.1f} µV"
        label = "seconds" if tone == "glute" else ""
        panel = picture.panel(105, span, (-most, most), title=said, y_label="µV", x_label=label)
        panel.line(time_s, signal, tone, width=0.9)
        for beat_s in truth.heartbeats_s:
            if span[0] < beat_s < span[1]:
                panel.dots([beat_s], [-most], "mark", radius=3.5)
    picture.panels[-1].words(span[0], -120.0, "dots: the true beats", "mark", dx=8, dy=-10)
    return picture


def reference() -> Picture:
    """What chance adds to the strongest half second, and that it is taken off."""
    rate_hz, amplitude_uv, n_trials = 2000.0, 100.0, 400
    chance = np.random.default_rng(7)
    long_uv = clean(muscle_noise(round(120 * rate_hz), rate_hz, chance).astype(np.float64), rate_hz)
    unit = math.sqrt(float(np.nanmean(np.square(long_uv))))
    bandwidth_hz = bandwidth_at_work([long_uv[round(rate_hz) :]], rate_hz)

    def trial() -> np.ndarray:
        noise = muscle_noise(round(5.1 * rate_hz), rate_hz, chance).astype(np.float64)
        return amplitude_uv / unit * clean(noise, rate_hz)[round(0.1 * rate_hz) :]

    one = window_power(trial(), rate_hz, REFERENCE_WINDOW_S)
    step_s = step_samples(rate_hz) / rate_hz
    found = strongest(one, step_s=step_s, bandwidth_hz=bandwidth_hz)
    assert found is not None
    picture = Picture("The strongest half second of a perfectly steady contraction of 100 µV")
    upper = picture.panel(
        150, (0.0, 5.0), (80.0, 130.0), y_label="µV", x_label="seconds",
        title="One contraction of 5 s: root mean square over half a second, at every moment",
    )  # fmt: skip
    upper.line(np.arange(len(one)) * step_s + REFERENCE_WINDOW_S / 2, np.sqrt(one), "raw")
    upper.across(amplitude_uv, "good")
    upper.across(found.seen, "back", f"strongest half second {found.seen:.0f} µV")
    upper.across(found.rms, "glute")
    upper.words(5.0, 84.0, f"chance taken off {found.rms:.0f} µV", "glute", anchor="end", dx=-4)
    upper.words(2.5, 84.0, f"the truth {amplitude_uv:.0f} µV", "good", anchor="middle", dx=-4)
    seen, told = [], []
    for _ in range(n_trials):
        power = window_power(trial(), rate_hz, REFERENCE_WINDOW_S)
        best = strongest(power, step_s=step_s, bandwidth_hz=bandwidth_hz)
        if best is not None:
            seen.append(best.seen)
            told.append(best.rms)
    edges = np.arange(80.0, 131.0, 1.0)
    lower = picture.panel(
        120, (80.0, 130.0), (0.0, 0.2 * n_trials), y_label="contractions", x_label="µV",
        title=f"{n_trials} such contractions: what each gives as its reference",
    )  # fmt: skip
    for values, tone, name in ((seen, "back", "strongest half second"), (told, "glute", "chance taken off")):
        counts = np.histogram(values, edges)[0].astype(np.float64)
        lower.band(np.repeat(edges, 2)[1:-1], 0.0, np.repeat(counts, 2), tone, strength=0.25)
        lower.line(np.repeat(edges, 2)[1:-1], np.repeat(counts, 2), tone, width=1.2)
        at, told_left = float(np.median(values)), tone == "glute"
        lower.words(
            80.0 if told_left else 130.0, 0.19 * n_trials, f"{name}: {at:.0f} µV (median)", tone,
            anchor="start" if told_left else "end", dx=6 if told_left else -6, dy=8,
        )  # fmt: skip
    lower.down(amplitude_uv, "good", dash="6 4")
    return picture


def electrode_off() -> Picture:
    """What is said, and when, as an electrode comes off in the middle of a set."""
    path = performed("falling", FALLING)
    document, _ = analysed(path)
    track, off = emg_of(path), truth_of(path).electrode_off
    assert off is not None
    time_s = (track.first_sample + np.arange(track.raw_uv.shape[1])) / track.rate_hz
    said = next(change for change in document.recording.quality_changes if change.channel.grade == "reject")
    span = (off.at_s - 4.0, off.at_s + 4.0)
    picture = Picture("An electrode comes off in the middle of a set")
    cleaned = clean(track.raw_uv[GLUTE_LEFT], track.rate_hz)
    upper = picture.panel(
        130, span, (-400.0, 400.0), title="Left glute, cleaned", y_label="µV", x_label="seconds"
    )
    upper.line(time_s, cleaned, "glute", width=0.8)
    upper.down(off.at_s, "mark", "it comes off", dash="5 4", before=True)
    upper.down(said.at_s, "back")
    later = f"{1000 * (said.at_s - off.at_s):.0f} ms later: {said.channel.reason}"
    upper.words(off.at_s, -400.0, later, "back", anchor="end", dx=-5, dy=-10)
    reps = reps_of(document)
    whole = (reps[0].start_s - 1.0, reps[-1].end_s + 1.0)
    lower = picture.panel(
        150, whole, (20.0, 80.0), y_label="glute share, %", x_label="seconds",
        title="The whole set: repetitions after that have no share and no verdict",
    )  # fmt: skip
    for rep in reps:
        share = rep.metrics["glute_share_pct"]
        lower.stretch(
            rep.start_s, rep.end_s, "raw" if share.value is None else "glute", rep.verdict, strength=0.1
        )
        if share.value is not None:
            low, high = share.low or share.value, share.high or share.value
            lower.whisker(rep.turn_s, share.value, low, high, "glute")
    lower.down(off.at_s, "mark", dash="5 4")
    lower.words(off.at_s, 65.0, "share not measured", "soft", dx=8)
    return picture
