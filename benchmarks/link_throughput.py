"""How many notifications a second the host's side takes, and what share of a core the usual number costs."""

import asyncio
import time
from collections.abc import Callable

from emgmon.clock import SystemClock
from emgmon.events import LinkChanged, Notification, NotificationKind
from emgmon.sensors.link import SensorLink
from emgmon.session import Lookahead, Session, SessionSetup
from emgmon.virtual.air import VirtualAir
from emgmon.virtual.athlete import StreamSamples, perform
from emgmon.virtual.backend import host_radio
from emgmon.virtual.montage import as_live
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.sensor import VirtualSensor
from firmware_protocol.receiver import Receiver

SECONDS = 10.0


def measure_throughput() -> None:
    """Print what the stages cost, one by one and together."""
    performance = perform(AthleteParams(exercise="bridge", n_reps=6))
    rows, capabilities = asyncio.run(_over_the_stack(performance))
    data = [payload for kind, payload in rows if kind is NotificationKind.DATA]
    per_s = len(data) / SECONDS
    print(f"A belt of 4 x 2 kHz + IMU sends {per_s:.0f} notifications/s ({_kb(data) / SECONDS:.1f} kB/s)")
    print(f"{'stage':<50} {'per second, sustained':>22} {'share of a core':>16}")
    setup = SessionSetup(
        (capabilities,), "bridge", performance.calibration, performance.reference, performance.alignments
    )
    for name, take in (
        ("receiver (decode, gaps)", _receiver(capabilities)),
        ("receiver and engine, one by one", _session(setup)),
    ):
        began = time.perf_counter()
        for i, (kind, payload) in enumerate(rows):
            take(i, kind, payload)
        seconds = time.perf_counter() - began
        print(f"{name:<50} {len(rows) / seconds:>22.0f} {100 * seconds / SECONDS:>14.1f} %")
    print(
        "(the radio's own cost is the operating system's; the Bluetooth stack in Python is not part of it)\n"
    )


def _kb(data: list[bytes]) -> float:
    return sum(len(payload) for payload in data) / 1e3


Take = Callable[[int, NotificationKind, bytes], None]


def _receiver(capabilities) -> Take:
    receiver = Receiver(capabilities)

    def take(_i: int, kind: NotificationKind, payload: bytes) -> None:
        if kind is NotificationKind.DATA:
            receiver.receive_data(payload)
        elif kind is NotificationKind.CONTROL:
            receiver.receive_control(payload)

    return take


def _session(setup: SessionSetup) -> Take:
    session = Session(setup, lookahead=Lookahead.PROVISIONAL)

    def take(i: int, kind: NotificationKind, payload: bytes) -> None:
        session.receive(Notification(i * 5_000_000, 0, kind, payload))

    return take


async def _over_the_stack(performance):
    """Stream for a while through a real Bluetooth stack, in real time."""
    capabilities = as_live(performance.capabilities)
    air = VirtualAir()
    await air.open()
    streams: tuple[StreamSamples, ...] = performance.streams
    sensor = VirtualSensor(capabilities, streams, air.sensor_device, clock=SystemClock())
    await sensor.open()
    rows: list[tuple[NotificationKind, bytes]] = []

    def receive(kind: NotificationKind, payload: bytes) -> None:
        rows.append((kind, payload))

    def changed(_change: LinkChanged) -> None:
        return

    link = SensorLink(
        0, host_radio(air.host_device), SystemClock(), address=None, receive=receive, changed=changed
    )
    await link.connect()
    await link.start()
    used = time.process_time()
    await asyncio.sleep(SECONDS)
    used = time.process_time() - used
    await link.close()
    await sensor.close()
    await air.close()
    print(
        f"{len(rows) / SECONDS:.0f} payloads/s for {SECONDS:g} s over a Bluetooth stack, both sides of it and"
        f" the link in one process: {100 * used / SECONDS:.0f} % of a core"
    )
    return rows, capabilities
