import pytest

from emgmon.errors import ExerciseError
from emgmon.exercises import shipped_catalogue
from emgmon.exercises.programs import PROGRAM_NAMES, parse_program, shipped_programs
from tests.exercises.examples import PROGRAM, exercise_toml, program_toml, with_change


def refused(path, value):
    with pytest.raises(ExerciseError) as refusal:
        parse_program("mine", with_change(PROGRAM, path, value), shipped_catalogue())
    return f"{refusal.value} | {refusal.value.advice}"


def test_the_shelf_holds_what_ships():
    assert shipped_programs().names == PROGRAM_NAMES


def test_the_routine_warms_up_with_scorpions_and_grows_from_bridge_to_deadlift():
    routine = shipped_programs().find("routine")
    assert [block.exercise for block in routine.warm_up] == ["scorpion"]
    assert [step.exercise for step in routine.main.steps] == ["bridge", "hip-thrust", "romanian-deadlift"]
    assert [work.feedback for work in routine.main.sets] == ["concurrent", "bandwidth", "summary"]


def test_feedback_is_said_to_be_controversial():
    for program in shipped_programs().programs:
        assert "controversial" in program.findings[0].says


def test_an_own_program_may_name_own_exercises():
    catalogue = shipped_catalogue().with_own("frog-bridge", exercise_toml())
    data = with_change(PROGRAM, "main.steps.0.exercise", "frog-bridge")
    shelf = shipped_programs(catalogue).with_own("mine", data)
    assert shelf.find("mine").main.steps[0].exercise == "frog-bridge"
    assert shelf.own == {"mine"}


def test_an_own_program_cannot_replace_a_shipped_one():
    with pytest.raises(ExerciseError, match=r"^routine.toml: name is 'routine', .* another program"):
        shipped_programs().with_own("routine", program_toml("routine"))


def test_an_unknown_program_names_the_known_ones():
    with pytest.raises(ExerciseError, match="no program called 'marathon'") as refusal:
        shipped_programs().find("marathon")
    assert refusal.value.advice == "Choose one of: routine, short-routine."


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("name", "other", "name is 'other' | Name and file have to agree"),
        ("title", "", "title is empty"),
        ("summary", "x" * 60, "summary has 60 letters"),
        (
            "warm_up.0.exercise",
            "plank",
            "warm_up[0].exercise is 'plank' | It may be one of: bridge, hip-thrust",
        ),
        ("warm_up.0.sets", 0, "warm_up[0].sets is 0 | It has to lie between 1 and 100."),
        ("warm_up.0.reps", 101, "warm_up[0].reps is 101"),
        ("warm_up.0.reps", 2.5, "warm_up[0].reps is 2.5 | It has to be a whole number."),
        ("warm_up.0.rest_s", -1, "warm_up[0].rest_s is -1 | It has to lie between 0 and 3600 seconds."),
        ("warm_up.0.hold_s", -1, "warm_up[0].hold_s is -1"),
        ("main.steps", [], "main.steps is empty | Name one or more of: bridge"),
        ("main.steps.1.exercise", "plank", "main.steps[1].exercise is 'plank' | It may be one of: bridge"),
        ("main.steps.1.exercise", "bridge", "main.steps[1].exercise is 'bridge' once more"),
        ("main.sets", [], "main.sets is empty"),
        ("main.sets.0.reps", 0, "main.sets[0].reps is 0"),
        ("main.sets.0.rest_s", 4000, "main.sets[0].rest_s is 4000"),
        (
            "main.sets.0.feedback",
            "shouting",
            "main.sets[0].feedback is 'shouting' | It may be one of: bandwidth, concurrent, none, summary.",
        ),
        ("main.hold_s", -1, "main.hold_s is -1"),
        ("main.move_on", None, "main.move_on is missing"),
        ("main.steps", [{"exercise": "bridge"}], "main.move_on is given for a single step"),
        ("main.move_on.of_sets", 0, "main.move_on.of_sets is 0"),
        ("main.move_on.sets_met", 4, "main.move_on.sets_met is 4 | It has to lie between 1 and of_sets, 3."),
        ("main.move_on.sets_met", 0, "main.move_on.sets_met is 0"),
        ("main.move_on.reps_met_pct", 0, "main.move_on.reps_met_pct is 0"),
        ("main.move_on.reps_met_pct", 101, "main.move_on.reps_met_pct is 101"),
        ("main.pace", 1, "main.pace is not a field"),
        ("findings", [{"grade": "sourced", "says": "So."}], "findings[0].source is missing"),
    ],
)
def test_what_a_program_may_not_say_is_refused_at_its_field(path, value, told):
    assert refused(path, value).startswith(f"mine.toml: {told}")
