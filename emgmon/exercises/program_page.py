"""A program as a page: what to do in which order, when to rest, when to move on."""

from emgmon.exercises.catalogue import Catalogue
from emgmon.exercises.page import Page, plural
from emgmon.exercises.programs import MainWork, MoveOn, Program, ProgramShelf, WarmUp

FEEDBACK = {
    "concurrent": "bar and tone while you move",
    "bandwidth": "quiet, unless the glute share leaves your own range",
    "summary": "nothing during the set, the summary after it",
    "none": "none",
}


def program_list(shelf: ProgramShelf, width: int) -> str:
    """Write all programs, one line each."""
    page = Page(width)
    column = max(len(name) for name in shelf.names) + 4
    page.heading("Programs")
    for program in shelf.programs:
        told = program.summary or program.title
        own = " (your own)" if program.name in shelf.own else ""
        page.row(program.name, f"{told}{own}", column=column)
    return page.text()


def program_page(program: Program, catalogue: Catalogue, width: int) -> str:
    """Write all that a person needs to know to follow a program."""
    page = Page(width)
    page.title(program.title, program.name)
    if program.purpose:
        page.heading("What it is for")
        page.paragraph(program.purpose)
    if program.warm_up:
        page.heading("Warm-up")
    for block in program.warm_up:
        _warm_up(page, block, catalogue)
    _main(page, program.main, catalogue)
    if program.main.move_on is not None:
        _progression(page, program.main, program.main.move_on, catalogue)
    if program.notes:
        page.heading("Good to know")
    for note in program.notes:
        page.item("-", note)
    if program.findings:
        page.heading("Why the feedback changes from set to set")
    for finding in program.findings:
        page.item("-", " ".join(part for part in (finding.says, page.cite(finding)) if part))
    page.heading("More about an exercise")
    page.paragraph("emgmon exercises NAME")
    page.sources()
    return page.text()


def _warm_up(page: Page, block: WarmUp, catalogue: Catalogue) -> None:
    title = catalogue.find(block.exercise).title
    reps = _reps(block.reps, block.exercise, catalogue)
    hold = f", hold {block.hold_s:g} s" if block.hold_s else ""
    rest = f"; rest {block.rest_s:g} s after each" if block.rest_s else ""
    page.item("-", f"{title} ({block.exercise}): {plural(block.sets, 'set')} of {reps}{hold}{rest}")
    if block.note:
        page.paragraph(block.note, indent=4)
    page.paragraph(f"Feedback: {FEEDBACK[block.feedback]}", indent=4)


def _main(page: Page, main: MainWork, catalogue: Catalogue) -> None:
    page.heading("Main sets")
    first = main.steps[0].exercise
    which = "the exercise you have reached, see below" if len(main.steps) > 1 else _called(first, catalogue)
    hold = f", each repetition held for {main.hold_s:g} s" if main.hold_s else ""
    page.paragraph(f"{plural(len(main.sets), 'set')} of {which}{hold}:")
    for number, work in enumerate(main.sets, start=1):
        reps = _reps(work.reps, first, catalogue)
        page.item(f"{number}.", f"{reps}, then rest {work.rest_s:g} s")
        page.paragraph(f"Feedback: {FEEDBACK[work.feedback]}", indent=5)


def _progression(page: Page, main: MainWork, rule: MoveOn, catalogue: Catalogue) -> None:
    page.heading("The main exercise, step by step")
    for number, step in enumerate(main.steps, start=1):
        note = f". {step.note}" if step.note else ""
        page.item(f"{number}.", f"{_called(step.exercise, catalogue)}{note}")
    page.paragraph(
        f"Move on when you met your own reference in {rule.sets_met} of your last "
        f"{plural(rule.of_sets, 'main set')}. A set has met it when at least {rule.reps_met_pct:g} % of its "
        "judged repetitions lie within your usual range or above it. Then record a reference set of the next "
        "exercise. The rule is a choice of this program, not a finding of a study."
    )


def _called(name: str, catalogue: Catalogue) -> str:
    return f"{catalogue.find(name).title} ({name})"


def _reps(count: int, exercise: str, catalogue: Catalogue) -> str:
    each = "" if catalogue.find(exercise).sides == "both" else " on each side"
    return f"{plural(count, 'repetition')}{each}"
