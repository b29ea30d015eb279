"""What is shown on the real stack: one function each, in the order of running; what it returns is reported.

A scenario fails by raising. Each begins and ends unconnected and has a limit of time; the next one runs
whatever became of it. To add one, write the function and put it into `SCENARIOS`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bleak import BleakClient

from emgmon.errors import SensorError
from emgmon.events import LinkState
from emgmon.sensors.ble import SYSTEM_RADIO, find, scan
from emgmon.sensors.bluez_agent import pairing_agent
from emgmon.sensors.doctor import judge_computer
from emgmon.sensors.examine import add_bluez, read_system
from emgmon.sensors.findings import State, Step
from firmware_protocol.gatt import DATA_UUID
from tests.bluez_vm.guest.bluez import Bluez
from tests.bluez_vm.guest.client import FIND_LIMIT_S, connect
from tests.bluez_vm.guest.messages import Deed, Facts, Sensor
from tests.bluez_vm.guest.port import Port
from tests.bluez_vm.guest.session import GuestSession, session

SCENARIO_LIMIT_S = 60.0
SCAN_S = 1.5
SETTLE_S = 0.5
N_SAMPLES_SUSTAINED = 35_000
"""Five seconds' worth."""
N_SAMPLES_SHORT = 1_000
"""Of both streams of the usual sensor: almost a second's worth."""
STREAM_LIMIT_S = 40.0
BACK_LIMIT_S = 30.0
SMALLEST_MTU = 185


@dataclass(frozen=True, slots=True)
class Guest:
    """What a scenario has at hand."""

    port: Port
    bluez: Bluez


Scenario = Callable[[Guest], Awaitable[Facts]]


async def nothing_stands_in_the_way(_guest: Guest) -> Facts:
    findings = judge_computer(await add_bluez(read_system()))
    assert {finding.state for finding in findings} == {State.OK}, findings
    return {finding.step.value: finding.sentence for finding in findings if finding.step is Step.VERSION}


async def a_scan_finds_the_sensors_by_their_service(guest: Guest) -> Facts:
    found = {sensor.address: sensor for sensor in await scan(SYSTEM_RADIO, duration_s=SCAN_S)}
    assert found.keys() == {sensor.address for sensor in Sensor}
    for sensor in Sensor:
        told = (await guest.port.ask(Deed.TELL, sensor)).facts
        assert found[sensor.address].name == told["name"]
        assert -127 <= found[sensor.address].rssi_dbm <= 20
    return {"names": ", ".join(sorted(sensor.name for sensor in found.values()))}


async def pairing_leaves_a_bond(guest: Guest) -> Facts:
    begun_s = time.monotonic()
    for sensor in Sensor:
        found = await find(SYSTEM_RADIO, address=sensor.address, limit_s=FIND_LIMIT_S)
        async with BleakClient(found.device) as client, pairing_agent(sensor.address):
            await client.pair()
            known = await guest.bluez.device(sensor.address)
            assert (known["Paired"], known["Bonded"]) == (True, True)
            assert (await guest.port.ask(Deed.TELL, sensor)).facts["encrypted"]
    return {"both_paired_after_s": round(time.monotonic() - begun_s, 2)}


async def a_bonded_sensor_streams_over_an_encrypted_link(guest: Guest) -> Facts:
    begun_s = time.monotonic()
    async with session() as under_way:
        open_s = time.monotonic() - begun_s
        await under_way.more_samples(N_SAMPLES_SHORT, limit_s=STREAM_LIMIT_S)
        assert (await guest.port.ask(Deed.TELL)).facts["encrypted"]
        assert under_way.known is not None
    received = under_way.received()
    assert received.whole, received
    return {"streaming_after_s": round(open_s, 2), "model": under_way.known.information.model}


async def a_sustained_stream_arrives_whole(guest: Guest) -> Facts:
    client = await connect(Sensor.FAST)
    try:
        await client.stream(N_SAMPLES_SUSTAINED, limit_s=STREAM_LIMIT_S)
        acquired = await guest.bluez.acquired()
        mtu = await guest.bluez.mtu(DATA_UUID)
        await client.stop()
    finally:
        await client.connection.close()
    received = client.received()
    assert received.whole, received
    assert DATA_UUID in acquired, f"notifications go through {acquired or 'D-Bus'}"
    assert mtu >= SMALLEST_MTU
    return {"mtu": mtu, **received.facts()}


