"""``emgmon program``: the programs as a list, one of them as a page."""

import click


@click.command(name="program")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="What the files say, as JSON.")
def command(*, name: str | None, as_json: bool) -> None:
    """List the programs, or show the one called NAME.

    Own programs are TOML files in the folder programs of emgmon's data folder
    (docs/exercises.md). The exit status is 1 when one of them could not be listed.
    """
    from emgmon.cli.own_files import all_programs
    from emgmon.cli.pages import show, tell_problems, width
    from emgmon.exercises.program_page import program_list, program_page

    shelf, problems = all_programs()
    tell_problems(problems)
    if name is None:
        show(shelf.programs if as_json else program_list(shelf, width()))
        if problems:
            raise SystemExit(1)
        return
    program = shelf.find(name)
    show(program if as_json else program_page(program, shelf.catalogue, width()))
