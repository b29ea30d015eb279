"""Groups drawn from published means and spreads come back out of the signal chain as they went in."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from emgmon.dsp.envelope import EnvelopeStage
from emgmon.dsp.filters import BandPass
from emgmon.dsp.timeline import SampleClock
from emgmon.metrics.calibration import Calibration, ChannelCalibration, activation_pct, measure_rest
from emgmon.metrics.engagement import ChannelSite, engagement, find_body, share_metrics, share_pct
from emgmon.metrics.onset import find_onset
from emgmon.metrics.reference import minimal_detectable_difference
from emgmon.virtual.muscle import muscle_noise

RATE_HZ = 1000.0
WORK_S = 2.0
REFERENCE_UV, REST_UV = 300.0, 4.0
N_PEOPLE = 60
TOLERANCE = 0.03

SITES = {"glute": "gluteus_maximus", "back": "erector_spinae", "hamstring": "biceps_femoris"}


@dataclass(frozen=True)
class Group:
    """Percent of the maximal contraction over a group of people."""

    mean: float
    sd: float


def exactly(values, group):
    """Stretch values to a mean and a standard deviation that are those of the group to the last digit."""
    return group.mean + group.sd * (values - values.mean()) / values.std(ddof=1)


def people(group, seed):
    """Draw amplitudes of `N_PEOPLE`: log-normal, for they are never negative, in random order."""
    spread = math.sqrt(math.log1p((group.sd / group.mean) ** 2))
    middles = (np.arange(N_PEOPLE) + 0.5) / N_PEOPLE
    amplitudes = exactly(np.exp(spread * stats.norm.ppf(middles)), group)
    assert amplitudes.min() > 0.0
    return np.random.default_rng(seed).permutation(amplitudes)


def emg_uv(amplitudes_pct, seconds, chance):
    """One channel for each amplitude: the muscle at that share of its reference, and rest noise."""
    n_samples = round(seconds * RATE_HZ)
    scales = REFERENCE_UV * np.asarray(amplitudes_pct) / 100.0
    muscles = [scale * muscle_noise(n_samples, RATE_HZ, chance) for scale in scales]
    return np.stack(muscles) + chance.normal(0.0, REST_UV, (len(scales), n_samples))


def hops_of(signal_uv):
    stage = EnvelopeStage(n_channels=len(signal_uv), rate_hz=RATE_HZ)
    body = stage.process(signal_uv.astype(np.float64), SampleClock(0, 0.0, RATE_HZ), 0).envelope_uv
    return np.concatenate([body, stage.finish().envelope_uv])


def measured(amplitudes_pct, seed):
    """Send amplitudes through electrodes, calibration, cleaning, envelope and activation, one column each."""
    chance = np.random.default_rng(seed)
    n = len(amplitudes_pct)
    rest_uv = measure_rest(emg_uv(np.zeros(n), 5.0, chance).T, RATE_HZ)
    # 15 s of reference: that the strongest half second is off by some percent is another test's matter.
    held_uv = measure_rest(emg_uv(np.full(n, 100.0), 15.0, chance).T, RATE_HZ)
    reference_uv = np.sqrt(held_uv**2 - rest_uv**2)
    # A second to either side, so that the filter has settled.
    work = hops_of(emg_uv(amplitudes_pct, WORK_S + 2.0, chance))[100:-100]
    return activation_pct(work, rest_uv, reference_uv), rest_uv, reference_uv


def group_measured(glute, back, hamstring, seed):
    """Engagement of glute, back and hamstring of everybody, shape (n_people, 3), and everybody's share."""
    amplitudes = np.stack([glute, back, hamstring], axis=1)
    activation, rest_uv, reference_uv = measured(amplitudes.ravel(), seed)
    sites = [ChannelSite(site, "left") for site in SITES.values()]
    engagements, shares = [], []
    for first in range(0, amplitudes.size, 3):
        own = slice(first, first + 3)
        channels = tuple(
            ChannelCalibration(site.site, site.side, float(rest), float(reference))
            for site, rest, reference in zip(sites, rest_uv[own], reference_uv[own], strict=True)
        )
        body = find_body(sites, Calibration("mvic", channels))
        parts = [
            engagement(muscle, activation[:, own], gap=None)
            for muscle in (body.glute, body.back, body.hamstring)
        ]
        engagements.append([part.percent for part in parts])
        shares.append(share_metrics(parts[0], parts[1])[0].value)
    return np.array(engagements), np.array(shares)


