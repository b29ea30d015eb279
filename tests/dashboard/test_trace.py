"""The moving curve, against characters that follow from values chosen by hand.

With ten columns a cell is 100 hops (one second) wide.
"""

import numpy as np
import pytest

from emgmon.dashboard.plots import Tops, choose_plots
from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.lines import Line
from emgmon.dashboard.widgets.trace import Trace
from emgmon.events import EnvelopeComputed, MovementComputed, MovementSignal, Quality
from tests.dashboard.synthetic import (
    BOTH_SIDES,
    GLUTE_AND_BACK,
    IMU_ONLY,
    emg_rep,
    normalised,
    quality_changed,
)

AXIS = 5
N_COLUMNS = 10


def glute_view(activation: np.ndarray, *, first_hop: int = 0) -> SessionView:
    """The glute as given, the back at 100 % so that the scale reaches from 0 to 100."""
    view = SessionView(sensors=(GLUTE_AND_BACK,))
    both = np.column_stack([activation, np.full(len(activation), 100.0)])
    view.apply(EnvelopeComputed(0, 1, first_hop, both, both))
    return view


def drawn(view: SessionView, *, plot: int = 0, n_rows: int = 2) -> list[str]:
    """The rows below the heading, without the axis."""
    return [row[AXIS:] for row in with_axis(view, plot=plot, n_rows=n_rows)[1:]]


def with_axis(view: SessionView, *, plot: int = 0, n_rows: int = 2) -> list[str]:
    return ["".join(text for text, _ in line) for line in toned(view, plot=plot, n_rows=n_rows)]


def toned(view: SessionView, *, plot: int = 0, n_rows: int = 2, n_columns: int = N_COLUMNS) -> list[Line]:
    trace = Trace()
    trace._plot = choose_plots(view, Tops())[plot]
    return list(trace.draw(view, AXIS + n_columns, n_rows + 1))


def test_a_full_activation_fills_the_plot() -> None:
    assert drawn(glute_view(np.full(1000, 100.0))) == ["⣿" * 10, "⣿" * 10]


def test_no_activation_is_a_line_on_the_bottom() -> None:
    assert drawn(glute_view(np.zeros(1000))) == [" " * 10, "⣀" * 10]


def test_a_step_stands_at_its_second() -> None:
    activation = np.repeat([0.0, 100.0, 0.0], [300, 200, 500])
    # The first dot after the step reaches down and up to meet the dot before it.
    assert drawn(glute_view(activation)) == ["   ⣿⣿⡇    ", "⣀⣀⣀⣿⣿⣇⣀⣀⣀⣀"]


def test_what_was_not_measured_is_hatched_and_never_drawn_as_nought() -> None:
    activation = np.zeros(1000)
    activation[400:600] = np.nan
    assert drawn(glute_view(activation)) == ["    ╱╱    ", "⣀⣀⣀⣀╱╱⣀⣀⣀⣀"]


def test_the_time_before_the_session_is_empty_and_not_hatched() -> None:
    assert drawn(glute_view(np.zeros(400)))[1] == "      ⣀⣀⣀⣀"


def test_the_end_of_a_repetition_is_marked_in_its_second() -> None:
    view = glute_view(np.zeros(1000))
    view.apply(emg_rep(1, share=60, start_s=1.2))  # ends at 4.2 s
    assert drawn(view)[0] == "    ┊     "


def test_above_the_reference_the_scale_grows_and_100_percent_is_marked() -> None:
    view = glute_view(np.repeat([0.0, 190.0], [900, 100]))
    rows = with_axis(view, n_rows=4)
    assert rows[1][:AXIS] == " 200┤"
    assert rows[4][:AXIS] == "   0┤"
    assert [row[AXIS] for row in rows[1:]] == [" ", " ", "┈", "⣀"]


def test_the_right_side_is_a_dotted_line_beside_the_left_one() -> None:
    view = SessionView(sensors=(BOTH_SIDES,))
    sides = np.tile([0.0, 100.0, 0.0, 0.0], (1000, 1))
    view.apply(EnvelopeComputed(0, 1, 0, sides, sides))
    assert drawn(view) == ["⠈" * 10, "⣀" * 10]


def test_a_drawn_second_keeps_its_shape_while_it_moves() -> None:
    activation = np.random.default_rng(3).uniform(0, 100, 1100)
    before, after = drawn(glute_view(activation[:1000])), drawn(glute_view(activation))
    # The first column is not compared: what it is connected to has left the plot.
    assert [row[1:9] for row in after] == [row[2:] for row in before]


@pytest.mark.parametrize("n_hops", [1, 3, 7, 100])
def test_how_the_hops_were_delivered_makes_no_difference(n_hops: int) -> None:
    activation = np.random.default_rng(4).uniform(0, 100, 700)
    view = SessionView(sensors=(GLUTE_AND_BACK,))
    both = np.column_stack([activation, np.full(700, 100.0)])
    for first in range(0, 700, n_hops):
        piece = both[first : first + n_hops]
        view.apply(EnvelopeComputed(0, 1, first, piece, piece))
    assert drawn(view) == drawn(glute_view(activation))


