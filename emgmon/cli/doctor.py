"""``emgmon doctor``: step by step, what stands between this program and a sensor."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.errors import SensorError
    from emgmon.sensors.findings import Facts, Finding, Heard

SCHEMA = "emgmon.doctor/1"
MARK_WIDTH = 6
STEP_WIDTH = 14


@click.command(name="doctor")
@click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    metavar="S",
    help="Seconds to listen for sensors.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(*, duration_s: float, as_json: bool) -> None:
    """Look at everything between this program and a sensor, and say what to do.

    Exit status 0 when nothing on this computer stands in the way, 1 when something does. A sensor that is
    merely switched off is not this computer's fault: whether one can be heard now is what the exit status of
    emgmon scan says.
    """
    import asyncio

    from emgmon.sensors.examine import read_system
    from emgmon.sensors.findings import is_ready

    tell = _quietly if as_json else _tell
    findings, heard = asyncio.run(_examine(read_system(), duration_s, tell))
    if as_json:
        _write_json(findings, heard)
    else:
        click.echo(_conclusion(findings))
    if not is_ready(findings):
        raise SystemExit(1)


async def _examine(
    facts: "Facts", duration_s: float, tell: Callable[["Finding"], None]
) -> tuple[tuple["Finding", ...], "Heard | SensorError | None"]:
    """Examine the computer, then the air, telling each finding as soon as it is certain."""
    from emgmon.sensors.doctor import judge_air, judge_computer
    from emgmon.sensors.examine import add_bluez
    from emgmon.sensors.findings import is_ready

    facts = await add_bluez(facts)
    computer = judge_computer(facts)
    for finding in computer:
        tell(finding)
    heard = await _listen(facts, duration_s) if is_ready(computer) else None
    air = judge_air(computer, facts, heard)
    for finding in air:
        tell(finding)
    return (*computer, *air), heard


async def _listen(facts: "Facts", duration_s: float) -> "Heard | SensorError":
    from emgmon.errors import SensorError
    from emgmon.sensors.examine import listen

    click.echo(f"listening for {duration_s:g} s", err=True)
    try:
        return await listen(facts, duration_s=duration_s)
    except SensorError as error:
        return error


def _quietly(_finding: "Finding") -> None:
    """JSON is written in one piece, at the end."""


def _tell(finding: "Finding") -> None:
    from textwrap import TextWrapper

    from emgmon.cli.pages import width

    mark = "-" if finding.state == "skipped" else finding.state.value
    margin = " " * (MARK_WIDTH + STEP_WIDTH)
    # A command that is broken at its hyphens cannot be copied.
    wrap = TextWrapper(
        width=width(), subsequent_indent=margin, break_on_hyphens=False, break_long_words=False
    )
    wrap.initial_indent = f"{mark:<{MARK_WIDTH}}{finding.step:<{STEP_WIDTH}}"
    click.echo(wrap.fill(finding.sentence))
    if finding.advice:
        wrap.initial_indent = f"{margin}> "
        wrap.subsequent_indent = f"{margin}  "
        click.echo(wrap.fill(finding.advice))


def _conclusion(findings: tuple["Finding", ...]) -> str:
    failed = [finding.step.value for finding in findings if finding.state == "fail"]
    if failed:
        return f"\nBegin with {failed[0]}." if len(failed) > 1 else f"\nOnly {failed[0]} stands in the way."
    if findings[-1].state == "ok":
        return "\nA sensor can be used: emgmon live"
    return "\nNothing on this computer stands in the way of a sensor."


def _write_json(findings: tuple["Finding", ...], heard: "Heard | SensorError | None") -> None:
    from emgmon.cli.pages import show
    from emgmon.sensors.findings import Heard, is_ready, shown_name

    sensors = heard.sensors if isinstance(heard, Heard) else ()
    show(
        {
            "schema": SCHEMA,
            "is_ready": is_ready(findings),
            "findings": findings,
            "sensors": [
                {"name": shown_name(one), "address": one.address, "rssi_dbm": one.rssi_dbm} for one in sensors
            ],
        }
    )
