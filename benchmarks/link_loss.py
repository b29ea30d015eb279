"""A set with ten seconds of radio loss in its middle, against the same set with a perfect radio."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from emgmon.events import (
    Event,
    Healed,
    LinkChanged,
    LinkState,
    RepCompleted,
    RepWithdrawn,
    SamplesLost,
    SamplesMissing,
    SessionEnded,
    SetCompleted,
)
from tests.sensors.recorded_sets import RING_MS, recorded, results

AWAY_S = 10.0
N_REPS = 10


def measure_loss() -> int:
    """Print the comparison; the status is 1 when anything differs."""
    print(f"A bridge set of {N_REPS}, the radio gone for {AWAY_S:g} s in mid-set, ring {RING_MS / 1000:g} s")
    print("radio gone at    lost  told live  analysed  fetched  told anew")
    with tempfile.TemporaryDirectory() as folder:
        perfect = recorded(Path(folder) / "perfect.arrows", lambda _sensor: None, n_reps=N_REPS)
        expected = results(Path(folder) / "perfect.arrows")
        bad = 0
        for at_s in (8.0, 14.0, 20.0, 26.0):
            path = Path(folder) / f"lossy-{at_s:g}.arrows"
            told = recorded(
                path, lambda sensor: sensor.take_out_of_reach(for_s=AWAY_S), n_reps=N_REPS, at_s=at_s
            )
            assert any(isinstance(e, LinkChanged) and e.state is LinkState.RECONNECTING for e in told)
            found = results(path)
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


def _standing(told: Sequence[Event]) -> list[Event]:
    """What a person knows in the end: corrections obeyed, sets and the end beside it."""
    reps: list[Event] = []
    for event in told:
        if isinstance(event, Healed):
            del reps[event.n_reps :]
        elif isinstance(event, RepCompleted | RepWithdrawn):
            reps.append(event)
    return reps + [event for event in told if isinstance(event, SetCompleted | SamplesLost | SessionEnded)]
