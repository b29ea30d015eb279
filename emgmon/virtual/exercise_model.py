"""How the virtual person performs an exercise: tempo, range and effort, as data.

Angles are those of the body's own axes: x anterior, y left, z towards the head. Pitch turns about y,
positive leaning forward (anterior); obliquity about x, positive with the left side up; rotation about
z, positive with the left side back. A thigh's pitch is positive when its knee goes back (extension).
Tempo, ranges and levels are plausible, not measured.
"""

from dataclasses import dataclass
from typing import Literal

Sides = Literal["both", "left", "right", "alternating"]

SIDES: tuple[Sides, ...] = ("both", "left", "right", "alternating")
"""Which side works: both at once, one, or one after the other."""

Posture = Literal["standing", "sitting", "reclined", "supine", "prone", "all-fours"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseModel:
    """Mean tempo, movement and muscle activity of one exercise.

    Every repetition leaves the start position (*out*), dwells at the far position and comes
    *back*. In bridge and thrust the way out is the lift; in squat, lunge and Romanian deadlift it is
    the return (descent) and the way back is the lift.
    """

    name: str
    posture: Posture
    """How the person is placed in the start position."""
    sides: Sides
    """Which side works unless another one is asked for."""
    out_s: float
    dwell_s: float
    back_s: float
    pause_s: float
    """Stillness in the start position between two repetitions."""
    lift_first: bool
    height_m: float
    """Vertical way of the pelvis from the start to the far position; negative is down."""
    forward_m: float
    """Horizontal way of the pelvis, positive towards the front of a standing person."""
    start_pitch_deg: float
    """Pelvis pitch in the start position: 0 upright, -90 lying on the back, 90 on the front."""
    pitch_deg: float
    """Change of pelvis pitch from the start to the far position."""
    obliquity_deg: float = 0.0
    """Change of pelvis obliquity where the left side works; the right side's is its negative."""
    rotation_deg: float = 0.0
    """The same for the pelvis's rotation about the body's length."""
    thigh_start_pitch_deg: float
    """Pitch of the thighs in the start position."""
    thigh_pitch_deg: float
    """Change of pitch of the working side's thigh (of both, where both work)."""
    other_thigh_pitch_deg: float = 0.0
    """Change of pitch of the other side's thigh."""
    lumbar_share: float
    """Part of the trunk-on-thigh extension that the lumbar spine does, from 0 to 1."""
    lumbar_turn_share: float = 0.3
    """How much of the pelvis's obliquity and rotation reaches T12/L1."""
    work_pct: float
    """Glute plus back engagement (mean activation over the working phases), percent of reference."""
    good_share_pct: float
    """Glute share of the person's own good set."""

    @property
    def phase_names(self) -> tuple[str, str, str]:
        """Names of the way out, the dwell and the way back."""
        return ("lift", "hold", "return") if self.lift_first else ("return", "hold", "lift")

    @property
    def tips_backward(self) -> bool:
        """Whether the pelvis mainly pitches backward on the way out, as in bridge and thrust."""
        return self.pitch_deg < 0.0

    @property
    def locks_out(self) -> bool:
        """Whether the way back ends with hips and knees straight, on both legs."""
        return self.posture == "standing" and self.sides == "both" and not self.lift_first


_MODELS = (
    ExerciseModel(
        name="bridge",
        posture="supine",
        sides="both",
        out_s=1.1,
        dwell_s=1.2,
        back_s=1.2,
        pause_s=0.9,
        lift_first=True,
        height_m=0.16,
        forward_m=0.02,
        start_pitch_deg=-90.0,
        pitch_deg=-25.0,
        thigh_start_pitch_deg=-135.0,
        thigh_pitch_deg=25.0,
        lumbar_share=0.1,
        work_pct=62.0,
        good_share_pct=68.0,
    ),
    ExerciseModel(
        name="hip-thrust",
        posture="reclined",
        sides="both",
        out_s=1.0,
        dwell_s=1.0,
        back_s=1.1,
        pause_s=0.8,
        lift_first=True,
        height_m=0.3,
        forward_m=0.04,
        start_pitch_deg=-50.0,
        pitch_deg=-40.0,
        thigh_start_pitch_deg=-130.0,
        thigh_pitch_deg=40.0,
        lumbar_share=0.1,
        work_pct=85.0,
        good_share_pct=70.0,
    ),
    ExerciseModel(
        name="romanian-deadlift",
        posture="standing",
        sides="both",
        out_s=1.8,
        dwell_s=0.3,
        back_s=1.5,
        pause_s=1.0,
        lift_first=False,
        height_m=-0.08,
        forward_m=-0.16,
        start_pitch_deg=5.0,
        pitch_deg=55.0,
        thigh_start_pitch_deg=0.0,
        thigh_pitch_deg=-20.0,
        lumbar_share=0.1,
        work_pct=80.0,
        good_share_pct=48.0,
    ),
    ExerciseModel(
        name="leg-extension-tubing",
        posture="all-fours",
        sides="right",
        out_s=1.1,
        dwell_s=0.8,
        back_s=1.3,
        pause_s=0.8,
        lift_first=True,
        height_m=0.01,
        forward_m=0.01,
        start_pitch_deg=90.0,
        pitch_deg=4.0,
        obliquity_deg=3.0,
        rotation_deg=4.0,
        thigh_start_pitch_deg=0.0,
        thigh_pitch_deg=60.0,
        other_thigh_pitch_deg=2.0,
        lumbar_share=0.067,
        work_pct=54.0,
        good_share_pct=58.0,
    ),
    ExerciseModel(
        name="bird-dog",
        posture="all-fours",
        sides="alternating",
        out_s=1.3,
        dwell_s=1.5,
        back_s=1.3,
        pause_s=1.0,
        lift_first=True,
        height_m=0.01,
        forward_m=0.01,
        start_pitch_deg=90.0,
        pitch_deg=4.0,
        obliquity_deg=3.0,
        rotation_deg=4.0,
        thigh_start_pitch_deg=0.0,
        thigh_pitch_deg=70.0,
        other_thigh_pitch_deg=2.0,
        lumbar_share=0.057,
        work_pct=62.0,
        good_share_pct=55.0,
    ),
    ExerciseModel(
        name="scorpion",
        posture="prone",
        sides="alternating",
        out_s=1.3,
        dwell_s=0.7,
        back_s=1.3,
        pause_s=1.0,
        lift_first=True,
        height_m=0.05,
        forward_m=0.0,
        start_pitch_deg=90.0,
        pitch_deg=4.0,
        obliquity_deg=5.0,
        rotation_deg=45.0,
        thigh_start_pitch_deg=90.0,
        thigh_pitch_deg=30.0,
        lumbar_share=0.13,
        lumbar_turn_share=0.5,
        work_pct=58.0,
        good_share_pct=60.0,
    ),
    ExerciseModel(
        name="prone-hip-extension",
        posture="prone",
        sides="alternating",
        out_s=1.0,
        dwell_s=1.2,
        back_s=1.1,
        pause_s=1.0,
        lift_first=True,
        height_m=0.01,
        forward_m=0.0,
        start_pitch_deg=90.0,
        pitch_deg=4.0,
        obliquity_deg=3.0,
        rotation_deg=4.0,
        thigh_start_pitch_deg=90.0,
        thigh_pitch_deg=15.0,
        lumbar_share=0.27,
        work_pct=50.0,
        good_share_pct=65.0,
    ),
    ExerciseModel(
        name="squat",
        posture="standing",
        sides="both",
        out_s=1.3,
        dwell_s=0.2,
        back_s=1.2,
        pause_s=0.9,
        lift_first=False,
        height_m=-0.45,
        forward_m=-0.1,
        start_pitch_deg=5.0,
        pitch_deg=25.0,
        thigh_start_pitch_deg=0.0,
        thigh_pitch_deg=-85.0,
        lumbar_share=0.08,
        work_pct=60.0,
        good_share_pct=62.0,
    ),
    ExerciseModel(
        name="lunge",
        posture="standing",
        sides="alternating",
        out_s=1.2,
        dwell_s=0.3,
        back_s=1.1,
        pause_s=1.0,
        lift_first=False,
        height_m=-0.28,
        forward_m=0.25,
        start_pitch_deg=5.0,
        pitch_deg=8.0,
        obliquity_deg=2.0,
        rotation_deg=-5.0,
        thigh_start_pitch_deg=0.0,
        thigh_pitch_deg=-75.0,
        other_thigh_pitch_deg=10.0,
        lumbar_share=0.05,
        work_pct=45.0,
        good_share_pct=57.0,
    ),
)

EXERCISE_MODELS: dict[str, ExerciseModel] = {model.name: model for model in _MODELS}
"""What the virtual athlete can perform, by exercise name."""
