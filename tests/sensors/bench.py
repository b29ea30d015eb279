"""A sensor on the virtual air for the host's own code to find."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emgmon.clock import Clock
from emgmon.sensors.ble import Radio
from emgmon.virtual.air import VirtualAir
from emgmon.virtual.athlete import StreamSamples
from emgmon.virtual.backend import host_radio
from emgmon.virtual.fate import FateHook, deliver_all
from emgmon.virtual.firmware import Firmware
from emgmon.virtual.machine import MachineFactory
from emgmon.virtual.sensor import VirtualSensor
from emgmon.virtual.system import HostSystem
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.gatt import Security
from firmware_protocol.packets import SampleFormat

BOOT_ID = 0x1234BEEF
LIMIT_S = 30.0
"""No test waits longer for what must happen."""


class FastClock:
    """The machine's clock, running faster."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._start_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        return int((time.monotonic_ns() - self._start_ns) * self._speed)


def small_capabilities(n_emg: int = 2, *, boot_id: int = BOOT_ID, ring_ms: int = 15_000) -> Capabilities:
    """Describe a sensor; without a ring it is one of version 1.0."""
    emg = tuple(
        Channel(Quantity.EMG, f"muscle_{index}", None, None, Unit.MICROVOLT, 0.1) for index in range(n_emg)
    )
    imu = tuple(
        Channel(Quantity.ACCELERATION, "pelvis", None, axis, Unit.METRE_PER_SECOND_SQUARED, 0.01)
        for axis in "xyz"
    )
    return Capabilities(
        version_minor=1 if ring_ms else 0,
        boot_id=boot_id,
        name="bench",
        ring_ms=ring_ms,
        streams=(
            Stream(1, StreamKind.EMG, SampleFormat.INT16, 1000.0, emg),
            Stream(2, StreamKind.IMU, SampleFormat.INT16, 100.0, imu),
        ),
    )


def noise(capabilities: Capabilities, duration_s: float) -> tuple[StreamSamples, ...]:
    chance = np.random.default_rng(7)
    return tuple(
        StreamSamples(
            stream,
            0,
            chance.integers(
                -2000, 2000, (round(duration_s * stream.rate_hz), len(stream.channels)), np.int16
            ),
        )
        for stream in capabilities.streams
    )


@dataclass
class Bench:
    air: VirtualAir
    sensor: VirtualSensor
    radio: Radio
    capabilities: Capabilities
    streams: tuple[StreamSamples, ...]
    system: HostSystem


async def switch_on(
    *,
    clock: Clock,
    duration_s: float = 2.0,
    n_emg: int = 2,
    ring_ms: int = 15_000,
    fate: FateHook = deliver_all,
    security: Security = Security.OPEN,
    machine: MachineFactory = Firmware,
) -> Bench:
    """Switch on a sensor that measures noise."""
    capabilities = small_capabilities(n_emg, ring_ms=ring_ms)
    streams = noise(capabilities, duration_s)
    air, system = VirtualAir(fate=fate), HostSystem()
    await air.open()
    sensor = VirtualSensor(
        capabilities, streams, air.sensor_device, clock=clock, security=security, machine=machine
    )
    await sensor.open()
    return Bench(air, sensor, host_radio(air.host_device, system), capabilities, streams, system)


async def happens(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0)
