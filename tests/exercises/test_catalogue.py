import pytest

from emgmon.errors import ExerciseError
from emgmon.exercises import EXERCISE_NAMES, load_exercise


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_every_exercise_loads_under_its_name(name):
    assert load_exercise(name).name == name


def test_a_bridge_goes_up_and_a_squat_goes_down_first():
    assert load_exercise("bridge").direction == 1
    assert load_exercise("hip-thrust").direction == 1
    assert load_exercise("squat").direction == -1
    assert load_exercise("squat").concentric == "back"


def test_an_unknown_exercise_names_the_known_ones():
    with pytest.raises(ExerciseError, match="'plank'") as refused:
        load_exercise("plank")
    assert "hip-thrust" in refused.value.advice


def test_an_exercise_without_a_file_is_counted_on_muscles():
    assert load_exercise("scorpion").movement_signal == "emg_envelope"
