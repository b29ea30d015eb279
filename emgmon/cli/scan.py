"""``emgmon scan``: which sensors are in the air."""

import click


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

    The exit status is 1 when there was none.
    """
    import asyncio

    from emgmon.errors import SensorError
    from emgmon.sensors.ble import NOT_HEARD_ADVICE, SYSTEM_RADIO, scan

    found = asyncio.run(scan(SYSTEM_RADIO, duration_s=duration_s))
    if not found:
        raise SensorError(f"no sensor was heard within {duration_s:g} s", advice=NOT_HEARD_ADVICE)
    for sensor in found:
        click.echo(f"{sensor.address}  {sensor.rssi_dbm} dBm  {sensor.name}")
