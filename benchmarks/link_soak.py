"""Random schedules of faults through the real link: in the end nothing is missing, invented or twice."""

import multiprocessing
import os
import time
from collections.abc import Sequence
from functools import partial

from emgmon.events import LinkState
from emgmon.virtual.turned_loop import run_turned
from firmware_protocol.capabilities import Capabilities, Channel, Quantity, Stream, StreamKind, Unit
from firmware_protocol.packets import SampleFormat
from tests.sensors.mishaps import SETTLE_S, random_schedule, suffer
from tests.sensors.trial import a_trial, assert_whole

CHUNK = 25


def slow_sensor() -> Capabilities:
    """Describe a sensor with few samples: what is tried here is the link, not the arithmetic."""
    emg = Channel(Quantity.EMG, "gluteus_maximus", "left", None, Unit.MICROVOLT, 0.1)
    imu = tuple(
        Channel(Quantity.ACCELERATION, "pelvis", None, axis, Unit.METRE_PER_SECOND_SQUARED, 0.01)
        for axis in "xyz"
    )
    streams = (
        Stream(1, StreamKind.EMG, SampleFormat.INT16, 100.0, (emg,)),
        Stream(2, StreamKind.IMU, SampleFormat.INT16, 25.0, imu),
    )
    return Capabilities(version_minor=1, boot_id=7, name="soak", ring_ms=15_000, streams=streams)


def suffer_all(seed: int) -> int:
    """Go through one schedule; how many samples came. Raises where one is missing, twice or invented."""
    capabilities = slow_sensor()

    async def main(clock):
        async with a_trial(clock, capabilities=capabilities, duration_s=60.0) as trial:
            await trial.begin()
            for mishap in random_schedule(seed):
                await suffer(trial, mishap)
            await trial.air.turn(SETTLE_S)
            assert trial.link.state is LinkState.STREAMING, trial.link.state
            assert trial.link.n_missing == 0, trial.link.n_missing
            await trial.end()
            return assert_whole(trial.capabilities, trial.streams, trial.heard)

    return run_turned(main)


def _chunk(seeds: Sequence[int]) -> tuple[int, list[str]]:
    n_samples, failures = 0, []
    for seed in seeds:
        try:
            n_samples += suffer_all(seed)
        except Exception as error:
            failures.append(f"seed {seed}: {type(error).__name__}: {error}")
    return n_samples, failures


def soak(n_schedules: int, *, first: int = 0) -> int:
    """Run so many schedules on all cores; the status is 1 when one of them lost anything."""
    seeds = range(first, first + n_schedules)
    chunks = [seeds[i : i + CHUNK] for i in range(0, n_schedules, CHUNK)]
    began, n_samples, failures, done = time.perf_counter(), 0, [], 0
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for n_more, failed in pool.imap_unordered(partial(_chunk), chunks):
            n_samples, failures, done = n_samples + n_more, failures + failed, done + CHUNK
            if done % 1000 == 0:
                print(f"  {done} of {n_schedules}, {len(failures)} failed", flush=True)
    seconds = time.perf_counter() - began
    print(
        f"{n_schedules} random schedules of faults (seeds {seeds[0]} to {seeds[-1]}): {len(failures)} lost"
        f" or invented anything, {n_samples} samples came, {seconds:.0f} s on {os.cpu_count()} cores"
    )
    for failure in failures[:20]:
        print(f"  {failure}")
    return 1 if failures else 0
