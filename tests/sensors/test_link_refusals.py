"""What a sensor or a system refuses (keys, services, packets, versions, streams), and what comes of it."""

import pytest

from emgmon.errors import SensorError
from emgmon.events import LinkState
from emgmon.sensors.refusals import PairingRefused, UnusableSensor
from firmware_protocol.gatt import DATA_UUID, Security
from tests.sensors.bench import small_capabilities
from tests.sensors.trial import parted, turned

pytestmark = pytest.mark.usefixtures("nothing_blocks")


@turned(sensor_options={"security": Security.ENCRYPTED})
async def test_a_sensor_that_demands_encryption_is_paired_with_once(trial):
    await trial.begin()
    assert trial.sensor.bond is not None
    key = trial.sensor.bond
    await trial.air.turn(2)
    trial.sensor.cut()
    await trial.air.turn(3)
    assert trial.sensor.bond == key
    assert await parted(trial) > 4 * 1100


@turned(sensor_options={"security": Security.ENCRYPTED})
async def test_pairing_that_is_refused_is_told_with_what_to_do(trial):
    trial.air.system.pairs = False
    with pytest.raises(PairingRefused, match="encrypted link only, and pairing failed") as caught:
        await trial.link.connect()
    assert "list of devices" in caught.value.advice
    assert trial.heard.states[-1] is LinkState.CLOSED


@turned(sensor_options={"security": Security.ENCRYPTED})
async def test_a_bond_that_the_sensor_lost_in_mid_session_is_made_anew(trial):
    await trial.begin()
    await trial.air.turn(2)
    trial.sensor.bond = None
    trial.sensor.cut()
    await trial.air.turn(5)
    assert trial.link.state is LinkState.STREAMING
    assert await parted(trial) > 6 * 1100


@turned(sensor_options={"security": Security.ENCRYPTED})
async def test_a_bond_that_cannot_be_made_anew_is_told_and_tried_on(trial):
    await trial.begin()
    await trial.air.turn(2)
    trial.sensor.bond, trial.sensor.takes_bonds = None, False
    trial.sensor.cut()
    await trial.air.turn(20)
    assert any("pairing failed" in change.detail for _, change in trial.heard.changes)
    assert LinkState.LOST not in trial.heard.states
    trial.sensor.takes_bonds = True
    await trial.until(LinkState.STREAMING)
    await trial.air.turn(10)
    assert trial.link.n_missing == 0


@turned()
async def test_services_that_the_system_remembers_wrongly_are_looked_up_anew_once(trial):
    trial.air.system.stale[DATA_UUID] = 1
    await trial.begin()
    await trial.air.turn(1)
    assert await parted(trial) > 900


@turned()
async def test_a_sensor_without_the_characteristic_is_refused_with_advice(trial, monkeypatch):
    monkeypatch.setattr(type(trial.air.system), "hidden", lambda *_, **__: frozenset({DATA_UUID}))
    with pytest.raises(UnusableSensor, match=f"lacks the characteristic {DATA_UUID}") as caught:
        await trial.link.connect()
    assert "list of Bluetooth devices" in caught.value.advice


@turned()
async def test_packets_too_small_for_the_samples_are_told_with_the_size_that_is_needed(trial):
    trial.air.system.mtu = 23
    await trial.link.connect()
    with pytest.raises(SensorError, match="needs an MTU of 39"):
        await trial.link.start()


@turned()
async def test_a_link_that_comes_back_with_small_packets_is_tried_until_they_are_larger(trial):
    await trial.begin()
    await trial.air.turn(1)
    trial.air.system.mtu = 23
    trial.sensor.cut()
    await trial.air.turn(3)
    assert trial.link.state is not LinkState.STREAMING
    trial.air.system.mtu = 185
    await trial.until(LinkState.STREAMING)
    await trial.air.turn(5)
    assert await parted(trial) > 8 * 1100


@turned()
async def test_another_major_version_ends_the_link_with_both_versions_named(trial):
    await trial.begin()
    await trial.air.turn(1)
    speak_version_2(trial.sensor)
    trial.sensor.cut()
    await trial.until(LinkState.LOST)
    detail = trial.heard.changes[-1][1].detail
    assert "version 2.1" in detail
    assert "knows version 1" in detail
    assert "Update emgmon" in detail


@turned()
async def test_a_sensor_of_another_major_version_is_refused(trial):
    speak_version_2(trial.sensor)
    with pytest.raises(UnusableSensor, match=r"version 2\.1.*knows version 1"):
        await trial.link.connect()


def speak_version_2(sensor):
    machine = sensor.powered.measuring.machine
    description = bytearray(machine._description)
    description[2] = 2
    machine._description = bytes(description)


@turned()
async def test_other_streams_behind_the_same_address_end_the_link(trial):
    await trial.begin()
    await trial.air.turn(1)
    trial.sensor.powered.measuring.machine._description = small_capabilities(3).to_bytes()
    trial.sensor.cut()
    await trial.until(LinkState.LOST)
    assert "other streams" in trial.heard.changes[-1][1].detail
