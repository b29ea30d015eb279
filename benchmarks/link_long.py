"""One session of hours at full speed of computation: counters wrap, radios drop, memory stays where it is."""

import resource
import time
from pathlib import Path

import numpy as np

from emgmon.clock import ManualClock
from emgmon.events import LinkState, Notification, NotificationKind, SamplesLost, SessionEnded
from emgmon.recording.columns import from_notifications
from emgmon.session import Lookahead, Session, SessionSetup
from emgmon.virtual.turned_loop import run_turned
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.packets import SAMPLE_MODULUS, SEQUENCE_MODULUS, PacketHeader, SampleFormat
from tests.sensors.trial import Trial, a_trial

EMG_HZ = 1000.0
CUT_EVERY_S = 900.0
AWAY_S = 5.0
FLUSH_S = 5.0
BEFORE_WRAP_S = 1800.0
"""The 32-bit sample counter of the EMG wraps so long after the beginning."""


def belt() -> Capabilities:
    """Describe a belt with two muscles and a pelvis sensor."""
    emg = tuple(
        Channel(Quantity.EMG, site, "left", None, Unit.MICROVOLT, 0.1)
        for site in ("gluteus_maximus", "erector_spinae")
    )
    imu = tuple(
        Channel(quantity, "pelvis", None, axis, unit, 0.01)
        for quantity, unit in (
            (Quantity.ACCELERATION, Unit.METRE_PER_SECOND_SQUARED),
            (Quantity.ANGULAR_RATE, Unit.RADIAN_PER_SECOND),
        )
        for axis in "xyz"
    )
    streams = (
        Stream(1, StreamKind.EMG, SampleFormat.INT16, EMG_HZ, emg),
        Stream(2, StreamKind.IMU, SampleFormat.INT16, 100.0, imu),
    )
    return Capabilities(version_minor=1, boot_id=9, name="belt", ring_ms=15_000, streams=streams)


def run_long(hours: float) -> int:
    """Stream for so long, print memory by the hour; the status is 1 when a sample was lost."""
    clock = ManualClock()
    capabilities, duration_s = belt(), hours * 3600.0
    session = Session(SessionSetup((capabilities,), "bridge", None, None), lookahead=Lookahead.PROVISIONAL)
    told = _Told()
    began = time.perf_counter()

    async def main(clock):
        options = {"capabilities": capabilities, "duration_s": duration_s + 60.0}
        async with a_trial(clock, **options) as trial:
            # The sensor has been on for as long as its counter takes to come near its end.
            clock.advance_s(SAMPLE_MODULUS / EMG_HZ - BEFORE_WRAP_S)
            await trial.begin()
            await _stream(trial, session, told, duration_s)
            await trial.end()
            told.take(session, trial)

    run_turned(main, clock)
    told.note(session.finish())
    return told.report(hours, time.perf_counter() - began)


async def _stream(trial: Trial, session: Session, told: "_Told", duration_s: float) -> None:
    n_steps = round(duration_s / FLUSH_S)
    for step in range(n_steps):
        if step % round(CUT_EVERY_S / FLUSH_S) == 60:
            trial.sensor.take_out_of_reach(for_s=AWAY_S)
            told.n_cuts += 1
        await trial.air.turn(FLUSH_S)
        told.take(session, trial)
        if step % round(3600 / FLUSH_S) == round(600 / FLUSH_S):
            told.note_memory(step * FLUSH_S)
    told.note_memory(duration_s)
    await trial.air.turn(20.0)
    assert trial.link.state is LinkState.STREAMING


class _Told:
    """What came of it so far; nothing in it grows with time."""

    def __init__(self) -> None:
        self.n_cuts = self.n_lost = self.n_notifications = self.n_samples = 0
        self.end_s = 0.0
        self.memory_mb: list[tuple[float, float]] = []
        self._newest: dict[int, PacketHeader] = {}
        self.n_wraps = {"u16 sequence": 0, "u32 first_sample": 0}

    def take(self, session: Session, trial: Trial) -> None:
        """Hand on what the link has passed, and forget it."""
        rows = [
            Notification(round(at_s * 1e9), 0, kind, payload) for at_s, kind, payload in trial.heard.payloads
        ]
        trial.heard.payloads.clear()
        for row in rows:
            if row.kind is NotificationKind.DATA:
                self._count(PacketHeader.from_bytes(row.payload))
        if rows:
            self.note(session.receive_many(from_notifications(rows)))

    def _count(self, header: PacketHeader) -> None:
        self.n_notifications += 1
        self.n_samples += header.n_samples
        before = self._newest.get(header.stream)
        if before is not None and not header.flags & 1:
            self.n_wraps["u16 sequence"] += before.sequence - header.sequence > SEQUENCE_MODULUS // 2
            self.n_wraps["u32 first_sample"] += (
                before.first_sample - header.first_sample > SAMPLE_MODULUS // 2
            )
        if not header.flags & 1:
            self._newest[header.stream] = header

    def note(self, events: list[object]) -> None:
        for event in events:
            if isinstance(event, SamplesLost):
                self.n_lost += event.n_samples
            elif isinstance(event, SessionEnded):
                self.end_s = event.end_s

    def note_memory(self, at_s: float) -> None:
        self.memory_mb.append((at_s, _resident_mb()))

    def report(self, hours: float, seconds: float) -> int:
        first_s, first_mb = self.memory_mb[0]
        last_mb = self.memory_mb[-1][1]
        print(
            f"{hours:g} h of a session, {self.n_cuts} losses of {AWAY_S:g} s: {self.n_lost} samples lost,"
            f" {self.n_notifications} notifications, {self.n_samples} samples, {self.end_s / 3600:.3f} h of"
            f" session time, in {seconds:.0f} s ({hours * 3600 / seconds:.0f} times as fast as it was)"
        )
        print("counters that wrapped: " + ", ".join(f"{name} {n} times" for name, n in self.n_wraps.items()))
        print(
            f"memory: {first_mb:.0f} MB after {first_s / 60:.0f} min, {last_mb:.0f} MB at the end"
            f" ({last_mb - first_mb:+.1f} MB); by the hour "
            + " ".join(f"{mb:.0f}" for mb in np.array(self.memory_mb)[:, 1])
        )
        return 1 if self.n_lost else 0


def _resident_mb() -> float:
    """Memory of this process now; the most it ever had where the system does not tell."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
