"""Repetitions are laid out as asked, with natural variation."""

import itertools

import numpy as np
import pytest

from emgmon.errors import SimulationError
from emgmon.exercises import EXERCISE_NAMES
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
    with pytest.raises(SimulationError, match="'juggling'") as caught:
        AthleteParams(exercise="juggling")
    assert caught.value.advice == f"Choose one of {', '.join(EXERCISE_NAMES)}."


def test_the_athlete_performs_every_exercise_of_the_catalogue() -> None:
    assert tuple(EXERCISE_MODELS) == EXERCISE_NAMES


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"side": "front"}, "'front'"),
        ({"thigh_side": "both"}, "'both'"),
        ({"imu_axes": 9}, "9"),
        ({"imu_sites": ("pelvis", "ankle")}, "'ankle'"),
        ({"imu_sites": ("pelvis", "pelvis")}, "pelvis, pelvis"),
        ({"imu_sites": (), "emg": False}, "neither"),
        ({"mounting_deg": (0.0, 0.0, 400.0)}, "400"),
        ({"hold_s": 25.0}, "hold_s is 25 s"),
        ({"range_scale": 0.0}, "range_scale is 0"),
    ],
)
def test_what_cannot_be_worn_or_done_is_refused_with_the_value_and_advice(
    asked: dict[str, object], wrong: str
) -> None:
    with pytest.raises(SimulationError) as caught:
        AthleteParams(**asked)  # type: ignore[arg-type]
    assert wrong in str(caught.value)
    assert caught.value.advice


@pytest.mark.parametrize(
    ("exercise", "asked", "sides"),
    [
        ("bridge", None, [None, None, None]),
        ("bird-dog", None, ["left", "right", "left"]),
        ("leg-extension-tubing", None, ["right"] * 3),
        ("lunge", "left", ["left"] * 3),
        ("lunge", "both", [None] * 3),
        ("bridge", "alternating", ["left", "right", "left"]),
    ],
)
def test_the_working_side_is_the_usual_or_the_one_asked_for(
    exercise: str, asked: str | None, sides: list[str | None]
) -> None:
    reps = make_plan(AthleteParams(exercise=exercise, side=asked, n_reps=3)).reps  # type: ignore[arg-type]
    assert [rep.side for rep in reps] == sides


def test_one_side_works_much_more_than_the_other() -> None:
    left, right = make_plan(AthleteParams(exercise="bird-dog", n_reps=2)).reps
    for rep, sign in ((left, 1.0), (right, -1.0)):
        other_over_working = (1.0 - sign * rep.glute_side) / (1.0 + sign * rep.glute_side)
        assert other_over_working == pytest.approx(0.25, abs=0.05)
        assert sign * rep.back_side < -0.08


@pytest.mark.parametrize("exercise", ["bridge", "squat"])
def test_phases_last_as_long_as_asked_for(exercise: str) -> None:
    asked = AthleteParams(exercise=exercise, lift_s=2.0, hold_s=12.0, return_s=4.0, pause_s=3.0, n_reps=50)
    reps = make_plan(asked).reps
    out_s, back_s = (2.0, 4.0) if exercise == "bridge" else (4.0, 2.0)
    assert np.mean([rep.reached_s - rep.start_s for rep in reps]) == pytest.approx(out_s, rel=0.05)
    assert np.mean([rep.left_s - rep.reached_s for rep in reps]) == pytest.approx(12.0, rel=0.05)
    assert np.mean([rep.end_s - rep.left_s for rep in reps]) == pytest.approx(back_s, rel=0.05)
    pauses_s = [after.start_s - rep.end_s for rep, after in itertools.pairwise(reps)]
    assert np.mean(pauses_s) == pytest.approx(3.0, rel=0.05)


def test_tempo_scales_every_part_of_a_repetition() -> None:
    usual, slow = (make_plan(AthleteParams(tempo_scale=scale)).reps for scale in (1.0, 2.0))
    for quick, long in zip(usual, slow, strict=True):
        assert np.diff(long.edges_s) == pytest.approx(2.0 * np.diff(quick.edges_s), abs=0.003)


def test_pulses_of_seven_tenths_of_a_second_can_be_asked_for() -> None:
    asked = AthleteParams(lift_s=0.25, hold_s=0.05, return_s=0.25, pause_s=0.15, n_reps=30)
    starts_s = [rep.start_s for rep in make_plan(asked).reps]
    assert np.mean(np.diff(starts_s)) == pytest.approx(0.7, rel=0.05)


def test_partial_repetitions_are_as_many_as_asked_for_and_not_the_first_two() -> None:
    plan = make_plan(AthleteParams(n_sets=5, n_partial=3))
    for set_number in range(1, 6):
        numbers = [rep.number for rep in plan.reps if rep.set_number == set_number and rep.partial]
        assert len(numbers) == 3
        assert min(numbers) > 2
    assert len({rep.number for rep in plan.reps if rep.partial}) > 3


def test_partial_repetitions_go_a_third_of_the_way_in_less_time() -> None:
    reps = make_plan(AthleteParams(n_reps=60, n_partial=30)).reps
    partial, whole = ([rep for rep in reps if rep.partial is kind] for kind in (True, False))
    for name in ("range_scale", "pitch_scale", "turn_scale", "thigh_scale"):
        ratio = np.mean([getattr(rep, name) for rep in partial]) / np.mean(
            [getattr(rep, name) for rep in whole]
        )
        assert ratio == pytest.approx(0.35, rel=0.05)
    assert np.mean([rep.reached_s - rep.start_s for rep in partial]) < 0.8


def test_all_repetitions_of_a_set_may_be_partial() -> None:
    assert all(rep.partial for rep in make_plan(AthleteParams(n_reps=3, n_partial=3)).reps)


def test_a_rest_in_the_middle_belongs_to_the_set() -> None:
    usual, rested = (make_plan(AthleteParams(mid_set_rest_s=rest_s)).reps for rest_s in (0.0, 12.0))
    longer_s = [late.start_s - early.start_s for early, late in zip(usual, rested, strict=True)]
    assert longer_s == pytest.approx([0.0] * 4 + [12.0] * 4)
    assert {rep.set_number for rep in rested} == {1}


@pytest.mark.parametrize(
    "asked",
    [
        {"rotation_excess_deg": 20.0},
        {"wobble_deg": 1.0, "slip_deg": 10.0},
        {"imu_sites": ("thigh", "lumbar"), "emg": False},
        {"lumbar_share": 0.5},
        {"side": "left"},
    ],
)
def test_a_knob_turns_nothing_but_its_own_part(asked: dict[str, object]) -> None:
    usual = make_plan(AthleteParams(exercise="lunge"))
    other = make_plan(AthleteParams(exercise="lunge", **asked))  # type: ignore[arg-type]
    assert [rep.edges_s for rep in other.reps] == [rep.edges_s for rep in usual.reps]
    assert [rep.range_scale for rep in other.reps] == [rep.range_scale for rep in usual.reps]
    assert [rep.glute_pct for rep in other.reps] == [rep.glute_pct for rep in usual.reps]
