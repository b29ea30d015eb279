"""Tipping where the pelvis should not: forward again at the top, back beyond standing at the end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from emgmon.attitude import tipping_of
from emgmon.dsp.alignment import AlignmentMethod
from emgmon.events import Quality
from emgmon.exercises import EXERCISE_NAMES, load_exercise
from emgmon.metrics.pelvis import (
    HOLES,
    NO_DIRECTION,
    NO_GYROSCOPE,
    NO_PHASES,
    NO_SENSOR,
    PELVIS_METRICS,
    SegmentMotion,
    pelvis_metrics,
)
from tests.builders import smooth_step
from tests.metrics.test_pelvis import alignment, motion

IDENTITY = Rotation.identity()
T_S = np.arange(401) / 100
BACK = 250
"""The way back begins here; the way out took the first 100 hops."""


def bridge(lift_deg: float, reversal_deg: float) -> np.ndarray:
    """Tip back in the first second, forward again in the second, hold, and return from 2.5 s on."""
    held = -lift_deg * smooth_step(T_S) + reversal_deg * smooth_step(T_S - 1.0)
    return held * (1.0 - smooth_step((T_S - 2.5) / 1.5))


def hinge(lean_deg: float, lockout_deg: float) -> np.ndarray:
    """Lean forward, come up from 2.5 s on, lean back at the end of it for a third of a second, and settle."""
    lean = lean_deg * (smooth_step(T_S) - smooth_step((T_S - 2.5) / 0.8))
    return lean - lockout_deg * (smooth_step((T_S - 2.9) / 0.4) - smooth_step((T_S - 3.6) / 0.4))


def tipped(pelvis: SegmentMotion | None, tipping: str, **others):
    metrics = pelvis_metrics(pelvis, turn=150, tipping=tipping, **{"back": BACK, **others})
    assert tuple(metric.name for metric in metrics[:-1]) == PELVIS_METRICS
    assert metrics[-1].name == f"pelvis_{tipping}_deg"
    return metrics[-1]


@given(lift_deg=st.floats(10.0, 60.0), reversal_deg=st.floats(0.0, 10.0))
@settings(max_examples=40, deadline=None)
def test_a_reversal_is_measured_from_the_most_backward_pitch_to_the_end_of_the_hold(lift_deg, reversal_deg):
    pitch_deg = bridge(lift_deg, reversal_deg)
    found = tipped(motion(pitch_deg, start_deg=-90.0, heading_deg=40.0), "reversal")
    assert found.value == pytest.approx(pitch_deg[BACK] - pitch_deg[: BACK + 1].min(), abs=0.1)
    assert found.value == pytest.approx(reversal_deg, abs=0.1)
    assert found.low <= found.value <= found.high


@given(lean_deg=st.floats(10.0, 70.0), lockout_deg=st.floats(0.0, 12.0))
@settings(max_examples=40, deadline=None)
def test_a_lockout_is_what_lies_behind_the_pitch_of_the_start(lean_deg, lockout_deg):
    pitch_deg = hinge(lean_deg, lockout_deg)
    found = tipped(motion(pitch_deg, start_deg=5.0), "lockout")
    assert found.value == pytest.approx(max(0.0, -pitch_deg[BACK:].min()), abs=0.25)
    assert 0.0 <= found.low <= found.value <= found.high


def test_neither_is_ever_below_zero():
    assert tipped(motion(np.linspace(0.0, 20.0, 401)), "lockout").value == 0.0
    assert tipped(motion(np.linspace(0.0, -20.0, 401), start_deg=-90.0), "reversal").value == 0.0


def test_how_the_sensor_was_aligned_changes_the_lockout_by_nothing():
    pitch_deg = hinge(50.0, 6.0)
    values = [
        tipped(motion(pitch_deg, start_deg=start_deg, known=alignment_of(method)), "lockout").value
        for start_deg in (0.0, 8.0)
        for method in AlignmentMethod
    ]
    assert values == pytest.approx([values[0]] * 4, abs=1e-6)


def alignment_of(method: AlignmentMethod):
    return alignment(IDENTITY, method=method)


def test_what_is_missing_says_why():
    moved = motion(bridge(25.0, 5.0), start_deg=-90.0)
    holed = moved.quaternion.copy()
    holed[7] = np.nan
    unsided = motion(bridge(25.0, 5.0), known=alignment(IDENTITY, sides_known=False))
    reasons = {
        NO_SENSOR: tipped(None, "reversal"),
        HOLES: tipped(SegmentMotion(moved.up, holed, moved.alignment), "reversal"),
        NO_GYROSCOPE: tipped(SegmentMotion(moved.up, None, moved.alignment), "reversal"),
        NO_DIRECTION: tipped(unsided, "reversal"),
        NO_PHASES: tipped(moved, "reversal", back=None),
    }
    for reason, metric in reasons.items():
        assert (metric.value, metric.reason, metric.quality) == (None, reason, Quality.REJECT)


def test_where_it_means_nothing_it_is_not_listed():
    metrics = pelvis_metrics(motion(bridge(25.0, 5.0)), turn=150, back=BACK)
    assert tuple(metric.name for metric in metrics) == PELVIS_METRICS


@pytest.mark.parametrize("name", EXERCISE_NAMES)
def test_bridges_can_reverse_and_who_stands_up_on_both_legs_can_lock_out(name):
    meant = {
        "bridge": "reversal",
        "hip-thrust": "reversal",
        "romanian-deadlift": "lockout",
        "squat": "lockout",
    }
    assert tipping_of(load_exercise(name)) == meant.get(name)
