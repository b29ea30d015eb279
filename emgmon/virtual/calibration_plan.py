"""When the person of a recording stands, bows, rests and contracts as hard as can be, before the sets."""

from dataclasses import dataclass

from emgmon.virtual.params import ELECTRODES, AthleteParams
from emgmon.virtual.set_up import SETTLE_S, SetUpMove, plan_set_up

QUIET_S = 1.0
"""Stillness before anything begins."""

STANCE_S = 6.0
"""Length of the quiet stance."""

N_BOWS = 3
BOW_PARTS_S = (1.125, 0.25, 1.125)
"""Down, stay, up."""

BOW_PAUSE_S = 0.5
"""Stillness before each bow and after the last."""

REST_S = 8.0
"""Length of the stretch in which the person is relaxed."""

N_TRIALS = 3
"""Reference contractions of every muscle."""

TRIAL_S = 5.0
"""Length of one, ramps included."""

TRIAL_RAMP_S = 1.0
"""Time to reach and to leave 100 %."""

TRIAL_PAUSE_S = 3.0
"""Rest before each and after the last; a person needs longer, a model does not."""

Stretch = tuple[float, float]
"""From and to, seconds of the performance."""


@dataclass(frozen=True, slots=True)
class ReferencePlan:
    """The contractions of one muscle, both sides at once."""

    site: str
    trials_s: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """What comes before the first set, in order of time."""

    stance_s: Stretch | None
    """``None``, and no bows, without a motion sensor."""
    bows_s: tuple[Stretch, ...]
    set_up: tuple[SetUpMove, ...]
    """How the person gets from standing into the start position."""
    rest_s: Stretch | None
    """``None``, and no references, without electrodes."""
    references: tuple[ReferencePlan, ...]
    end_s: float

    @property
    def bow_edges_s(self) -> tuple[tuple[float, float, float, float], ...]:
        """Start, down, about to come up, end of every bow."""
        down_s, stay_s, _ = BOW_PARTS_S
        return tuple(
            (start_s, round(start_s + down_s, 4), round(start_s + down_s + stay_s, 4), end_s)
            for start_s, end_s in self.bows_s
        )


def plan_calibration(params: AthleteParams) -> CalibrationPlan:
    """Lay out the calibration of what is worn, from the first second on."""
    stance_s, bows_s, set_up, now_s = _upright(params)
    if not params.emg:
        return CalibrationPlan(stance_s, bows_s, set_up, None, (), now_s)
    rest_s = (now_s, round(now_s + REST_S, 3))
    references = []
    now_s = rest_s[1]
    for site in dict.fromkeys(electrode.split(".")[0] for electrode in ELECTRODES):
        trials_s = _repeated(now_s, TRIAL_S, n=N_TRIALS, pause_s=TRIAL_PAUSE_S)
        references.append(ReferencePlan(site, trials_s))
        now_s = trials_s[-1][1]
    end_s = round(now_s + TRIAL_PAUSE_S, 3)
    return CalibrationPlan(stance_s, bows_s, set_up, rest_s, tuple(references), end_s)


def _upright(
    params: AthleteParams,
) -> tuple[Stretch | None, tuple[Stretch, ...], tuple[SetUpMove, ...], float]:
    """Stand and bow, and get into the start position; when that has been settled."""
    if not params.imu_sites:
        return None, (), (), QUIET_S
    stance_s = (QUIET_S, QUIET_S + STANCE_S)
    bows_s = _repeated(stance_s[1], sum(BOW_PARTS_S), n=N_BOWS, pause_s=BOW_PAUSE_S)
    set_up, end_s = plan_set_up(
        params, "calibration", number=0, start_s=round(bows_s[-1][1] + BOW_PAUSE_S, 3)
    )
    return stance_s, bows_s, set_up, round(end_s + SETTLE_S, 3)


def _repeated(start_s: float, length_s: float, *, n: int, pause_s: float) -> tuple[Stretch, ...]:
    """Repeat a stretch, each time after a pause."""
    starts_s = (round(start_s + pause_s + number * (length_s + pause_s), 3) for number in range(n))
    return tuple((one_s, round(one_s + length_s, 3)) for one_s in starts_s)
