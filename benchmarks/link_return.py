"""From a loss to the next sample: how long a sensor is waited for once it can be heard again."""

import random
import statistics
from collections.abc import Callable

from emgmon.events import LinkState
from emgmon.virtual.quick_sensor import QuickSensor
from emgmon.virtual.turned_loop import run_turned
from tests.sensors.trial import Trial, a_trial

N_TRIALS = 60


def measure_return() -> None:
    """Print a line for every kind of loss."""
    print(f"From a loss to streaming again, {N_TRIALS} trials each (10 ms one way, seconds of the radio)")
    print(f"{'loss':<42} {'since':<20} {'median':>7} {'90 %':>7} {'most':>7}")
    for name, since, lose in (
        ("link loss 0x08, sensor advertises at once", "the loss", _cut),
        ("out of reach for 3 to 40 s", "it is heard again", _out_of_reach),
        ("silence without a disconnection", "the last sample", _silence),
    ):
        times_s = sorted(_once(seed, lose) for seed in range(N_TRIALS))
        print(
            f"{name:<42} {since:<20} {statistics.median(times_s):>6.2f}s"
            f" {times_s[int(0.9 * len(times_s))]:>6.2f}s {times_s[-1]:>6.2f}s"
        )
    print()


Lose = Callable[[QuickSensor, random.Random], float]
"""Does it, and tells after how many seconds the sensor can be heard again."""


def _cut(sensor: QuickSensor, _chance: random.Random) -> float:
    sensor.cut()
    return 0.0


def _out_of_reach(sensor: QuickSensor, chance: random.Random) -> float:
    away_s = chance.uniform(3.0, 40.0)
    sensor.take_out_of_reach(for_s=away_s)
    return away_s


def _silence(sensor: QuickSensor, _chance: random.Random) -> float:
    sensor.silence()
    return 0.0


def _once(seed: int, lose: Lose) -> float:
    chance = random.Random(seed)

    async def main(clock):
        async with a_trial(clock, chance=chance.random) as trial:
            await trial.begin()
            await trial.air.turn(chance.uniform(1.0, 2.0))
            lost_s = clock.now_ns() / 1e9
            heard_s = lost_s + lose(trial.sensor, chance)
            return await _streaming_again(trial) - heard_s

    return run_turned(main)


async def _streaming_again(trial: Trial) -> float:
    await trial.until(LinkState.RECONNECTING)
    return await trial.until(LinkState.STREAMING, limit_s=120.0)
