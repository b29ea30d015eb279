"""Pictures of what is made of the figures: shares and their reference, onsets, tiring, pelvis motion."""

import math

import numpy as np
from material import RECORDINGS, analysed, clean, emg_of, metrics_of, performed, reps_of, truth_of
from svg import Picture

from emgmon.analysis import analyse
from emgmon.metrics.engagement import share_pct
from emgmon.metrics.fatigue import relative_to_start, theil_sen
from emgmon.metrics.motion_verdict import STEADY_PELVIS, detectable_motion
from emgmon.metrics.onset import Onset, find_onset
from emgmon.metrics.reference import (
    Comparison,
    ReferenceSet,
    minimal_detectable_change,
    reference_of,
)
from emgmon.virtual.params import AthleteParams

RAMP = AthleteParams(
    exercise="bridge",
    n_reps=4,
    glute_share_pct=50.0,
    glute_delay_s=0.2,
    onset_ramp_s=0.2,
    hold_s=1.5,
    seed=31,
)
TIRING = AthleteParams(
    exercise="bridge", n_reps=12, fatigue_pct_per_rep=2.0, fatigue_rise_pct_per_rep=3.0, snr_db=22.0, seed=32
)
STEADY = AthleteParams(exercise="bird-dog", n_reps=10, emg=False, seed=33)
TURNING = AthleteParams(exercise="bird-dog", n_reps=10, emg=False, rotation_excess_deg=7.0, seed=34)


def shares() -> Picture:
    """Two sets against the same reference set."""
    picture = Picture("Glute share of two shipped sets against the person's own reference set")
    panel = picture.panel(
        250, (0.5, 16.5), (0.0, 100.0), y_label="glute share, %", x_label="repetition", x_ticks=range(1, 17),
        title="Points with 95 % intervals; the band is the usual range of a single repetition",
    )  # fmt: skip
    place = 0
    for name, words in (("bridge-glute-led", "bridge-glute-led"), ("bridge-back-led", "bridge-back-led")):
        document, _ = analysed(RECORDINGS / f"{name}.arrows")
        reference = document.recording.reference
        assert reference is not None
        assert reference.log_ratio is not None
        limit = minimal_detectable_change(reference)
        ends = [share_pct(reference.log_ratio + sign * limit) for sign in (-1.0, 1.0)]
        first = place
        for rep in reps_of(document):
            place += 1
            share = rep.metrics["glute_share_pct"]
            tone = "back" if rep.verdict == "back-led" else "glute"
            panel.whisker(place, share.value or 0.0, share.low or 0.0, share.high or 0.0, tone)
        panel.stretch(first + 0.5, place + 0.5, "page", words, strength=0.0)
    panel.band((0.5, 16.5), ends[0], ends[1], "good", strength=0.2)
    panel.across(share_pct(reference.log_ratio), "good")
    panel.words(
        16.5, ends[1], f"usual range {ends[0]:.0f} to {ends[1]:.0f} %", "good", anchor="end", dx=-4, dy=-6
    )
    panel.across(50.0, "soft", "as active as each other", dash="2 4", above=False)
    return picture


def detectable() -> Picture:
    """How far the ratio has to move before it is more than scatter."""
    own = ReferenceSet(exercise="bridge", n_reps=10, log_ratio=0.75, rep_sd=0.094)
    few = ReferenceSet(exercise="bridge", n_reps=4, log_ratio=0.75, rep_sd=0.094)
    counts = range(1, 13)
    picture = Picture("Minimal detectable change: by what factor glute to back has to change")
    panel = picture.panel(
        230, (1.0, 12.0), (1.0, 2.2), y_label="factor", x_label="repetitions averaged", x_ticks=counts,
        title="More repetitions help within a session, and not at all against electrodes put on anew",
    )  # fmt: skip
    rows = (
        (own, Comparison.ACROSS_DAYS, "back", "another day, new electrodes"),
        (few, Comparison.WITHIN_SESSION, "mark", "same session, fewer than 5 reference repetitions"),
        (own, Comparison.WITHIN_SESSION, "glute", "same session, own scatter of 0.094 over 10 repetitions"),
    )
    for reference, comparison, tone, words in rows:
        limits = [minimal_detectable_change(reference, n_reps=n, comparison=comparison) for n in counts]
        panel.line(counts, np.exp(limits), tone, width=2.0)
        panel.dots(counts, np.exp(limits), tone)
        panel.words(12.0, math.exp(limits[-1]), words, tone, anchor="end", dx=-4, dy=-7)
    return picture


