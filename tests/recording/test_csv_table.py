import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emgmon.errors import ImportFileError
from emgmon.recording.csv_table import CsvTable, read_csv

HEADER = "t_s,seq,emg.a_uV,emg.b_mV"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


def _read(path: Path, *lines: str, end: str = "\n") -> CsvTable:
    path.write_bytes("".join(line + end for line in (HEADER, *lines)).encode())
    return read_csv(path)


def _fault(path: Path, *lines: str) -> ImportFileError:
    with pytest.raises(ImportFileError) as caught:
        _read(path, *lines)
    assert caught.value.advice
    return caught.value


def test_numbers_come_out_as_they_are_written(path: Path) -> None:
    table = _read(path, "0.5,1,-3.25,1e-3", "0.75,2,.5,7.")
    assert table.t_s.tolist() == [0.5, 0.75]
    assert table.values.tolist() == [[-3.25, 1e-3], [0.5, 7.0]]


def test_empty_cells_and_nan_are_missing(path: Path) -> None:
    table = _read(path, "0,1,,2", "1,1,NaN,nan", "2,1,3,")
    assert np.array_equal(table.values, [[np.nan, 2], [np.nan, np.nan], [3, np.nan]], equal_nan=True)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system_are_read(path: Path, end: str) -> None:
    assert _read(path, "0,1,2,3", "1,2,3,4", end=end).values.tolist() == [[2, 3], [3, 4]]


def test_a_byte_order_mark_a_missing_last_line_end_and_blank_lines_do_not_matter(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\n0,1,2,3\n\n1,2,3,4".encode())
    assert read_csv(path).values.tolist() == [[2, 3], [3, 4]]


def test_spaces_plus_signs_and_quotes_around_numbers_do_not_matter(path: Path) -> None:
    table = _read(path, " 0 , 1 , +2.5 ,3", '1,"x, y","4","5"')
    assert table.values.tolist() == [[2.5, 3], [4, 5]]


def test_gzip_is_known_by_its_content_not_by_its_name(path: Path) -> None:
    path.write_bytes(gzip.compress(f"{HEADER}\n0,1,2,3\n".encode()))
    assert read_csv(path).values.tolist() == [[2, 3]]


def test_what_a_skipped_column_holds_does_not_matter(path: Path) -> None:
    assert _read(path, "0,one,2,3", "1,,4,5").values.tolist() == [[2, 3], [4, 5]]


@pytest.mark.parametrize("slow", [False, True])
def test_the_slow_way_reads_what_the_quick_way_reads(path: Path, slow: bool) -> None:
    # A plus sign is the one thing that only the slow way understands.
    table = _read(path, "0,1,2.125,3", f"0.1,1,{'+' if slow else ''}4,", "0.2,1,nan,-1e-300")
    expected = [[2.125, 3], [4, np.nan], [np.nan, -1e-300]]
    assert np.array_equal(table.values, expected, equal_nan=True)
    assert table.t_s.tolist() == [0, 0.1, 0.2]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["0,1,2,3", "1,1,abc,3"], "a.csv, line 3, column 3 (emg.a_uV): the cell is 'abc', not a number"),
        (["0,1,2,3", "", "1,1,2,x"], "a.csv, line 4, column 4 (emg.b_mV): the cell is 'x', not a number"),
        (["0,1,2,inf"], "a.csv, line 2, column 4 (emg.b_mV): the cell is 'inf', not a number"),
        (["0,1,2,1e999"], "a.csv, line 2, column 4 (emg.b_mV): the cell is '1e999', not a number"),
        (["0,1,2,1_0"], "a.csv, line 2, column 4 (emg.b_mV): the cell is '1_0', not a number"),
        ([",1,2,3"], "a.csv, line 2, column 1 (t_s): the cell is empty"),
        (["nan,1,2,3"], "a.csv, line 2, column 1 (t_s): the cell is 'nan', not a number"),
        (["0,1,2,3", "12:30,1,2,3"], "a.csv, line 3, column 1 (t_s): the cell is '12:30', not a number"),
        (["0,1,2,3", "1,1,2"], "a.csv, line 3: 3 cells, the header has 4 columns"),
        (["0,1,2,3", "1,1,2,3,"], "a.csv, line 3: 5 cells, the header has 4 columns"),
        (["0,1,2,3", "1,1,2,5,3,5"], "a.csv, line 3: 6 cells, the header has 4 columns"),
    ],
)
def test_the_first_cell_that_is_wrong_is_named(path: Path, lines: list[str], words: str) -> None:
    assert words in str(_fault(path, *lines))


def test_lines_are_counted_as_an_editor_counts_them(path: Path) -> None:
    lines = ["0,1,2,3", '1,"two\nlines",2,3', "2,1,2,?"]
    assert "line 5, column 4" in str(_fault(path, *lines))


def test_time_going_backwards_is_told_with_line_and_both_times(path: Path) -> None:
    words = str(_fault(path, "0,1,2,3", "", "0.5,1,2,3", "0.25,1,2,3"))
    assert words == "a.csv, line 5, column 1 (t_s): time goes backwards from 0.5 s to 0.25 s"


def test_a_time_that_comes_twice_is_told_with_its_line(path: Path) -> None:
    words = str(_fault(path, "0,1,2,3", "0.5,1,2,3", "0.5,1,2,3"))
    assert words == "a.csv, line 4, column 1 (t_s): the time 0.5 s comes twice"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"t_s,emg.a_uV\n", "no row below the header"),
        (b"t_s\n0\n", "no column can be used: it has no column but t_s"),
        (b"t_s,emg_V\n0,1\n", "no column can be used: column 2 ('emg_V') is skipped: it names no site"),
        (b"\xff\xfet\x00_\x00s\x00", "UTF-16"),
        (b"t_s,\xb5V\n0,1\n", "line 1: byte 5 is not UTF-8"),
        (b"\x1f\x8bnonsense", "damaged gzip"),
        (gzip.compress(b"t_s,emg.a_uV\n0,1\n", mtime=0)[:-6], "damaged gzip"),
        (b"\xff\xff\xff\xff\x00\x01\x00\x00", "not a text file"),
    ],
)
def test_a_file_that_is_no_csv_is_told_for_what_it_is(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ImportFileError) as caught:
        read_csv(path)
    assert words in str(caught.value)
    assert "a.csv" in str(caught.value)
    assert caught.value.advice


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="does not exist"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(ImportFileError, match="is a folder"):
        read_csv(tmp_path)


def test_a_decimal_comma_is_explained(path: Path) -> None:
    assert "decimal point" in _fault(path, "0,0,1,2,5,3,5").advice


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=80).map(lambda tail: f"{HEADER}\n0,1,2,3\n".encode() + tail),
        st.text(alphabet='0123456789.,-+eE \n\r"nainf;\t', max_size=80).map(
            lambda tail: f"{HEADER}\n{tail}".encode()
        ),
        st.binary(max_size=80),
    )
)
def test_no_content_gives_anything_but_numbers_or_an_explanation(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    try:
        table = read_csv(path)
    except ImportFileError as error:
        advice = error.advice
        assert advice
        return
    assert (np.diff(table.t_s) > 0).all()
    assert np.isfinite(table.t_s).all()
    assert not np.isinf(table.values).any()