async def _comes_back_after(guest: Guest, deed: Deed, *, away_s: float = 0.0) -> Facts:
    async with session() as under_way:
        await under_way.more_samples(N_SAMPLES_SHORT, limit_s=STREAM_LIMIT_S)
        asked_s = time.monotonic()
        await guest.port.ask(deed, away_s=away_s)
        await under_way.until(lambda: under_way.has_been(LinkState.RECONNECTING), limit_s=BACK_LIMIT_S)
        await under_way.until(lambda: _is_streaming(under_way), limit_s=BACK_LIMIT_S + away_s)
        await under_way.more_samples(N_SAMPLES_SHORT, limit_s=STREAM_LIMIT_S)
        filled_s = await under_way.until(lambda: under_way.link.n_missing == 0, limit_s=STREAM_LIMIT_S)
    received = under_way.received()
    assert received.whole, received
    assert received.n_backfilled > 0, received
    return {
        "noticed_after_s": round(under_way.when(LinkState.RECONNECTING, after_s=asked_s) - asked_s, 2),
        "away_s": away_s,
        "streaming_after_s": round(under_way.when(LinkState.STREAMING, after_s=asked_s) - asked_s, 2),
        "whole_after_s": round(filled_s, 2),
        **received.facts(),
    }


def _is_streaming(under_way: GuestSession) -> bool:
    return under_way.link.state is LinkState.STREAMING


async def a_sensor_that_hung_up_is_reached_again_and_nothing_is_lost(guest: Guest) -> Facts:
    return await _comes_back_after(guest, Deed.HANG_UP)


async def a_broken_link_is_made_anew_and_nothing_is_lost(guest: Guest) -> Facts:
    return await _comes_back_after(guest, Deed.CUT)


async def after_five_seconds_out_of_reach_nothing_is_lost(guest: Guest) -> Facts:
    return await _comes_back_after(guest, Deed.CUT, away_s=5.0)


async def a_sensor_that_rebooted_streams_again_in_the_same_session(guest: Guest) -> Facts:
    async with session() as under_way:
        await under_way.more_samples(N_SAMPLES_SHORT, limit_s=STREAM_LIMIT_S)
        asked_s = time.monotonic()
        await guest.port.ask(Deed.REBOOT)
        await under_way.until(lambda: under_way.has_been(LinkState.RECONNECTING), limit_s=BACK_LIMIT_S)
        await under_way.until(lambda: _is_streaming(under_way), limit_s=BACK_LIMIT_S)
        await under_way.more_samples(N_SAMPLES_SHORT, limit_s=STREAM_LIMIT_S)
        assert under_way.rebooted()
        return {"streaming_after_s": round(under_way.when(LinkState.STREAMING, after_s=asked_s) - asked_s, 2)}


async def a_sensor_without_a_bond_is_paired_by_using_it(guest: Guest) -> Facts:
    await guest.bluez.remove(Sensor.USUAL.address)
    begun_s = time.monotonic()
    async with session() as under_way:
        open_s = time.monotonic() - begun_s
        await under_way.more_samples(N_SAMPLES_SHORT, limit_s=STREAM_LIMIT_S)
    assert (await guest.bluez.device(Sensor.USUAL.address))["Bonded"]
    received = under_way.received()
    assert received.whole, received
    return {"streaming_after_s": round(open_s, 2)}


async def a_radio_that_is_switched_off_is_told_in_words(guest: Guest) -> Facts:
    await guest.bluez.switch(on=False)
    # bleak believes what D-Bus last told it, and that comes a moment later.
    await asyncio.sleep(SETTLE_S)
    try:
        await scan(SYSTEM_RADIO, duration_s=SCAN_S)
    except SensorError as error:
        said = str(error)
    else:
        said = ""
    findings = judge_computer(await add_bluez(read_system()))
    await guest.bluez.switch(on=True)
    assert "switched off" in said, said
    failed = [finding.step for finding in findings if finding.state is State.FAIL]
    assert failed == [Step.ADAPTER], findings
    return {"said": said}


SCENARIOS: tuple[Scenario, ...] = (
    nothing_stands_in_the_way,
    a_scan_finds_the_sensors_by_their_service,
    pairing_leaves_a_bond,
    a_bonded_sensor_streams_over_an_encrypted_link,
    a_sustained_stream_arrives_whole,
    a_sensor_that_hung_up_is_reached_again_and_nothing_is_lost,
    a_broken_link_is_made_anew_and_nothing_is_lost,
    after_five_seconds_out_of_reach_nothing_is_lost,
    a_sensor_that_rebooted_streams_again_in_the_same_session,
    a_sensor_without_a_bond_is_paired_by_using_it,
    a_radio_that_is_switched_off_is_told_in_words,
)