def assert_comes_back(column, group):
    assert column.mean() == pytest.approx(group.mean, rel=TOLERANCE)
    assert column.std(ddof=1) == pytest.approx(group.sd, rel=TOLERANCE)


# Prone hip extension, 20 people (Oh 2007, J Orthop Sports Phys Ther, 10.2519/jospt.2007.2435).
PREFERRED = (Group(24.0, 8.0), Group(49.0, 14.0), Group(47.0, 14.0))
DRAWN_IN = (Group(52.0, 15.0), Group(17.0, 12.0), Group(58.0, 20.0))


@pytest.mark.parametrize(
    ("groups", "share", "log_ratio"), [(PREFERRED, 32.9, -0.714), (DRAWN_IN, 75.4, 1.118)]
)
def test_the_groups_of_oh_2007_come_back(groups, share, log_ratio):
    drawn = [people(group, seed) for seed, group in enumerate(groups)]
    engagements, _ = group_measured(*drawn, seed=7)
    for column, group in zip(engagements.T, groups, strict=True):
        assert_comes_back(column, group)
    glute, back, _ = engagements.mean(axis=0)
    assert math.log(glute / back) == pytest.approx(log_ratio, abs=TOLERANCE)
    assert share_pct(math.log(glute / back)) == pytest.approx(share, rel=TOLERANCE)


def test_everybody_in_oh_2007_gets_the_share_that_is_theirs():
    glute, back, hamstring = (people(group, seed) for seed, group in enumerate(PREFERRED))
    _, shares = group_measured(glute, back, hamstring, seed=8)
    true = 100.0 * glute / (glute + back)
    assert shares.mean() == pytest.approx(true.mean(), rel=TOLERANCE)
    assert shares.std(ddof=1) == pytest.approx(true.std(ddof=1), rel=TOLERANCE)


# Between people amplitudes vary by 55 to 77 % (Bolgla and Uhl 2007, J Electromyogr Kinesiol 17:102).
BETWEEN_PEOPLE_CV = 0.55


def test_the_cue_of_hollman_2018_doubles_the_glute_and_the_hamstring_alike():
    # Bridge, 30 women (J Sport Rehabil 27:138, 10.1123/jsr.2016-0130): means; the spread is Bolgla and Uhl's.
    uncued, cued = (16.8, 16.5), (33.0, 29.8)
    found = []
    for means in (uncued, cued):
        groups = [Group(mean, BETWEEN_PEOPLE_CV * mean) for mean in means]
        glute, hamstring = (people(group, seed) for seed, group in enumerate(groups))
        engagements, _ = group_measured(glute, glute, hamstring, seed=9)
        assert_comes_back(engagements[:, 0], groups[0])
        assert_comes_back(engagements[:, 2], groups[1])
        found.append(engagements.mean(axis=0))
    rise = found[1] / found[0]
    assert rise[0] == pytest.approx(33.0 / 16.8, rel=TOLERANCE)
    assert rise[2] == pytest.approx(29.8 / 16.5, rel=TOLERANCE)


