"""An exercise as a page that a person reads before doing it: first what to do, then what is known."""

from emgmon.exercises.catalogue import Catalogue, load_care
from emgmon.exercises.exercise import Exercise, Placement
from emgmon.exercises.figures import ExpectedFigure, Statement
from emgmon.exercises.page import GLUED, Page
from emgmon.exercises.sites import Site, load_sites

GROUPS = {
    "supine": "On the back, or against a bench",
    "reclined": "On the back, or against a bench",
    "prone": "On the front",
    "all-fours": "On all fours",
    "standing": "Standing",
}
"""Headings of the list by start position, in the order in which they are shown."""
SIDES = {
    "both": "both sides together",
    "alternating": "left and right in turn, each side counted by itself",
    "one": "one side first, then the other; each side counted by itself",
}
SIGNALS = {
    "pelvis_height": "the height of the pelvis",
    "pelvis_pitch": "the forward and backward tilt of the pelvis",
    "pelvis_rotation": "the turning of the pelvis",
    "pelvis_tilt": "any tilt of the pelvis",
    "thigh_pitch": "the swing of the thigh",
    "emg_envelope": "the activity of the muscles",
}
QUANTITIES = {
    "gluteus_maximus": "Gluteus maximus",
    "gluteus_maximus_upper": "Gluteus maximus, upper part",
    "gluteus_maximus_lower": "Gluteus maximus, lower part",
    "gluteus_medius": "Gluteus medius",
    "erector_spinae": "Erector spinae (lower back)",
    "multifidus": "Multifidus (lower back)",
    "back_muscles": "Back muscles",
    "hamstrings": "Hamstrings",
    "biceps_femoris": "Biceps femoris",
    "glute_back_ratio": "Ratio of glute to lower back",
    "pelvis_pitch_range": "How far the pelvis tilts forward and back",
    "pelvis_obliquity_range": "How far the pelvis tilts sideways",
    "pelvis_rotation_range": "How far the pelvis turns",
    "lumbar_extension": "How far the lower back extends",
}
VALUE_COLUMN = 30


def exercise_list(catalogue: Catalogue, width: int) -> str:
    """Write all exercises, one line each, by start position."""
    page = Page(width)
    column = max(len(name) for name in catalogue.names) + 4
    for group in dict.fromkeys(GROUPS.values()):
        members = [e for e in catalogue.exercises if GROUPS[e.start_position] == group]
        if members:
            page.heading(group)
        for exercise in members:
            told = exercise.summary or exercise.title
            own = " (your own)" if exercise.name in catalogue.own else ""
            page.row(exercise.name, f"{told}{own}", column=column)
    return page.text()


def exercise_page(exercise: Exercise, width: int) -> str:
    """Write all that a person needs to know about an exercise."""
    page = Page(width)
    page.title(exercise.title, exercise.name)
    if exercise.also_called:
        page.paragraph(f"Also called: {', '.join(exercise.also_called)}", indent=0)
    _doing(page, exercise)
    _care(page, exercise)
    if exercise.placements:
        _placements(page, exercise)
    _counting(page, exercise)
    _expected(page, exercise.expected)
    _findings(page, exercise.findings)
    page.sources()
    return page.text()


def _doing(page: Page, exercise: Exercise) -> None:
    if exercise.purpose:
        page.heading("What it is for")
        page.paragraph(exercise.purpose)
    if exercise.position:
        page.heading("Start position")
        page.paragraph(exercise.position)
    page.heading("How to do it")
    for number, step in enumerate(exercise.how, start=1):
        page.item(f"{number}.", step)
    if exercise.cues:
        page.heading("Cues, one at a time")
        page.paragraph(" / ".join(cue.replace(" ", GLUED) for cue in exercise.cues))
    if exercise.faults:
        page.heading("Often seen, and what to do instead")
    for fault in exercise.faults:
        page.item("-", fault.seen)
        page.paragraph(fault.instead, indent=6)


def _care(page: Page, exercise: Exercise) -> None:
    page.heading("Take care")
    for text in exercise.safety:
        page.item("-", text)
    for statement in load_care():
        page.item("-", _cited(page, statement))


