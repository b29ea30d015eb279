"""``emgmon exercises``: the catalogue as a list, one exercise as a page."""

import click


@click.command(name="exercises")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="What the files say, as JSON.")
def command(*, name: str | None, as_json: bool) -> None:
    """List the exercises, or show the one called NAME.

    Own exercises are TOML files in the folder exercises of emgmon's data folder
    (docs/exercises.md). The exit status is 1 when one of them could not be used.
    """
    from emgmon.cli.own_files import find_exercise, whole_catalogue
    from emgmon.cli.pages import show, tell_problems, width

    if name is None:
        from emgmon.exercises.exercise_page import exercise_list

        catalogue, problems = whole_catalogue()
        show(catalogue.exercises if as_json else exercise_list(catalogue, width()))
        tell_problems(problems)
        if problems:
            raise SystemExit(1)
        return
    from emgmon.exercises.exercise_page import exercise_page

    exercise = find_exercise(name)
    show(exercise if as_json else exercise_page(exercise, width()))
