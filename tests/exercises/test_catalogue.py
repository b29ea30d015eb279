import pytest

from emgmon.errors import ExerciseError
from emgmon.exercises import EXERCISE_NAMES, Catalogue, load_exercise, shipped_catalogue
from tests.exercises.examples import exercise_toml


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_every_exercise_loads_under_its_name(name):
    assert load_exercise(name).name == name


def test_the_catalogue_holds_what_ships_in_order():
    assert shipped_catalogue().names == EXERCISE_NAMES
    assert shipped_catalogue().own == frozenset()


def test_a_bridge_goes_up_and_a_squat_goes_down_first():
    assert load_exercise("bridge").direction == 1
    assert load_exercise("squat").direction == -1
    assert load_exercise("bridge").lifts_first
    assert not load_exercise("squat").lifts_first


def test_an_unknown_exercise_names_the_known_ones():
    with pytest.raises(ExerciseError, match="'plank'") as refused:
        load_exercise("plank")
    assert refused.value.advice == f"Choose one of: {', '.join(EXERCISE_NAMES)}."


def test_an_own_exercise_is_found_beside_the_shipped_ones():
    catalogue = shipped_catalogue().with_own("frog-bridge", exercise_toml("frog-bridge"))
    assert load_exercise("frog-bridge", catalogue=catalogue).title == "Frog bridge"
    assert catalogue.names == (*EXERCISE_NAMES, "frog-bridge")
    assert catalogue.own == {"frog-bridge"}


def test_adding_an_own_exercise_leaves_the_old_catalogue_alone():
    before = shipped_catalogue()
    before.with_own("frog-bridge", exercise_toml("frog-bridge"))
    with pytest.raises(ExerciseError, match="no exercise called 'frog-bridge'"):
        load_exercise("frog-bridge", catalogue=before)


def test_an_unknown_name_in_a_catalogue_names_the_own_ones_too():
    catalogue = shipped_catalogue().with_own("frog-bridge", exercise_toml("frog-bridge"))
    with pytest.raises(ExerciseError) as refused:
        catalogue.find("plank")
    assert refused.value.advice.endswith("lunge, frog-bridge.")


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_an_own_exercise_cannot_replace_a_shipped_one(name):
    with pytest.raises(ExerciseError) as refused:
        shipped_catalogue().with_own(name, exercise_toml(name), file=f"/home/ada/{name}.toml")
    assert str(refused.value) == (
        f"/home/ada/{name}.toml: name is {name!r}, which is the name of another exercise, "
        "so the file was not used"
    )
    assert f"my-{name}" in refused.value.advice


def test_an_empty_catalogue_knows_nothing():
    with pytest.raises(ExerciseError, match="no exercise called 'bridge'"):
        Catalogue(()).find("bridge")


@pytest.mark.parametrize(
    ("name", "first_signal", "pelvis_turn", "sides"),
    [
        ("squat", "pelvis_height", "pitch-forward", "both"),
        ("lunge", "pelvis_height", "pitch-forward", "alternating"),
        ("bridge", "pelvis_pitch", "pitch-backward", "both"),
        ("hip-thrust", "pelvis_pitch", "pitch-backward", "both"),
        ("romanian-deadlift", "pelvis_pitch", "pitch-forward", "both"),
        ("scorpion", "pelvis_rotation", "rotation", "alternating"),
        ("bird-dog", "thigh_pitch", "little", "alternating"),
        ("leg-extension-tubing", "thigh_pitch", "little", "one"),
        ("prone-hip-extension", "thigh_pitch", "little", "alternating"),
    ],
)
def test_what_the_engine_goes_by(name, first_signal, pelvis_turn, sides):
    exercise = load_exercise(name)
    assert exercise.signals[0].on == first_signal
    assert (exercise.pelvis_turn, exercise.sides) == (pelvis_turn, sides)


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_muscles_alone_and_a_pelvis_sensor_alone_always_serve(name):
    names = {signal.on for signal in load_exercise(name).signals}
    assert "emg_envelope" in names
    assert {signal for signal in names if signal.startswith("pelvis_")}
