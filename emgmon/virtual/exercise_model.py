"""How the virtual person performs an exercise: tempo, range and effort, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExerciseModel:
    """Mean tempo, movement and muscle activity of one exercise.

    Every repetition leaves the start position (*out*), dwells at the far position and comes
    *back*. In bridge and thrust the way out is the lift; in the squat it is the return (descent)
    and the way back is the lift.
    """

    name: str
    out_s: float
    dwell_s: float
    back_s: float
    pause_s: float
    """Stillness in the start position between two repetitions."""
    lift_first: bool
    height_m: float
    """Vertical way of the pelvis from the start to the far position; negative is down."""
    forward_m: float
    """Horizontal way of the pelvis, positive towards the front."""
    start_pitch_deg: float
    """Pelvis pitch in the start position: 0 upright, -90 lying on the back, positive leaning forward."""
    pitch_deg: float
    """Change of pitch from the start to the far position."""
    work_pct: float
    """Glute plus back engagement (mean activation over the working phases), percent of reference."""
    good_share_pct: float
    """Glute share of the person's own good set."""

    @property
    def phase_names(self) -> tuple[str, str, str]:
        """Names of the way out, the dwell and the way back."""
        return ("lift", "hold", "return") if self.lift_first else ("return", "hold", "lift")


_MODELS = (
    ExerciseModel(
        name="bridge",
        out_s=1.1,
        dwell_s=1.2,
        back_s=1.2,
        pause_s=0.9,
        lift_first=True,
        height_m=0.16,
        forward_m=0.02,
        start_pitch_deg=-90.0,
        pitch_deg=-25.0,
        work_pct=62.0,
        good_share_pct=68.0,
    ),
    ExerciseModel(
        name="hip-thrust",
        out_s=1.0,
        dwell_s=1.0,
        back_s=1.1,
        pause_s=0.8,
        lift_first=True,
        height_m=0.30,
        forward_m=0.04,
        start_pitch_deg=-50.0,
        pitch_deg=-40.0,
        work_pct=85.0,
        good_share_pct=70.0,
    ),
    ExerciseModel(
        name="squat",
        out_s=1.3,
        dwell_s=0.2,
        back_s=1.2,
        pause_s=0.9,
        lift_first=False,
        height_m=-0.45,
        forward_m=-0.10,
        start_pitch_deg=5.0,
        pitch_deg=25.0,
        work_pct=60.0,
        good_share_pct=62.0,
    ),
)

EXERCISE_MODELS: dict[str, ExerciseModel] = {model.name: model for model in _MODELS}
"""What the virtual athlete can perform, by exercise name."""