def test_pelvis_height_is_a_line_between_round_centimetres() -> None:
    view = SessionView(sensors=(IMU_ONLY,))
    view.apply(MovementComputed(0, MovementSignal.PELVIS_HEIGHT, np.repeat([-0.4, 0.0], 500)))
    rows = with_axis(view)
    assert [row[:AXIS] for row in rows[1:]] == ["   0┤", " -40┤"]
    assert [row[AXIS:] for row in rows[1:]] == ["     ⡏⠉⠉⠉⠉", "⣀⣀⣀⣀⣀⡇    "]


def test_without_calibration_the_curve_is_in_microvolt() -> None:
    view = SessionView(sensors=(GLUTE_AND_BACK,))
    view.apply(EnvelopeComputed(0, 1, 0, np.full((1000, 2), 180.0), np.full((1000, 2), np.nan)))
    plot = choose_plots(view, Tops())[0]
    assert plot.unit == "µV"
    assert plot.scale is not None
    assert plot.scale.high == 200.0


def test_when_all_is_missing_it_is_said() -> None:
    view = SessionView(sensors=(GLUTE_AND_BACK,))
    nothing = np.full((500, 2), np.nan)
    view.apply(EnvelopeComputed(0, 1, 0, nothing, nothing))
    assert "not measured" in with_axis(view)[1]


def test_muscles_that_are_neither_glute_nor_back_get_a_plot_of_their_own() -> None:
    from tests.dashboard.synthetic import emg_channel, sensor

    view = SessionView(sensors=(sensor(emg_channel("rectus_femoris", "right"), imu=False),))
    assert [plot.title for plot in choose_plots(view, Tops())] == ["RECTUS FEMORIS"]


def test_while_a_channel_is_rejected_crosses_stand_above_its_curve_which_is_grey() -> None:
    view = glute_view(np.full(1000, 20.0))
    view.apply(quality_changed(GLUTE_AND_BACK, 0, Quality.REJECT, at_s=4.0))
    view.apply(quality_changed(GLUTE_AND_BACK, 0, Quality.GOOD, at_s=6.0))
    assert drawn(view)[0] == "    ✕✕    "
    before, within, after = toned(view)[2][1:]
    assert [len(text) for text, _ in (before, within, after)] == [4, 2, 4]
    assert [tone for _, tone in (before, within, after)] == ["glute", "dim", "glute"]
    # The back is another channel.
    assert "✕" not in "".join(drawn(view, plot=1))


def test_a_rejected_channel_stays_marked_up_to_now_and_in_the_heading() -> None:
    view = glute_view(np.full(1000, 20.0))
    view.apply(quality_changed(GLUTE_AND_BACK, 0, Quality.REJECT, at_s=8.0))
    assert drawn(view)[0] == "        ✕✕"
    heading = "".join(text for text, _ in toned(view, n_columns=60)[0])
    assert heading.startswith("GLUTE right  % of your reference ✕ rejected ─")


def test_of_two_sides_the_heading_names_the_one_that_is_rejected_and_the_curves_keep_their_tone() -> None:
    view = SessionView(sensors=(BOTH_SIDES,))
    sides = np.tile([40.0, 10.0, 0.0, 0.0], (1000, 1))
    view.apply(EnvelopeComputed(0, 1, 0, sides, sides))
    view.apply(quality_changed(BOTH_SIDES, 1, Quality.REJECT, at_s=0.0))
    lines = toned(view, n_columns=60)
    assert " ✕ right ─" in "".join(text for text, _ in lines[0])
    assert "dim" not in {tone for _, tone in lines[2][1:]}


def test_a_loose_electrode_does_not_shrink_the_curves_of_the_others() -> None:
    view = SessionView(sensors=(BOTH_SIDES,))
    sides = np.tile([700.0, 40.0, 20.0, 20.0], (1000, 1))
    view.apply(EnvelopeComputed(0, 1, 0, sides, sides))
    assert with_axis(view)[1][:AXIS] == " 800┤"
    view.apply(quality_changed(BOTH_SIDES, 0, Quality.REJECT, at_s=0.0))
    assert with_axis(view)[1][:AXIS] == "  50┤"


def test_a_curve_above_every_scale_is_marked_where_it_leaves_the_plot() -> None:
    activation = np.repeat([50.0, 4000.0, 50.0], [300, 200, 500])
    assert drawn(glute_view(activation))[0][3:5] == "↑↑"
    assert "↑" not in drawn(glute_view(np.full(1000, 990.0)))[0]


@pytest.mark.parametrize(("plot", "unit"), [(0, "% of mvic"), (1, "% of mvic")])
def test_the_unit_says_what_100_percent_stands_for_once_it_is_known(plot: int, unit: str) -> None:
    view = glute_view(np.full(100, 50.0))
    assert choose_plots(view, Tops())[plot].unit == "% of your reference"
    view.apply(normalised(emg_rep(1, share=60), "mvic"))
    assert choose_plots(view, Tops())[plot].unit == unit
