import pytest

from emgmon.errors import ExerciseError
from emgmon.exercises.figures import Grade
from emgmon.exercises.sites import load_sites, parse_sites


def test_sites_are_named_as_channels_are():
    assert [site.name for site in load_sites().site] == [
        "pelvis",
        "lumbar",
        "thigh",
        "gluteus_maximus",
        "gluteus_medius",
        "erector_spinae",
        "multifidus",
        "biceps_femoris",
    ]


def test_a_place_that_was_not_checked_says_nothing():
    multifidus = load_sites().find("multifidus")
    assert multifidus.landmark.grade is Grade.UNKNOWN
    assert multifidus.landmark.says == ""


def test_an_electrode_is_placed_by_a_source_and_a_motion_sensor_by_convention():
    for site in load_sites().site:
        if site.measures == "muscle":
            assert site.landmark.grade in (Grade.SOURCED, Grade.UNKNOWN)
        else:
            assert site.landmark.grade is Grade.CONVENTION


def test_there_is_no_site_of_another_name():
    assert load_sites().find("hip") is None


UNKNOWN = '{grade = "unknown"}'
SITE = (
    '{name = "pelvis", title = "Pelvis", measures = "motion", sides = "one", '
    f"landmark = {UNKNOWN}, orientation = {UNKNOWN}, posture = {UNKNOWN}}}"
)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (f"electrodes = []\nsite = [{SITE}, {SITE}]", "site[0].name is 'pelvis' once more"),
        (f"electrodes = [{UNKNOWN.replace('unknown', 'sourced')}]\nsite = []", "electrodes[0].says is empty"),
        (
            f"electrodes = []\nsite = [{SITE.replace(UNKNOWN, UNKNOWN.replace('unknown', 'derived'), 1)}]",
            "site[0].landmark.says is empty",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(table, told):
    with pytest.raises(ExerciseError) as refused:
        parse_sites(table.encode())
    assert str(refused.value).startswith(f"sites.toml: {told}")
