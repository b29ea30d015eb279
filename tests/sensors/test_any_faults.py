"""Any schedule of faults, then recovery: nothing lost that the ring held, nothing twice, nothing invented."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emgmon.events import LinkState
from emgmon.virtual.turned_loop import run_turned
from tests.sensors.mishaps import SETTLE_S, schedules, suffer
from tests.sensors.trial import a_trial, assert_true, assert_whole, gathered

quick = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(quick, max_examples=150)
@given(schedule=schedules)
def test_with_a_ring_that_is_deep_enough_nothing_is_lost(schedule):
    """Four mishaps of up to four seconds, each recovered from: fifteen seconds hold them all."""

    async def main(clock):
        async with a_trial(clock) as trial:
            await trial.begin()
            for mishap in schedule:
                await suffer(trial, mishap)
            await trial.air.turn(SETTLE_S)
            assert trial.link.state is LinkState.STREAMING
            assert trial.link.n_missing == 0
            await trial.end()
            n_samples = assert_whole(trial.capabilities, trial.streams, trial.heard)
            assert n_samples > (clock.now_ns() / 1e9 - 1.5) * 1100

    run_turned(main)


@settings(quick, max_examples=60)
@given(schedule=schedules, ring_ms=st.integers(2000, 6000))
def test_with_any_ring_what_came_is_true_and_the_rest_is_known_to_be_lost(schedule, ring_ms):
    async def main(clock):
        async with a_trial(clock, ring_ms=ring_ms) as trial:
            await trial.begin()
            for mishap in schedule:
                await suffer(trial, mishap)
            await trial.air.turn(SETTLE_S)
            assert trial.link.n_missing == 0
            await trial.end()
            (boot,) = gathered(trial.capabilities, trial.heard)
            for samples in trial.streams:
                got = boot[samples.stream.number]
                n_lost = sum(end - first for first, end in got.lost)
                n_came = assert_true(got, samples.counts)
                assert n_came + n_lost == got.numbers.max() - got.start + 1

    run_turned(main)


@settings(quick, max_examples=40)
@given(before=schedules, after=schedules)
def test_a_reboot_among_other_faults_loses_only_what_the_old_ring_held(before, after):
    async def main(clock):
        async with a_trial(clock) as trial:
            await trial.begin()
            for mishap in before:
                await suffer(trial, mishap)
            trial.sensor.reboot()
            for mishap in after:
                await suffer(trial, mishap)
            await trial.air.turn(SETTLE_S)
            assert trial.link.state is LinkState.STREAMING
            assert trial.link.n_missing == 0
            await trial.end()
            first, second = gathered(trial.capabilities, trial.heard)
            for samples in trial.streams:
                assert_true(first[samples.stream.number], samples.counts)
                got = second[samples.stream.number]
                assert got.lost == []
                assert len(set(got.numbers.tolist())) == got.numbers.max() - got.start + 1

    run_turned(main)
