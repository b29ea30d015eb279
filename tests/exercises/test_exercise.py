import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgmon.errors import ExerciseError
from emgmon.exercises import EXERCISE_NAMES, load_exercise, parse_exercise
from emgmon.exercises.exercise import ANGLES, CUE_WORDS
from tests.exercises.examples import EXERCISE, exercise_toml, with_change


def refused(path, value):
    with pytest.raises(ExerciseError) as refusal:
        parse_exercise("frog-bridge", with_change(EXERCISE, path, value))
    return f"{refusal.value} | {refusal.value.advice}"


def test_the_example_is_right_as_it_stands_and_when_written_anew():
    as_it_stands = parse_exercise("frog-bridge", exercise_toml())
    assert parse_exercise("frog-bridge", with_change(EXERCISE, "title", "Frog bridge")) == as_it_stands


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("sides", "left", "frog-bridge.toml: sides is 'left' | It may be one of: alternating, both, one."),
        (
            "signals.0.on",
            "hip_height",
            "frog-bridge.toml: signals[0].on is 'hip_height' | It may be one of: emg_envelope, "
            "pelvis_height, pelvis_pitch, pelvis_rotation, pelvis_tilt, thigh_pitch.",
        ),
        (
            "expected.1.grade",
            "certain",
            "frog-bridge.toml: expected[1].grade is 'certain' | "
            "It may be one of: sourced, derived, convention, unknown.",
        ),
        ("work.1", "rest", "frog-bridge.toml: work[1] is 'rest' | It may be one of: hold, lift, return."),
        (
            "start_pitch_deg",
            "flat",
            "frog-bridge.toml: start_pitch_deg is 'flat' | It has to be a number.",
        ),
        ("title", 3, 'frog-bridge.toml: title is 3 | It has to be text in quotes ("...").'),
        ("how", "Lift.", "frog-bridge.toml: how is 'Lift.' | It has to be a list ([...])."),
        (
            "phases",
            ["lift", "return"],
            "frog-bridge.toml: phases is ['lift', 'return'] | It has to be a list of 3.",
        ),
        ("faults.0", "arch", "frog-bridge.toml: faults[0] is 'arch' | It has to be a table of fields."),
        (
            "leaves_rest",
            None,
            "frog-bridge.toml: leaves_rest is missing | It may be one of: down, up.",
        ),
        ("how", None, "frog-bridge.toml: how is missing | It has to be a list ([...])."),
        (
            "faults.0.better",
            "Lower.",
            "frog-bridge.toml: faults[0].better is not a field | The fields are: seen, instead.",
        ),
        (
            "signals.0.least",
            3,
            "frog-bridge.toml: signals[0].least is not a field | "
            "Did you mean 'least_deg'? The fields are: on, least_deg.",
        ),
    ],
)
def test_a_field_of_the_wrong_kind_is_named_with_what_may_stand_there(path, value, told):
    assert refused(path, value) == told


def test_a_misspelt_field_names_the_one_that_was_meant_and_all_others():
    told = refused("side", "both")
    assert told.startswith(
        "frog-bridge.toml: side is not a field | Did you mean 'sides'? The fields are: name,"
    )
    assert told.endswith("safety.")


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (
            "name",
            "frog",
            "Name and file have to agree: write 'frog-bridge', or rename the file to frog.toml.",
        ),
        ("name", "Frog Bridge", "name is 'Frog Bridge' | It may hold lower-case words joined by hyphens"),
        ("title", " ", "title is empty"),
        ("start_pitch_deg", 90, "start_pitch_deg is 90 | 'supine' means -90, at most 45 more or less"),
        ("start_pitch_deg", "nan", "start_pitch_deg is 'nan'"),
        ("phases", ["hold", "lift", "return"], "phases is ['hold', 'lift', 'return'] | It may be"),
        ("phases", ["lift", "hold", "lift"], "phases is ['lift', 'hold', 'lift'] | It may be"),
        ("work", [], "work is [] | It has to name one or more of: lift, hold, return"),
        ("work", ["lift", "lift"], "work is ['lift', 'lift']"),
        ("signals", [], "signals is empty | Name at least one of: pelvis_height,"),
        ("signals.1.on", "pelvis_height", "signals[1].on is 'pelvis_height' once more"),
        ("signals.1.least_deg", None, "signals[1].least_deg is missing | 'pelvis_pitch' needs it"),
        ("signals.1.least_deg", 0, "signals[1].least_deg is 0 | It has to lie between 0 and 180."),
        ("signals.1.least_deg", -3, "signals[1].least_deg is -3"),
        ("signals.0.least_deg", 3, "signals[0].least_deg is given for 'pelvis_height' | Leave it out"),
        ("how", [], "how is empty"),
        ("summary", "x" * 55, "summary has 55 letters | It has to fit in a list: at most 54 letters."),
        ("cues.0", "one two three four five six", "cues[0] is 'one two three four five six'"),
        ("cues.0", "", "cues[0] is ''"),
        (
            "placements.0.site",
            "hip",
            "placements[0].site is 'hip' | It may be one of: pelvis, lumbar, thigh,",
        ),
        (
            "placements",
            [{"site": "pelvis", "use": "wanted"}, {"site": "pelvis", "use": "helps"}],
            "placements[1].site is 'pelvis' once more",
        ),
        ("expected.0.unit", None, "expected[0].unit is missing"),
        ("expected.0.sd", 0, "expected[0].sd is 0"),
        ("expected.0.mean", None, "expected[0] has neither or both of mean and low"),
        ("expected.0.low", 3, "expected[0] has neither or both of mean and low"),
        ("expected.0.high", 3, "expected[0].high is 3"),
        ("expected.0.source", " ", "expected[0].source is missing | Whatever is sourced names its source."),
        ("expected.0.grade", "unknown", "expected[0].mean is given for something unknown"),
        ("expected.0.grade", "convention", "expected[0].grade is 'convention'"),
        ("expected.0.doi", "https://doi.org/10.1", "expected[0].doi is 'https://doi.org/10.1'"),
        ("findings.0.year", 9, "findings[0].year is 9"),
        ("findings.0.grade", "unknown", "findings[0].says says something unknown"),
        ("findings.0.says", "", "findings[0].says is empty"),
        ("findings.0.source", None, "findings[0].source is missing"),
    ],
)
def test_what_contradicts_itself_is_refused_at_its_field(path, value, told):
    assert told in refused(path, value)


