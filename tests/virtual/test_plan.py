"""Repetitions are laid out as asked, with natural variation."""

import itertools

import numpy as np
import pytest

from emgmon.errors import SimulationError
from emgmon.virtual.exercise_model import EXERCISE_MODELS
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import QUIET_END_S, QUIET_START_S, make_plan


def test_without_a_word_about_sets_there_is_one() -> None:
    plan = make_plan(AthleteParams(n_reps=5))
    assert [(rep.set_number, rep.number) for rep in plan.reps] == [(1, n) for n in range(1, 6)]


def test_sets_are_numbered_and_separated_by_the_rest_asked_for() -> None:
    reps = make_plan(AthleteParams(n_sets=3, n_reps=2, set_rest_s=12.0)).reps
    assert [(rep.set_number, rep.number) for rep in reps] == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert reps[2].start_s - reps[1].end_s == pytest.approx(12.0)


def test_the_performance_begins_and_ends_quietly() -> None:
    plan = make_plan(AthleteParams())
    assert plan.reps[0].start_s == QUIET_START_S
    assert QUIET_END_S <= plan.duration_s - plan.reps[-1].end_s < QUIET_END_S + 0.011


@pytest.mark.parametrize("exercise", EXERCISE_MODELS)
def test_the_edges_of_a_repetition_are_in_order_and_leave_a_pause(exercise: str) -> None:
    reps = make_plan(AthleteParams(exercise=exercise, n_reps=100)).reps
    for rep in reps:
        assert rep.start_s < rep.reached_s < rep.turn_s < rep.left_s < rep.end_s
    assert min(after.start_s - rep.end_s for rep, after in itertools.pairwise(reps)) > 0.4


def test_a_bridge_works_from_lift_off_to_the_end_of_the_hold() -> None:
    rep = make_plan(AthleteParams(exercise="bridge")).reps[0]
    assert rep.work_s == (rep.start_s, rep.left_s)


def test_a_squat_works_from_the_bottom_up() -> None:
    rep = make_plan(AthleteParams(exercise="squat")).reps[0]
    assert rep.work_s == (rep.turn_s, rep.end_s)


def test_tempo_range_and_level_vary_from_repetition_to_repetition() -> None:
    reps = make_plan(AthleteParams(n_reps=100)).reps
    lift_s = np.array([rep.reached_s - rep.start_s for rep in reps])
    ranges = np.array([rep.range_scale for rep in reps])
    work_pct = np.array([rep.glute_pct + rep.back_pct for rep in reps])
    assert lift_s.std() / lift_s.mean() == pytest.approx(0.08, rel=0.3)
    assert ranges.std() == pytest.approx(0.05, rel=0.3)
    assert work_pct.std() / work_pct.mean() == pytest.approx(0.06, rel=0.3)


@pytest.mark.parametrize("share_pct", [10.0, 35.0, 50.0, 70.0, 90.0])
def test_the_share_varies_a_little_around_the_one_asked_for(share_pct: float) -> None:
    reps = make_plan(AthleteParams(glute_share_pct=share_pct, n_reps=100)).reps
    shares_pct = np.array([100.0 * rep.glute_pct / (rep.glute_pct + rep.back_pct) for rep in reps])
    expected_sd = share_pct * (100.0 - share_pct) / 100.0 * 0.08
    assert shares_pct.mean() == pytest.approx(share_pct, abs=expected_sd)
    assert shares_pct.std() == pytest.approx(expected_sd, rel=0.3)


def test_a_duration_holds_as_many_sets_as_fit_and_not_one_more() -> None:
    plan = make_plan(AthleteParams(duration_s=120.0, n_reps=4))
    assert plan.duration_s == 120.0
    assert plan.reps[-1].end_s <= 120.0 - QUIET_END_S
    last_set_s = plan.reps[-1].end_s - plan.reps[-4].start_s
    assert plan.reps[-1].end_s + 20.0 + last_set_s * 1.3 > 120.0 - QUIET_END_S


def test_a_duration_with_a_number_of_sets_ends_in_rest() -> None:
    plan = make_plan(AthleteParams(duration_s=200.0, n_sets=1, n_reps=3))
    assert plan.duration_s == 200.0
    assert len(plan.reps) == 3


@pytest.mark.parametrize("params", [{"duration_s": 10.0}, {"duration_s": 60.0, "n_sets": 3}])
def test_sets_that_do_not_fit_are_refused_with_advice(params: dict[str, float]) -> None:
    with pytest.raises(SimulationError, match="do not fit into") as caught:
        make_plan(AthleteParams(**params))  # type: ignore[arg-type]
    assert "longer duration" in caught.value.advice


def test_sets_that_take_longer_than_can_be_simulated_are_refused() -> None:
    with pytest.raises(SimulationError, match="no more than 36000 s"):
        make_plan(AthleteParams(n_sets=100, n_reps=100))


def test_another_seed_is_another_performance() -> None:
    assert make_plan(AthleteParams(seed=1)).reps != make_plan(AthleteParams(seed=2)).reps
    assert make_plan(AthleteParams(seed=1)) == make_plan(AthleteParams(seed=1))


def test_noise_and_artefacts_do_not_change_the_plan() -> None:
    assert make_plan(AthleteParams(snr_db=8.0, hum_uv=50.0)).reps == make_plan(AthleteParams()).reps


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_sets", 0),
        ("n_reps", 0),
        ("n_reps", 101),
        ("glute_share_pct", 0.5),
        ("glute_share_pct", 100.0),
        ("snr_db", -1.0),
        ("snr_db", float("nan")),
        ("hum_uv", -3.0),
        ("heartbeat_uv", float("inf")),
        ("duration_s", 0.0),
        ("duration_s", 40_000.0),
        ("seed", -1),
        ("emg_rate_hz", 100.0),
    ],
)
def test_what_is_out_of_range_is_named_with_its_value_and_the_range(name: str, value: float) -> None:
    with pytest.raises(SimulationError, match=f"{name} is {value:g}") as caught:
        AthleteParams(**{name: value})  # type: ignore[arg-type]
    assert caught.value.advice.startswith("Give a value from ")


def test_an_exercise_without_a_model_is_refused_with_the_choice() -> None:
    with pytest.raises(SimulationError, match="'bird-dog'") as caught:
        AthleteParams(exercise="bird-dog")
    assert caught.value.advice == "Choose one of bridge, hip-thrust, squat."
