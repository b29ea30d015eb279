import math

import pytest

from emgmon.errors import ImportFileError
from emgmon.recording.csv_columns import CsvColumn, parse_header_line
from firmware_protocol.capabilities import Quantity

EMG, ENV, ACC, GYR = Quantity.EMG, Quantity.ENVELOPE, Quantity.ACCELERATION, Quantity.ANGULAR_RATE


def _columns(*names: str) -> tuple[CsvColumn, ...]:
    return parse_header_line(",".join(["t_s", *names]), file="a.csv").columns


@pytest.mark.parametrize(
    ("name", "quantity", "site", "side", "axis", "factor"),
    [
        ("emg.gluteus_maximus.left_uV", EMG, "gluteus_maximus", "left", None, 1.0),
        ("emg.erector_spinae.right_mV", EMG, "erector_spinae", "right", None, 1e3),
        ("emg.multifidus_V", EMG, "multifidus", None, None, 1e6),
        ("emg.rectus_femoris.right_mV", EMG, "rectus_femoris", "right", None, 1e3),
        ("emg.l5_uV", EMG, "l5", None, None, 1.0),
        ("env.gluteus_maximus.left_uV", ENV, "gluteus_maximus", "left", None, 1.0),
        ("env.erector_spinae_mV", ENV, "erector_spinae", None, None, 1e3),
        ("env.multifidus.right_V", ENV, "multifidus", "right", None, 1e6),
        ("acc.pelvis.x_mps2", ACC, "pelvis", None, "x", 1.0),
        ("acc.pelvis.y_g", ACC, "pelvis", None, "y", 9.80665),
        ("acc.thigh.left.x_g", ACC, "thigh", "left", "x", 9.80665),
        ("gyr.pelvis.z_radps", GYR, "pelvis", None, "z", 1.0),
        ("gyr.thigh.right.z_dps", GYR, "thigh", "right", "z", math.pi / 180),
    ],
)
def test_a_name_says_what_a_column_holds(
    name: str, quantity: Quantity, site: str, side: str | None, axis: str | None, factor: float
) -> None:
    assert _columns(name) == (CsvColumn(1, name, quantity, site, side, axis, factor),)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("seq", "does not begin with"),
        ("knee_angle_deg", "does not begin with"),
        ("EMG.gluteus_maximus_uV", "does not begin with"),
        ("mag.pelvis.x_uT", "does not begin with"),
        ("emg_V", "names no site"),
        ("emg.left_uV", "names no site"),
        ("env.left_uV", "as in env.gluteus_maximus.left_uV"),
        ("env.multifidus_g", "unit 'g' is not one of uV, mV, V"),
        ("env.multifidus.x_uV", "site 'multifidus.x'"),
        ("emg.gluteus_maximus.left", "unit 'maximus.left'"),
        ("emg.gluteus_maximus.left_g", "unit 'g' is not one of uV, mV, V"),
        ("emg.gluteus_maximus.left_µV", "unit 'µV' is not one of uV, mV, V"),
        ("acc.pelvis.x_ms2", "unit 'ms2' is not one of mps2, g"),
        ("gyr.pelvis.x_rads", "unit 'rads' is not one of radps, dps"),
        ("acc.pelvis_g", "names no axis"),
        ("acc.x_g", "names no site"),
        ("acc.pelvis.x.left_g", "names no axis"),
        ("emg.Gluteus.left_uV", "site 'Gluteus'"),
        ("emg.gluteus maximus.left_uV", "site 'gluteus maximus'"),
        ("emg.gluteus_maximus.both_uV", "site 'gluteus_maximus.both'"),
        ("emg.gesäß.left_uV", "site 'gesäß'"),
        (f"emg.{'a' * 32}_uV", "at most 31"),
        ("", "does not begin with"),
    ],
)
def test_any_other_name_is_skipped_with_its_column_and_the_reason(name: str, words: str) -> None:
    header = parse_header_line(f"t_s,{name}", file="a.csv")
    assert header.columns == ()
    (sentence,) = header.skipped
    assert sentence.startswith(f"column 2 ({name!r}) is skipped: ")
    assert words in sentence


def test_a_site_of_31_characters_is_accepted() -> None:
    assert _columns(f"emg.{'a' * 31}_uV")[0].site == "a" * 31


def test_columns_keep_their_place_among_skipped_ones() -> None:
    assert [column.index for column in _columns("seq", "emg.a_uV", "x", "emg.b_uV")] == [2, 4]


def test_spaces_and_quotes_around_names_do_not_matter() -> None:
    header = parse_header_line(' t_s , "emg.a.left_uV" , emg.b_uV ', file="a.csv")
    assert [column.site for column in header.columns] == ["a", "b"]
    assert parse_header_line('"t_s","emg.a.left_uV"', file="a.csv").columns[0].site == "a"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("t_s;emg.a_uV", "semicolons"),
        ("t_s\temg.a_uV", "tabs"),
        ("0.0,1.5,2.5", "there is no header"),
        ("time,emg.a_uV", "column 1: the first column is 'time', not 't_s'"),
        ("emg.a_uV,t_s", "t_s is column 2"),
    ],
)
def test_a_first_line_that_is_no_header_is_refused_with_advice(line: str, words: str) -> None:
    with pytest.raises(ImportFileError, match=words) as caught:
        parse_header_line(line, file="a.csv")
    assert str(caught.value).startswith("a.csv, line 1")
    assert caught.value.advice


def test_the_same_signal_twice_is_refused() -> None:
    with pytest.raises(ImportFileError, match=r"columns 2 \('emg\.a_uV'\) and 4 \('emg\.a_mV'\)"):
        _columns("emg.a_uV", "emg.b_uV", "emg.a_mV")


def test_raw_emg_and_the_envelope_of_one_muscle_are_refused_together() -> None:
    with pytest.raises(ImportFileError, match=r"columns 2 \('emg\.a_uV'\) and 3 \('env\.a_uV'\)") as caught:
        _columns("emg.a_uV", "env.a_uV")
    assert "raw" in caught.value.advice


def test_two_sides_and_three_axes_are_different_signals() -> None:
    assert len(_columns("emg.a.left_uV", "emg.a.right_uV", "emg.a_uV", "acc.a.x_g", "acc.a.y_g")) == 5
