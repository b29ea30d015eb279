import numpy as np

from emgmon.dashboard.plots import Tops, choose_plots
from emgmon.dashboard.view import SessionView
from emgmon.events import EnvelopeComputed
from tests.dashboard.synthetic import GLUTE_AND_BACK


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
