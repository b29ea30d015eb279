"""Plain sets of every exercise, drawn as the benchmark draws them: counts, edges and angles against truth."""

import dataclasses
import functools
import statistics

import pytest

from benchmarks.virtual_draws import EXERCISES, draw_set
from benchmarks.virtual_sets import score_set
from emgmon.virtual.exercise_model import EXERCISE_MODELS

SEEDS = (1, 2, 3, 4)

LEG_LIFTS = ("leg-extension-tubing", "bird-dog", "prone-hip-extension")
"""Counted on the EMG envelope where no thigh sensor is worn."""

ANGLES = ("pelvis_pitch_range_deg", "pelvis_anterior_change_deg", "pelvis_rotation_range_deg")


@functools.cache
def scores(exercise):
    """Whole repetitions at any range and tempo that is drawn; holds, pulses and rests are the benchmark's."""
    return [score_set(plain(exercise, seed), as_live=False) for seed in SEEDS]


def plain(exercise, seed):
    drawn = draw_set(
        exercise, group="plain", wear="default" if exercise in LEG_LIFTS else "pelvis", seed=seed
    )
    usual = {"hold_s": None, "lift_s": None, "return_s": None, "pause_s": None, "mid_set_rest_s": 0.0}
    params = dataclasses.replace(drawn.params, n_partial=0, n_reps=min(drawn.params.n_reps, 6), **usual)
    return dataclasses.replace(drawn, params=params)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_plain_sets_are_counted_exactly(exercise):
    assert {score.drawn.seed: score.story for score in scores(exercise)} == {seed: [] for seed in SEEDS}


def edge_errors_s(exercise):
    errors = [e for score in scores(exercise) for e in (*score.start_errors_s, *score.end_errors_s)]
    assert len(errors) >= 2 * 3 * len(SEEDS)
    return [abs(error) for error in errors]


@pytest.mark.parametrize("exercise", [name for name in EXERCISES if name not in LEG_LIFTS])
def test_edges_found_on_movement_are_within_a_tenth_of_a_second_of_truth(exercise):
    assert statistics.median(edge_errors_s(exercise)) < 0.1


@pytest.mark.parametrize("exercise", LEG_LIFTS)
def test_edges_found_on_muscle_activity_are_softer(exercise):
    """The muscle is quieter at the ends of the way, and noise covers what is left of it there."""
    assert statistics.median(edge_errors_s(exercise)) < 0.2


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("metric", ANGLES)
def test_angles_of_the_pelvis_are_within_two_degrees_of_truth(exercise, metric):
    errors = [abs(error) for score in scores(exercise) for error in score.errors[metric]]
    assert len(errors) >= 3 * len(SEEDS)
    assert statistics.median(errors) < 2.0


@pytest.mark.parametrize("exercise", ["squat", "lunge"])
def test_the_way_of_the_pelvis_is_within_two_centimetres_of_truth(exercise):
    errors = [abs(error) for score in scores(exercise) for error in score.errors["pelvis_height_range_m"]]
    assert len(errors) >= 3 * len(SEEDS)
    assert statistics.median(errors) < 0.02


SIDED = ("leg-extension-tubing", "bird-dog", "scorpion", "prone-hip-extension")
"""Named here by the louder glute or by the way round; a lunge's side needs electrodes."""


@pytest.mark.parametrize("exercise", SIDED)
def test_the_side_that_worked_is_named(exercise):
    assert EXERCISE_MODELS[exercise].sides != "both"
    told = [(score.sides_right, score.sides_wrong, score.sides_true) for score in scores(exercise)]
    right, wrong, true = (sum(column) for column in zip(*told, strict=True))
    assert (right, wrong) == (true, 0)
    assert true >= 3 * len(SEEDS)


def test_the_side_of_a_lunge_is_named_by_the_louder_glute():
    score = score_set(draw_set("lunge", group="plain", wear="default", seed=1), as_live=False)
    assert score.sides_right == score.sides_true > 0
