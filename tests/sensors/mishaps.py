"""What happens to a radio for a while, by name, and schedules of it: drawn by hypothesis or by a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from emgmon.virtual.fate import DELIVER, DROP, DUPLICATE, cut_short, held_back
from tests.sensors.trial import Trial

FATES = (DROP, DUPLICATE, held_back(1), held_back(3), held_back(40), cut_short(7))
KINDS = ("cut", "silence", "out of reach", "noise", "noise")

SETTLE_S = 14.0
"""Long enough for every recovery: silence is noticed, the link comes back, the backlog is fetched."""


@dataclass(frozen=True)
class Mishap:
    """Something that happens to the radio for a while."""

    kind: str
    after_s: float
    """Since the one before was over."""
    lasts_s: float
    share: float = 0.0
    """Of the notifications that are concerned."""
    seed: int = 0


mishaps = st.builds(
    Mishap,
    kind=st.sampled_from(KINDS),
    after_s=st.floats(0.05, 3.0),
    lasts_s=st.floats(0.1, 4.0),
    share=st.floats(0.01, 0.6),
    seed=st.integers(0, 1000),
)
schedules = st.lists(mishaps, min_size=1, max_size=4)


def random_schedule(seed: int) -> Sequence[Mishap]:
    """Draw one to four mishaps, the same ones for the same seed."""
    chance = random.Random(seed)
    return [
        Mishap(
            chance.choice(KINDS),
            chance.uniform(0.05, 3.0),
            chance.uniform(0.1, 4.0),
            chance.uniform(0.01, 0.6),
            chance.randrange(1000),
        )
        for _ in range(chance.randint(1, 4))
    ]


async def suffer(trial: Trial, mishap: Mishap) -> None:
    """Let it happen, and be over."""
    await trial.air.turn(mishap.after_s)
    chance = random.Random(mishap.seed)
    if mishap.kind == "cut":
        trial.sensor.cut()
    elif mishap.kind == "silence":
        trial.sensor.silence()
    elif mishap.kind == "out of reach":
        trial.sensor.take_out_of_reach()
    else:
        trial.air.fate = lambda *_: chance.choice(FATES) if chance.random() < mishap.share else DELIVER
    await trial.air.turn(mishap.lasts_s)
    trial.air.fate = lambda *_: DELIVER
    trial.sensor.bring_back()
    trial.sensor.release()