def onset() -> Picture:
    """When glute and back begin in one repetition, with their intervals and the truth."""
    path = performed("ramp", RAMP)
    document, _ = analysed(path)
    track, truth = emg_of(path), truth_of(path)
    calibration = document.recording.calibration
    assert calibration is not None
    number = 1
    rep, true = reps_of(document)[number], truth.reps[number]
    around = (rep.start_s - 0.5, rep.start_s + 0.5)
    first, stop = track.between(*around)
    difference = rep.metrics["onset_difference_ms"]
    said = f"{difference.value:.0f} ms ({difference.low:.0f} to {difference.high:.0f})"
    picture = Picture(f"The glute began {said} after the back; in truth {true.onset_difference_ms:.0f} ms")
    for site, tone, channels in (("gluteus_maximus", "glute", [0, 1]), ("erector_spinae", "back", [2, 3])):
        cleaned = np.stack([clean(track.raw_uv[c], track.rate_hz) for c in channels])[:, first:stop]
        rest_uv = np.array([calibration.channels[c].rest_uv for c in channels])
        found = find_onset(cleaned, track.rate_hz, rest_uv, around[0])
        assert isinstance(found, Onset)
        true_s = next(one.onset_s for one in true.onsets if one.site == site)
        name = "glute" if tone == "glute" else "lower back"
        most = float(np.nanmax(np.abs(cleaned[0])))
        panel = picture.panel(
            120, around, (-most, most), y_label="µV", x_label="" if tone == "glute" else "seconds",
            title=f"Left {name}, cleaned; found at {found.at_s:.2f} s; it rises by {found.snr_db:.0f} dB",
        )  # fmt: skip
        panel.stretch(found.low_s, found.high_s, tone, strength=0.25)
        panel.line(
            (track.first_sample + np.arange(first, stop)) / track.rate_hz, cleaned[0], "raw", width=0.9
        )
        panel.down(found.at_s, tone, "found, with its 95 % interval")
        panel.down(true_s, "good", "the truth", dash="5 4", row=1)
    return picture


def tiring() -> Picture:
    """Median frequency and amplitude over a set in which the muscle tires."""
    document, _ = analysed(performed("tiring", TIRING))
    reps = reps_of(document)
    number = np.arange(1.0, len(reps) + 1.0)
    picture = Picture(
        "A tiring set of the virtual athlete: 2 % lower frequency and 3 % more activity per repetition"
    )
    for name, tone, words, span in (
        (
            "median_frequency_hz",
            "glute",
            "Median frequency of the glute, % of the first repetitions",
            (70.0, 115.0),
        ),
        ("glute_engagement_pct", "back", "Glute engagement, % of the first repetitions", (80.0, 160.0)),
    ):
        figures = [rep.metrics[name] for rep in reps]
        values = np.array([math.nan if f.value is None else f.value for f in figures])
        percent, slope = relative_to_start(values), theil_sen(number, relative_to_start(values))
        assert slope is not None
        per_rep = f"{slope.value:+.1f} % per repetition ({slope.low:+.1f} to {slope.high:+.1f})".replace(
            "-", "−"
        )
        panel = picture.panel(
            140, (0.5, len(reps) + 0.5), span, y_label="%", x_ticks=number.tolist(),
            title=f"{words}: {per_rep}", x_label="" if tone == "glute" else "repetition",
        )  # fmt: skip
        middle = float(np.nanmedian(percent - slope.value * number))
        panel.line(number, middle + slope.value * number, tone, width=2.0, dash="6 4")
        for place, figure, value in zip(number, figures, percent, strict=True):
            scale = value / (figure.value or 1.0)
            panel.whisker(place, value, scale * (figure.low or 0.0), scale * (figure.high or 0.0), tone)
    notes = [note for done in document.sets for note in done.notes]
    last = picture.panels[-1]
    last.words(0.5, last.y_range[1], f"It says: “{notes[0]}”" if notes else "", "ink", dx=8, dy=18)
    return picture


def pelvis() -> Picture:
    """Two sets of bird dog by motion alone: the reference, and one in which the pelvis turns further."""
    good, _ = analysed(performed("steady", STEADY))
    reference = reference_of(
        "bird-dog", [metrics_of(rep) for rep in reps_of(good)], motion=STEADY_PELVIS.names
    )
    turned = analyse(performed("turning", TURNING), reference=reference)
    picture = Picture(
        "Bird dog without electrodes: the reference set, then one in which the pelvis turns further"
    )
    measures = (
        ("pelvis_rotation_range_deg", "Rotation, largest less smallest", (0.0, 20.0)),
        ("pelvis_obliquity_range_deg", "Roll to the side, largest less smallest", (0.0, 10.0)),
        ("pelvis_anterior_change_deg", "Forward tilt at the far end", (-4.0, 12.0)),
    )
    sets = reps_of(good), reps_of(turned)
    n_reps = sum(len(one) for one in sets)
    for name, words, span in measures:
        known = reference.find_motion(name)
        assert known is not None
        limit = detectable_motion(known)
        label = "repetition" if name == measures[-1][0] else ""
        panel = picture.panel(
            105,
            (0.5, n_reps + 0.5),
            span,
            title=words,
            y_label="degrees",
            x_label=label,
            x_ticks=range(1, n_reps + 1),
        )
        panel.band((0.5, n_reps + 0.5), span[0], known.mean + limit.deg, "good", strength=0.12)
        panel.across(known.mean + limit.deg, "good", f"usual up to {known.mean + limit.deg:.1f}°")
        for place, rep in enumerate((*sets[0], *sets[1]), start=1):
            metric = rep.metrics[name]
            tone = "back" if rep.verdict == "beyond-range" else "glute"
            panel.whisker(place, metric.value or 0.0, metric.low or 0.0, metric.high or 0.0, tone)
        panel.down(len(sets[0]) + 0.5, "soft", dash="2 3")
    picture.panels[0].words(0.5, 20.0, "reference set", "soft", dx=8, dy=14)
    picture.panels[0].words(len(sets[0]) + 0.5, 20.0, "this set: orange is beyond-range", "back", dx=8, dy=14)
    return picture
