"""How figures and states are said: one wording for the whole screen; what is missing is never a 0."""

import math
from collections import Counter
from collections.abc import Iterable

from emgmon.events import (
    ChannelQuality,
    LinkState,
    Metric,
    MovementSignal,
    Quality,
    RepCompleted,
    Verdict,
    VerdictBasis,
)

MISSING = "–"
"""Stands for "not measured" where there is no room for the words; the help screen says so."""

VERDICT_MARKS = {
    Verdict.GLUTE_LED: "●",
    Verdict.SHARED: "◆",
    Verdict.BACK_LED: "▲",
    Verdict.STEADY: "≈",
    Verdict.BEYOND_RANGE: "≠",
    Verdict.CANNOT_TELL: "?",
    Verdict.NO_REFERENCE: "○",
}
"""A shape beside the colour, so that nothing is said by colour alone."""

VERDICT_WORDS = {
    Verdict.GLUTE_LED: "glute-led",
    Verdict.SHARED: "shared",
    Verdict.BACK_LED: "back-led",
    Verdict.STEADY: "steady",
    Verdict.BEYOND_RANGE: "beyond range",
    Verdict.CANNOT_TELL: "cannot tell",
    Verdict.NO_REFERENCE: "no reference",
}

VERDICT_TONES = {
    Verdict.GLUTE_LED: "glute",
    Verdict.SHARED: "strong",
    Verdict.BACK_LED: "back",
    Verdict.STEADY: "plain",
    Verdict.BEYOND_RANGE: "strong",
    Verdict.CANNOT_TELL: "dim",
    Verdict.NO_REFERENCE: "dim",
}
"""The colours of the muscles are kept for verdicts from EMG: motion does not tell which muscle worked."""

FROM_MOTION = "from motion"
"""Stands beside every verdict that rests on motion alone, so that it is not taken for one of a muscle."""

SHORT_VERDICT_WORDS = VERDICT_WORDS | {Verdict.BEYOND_RANGE: "beyond", Verdict.NO_REFERENCE: "no ref."}
"""Where there is no room for more."""

CUE_MARK = "→"

ABOVE_MARK = "↑"
"""Stands before a figure above 100 % of its reference."""

QUALITY_MARKS = {Quality.GOOD: "✓", Quality.USABLE: "!", Quality.REJECT: "✕"}
QUALITY_TONES = {Quality.GOOD: "plain", Quality.USABLE: "strong", Quality.REJECT: "warn"}

LINK_MARKS = {
    LinkState.IDLE: "○",
    LinkState.SCANNING: "◌",
    LinkState.CONNECTING: "◌",
    LinkState.CHECKING: "◌",
    LinkState.STREAMING: "●",
    LinkState.STALLED: "▲",
    LinkState.RECONNECTING: "▲",
    LinkState.LOST: "✕",
    LinkState.CLOSED: "■",
}

LINK_WORDS = {
    LinkState.IDLE: "not connected",
    LinkState.SCANNING: "searching",
    LinkState.CONNECTING: "connecting",
    LinkState.CHECKING: "checking",
    LinkState.STREAMING: "streaming",
    LinkState.STALLED: "no samples",
    LinkState.RECONNECTING: "reconnecting",
    LinkState.LOST: "link lost",
    LinkState.CLOSED: "closed",
}

LINK_TONES = {
    LinkState.STREAMING: "glute",
    LinkState.STALLED: "warn",
    LinkState.RECONNECTING: "warn",
    LinkState.LOST: "warn",
}
"""States that are not listed are shown in the plain tone."""

LINK_ORDER = (
    LinkState.LOST,
    LinkState.RECONNECTING,
    LinkState.STALLED,
    LinkState.IDLE,
    LinkState.SCANNING,
    LinkState.CONNECTING,
    LinkState.CHECKING,
    LinkState.STREAMING,
    LinkState.CLOSED,
)
"""Of several sensors, the state that comes first here is the one a person has to know."""


