"""A set with ten seconds of radio loss in its middle, against the same set with a perfect radio."""

import tempfile
from dataclasses import replace
from pathlib import Path

from emgmon.events import (
    Healed,
    LinkChanged,
    LinkState,
    QualityChanged,
    RepCompleted,
    RepWithdrawn,
    SamplesLost,
    SamplesMissing,
    SessionEnded,
    SetCompleted,
)
from emgmon.recording.format import session_setup
from emgmon.recording.reader import RecordingReader
from emgmon.sensors.live import LiveFeed, LiveSetup
from emgmon.session import Session
from emgmon.virtual.athlete import perform
from emgmon.virtual.params import AthleteParams
from emgmon.virtual.quick_air import QuickAir
from emgmon.virtual.script import script
from emgmon.virtual.turned_loop import run_turned

AWAY_S = 10.0
RING_MS = 15_000
RESULTS = (RepCompleted, RepWithdrawn, SetCompleted, SamplesLost, QualityChanged, SessionEnded)
N_REPS = 10


def measure_loss() -> int:
    """Print the comparison; the status is 1 when anything differs."""
    print(f"A bridge set of {N_REPS}, the radio gone for {AWAY_S:g} s in mid-set, ring {RING_MS / 1000:g} s")
    print("radio gone at    lost  told live  analysed  fetched  told anew")
    with tempfile.TemporaryDirectory() as folder:
        perfect = _record(Path(folder) / "perfect.arrows", None)
        expected = _analysed(Path(folder) / "perfect.arrows")
        bad = 0
        for at_s in (8.0, 14.0, 20.0, 26.0):
            path = Path(folder) / f"lossy-{at_s:g}.arrows"
            told = _record(path, at_s)
            found = _analysed(path)
            n_lost = sum(event.n_samples for event in found if isinstance(event, SamplesLost))
            same_live = _standing(told) == _standing(perfect)
            bad += n_lost > 0 or found != expected or not same_live
            n_fetched = max(event.n_samples for event in told if isinstance(event, SamplesMissing))
            n_healed = sum(isinstance(event, Healed) for event in told)
            print(
                f"{at_s:>12.0f} s {n_lost:>6} {_same(same_live):>10} {_same(found == expected):>9}"
                f" {n_fetched:>8} {n_healed:>10}"
            )
    print(f"(repetitions in the perfect run: {sum(isinstance(e, RepCompleted) for e in expected)})\n")
    return 1 if bad else 0


def _same(equal: bool) -> str:  # noqa: FBT001 - a word for a table
    return "equal" if equal else "DIFFERS"


def _record(path: Path, gone_at_s: float | None) -> list[object]:
    made = script([perform(AthleteParams(exercise="bridge", n_reps=N_REPS))])
    capabilities = replace(made.capabilities, version_minor=1, ring_ms=RING_MS)
    told: list[object] = []

    async def main(clock):
        air = QuickAir(clock)
        sensor = air.add(capabilities, made.streams)
        setup = LiveSetup(
            out=path,
            radio=air.radio,
            exercise=made.exercise,
            calibration=made.calibration,
            reference=made.reference,
            alignments=made.alignments,
        )
        feed = LiveFeed(setup, clock=clock)
        await feed.open()
        if gone_at_s is not None:
            began_s = clock.now_ns() / 1e9
            while clock.now_ns() / 1e9 < began_s + gone_at_s:
                told.extend(feed.poll())
                await air.turn(0.05)
            sensor.take_out_of_reach(for_s=AWAY_S)
        while not sensor.finished or feed.n_missing:
            told.extend(feed.poll())
            await air.turn(0.05)
        await feed.close()
        told.extend(feed.poll())
        air.close()

    run_turned(main)
    states = [event.state for event in told if isinstance(event, LinkChanged)]
    assert gone_at_s is None or LinkState.RECONNECTING in states
    return told


def _analysed(path: Path) -> list[object]:
    reader = RecordingReader(path)
    session = Session(session_setup(reader.header))
    told = [event for batch in reader.batches() for event in session.receive_many(batch)]
    return [event for event in (*told, *session.finish()) if isinstance(event, RESULTS)]


def _standing(told: list[object]) -> list[object]:
    """What a person knows in the end: corrections obeyed, sets and the end beside it."""
    reps: list[object] = []
    for event in told:
        if isinstance(event, Healed):
            del reps[event.n_reps :]
        elif isinstance(event, RepCompleted | RepWithdrawn):
            reps.append(event)
    return reps + [event for event in told if isinstance(event, SetCompleted | SamplesLost | SessionEnded)]
