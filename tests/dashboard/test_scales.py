import numpy as np
import pytest

from emgmon.dashboard.plots import Plot, Tops, choose_plots
from emgmon.dashboard.view import SessionView
from emgmon.events import EnvelopeComputed, MovementComputed, MovementSignal
from tests.dashboard.synthetic import GLUTE_AND_BACK, IMU_ONLY


def view_of(glute_pct: float, back_pct: float) -> SessionView:
    """A session whose muscles were this active for 10 s."""
    view = SessionView(sensors=(GLUTE_AND_BACK,))
    percent = np.tile([glute_pct, back_pct], (1000, 1))
    view.apply(EnvelopeComputed(0, 1, 0, 2 * percent, percent))
    return view


def tops_of(view: SessionView, tops: Tops) -> list[float | None]:
    return [plot.scale and plot.scale.high for plot in choose_plots(view, tops)][:2]


def test_glute_and_back_have_one_scale_so_that_they_can_be_compared() -> None:
    assert tops_of(view_of(20.0, 130.0), Tops()) == [150.0, 150.0]


def test_small_values_get_a_small_scale() -> None:
    assert tops_of(view_of(20.0, 3.0), Tops())[0] == 25.0
    assert tops_of(view_of(44.0, 3.0), Tops())[0] == 50.0


def test_a_scale_rises_at_once_and_sinks_only_well_below_a_step() -> None:
    tops = Tops()
    seen = [tops_of(view_of(peak, 0.0), tops)[0] for peak in (40.0, 51.0, 46.0, 44.0)]
    assert seen == [50.0, 75.0, 75.0, 50.0]


def test_a_peak_that_wavers_about_a_step_does_not_move_the_scale() -> None:
    tops = Tops()
    seen = [tops_of(view_of(peak, 0.0), tops)[0] for peak in (52.0, 48.0, 51.0, 46.0, 50.0, 49.0)]
    assert seen == [75.0] * 6


def test_a_scale_stays_while_nothing_is_measured() -> None:
    view, tops = view_of(130.0, 20.0), Tops()
    assert tops_of(view, tops)[0] == 150.0
    nothing = np.full((3000, 2), np.nan)
    view.apply(EnvelopeComputed(0, 1, 1000, nothing, nothing))
    assert tops_of(view, tops)[0] == 150.0


def test_a_peak_beyond_every_step_is_shown_on_the_largest() -> None:
    assert tops_of(view_of(1e9, 0.0), Tops())[0] == 1000.0


def movement_plot(signal: MovementSignal, *values: float) -> Plot:
    view = SessionView(sensors=(IMU_ONLY,))
    view.apply(MovementComputed(0, signal, np.array(values)))
    (plot,) = choose_plots(view, Tops())
    return plot


@pytest.mark.parametrize(
    ("signal", "title", "unit"),
    [
        (MovementSignal.PELVIS_HEIGHT, "PELVIS HEIGHT", "cm"),
        (MovementSignal.PELVIS_PITCH, "PELVIS PITCH", "°"),
        (MovementSignal.PELVIS_ROTATION, "PELVIS ROTATION", "°"),
        (MovementSignal.PELVIS_TILT, "PELVIS TILT", "°"),
        (MovementSignal.THIGH_PITCH, "THIGH PITCH", "°"),
        (MovementSignal.EMG_ENVELOPE, "MUSCLE ACTIVITY", "µV"),
    ],
)
def test_every_signal_is_named_with_its_unit(signal: MovementSignal, title: str, unit: str) -> None:
    plot = movement_plot(signal, 0.0, 0.4)
    assert (plot.title, plot.unit) == (title, unit)
    assert plot.scale is not None


@pytest.mark.parametrize(
    ("lowest", "highest", "low", "high"),
    [
        # A pelvis that hardly tilts is seen to tilt; one that rotates from side to side fits, too.
        (0.0, 6.3, 0.0, 8.0),
        (-3.0, 33.0, -10.0, 40.0),
        (0.0, 41.0, 0.0, 60.0),
        (-58.0, 61.0, -60.0, 90.0),
        (-179.0, 179.0, -180.0, 180.0),
        (0.1, 0.2, 0.0, 4.0),
    ],
)
def test_a_scale_of_degrees_fits_the_curve_in_round_steps(
    lowest: float, highest: float, low: float, high: float
) -> None:
    scale = movement_plot(MovementSignal.PELVIS_TILT, lowest, highest).scale
    assert scale is not None
    assert (scale.low, scale.high) == (low, high)


def test_muscle_activity_stands_on_nought() -> None:
    plot = movement_plot(MovementSignal.EMG_ENVELOPE, 30.0, 180.0)
    assert plot.filled
    assert plot.scale is not None
    assert (plot.scale.low, plot.scale.high) == (0, 200.0)


def test_a_signal_that_was_never_measured_has_no_scale() -> None:
    assert movement_plot(MovementSignal.THIGH_PITCH, np.nan, np.nan).scale is None


def test_before_the_first_hop_nobody_knows_what_will_be_followed() -> None:
    (plot,) = choose_plots(SessionView(sensors=(IMU_ONLY,)), Tops())
    assert (plot.title, plot.unit, plot.scale) == ("MOVEMENT", "", None)
