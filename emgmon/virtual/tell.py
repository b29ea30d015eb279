"""The truth of a performance, put together from its plan and its noise-free curves."""

from emgmon.virtual.activation import MuscleActivation
from emgmon.virtual.body import move_body
from emgmon.virtual.body_truth import RepMotion, rep_motions
from emgmon.virtual.calibration_plan import CalibrationPlan
from emgmon.virtual.emg_truth import RepMuscles, rep_muscles
from emgmon.virtual.exercise_model import ExerciseModel
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.plan import Plan, RepPlan
from emgmon.virtual.truth import (
    CalibrationTruth,
    ElectrodeOffTruth,
    ParamsTruth,
    PhaseTruth,
    ReferenceTruth,
    RepTruth,
    SetUpTruth,
    Truth,
)

_SAME_NAMES = tuple(
    name for name in ParamsTruth.__struct_fields__ if name not in ("glute_share_pct", "lumbar_share")
)


def tell_truth(
    plan: Plan,
    glute: MuscleActivation,
    back: MuscleActivation,
    params: AthleteParams,
    *,
    heartbeats_s: tuple[float, ...] = (),
) -> Truth:
    """Compute the truth of a performance from its noise-free curves."""
    motions = rep_motions(move_body(params, plan), plan.reps)
    return Truth(
        reps=tuple(
            _rep_truth(rep, motion, params.model, rep_muscles(number, rep, glute, back))
            for number, (rep, motion) in enumerate(zip(plan.reps, motions, strict=True))
        ),
        exercise=params.exercise,
        duration_s=plan.duration_s,
        params=ParamsTruth(
            glute_share_pct=params.asked_share_pct,
            lumbar_share=params.asked_lumbar_share,
            **{name: getattr(params, name) for name in _SAME_NAMES},
        ),
        set_up=tuple(SetUpTruth(move.kind, move.start_s, move.end_s) for move in plan.set_up),
        heartbeats_s=heartbeats_s,
        electrode_off=_electrode_off(plan, params),
        calibration=None if plan.calibration is None else _calibration_truth(plan.calibration),
    )


def _rep_truth(rep: RepPlan, motion: RepMotion, model: ExerciseModel, muscles: RepMuscles) -> RepTruth:
    edges_s = zip(model.phase_names, rep.edges_s[:-1], rep.edges_s[1:], strict=True)
    return RepTruth(
        set=rep.set_number,
        number=rep.number,
        side=rep.side,
        start_s=rep.start_s,
        turn_s=rep.turn_s,
        end_s=rep.end_s,
        work_start_s=rep.work_s[0],
        work_end_s=rep.work_s[1],
        phases=tuple(PhaseTruth(name, start_s, end_s) for name, start_s, end_s in edges_s),
        partial=rep.partial,
        **muscles._asdict(),
        **motion._asdict(),
    )


def _electrode_off(plan: Plan, params: AthleteParams) -> ElectrodeOffTruth | None:
    if params.electrode_off is None or not params.emg:
        return None
    site, side = params.electrode_off.split(".")
    return ElectrodeOffTruth(site, side, params.off_at_s(plan.duration_s), params.electrode_off_kind)


def _calibration_truth(calibration: CalibrationPlan) -> CalibrationTruth:
    references = tuple(ReferenceTruth(one.site, one.trials_s) for one in calibration.references)
    return CalibrationTruth(calibration.rest_s, references, calibration.stance_s, calibration.bows_s)