def test_two_days_of_box_lifting_give_the_published_detectable_change():
    # Longissimus, 15 kg, left (BMC Musculoskelet Disord 2017, 10.1186/s12891-017-1872-y, table 3).
    first, second, sd_diff = Group(26.3, 9.3), Group(25.0, 7.4), 6.5
    likeness = (first.sd**2 + second.sd**2 - sd_diff**2) / (2.0 * first.sd * second.sd)
    chance = np.random.default_rng(1)
    middles = stats.norm.ppf((np.arange(N_PEOPLE) + 0.5) / N_PEOPLE)
    one = exactly(middles, Group(0.0, 1.0))
    other = chance.permutation(middles)
    # What is left of the second draw once all that goes with the first is taken out.
    other = exactly(other - one * (one @ other) / (one @ one), Group(0.0, 1.0))
    days = (
        first.mean + first.sd * one,
        second.mean + second.sd * (likeness * one + math.sqrt(1.0 - likeness**2) * other),
    )
    assert min(day.min() for day in days) > 0.0
    found = [measured(day, seed)[0].mean(axis=0) for seed, day in enumerate(days)]
    for column, group in zip(found, (first, second), strict=True):
        assert_comes_back(column, group)
    agreement = minimal_detectable_difference(float((found[1] - found[0]).std(ddof=1)))
    assert agreement.mdc95 == pytest.approx(12.7, rel=TOLERANCE)
    assert agreement.sem == pytest.approx(4.60, rel=TOLERANCE)


@pytest.mark.parametrize(("sd_diff", "mdc95"), [(6.5, 12.7), (5.7, 11.2), (2.8, 5.5), (6.7, 13.1)])
def test_the_detectable_changes_that_follow_from_that_table(sd_diff, mdc95):
    assert minimal_detectable_difference(sd_diff).mdc95 == pytest.approx(mdc95, abs=0.05)


# Prone hip extension, 11 women: onset before the movement, ms, without and with a cue to use the glute (Lewis
# and Sahrmann 2009, J Athl Train 44:238): medial and lateral hamstring, gluteus maximus.
UNCUED_MS = (Group(195.5, 74.9), Group(100.2, 70.3), Group(11.5, 81.9))
CUED_MS = (Group(131.3, 84.0), Group(38.8, 96.9), Group(45.1, 93.4))
ONSET_SNR_DB, MOVEMENT_S, LOOK_S = 20.0, 2.0, 0.5


def onsets_found_ms(before_ms, seed):
    """Time from each muscle's onset to the movement, as it is found in EMG that begins at once."""
    chance = np.random.default_rng(seed)
    level, found = 10.0 ** (ONSET_SNR_DB / 20.0), []
    for onset_ms in before_ms:
        n_samples = round((MOVEMENT_S + 2.0 * LOOK_S) * RATE_HZ)
        active = np.arange(n_samples) / RATE_HZ >= MOVEMENT_S - onset_ms / 1000.0
        raw_uv = REST_UV * (
            level * active * muscle_noise(n_samples, RATE_HZ, chance) + chance.normal(size=n_samples)
        )
        clean_uv = BandPass(n_channels=1, rate_hz=RATE_HZ).process(raw_uv[None])
        first, stop = (round((MOVEMENT_S + half_s) * RATE_HZ) for half_s in (-LOOK_S, LOOK_S))
        onset = find_onset(clean_uv[:, first:stop], RATE_HZ, np.array([REST_UV]), MOVEMENT_S - LOOK_S)
        found.append(1000.0 * (MOVEMENT_S - onset.at_s))
    return np.array(found)


def test_the_onsets_of_lewis_and_sahrmann_2009_come_back():
    means_ms = []
    for seed, groups in enumerate((UNCUED_MS, CUED_MS)):
        found = []
        for place, group in enumerate(groups):
            middles = stats.norm.ppf((np.arange(N_PEOPLE) + 0.5) / N_PEOPLE)
            found.append(onsets_found_ms(exactly(middles, group), 10 * seed + place))
            # Of the means one is nearly 0, so all are held to 3 % of the spread.
            assert found[-1].mean() == pytest.approx(group.mean, abs=TOLERANCE * group.sd)
            assert found[-1].std(ddof=1) == pytest.approx(group.sd, rel=TOLERANCE)
        means_ms.append([column.mean() for column in found])
    (_, hamstring, glute), (_, cued_hamstring, cued_glute) = means_ms
    assert hamstring - glute == pytest.approx(88.7, rel=TOLERANCE)
    # The cue brings the glute forward by 34 ms, level with the lateral hamstring.
    assert cued_glute - glute == pytest.approx(33.6, rel=TOLERANCE)
    assert cued_hamstring - cued_glute == pytest.approx(-6.3, abs=TOLERANCE * 88.7)
