"""``emgmon scan``: which sensors are in the air, and if none, why."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emgmon.sensors.findings import Facts, Heard


@click.command(name="scan")
@click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    metavar="S",
    help="Seconds to listen.",
)
def command(*, duration_s: float) -> None:
    """List the sensors that can be heard, the nearest first: address, signal strength, name.

    The exit status is 1 when there was none, and the message says why: emgmon doctor looks closer.
    """
    import asyncio

    from emgmon.sensors.examine import read_system
    from emgmon.sensors.findings import shown_name, signal_words
    from firmware_protocol.gatt import SERVICE_UUID

    click.echo(f"listening for {duration_s:g} s for service {SERVICE_UUID}", err=True)
    facts, heard = asyncio.run(_hear(read_system(), duration_s))
    if not heard.sensors:
        _raise_silence(facts, heard)
    rows = [(one.address, signal_words(one.rssi_dbm), shown_name(one)) for one in heard.sensors]
    address_width, signal_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    for address, signal, name in rows:
        click.echo(f"{address:<{address_width}}  {signal:<{signal_width}}  {name}")
    click.echo(f"connect to one with: emgmon live --sensor {rows[0][0]}", err=True)


async def _hear(facts: "Facts", duration_s: float) -> tuple["Facts", "Heard"]:
    from emgmon.errors import SensorError
    from emgmon.sensors.examine import add_bluez, explained, listen

    facts = await add_bluez(facts)
    try:
        return facts, await listen(facts, duration_s=duration_s)
    except SensorError as error:
        raise explained(error, facts) from error


def _raise_silence(facts: "Facts", heard: "Heard") -> None:
    from emgmon.errors import SensorError
    from emgmon.sensors.doctor import judge_air
    from emgmon.sensors.examine import MORE

    finding = judge_air((), facts, heard)[-1]
    raise SensorError(finding.sentence.rstrip("."), advice=f"{finding.advice} {MORE}")
