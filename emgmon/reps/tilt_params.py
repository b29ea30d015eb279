"""What may be tuned of the segmentation on tilts; shares of the person's own range where possible."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TiltRepsParams:
    """What may be tuned; the same for every exercise and person, but for the smallest angle."""

    least_deg: float
    """Smaller excursions are not repetitions."""
    turn_axis: tuple[float, float, float] | None = None
    """About which gravity turns on the way out, in sensor axes, where that is known beforehand."""
    either_way: bool = False
    """Whether the way out may go to either side of that axis."""
    most_off_axis_deg: float = 60.0
    """A movement about an axis this far from it is another one."""
    smoothing_half_hops: int = 10
    """Direction is averaged over this many hops to either side."""
    new_rest_s: float = 1.0
    """Who has left rest and is still for this long may hold the far end, or may have changed position."""
    still_share_per_s: float = 1.0
    """Slower than this share of the smallest angle in a second is rest ..."""
    fastest_still_dps: float = 4.0
    """... but never faster than this."""
    leaving_share: float = 0.3
    """Rest is left with this share of the usual range of the person's last repetitions, once known."""
    reversal_share: float = 0.35
    """A change of direction counts from this share of the range."""
    shortest_rest_s: float = 0.25
    """Who was still this long is at rest; a turn is shorter."""
    return_share: float = 0.65
    """A repetition is over only after this share of the way out was undone ..."""
    settled_speed_share: float = 0.1
    """... and the way back has slowed down to this share of its fastest."""
    other_rest_share: float = 0.4
    """Who settles this share of the range away from where it began has changed position."""
    strayed_s: float = 0.8
    """Resting this long between the far end and the start is a change of position, too."""
    strayed_share: float = 0.7
    """Below this share of the range it is no longer the far end."""
    longest_rep_s: float = 45.0
    min_duration_s: float = 0.4
    most_shaking_mps2: float = 0.9
    """Mean of acceleration other than gravity: more is walking, not a lift under control."""
    most_drift_share: float = 0.6
    """Who comes back this share of the range beside the start has changed position."""
    shortest_hold_s: float = 0.2
    remembered_reps: int = 8
