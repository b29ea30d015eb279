"""What is told of the muscles agrees with their curves, looked at another way."""

import numpy as np
import pytest

from emgmon.virtual.athlete import AthleteParams, activate_muscles
from emgmon.virtual.emg_truth import RepMuscles, rep_muscles
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.plan import make_plan


def muscles_of(params: AthleteParams) -> list[RepMuscles]:
    plan = make_plan(params)
    glute, back = activate_muscles(plan, params)
    return [rep_muscles(number, rep, glute, back) for number, rep in enumerate(plan.reps)]


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_a_delay_of_the_glute_is_in_the_difference_of_the_onsets(exercise: str) -> None:
    usual, late = (muscles_of(AthleteParams(exercise=exercise, glute_delay_s=s)) for s in (0.0, 0.2))
    differences_ms = [rep.onset_difference_ms for rep in usual]
    assert np.abs(differences_ms).max() < 100.0
    assert [rep.onset_difference_ms for rep in late] == pytest.approx(np.add(differences_ms, 200.0), abs=0.01)


def test_every_electrode_has_an_onset_before_the_lift_and_is_seen_a_little_later() -> None:
    params = AthleteParams(exercise="bridge")
    plan = make_plan(params)
    for rep, muscles in zip(plan.reps, muscles_of(params), strict=True):
        places = [(onset.site, onset.side) for onset in muscles.onsets]
        assert places == [
            (site, side) for site in ("gluteus_maximus", "erector_spinae") for side in ("left", "right")
        ]
        for onset in muscles.onsets:
            assert rep.start_s - 0.12 < onset.onset_s < rep.start_s < onset.tenth_s < rep.start_s + 0.3


def test_activation_has_climbed_a_tenth_where_that_is_told() -> None:
    params = AthleteParams(exercise="bridge", glute_delay_s=0.1)
    glute, _ = activate_muscles(make_plan(params), params)
    for muscles, (onset_s, risen_s) in zip(muscles_of(params), glute.rises_s, strict=True):
        low, high = glute.left.at(onset_s), glute.left.at(risen_s)
        climbed = (glute.left.at(muscles.onsets[0].tenth_s) - low) / (high - low)
        assert climbed == pytest.approx(0.1, abs=0.003)


def test_fatigue_is_told_and_undone_between_the_sets() -> None:
    reps = muscles_of(AthleteParams(n_sets=2, n_reps=4, fatigue_pct_per_rep=3.0))
    once = [100.0 * (1.0 - 0.97**number) for number in range(4)]
    assert [rep.fatigue_pct for rep in reps] == pytest.approx(once * 2)
    frequencies_hz = [rep.glute_median_frequency_hz for rep in reps[:4]]
    assert frequencies_hz[0] == pytest.approx(95.67, abs=0.05)
    # The band begins at 20 Hz whatever the fatigue: 3 % of every frequency move its median by 2.7 %.
    assert np.diff(np.log(frequencies_hz)) == pytest.approx([-0.0275] * 3, abs=0.002)


def test_fatigue_ends_somewhere() -> None:
    reps = muscles_of(AthleteParams(n_reps=60, fatigue_pct_per_rep=10.0))
    assert reps[-1].fatigue_pct == 50.0


def test_activation_rises_with_fatigue_where_asked_and_the_share_stays() -> None:
    usual, rising = (muscles_of(AthleteParams(n_reps=5, fatigue_rise_pct_per_rep=p)) for p in (0.0, 4.0))
    for number, (before, after) in enumerate(zip(usual, rising, strict=True)):
        assert after.glute_engagement_pct / before.glute_engagement_pct == pytest.approx(1.04**number)
        assert after.glute_share_pct == pytest.approx(before.glute_share_pct)


def test_a_squeeze_that_fades_is_sustained_for_less_of_the_work() -> None:
    usual, fading = (muscles_of(AthleteParams(squeeze_fade=fade)) for fade in (0.0, 0.8))
    for before, after in zip(usual, fading, strict=True):
        assert 75.0 < before.squeeze_sustain_pct < 95.0
        assert after.squeeze_sustain_pct < before.squeeze_sustain_pct - 15.0
        assert after.glute_engagement_pct == pytest.approx(before.glute_engagement_pct)


def test_a_back_that_surges_is_told_to_and_the_glute_stays() -> None:
    usual, surging = (muscles_of(AthleteParams(back_surge=surge)) for surge in (0.0, 1.0))
    for before, after in zip(usual, surging, strict=True):
        assert after.late_back_surge > 1.3 * before.late_back_surge
        assert after.glute_share_pct == pytest.approx(before.glute_share_pct)
        assert after.squeeze_sustain_pct == before.squeeze_sustain_pct


def test_symmetry_is_even_for_two_sides_and_far_from_it_for_one() -> None:
    both, one = muscles_of(AthleteParams()), muscles_of(AthleteParams(exercise="bird-dog"))
    assert max(abs(rep.symmetry_pct) for rep in both) < 15.0
    assert [rep.symmetry_pct > 90.0 for rep in one] == [True, False] * 4