@pytest.mark.parametrize("number", ["nan", "inf"])
@pytest.mark.parametrize("field", ["start_pitch_deg = -90", "mean = 24", "least_deg = 8.0", "sd = 8"])
def test_a_number_that_is_none_is_refused(field, number):
    text = EXERCISE.replace(field, f"{field.split(' = ')[0]} = {number}")
    with pytest.raises(ExerciseError, match=field.split(" = ")[0]):
        parse_exercise("frog-bridge", text.encode())


def test_text_that_is_no_toml_names_file_and_line():
    with pytest.raises(ExerciseError, match=r"^mine.toml is not valid TOML: .*line 2"):
        parse_exercise("mine", b'name = "mine"\ntitle = \n')
    with pytest.raises(ExerciseError, match=r"^mine.toml is not UTF-8 text"):
        parse_exercise("mine", b'name = "\xff"')


@given(st.binary(max_size=60))
def test_whatever_the_bytes_are_the_error_is_ours(data):
    with pytest.raises(ExerciseError):
        parse_exercise("mine", data)


PATHS = [
    *tomllib.loads(EXERCISE),
    *("signals.0.on", "signals.1.least_deg", "expected.0.mean", "findings.0.year", "faults.0", "phases.1"),
]


@given(st.sampled_from(PATHS), st.sampled_from([3.5, 7, True, [], {}, [[1]], {"a": 1}, [{"b": 2}]]))
def test_a_value_of_any_kind_is_taken_or_refused_by_the_name_of_its_field(path, value):
    error = error_of(with_change(EXERCISE, path, value))
    assert error is None or (
        str(error).startswith(f"frog-bridge.toml: {path.split('.')[0]}") and error.advice
    )


def error_of(data):
    try:
        parse_exercise("frog-bridge", data)
    except ExerciseError as error:
        return error
    return None


def test_a_mark_that_windows_puts_before_the_text_is_passed_over():
    assert error_of(b"\xef\xbb\xbf" + exercise_toml()) is None


@pytest.mark.parametrize("text", ["x = " + "9" * 5000, "x = " + "[" * 5000])
def test_text_that_overwhelms_the_reader_is_refused_like_any_other(text):
    assert str(error_of(text.encode())).startswith("frog-bridge.toml is not valid TOML: ")


@pytest.mark.parametrize("name", EXERCISE_NAMES)
class TestWhatShips:
    def test_nothing_that_a_person_needs_is_left_out(self, name):
        exercise = load_exercise(name)
        assert all((exercise.also_called, exercise.summary, exercise.purpose, exercise.position))
        assert len(exercise.how) >= 4
        assert len(exercise.faults) >= 3
        assert len(exercise.cues) >= 3
        assert exercise.safety

    def test_a_cue_can_be_heard_while_moving(self, name):
        assert max(len(cue.split()) for cue in load_exercise(name).cues) <= CUE_WORDS

    def test_both_halves_of_the_share_and_the_pelvis_are_wanted(self, name):
        wanted = {placement.site for placement in load_exercise(name).placements if placement.use == "wanted"}
        assert {"pelvis", "gluteus_maximus", "erector_spinae"} <= wanted

    def test_the_ratio_is_known_or_called_unknown(self, name):
        assert any(figure.quantity == "glute_back_ratio" for figure in load_exercise(name).expected)

    def test_angles_have_a_least_excursion_and_nothing_else_has(self, name):
        for signal in load_exercise(name).signals:
            assert (signal.least_deg is not None) == (signal.on in ANGLES)

    def test_how_high_is_said_not_to_matter(self, name):
        exercise = load_exercise(name)
        assert "does not matter" in exercise.purpose or "does not matter" in " ".join(exercise.how)


@pytest.mark.parametrize("name", ["bridge", "hip-thrust", "romanian-deadlift"])
def test_where_one_sensor_cannot_tell_hip_from_back_a_second_one_is_named(name):
    lumbar = [placement for placement in load_exercise(name).placements if placement.site == "lumbar"]
    assert "cannot tell" in lumbar[0].why


def test_the_only_known_ratios_are_those_of_the_one_paired_study():
    known = {
        (name, figure.mean)
        for name in EXERCISE_NAMES
        for figure in load_exercise(name).expected
        if figure.quantity == "glute_back_ratio" and figure.is_known
    }
    assert known == {("prone-hip-extension", 0.49), ("prone-hip-extension", 3.1)}


def test_one_doi_is_always_the_same_source_of_the_same_year():
    seen = {}
    for name in EXERCISE_NAMES:
        exercise = load_exercise(name)
        for claim in (*exercise.expected, *exercise.findings):
            if claim.doi:
                assert seen.setdefault(claim.doi, (claim.source, claim.year)) == (claim.source, claim.year)
    assert len(seen) >= 6