SIGNAL_WORDS = {
    MovementSignal.PELVIS_HEIGHT: "pelvis height",
    MovementSignal.PELVIS_PITCH: "pelvis pitch",
    MovementSignal.PELVIS_ROTATION: "pelvis rotation",
    MovementSignal.PELVIS_TILT: "pelvis tilt",
    MovementSignal.THIGH_PITCH: "thigh pitch",
    MovementSignal.EMG_ENVELOPE: "muscle activity",
}

NOT_COUNTED_MARK = "·"
NOT_COUNTED = f"{NOT_COUNTED_MARK} not counted"
LEFT_OUT = "∅ left out"

HAND_MARKS = {"added": "+", "moved": "*"}
"""Stand behind the number of a repetition that a person has corrected."""

HAND_WORDS = {"added": "added by hand", "moved": "edges moved by hand"}


def duration(seconds: float) -> str:
    """``m:ss``, from an hour on ``h:mm:ss``."""
    whole = max(0, math.floor(seconds + 1e-6))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def speed(factor: float) -> str:
    """``2×``; unlimited speed in words."""
    return "full speed" if math.isinf(factor) else f"{factor:g}×"


def number(value: float | None, *, decimals: int = 0) -> str:
    """Write the figure, or the sign for "not measured"."""
    if value is None or not math.isfinite(value):
        return MISSING
    # Adding 0.0 makes -0.0 a plain 0.
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def with_sign(value: float | None, *, decimals: int = 0) -> str:
    """Write a difference with its sign; nought has none."""
    text = number(value, decimals=decimals)
    return text if text in (MISSING, number(0.0, decimals=decimals)) or text.startswith("-") else f"+{text}"


def degrees(value: float | None, *, signed: bool = False) -> str:
    """Write an angle with its unit, or the sign for "not measured"."""
    text = with_sign(value) if signed else number(value)
    return text if text == MISSING else f"{text}°"


def percent(value: float | None, *, decimals: int = 0) -> str:
    """Write the figure with its unit, or the sign for "not measured"."""
    text = number(value, decimals=decimals)
    return text if text == MISSING else f"{text} %"


def level(value: float | None) -> str:
    """Write a percentage of a reference, with a mark before it where it is above 100 %."""
    text = percent(value)
    return f"{ABOVE_MARK}{text}" if value is not None and value > 100 else text


def interval(metric: Metric | None) -> str:
    """``58–67``, or nothing when no interval is known."""
    if metric is None or metric.low is None or metric.high is None:
        return ""
    if not (math.isfinite(metric.low) and math.isfinite(metric.high)):
        return ""
    return f"{metric.low:.0f}–{metric.high:.0f}"


def site(name: str) -> str:
    """``rectus_femoris`` as a person writes it."""
    return name.replace("_", " ")


def channel(name: str, side: str | None) -> str:
    """``right gluteus maximus``: an EMG channel as a person names it."""
    return f"{side} {site(name)}" if side else site(name)


def trouble(quality: ChannelQuality) -> str:
    """``✕ right gluteus maximus: the electrode gives no signal``: what is wrong with a channel."""
    name = channel(quality.site, quality.side)
    reason = quality.reason or f"the signal is graded {quality.grade}"
    return f"{QUALITY_MARKS[quality.grade]} {name}: {reason}"


def verdict(rep: RepCompleted) -> tuple[str, ...]:
    """Ways to write a verdict, the longest first; from motion alone it says so where there is room."""
    mark, word = VERDICT_MARKS[rep.verdict], VERDICT_WORDS[rep.verdict]
    short = f"{mark} {SHORT_VERDICT_WORDS[rep.verdict]}"
    if rep.verdict_basis is VerdictBasis.MOTION:
        return f"{mark} {word}, {FROM_MOTION}", f"{mark} {word}", short, mark
    return f"{mark} {word}", short, mark


def exercise(name: str) -> str:
    """``hip-thrust`` as a person writes it."""
    return name.replace("-", " ")


def sides(reps: Iterable[RepCompleted]) -> str:
    """``L 4  R 4``: how many each side did, as far as it is known; nothing where no side is."""
    known = Counter(rep.side for rep in reps)
    shown = [f"{side[0].upper()} {known[side]}" for side in ("left", "right") if known[side]]
    if shown and known[None]:
        shown.append(f"? {known[None]}")
    return "  ".join(shown)
