"""What one exercise file holds: how it is counted, how it is done, and what is known about it."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal, get_args

import msgspec

from emgmon.exercises.figures import ExpectedFigure, Statement, figure_problems, statement_problems
from emgmon.exercises.reading import Problem, name_problem, one_of
from emgmon.exercises.sites import load_sites

SignalName = Literal[
    "pelvis_height", "pelvis_pitch", "pelvis_rotation", "pelvis_tilt", "thigh_pitch", "emg_envelope"
]
Phase = Literal["lift", "hold", "return"]
Position = Literal["standing", "supine", "reclined", "prone", "all-fours"]

ANGLES = ("pelvis_pitch", "pelvis_rotation", "pelvis_tilt", "thigh_pitch")
PITCH_IN_DEG = {"standing": 0.0, "supine": -90.0, "reclined": -50.0, "prone": 90.0, "all-fours": 90.0}
"""Pelvis pitch that a start position implies, in degrees."""
PITCH_MARGIN_DEG = 45.0
"""People and benches differ; a start pitch beyond this is a slip of the sign."""
CUE_WORDS = 5
"""What can be taken in while moving."""
SUMMARY_LETTERS = 54
"""What stays of a line of 80 beside the longest name."""


class SignalChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signal that the repetitions of an exercise can be found on."""

    on: SignalName
    least_deg: float | None = None
    """Smaller excursions of an angle are no repetition; needed for the four angles."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something often seen, with what to do instead."""

    seen: str
    instead: str


class Placement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site at which this exercise wants a sensor or a pair of electrodes."""

    site: str
    """A name of the table of sites."""
    use: Literal["wanted", "helps"]
    """Whether counting and share rest on it, or it makes more measurable."""
    why: str = ""


class Exercise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one exercise is segmented, which of its phases count as work, and what a person needs to know."""

    name: str
    title: str
    start_position: Position
    start_pitch_deg: float
    """Pelvis pitch in the start position: 0 upright, 90 lying on the front, -90 on the back."""
    pelvis_turn: Literal["pitch-forward", "pitch-backward", "rotation", "little"]
    """What the pelvis does on the way out; tells the axes of a sensor whose mounting is not known."""
    leaves_rest: Literal["up", "down"]
    """Which way the height of the pelvis goes first."""
    sides: Literal["both", "alternating", "one"]
    signals: tuple[SignalChoice, ...]
    """What repetitions are found on, best first; the first for which a stream is worn serves."""
    phases: tuple[Phase, Phase, Phase]
    """In the order in which they are performed: the way out, the hold at its end, the way back."""
    work: tuple[Phase, ...]
    """Phases over which muscle activity is measured."""
    how: tuple[str, ...]
    """How to do it, one step a line."""
    also_called: tuple[str, ...] = ()
    summary: str = ""
    """A line for lists."""
    purpose: str = ""
    """What it is for and which muscles it aims at."""
    position: str = ""
    """The start position in words."""
    faults: tuple[Fault, ...] = ()
    cues: tuple[str, ...] = ()
    """What can be called out during a set: five words at most."""
    placements: tuple[Placement, ...] = ()
    expected: tuple[ExpectedFigure, ...] = ()
    """Priors to show; nothing is ever judged by them."""
    findings: tuple[Statement, ...] = ()
    """What studies say that changes how the exercise is done or read."""
    safety: tuple[str, ...] = ()

    @property
    def direction(self) -> int:
        """+1 when the pelvis goes up first, -1 when it goes down."""
        return 1 if self.leaves_rest == "up" else -1

    @property
    def lifts_first(self) -> bool:
        """Whether the way out is the lift (a bridge) and not the return (a squat)."""
        return self.phases[0] == "lift"


def exercise_problems(exercise: Exercise, stem: str) -> Iterator[Problem]:
    """Yield what the types cannot say: rules that tie fields to each other and to the file's name."""
    wrong_name = name_problem(exercise.name, stem)
    if wrong_name:
        yield wrong_name
    yield from _movement_problems(exercise)
    yield from _signal_problems(exercise)
    yield from _text_problems(exercise)
    yield from _placement_problems(exercise)
    for i, figure in enumerate(exercise.expected):
        yield from figure_problems(f"expected[{i}]", figure)
    for i, finding in enumerate(exercise.findings):
        yield from statement_problems(f"findings[{i}]", finding)


def _movement_problems(exercise: Exercise) -> Iterator[Problem]:
    usual = PITCH_IN_DEG[exercise.start_position]
    if not abs(exercise.start_pitch_deg - usual) <= PITCH_MARGIN_DEG:
        advice = (
            f"{exercise.start_position!r} means {usual:g}, at most {PITCH_MARGIN_DEG:g} more or less; "
            "lying on the front is positive, on the back negative."
        )
        yield Problem("start_pitch_deg", f"is {exercise.start_pitch_deg:g}", advice)
    if exercise.phases not in (("lift", "hold", "return"), ("return", "hold", "lift")):
        advice = 'It may be ["lift", "hold", "return"] or ["return", "hold", "lift"].'
        yield Problem("phases", f"is {list(exercise.phases)}", advice)
    if not exercise.work or max(Counter(exercise.work).values()) > 1:
        advice = f"It has to name one or more of: {', '.join(get_args(Phase))}; each once."
        yield Problem("work", f"is {list(exercise.work)}", advice)


def _signal_problems(exercise: Exercise) -> Iterator[Problem]:
    names = [signal.on for signal in exercise.signals]
    if not names:
        yield Problem("signals", "is empty", f"Name at least one of: {', '.join(get_args(SignalName))}.")
    for i, signal in enumerate(exercise.signals):
        field = f"signals[{i}]"
        if signal.on in names[:i]:
            yield Problem(f"{field}.on", f"is {signal.on!r} once more", "Name each signal once.")
        if signal.on not in ANGLES and signal.least_deg is not None:
            advice = f"Leave it out; only an angle has it: {', '.join(ANGLES)}."
            yield Problem(f"{field}.least_deg", f"is given for {signal.on!r}", advice)
        if signal.on in ANGLES and signal.least_deg is None:
            yield Problem(f"{field}.least_deg", "is missing", f"{signal.on!r} needs it: degrees above 0.")
        if signal.least_deg is not None and not 0 < signal.least_deg < 180:
            yield Problem(
                f"{field}.least_deg", f"is {signal.least_deg:g}", "It has to lie between 0 and 180."
            )


def _text_problems(exercise: Exercise) -> Iterator[Problem]:
    if not exercise.title.strip():
        yield Problem("title", "is empty", "It is the name that people read.")
    if not exercise.how:
        yield Problem("how", "is empty", "Say in at least one step how it is done.")
    if len(exercise.summary) > SUMMARY_LETTERS:
        advice = f"It has to fit in a list: at most {SUMMARY_LETTERS} letters."
        yield Problem("summary", f"has {len(exercise.summary)} letters", advice)
    for i, cue in enumerate(exercise.cues):
        if not 1 <= len(cue.split()) <= CUE_WORDS:
            advice = f"It has to have 1 to {CUE_WORDS} words: more is not heard while moving."
            yield Problem(f"cues[{i}]", f"is {cue!r}", advice)


def _placement_problems(exercise: Exercise) -> Iterator[Problem]:
    known = [site.name for site in load_sites().site]
    sites = [placement.site for placement in exercise.placements]
    for i, site in enumerate(sites):
        if site not in known:
            yield Problem(f"placements[{i}].site", f"is {site!r}", one_of(known))
        if site in sites[:i]:
            yield Problem(f"placements[{i}].site", f"is {site!r} once more", "Name each site once.")
