import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from emgmon.dsp.clock_limits import Allowance, LimitKind, OffsetLimit, limited_offset

ALLOWANCE = Allowance(
    stamp_ns=100_000.0, wander_ns_per_s2=10.0 / 3.0, steepest_ns_per_s=500_000.0, best_delay_ns=60_000_000.0
)
HOUR = {"memory_s": 3600.0, "most": 64}

kinds = st.sampled_from(LimitKind)


def limits_around(line_ns, drift_ppm):
    """Limits that one line keeps, each by its own delay."""

    def limit(kind, device_us, delay_ns):
        offset_ns = line_ns + round(drift_ppm * device_us / 1000)
        return OffsetLimit(kind, device_us, offset_ns + (delay_ns if kind is LimitKind.LATEST else -delay_ns))

    return st.builds(limit, kinds, st.integers(0, 600 * 10**6), st.integers(0, 10**8))


limit_lists = st.tuples(st.integers(-(10**15), 10**15), st.integers(-400, 400)).flatmap(
    lambda line: st.lists(limits_around(*line), min_size=1, max_size=30)
)


def extreme(limits, newest_us, base_ns, at_s, sign):
    """Least (1) or greatest (-1) offset on any line that breaks no limit, by linear programming; in ms."""
    rows, bounds = [], []
    for limit in limits:
        since_s = (limit.device_us - newest_us) / 1e6
        side = 1.0 if limit.kind is LimitKind.LATEST else -1.0
        rows.append([side, side * since_s])
        bounds.append((side * (limit.offset_ns - base_ns) + ALLOWANCE.slack_ns(since_s)) / 1e6)
    found = linprog([sign, sign * at_s], rows, bounds, bounds=[(None, None), (-0.5, 0.5)], method="highs")
    assert found.status == 0
    return sign * found.fun


@given(limit_lists, st.floats(-1000.0, 1000.0))
@settings(deadline=None, max_examples=60)
def test_the_range_is_that_of_linear_programming(limits, at_s):
    assume({LimitKind.LATEST} < {limit.kind for limit in limits})
    lines = limited_offset(limits, ALLOWANCE, **HOUR).lines
    low_ns, high_ns = lines.range_ns(at_s)
    where = limits, lines.device_us, lines.base_offset_ns, at_s
    assert low_ns / 1e6 == pytest.approx(extreme(*where, 1), abs=1e-3)
    assert high_ns / 1e6 == pytest.approx(extreme(*where, -1), abs=1e-3)


@given(limit_lists)
@settings(deadline=None)
def test_limits_found_needed_give_the_same_lines_again(limits):
    once = limited_offset(limits, ALLOWANCE, **HOUR)
    assert limited_offset(once.limits, ALLOWANCE, **HOUR) == once
    assert limited_offset(limits[::-1], ALLOWANCE, **HOUR) == once


@pytest.mark.parametrize("kind", LimitKind)
def test_of_limits_at_one_moment_the_narrowest_counts_in_any_order(kind):
    limits = [OffsetLimit(LimitKind.LATEST, -(10**6), 10**9)]
    limits += [OffsetLimit(kind, 0, offset_ns) for offset_ns in (300, 100, 200)]
    narrowest = OffsetLimit(kind, 0, 100 if kind is LimitKind.LATEST else 300)
    once = limited_offset(limits, ALLOWANCE, **HOUR)
    assert [limit for limit in once.limits if limit.device_us == 0] == [narrowest]
    assert limited_offset(once.limits, ALLOWANCE, **HOUR) == once
    assert limited_offset(limits[::-1], ALLOWANCE, **HOUR) == once


@given(limit_lists, st.integers(0, 10**9))
@settings(deadline=None)
def test_what_is_left_out_is_not_missed_later(limits, later_us):
    newer = OffsetLimit(LimitKind.LATEST, max(limit.device_us for limit in limits) + later_us + 1, 10**18)
    needed = limited_offset(limits, ALLOWANCE, **HOUR).limits
    with_all = limited_offset([*limits, newer], ALLOWANCE, **HOUR).lines
    with_needed = limited_offset([*needed, newer], ALLOWANCE, **HOUR).lines
    for at_s in (-600.0, 0.0, 600.0):
        np.testing.assert_allclose(with_needed.range_ns(at_s), with_all.range_ns(at_s), rtol=1e-9, atol=1.0)


@given(limit_lists)
@settings(deadline=None)
def test_the_middle_line_is_one_that_breaks_no_limit(limits):
    lines = limited_offset(limits, ALLOWANCE, **HOUR).lines
    assert abs(lines.drift_ns_per_s) <= 500_000.0
    for limit in limits:
        since_s = lines.seconds(limit.device_us)
        above_ns = limit.offset_ns - lines.base_offset_ns - lines.middle_ns(since_s)
        slack_ns = ALLOWANCE.slack_ns(since_s) + 1.0
        assert above_ns >= -slack_ns if limit.kind is LimitKind.LATEST else above_ns <= slack_ns


def test_the_middle_of_a_triangle_is_its_centre_of_gravity():
    still = Allowance(stamp_ns=0.0, wander_ns_per_s2=0.0, steepest_ns_per_s=1e9, best_delay_ns=0.0)
    limits = [
        OffsetLimit(LimitKind.EARLIEST, 0, 0),
        OffsetLimit(LimitKind.LATEST, -(10**6), 300),
        OffsetLimit(LimitKind.LATEST, 10**6, 900),
    ]
    # Offset o at the newest moment, drift d: o - d >= 0, o <= 900, o - 2 d <= 300.
    lines = limited_offset(limits, still, **HOUR).lines
    corners = {
        (round(o, 6), round(d, 6))
        for o, d in zip(lines.corner_offset_ns, lines.corner_drift_ns_per_s, strict=True)
    }
    assert {(o + lines.base_offset_ns, d) for o, d in corners} >= {(-300, -300), (900, 900), (900, 300)}
    assert lines.offset_ns + lines.base_offset_ns == pytest.approx((-300 + 900 + 900) / 3)
    assert lines.drift_ns_per_s == pytest.approx((-300 + 900 + 300) / 3)


def test_limits_that_contradict_each_other_give_the_line_between_them():
    limits = [OffsetLimit(LimitKind.EARLIEST, 0, 10_000_000), OffsetLimit(LimitKind.LATEST, 0, 0)]
    lines = limited_offset(limits, ALLOWANCE, **HOUR).lines
    assert lines.base_offset_ns + lines.middle_ns(0.0) == pytest.approx(5_000_000)


def test_old_limits_are_let_go_of_and_so_are_too_many():
    limits = [OffsetLimit(LimitKind.LATEST, n * 10**6, 0) for n in range(100)]
    kept = limited_offset(limits, ALLOWANCE, memory_s=50.0, most=10).limits
    assert [limit.device_us // 10**6 for limit in kept] == list(range(90, 100))
    kept = limited_offset(limits, ALLOWANCE, memory_s=50.0, most=64).limits
    assert [limit.device_us // 10**6 for limit in kept] == list(range(49, 100))