def _placements(page: Page, exercise: Exercise) -> None:
    table = load_sites()
    page.heading("Sensors and electrodes")
    for placement in exercise.placements:
        site = table.find(placement.site)
        if site is not None:
            _placement(page, placement, site)
    if any(site.measures == "muscle" for site in map(table.find, _sites(exercise)) if site):
        page.item("-", "All electrodes")
        for statement in table.electrodes:
            page.paragraph(_cited(page, statement), indent=6)


def _sites(exercise: Exercise) -> tuple[str, ...]:
    return tuple(placement.site for placement in exercise.placements)


def _placement(page: Page, placement: Placement, site: Site) -> None:
    sides = ", left and right" if site.sides == "left-and-right" else ""
    helps = "; not needed, but it helps" if placement.use == "helps" else ""
    page.item("-", f"{site.title}{sides}{helps}")
    if placement.why:
        page.paragraph(placement.why, indent=6)
    page.paragraph(f"Where: {_cited(page, site.landmark)}", indent=6)
    parts = {"Direction": site.orientation, "Posture while placing": site.posture}
    unknown = [name.lower() for name, part in parts.items() if not part.says]
    for name, part in parts.items():
        if part.says and site.measures == "muscle":
            page.paragraph(f"{name}: {_cited(page, part)}", indent=6)
    if unknown:
        page.paragraph(f"{' and '.join(unknown).capitalize()}: unknown", indent=6)


def _counting(page: Page, exercise: Exercise) -> None:
    page.heading("How it is counted")
    page.item("-", f"Sides: {SIDES[exercise.sides]}.")
    signals = [SIGNALS[signal.on] for signal in exercise.signals]
    later = f"; where no sensor gives that, on {', then '.join(signals[1:])}" if signals[1:] else ""
    page.item("-", f"Repetitions are found on {signals[0]}{later}.")
    page.item("-", f"Muscles are measured during: {' and '.join(exercise.work)}.")


def _expected(page: Page, figures: tuple[ExpectedFigure, ...]) -> None:
    page.heading("What others measured")
    if not figures:
        page.paragraph("unknown")
        return
    if any(figure.is_known for figure in figures):
        page.paragraph(
            "For interest only: people differ widely, and nothing you do is judged by these figures. "
            "Your own reference set is the yardstick."
        )
    if any(figure.unit == "% MVIC" for figure in figures):
        page.paragraph("% MVIC is percent of the strongest voluntary contraction.")
    known = [figure for figure in figures if figure.is_known]
    for quantity in dict.fromkeys(figure.quantity for figure in known):
        page.item("-", QUANTITIES[quantity])
        for figure in known:
            if figure.quantity == quantity:
                page.row(_value(figure), _condition(page, figure), indent=6, column=VALUE_COLUMN)
    unknown = [_unknown(figure) for figure in figures if not figure.is_known]
    if unknown:
        page.item("-", f"Unknown: {'; '.join(unknown)}")


def _unknown(figure: ExpectedFigure) -> str:
    name = QUANTITIES[figure.quantity]
    note = f" ({figure.note})" if figure.note else ""
    return f"{name[0].lower()}{name[1:]}{note}"


def _value(figure: ExpectedFigure) -> str:
    unit = "" if figure.unit in (None, "ratio") else f" {figure.unit}"
    if figure.mean is not None:
        sd = f" (SD {figure.sd:g})" if figure.sd is not None else ""
        return f"{figure.mean:g}{unit}{sd}"
    if figure.high is None:
        return f"above {figure.low:g}{unit}"
    return f"{figure.low:g} to {figure.high:g}{unit}"


def _condition(page: Page, figure: ExpectedFigure) -> str:
    parts = [part for part in (figure.when, figure.who, figure.note) if part]
    return " ".join(part for part in ("; ".join(parts), page.cite(figure)) if part)


def _findings(page: Page, findings: tuple[Statement, ...]) -> None:
    if findings:
        page.heading("Worth knowing")
    for finding in findings:
        page.item("-", _cited(page, finding))


def _cited(page: Page, statement: Statement) -> str:
    """Say a statement with the number of its source; what is unknown is called so."""
    if not statement.says:
        return "unknown"
    return " ".join(part for part in (statement.says, page.cite(statement)) if part)
