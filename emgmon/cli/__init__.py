"""One file per command, imported when called; errors a person may see end here as two lines."""

import importlib
import sys

import click

from emgmon import __version__
from emgmon.errors import EmgmonError, UsageError

COMMANDS = {
    "demo": ("emgmon.cli.demo", "Watch the virtual athlete train, no hardware needed."),
    "live": ("emgmon.cli.live", "Connect to a sensor, show and record a session."),
    "record": ("emgmon.cli.record", "Record a session without a screen."),
    "replay": ("emgmon.cli.replay", "Play a recording on the same screen as live."),
    "analyze": ("emgmon.cli.analyze", "Count and judge the repetitions of a recording."),
    "correct": ("emgmon.cli.correct", "Add, remove or move repetitions; later analyses honour it."),
    "calibrate": ("emgmon.cli.calibrate", "Measure rest and reference in stretches of a recording."),
    "reference": ("emgmon.cli.reference", "Make a good set of a recording the person's own reference."),
    "posture": ("emgmon.cli.posture", "Find quiet standing in recordings and tell its tilt."),
    "import": ("emgmon.cli.import_csv", "Make a recording of CSV files."),
    "simulate": ("emgmon.cli.simulate", "Make a recording of the virtual athlete, with its truth."),
    "verify": ("emgmon.cli.verify", "Check a recording and list what is wrong with it."),
    "repair": ("emgmon.cli.repair", "Rescue what is sound of a damaged recording."),
    "exercises": ("emgmon.cli.exercises", "List the exercises, or show how one is done."),
    "program": ("emgmon.cli.program", "List the programs, or show one: warm-up, sets, rests."),
    "scan": ("emgmon.cli.scan", "List the sensors in reach."),
    "doctor": ("emgmon.cli.doctor", "Tell what stands between this program and a sensor."),
}
"""Name of each command: where it lives and what it does. Help needs no more than this table."""

INTERRUPTED = 130
"""What a shell expects of a program that was ended by Ctrl-C."""


class _Commands(click.Group):
    """Imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="emgmon")
def cli() -> None:
    """Tell, rep by rep, whether the glutes did the work or the lower back took over."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command; exit status 0 done, 1 not done, 2 wrong usage."""
    try:
        status = cli.main(arguments, prog_name="emgmon", standalone_mode=False)
    except UsageError as error:
        _tell(error)
        sys.exit(2)
    except EmgmonError as error:
        _tell(error)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("emgmon: stopped", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has had enough; there is nobody left to tell.
        sys.stderr.close()
        sys.exit(0)
    sys.exit(status if isinstance(status, int) else 0)


def _tell(error: EmgmonError) -> None:
    click.echo(f"emgmon: {error}", err=True)
    if error.advice:
        click.echo(f"  {error.advice}", err=True)
