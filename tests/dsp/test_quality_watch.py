import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emgmon.dsp.quality import QualityBlocks
from emgmon.dsp.quality_grades import Fault
from emgmon.dsp.quality_watch import ChannelWatch
from emgmon.dsp.timeline import SampleClock
from emgmon.events import Quality
from emgmon.virtual.muscle import muscle_noise
from tests.dsp.test_quality import blocks_of

RATE_HZ = 1000.0


def session(duration_s=20.0, n_channels=2, rms_uv=60.0, rest_uv=3.0, seed=0):
    """Channels that work two of every four seconds."""
    chance = np.random.default_rng(seed)
    n = int(duration_s * RATE_HZ)
    working = np.sin(2 * np.pi * np.arange(n) / (4.0 * RATE_HZ)) > 0
    muscle_uv = np.stack([muscle_noise(n, RATE_HZ, chance) for _ in range(n_channels)]) * rms_uv
    return np.where(working, muscle_uv, 0.0) + chance.normal(0.0, rest_uv, muscle_uv.shape)


def watched(raw_uv, anchor_s=0.0, **about):
    blocks = blocks_of(np.round(raw_uv, 1), RATE_HZ, SampleClock(0, anchor_s, RATE_HZ))
    return ChannelWatch.begin(len(raw_uv), **about).step(blocks)


def flat(raw_uv, at):
    raw_uv[0, at:] = 0.0


def flat_at_a_limit(raw_uv, at):
    raw_uv[0, at:] = 3276.7


def floating(raw_uv, at):
    n = raw_uv.shape[1] - at
    raw_uv[0, at:] = 900.0 * np.sqrt(2) * np.sin(2 * np.pi * 50.0 * np.arange(n) / RATE_HZ)
    raw_uv[0, at:] += np.random.default_rng(1).normal(0.0, 20.0, n)


def floating_into_the_limits(raw_uv, at):
    n = raw_uv.shape[1] - at
    raw_uv[0, at:] = np.clip(9000.0 * np.sin(2 * np.pi * 60.0 * np.arange(n) / RATE_HZ), -3276.8, 3276.7)


def swinging(raw_uv, at):
    n = raw_uv.shape[1] - at
    raw_uv[0, at:] += 2500.0 * np.sin(2 * np.pi * 8.0 * np.arange(n) / RATE_HZ)


def shorted(raw_uv, at):
    raw_uv[0, at:] = np.random.default_rng(1).normal(0.0, 0.4, raw_uv.shape[1] - at)


def shorted_far_away(raw_uv, at):
    shorted(raw_uv, at)
    raw_uv[0, at:] += 2000.0


@pytest.mark.parametrize(
    ("fall_off", "fault"),
    [
        (flat, Fault.NO_SIGNAL),
        (flat_at_a_limit, Fault.NO_SIGNAL),
        (floating, Fault.HUM),
        (floating_into_the_limits, Fault.CUT_OFF),
        (swinging, Fault.SWAY),
        (shorted, Fault.QUIET),
        (shorted_far_away, Fault.QUIET),
    ],
)
@pytest.mark.parametrize("anchor_s", [0.0, 0.137])
def test_an_electrode_that_falls_off_is_noticed_within_a_second_whenever_it_does(fall_off, fault, anchor_s):
    for at in range(12_000, 12_400, 20):
        raw_uv = session(14.0)
        fall_off(raw_uv, at)
        watch, changes = watched(raw_uv, anchor_s, rest_uv=(3.0, 3.0))
        assert {change.channel for change in changes} == {0}
        noticed = next(change for change in changes if change.grade is Quality.REJECT)
        assert at / RATE_HZ < noticed.at_s - anchor_s <= at / RATE_HZ + 1.0
        assert changes[-1].fault is fault
        assert [watch.grade_of(channel) for channel in (0, 1)] == [Quality.REJECT, Quality.GOOD]


def test_a_sound_session_changes_nothing():
    for seed in range(20):
        watch, changes = watched(session(60.0, seed=seed), rest_uv=(3.0, 3.0))
        assert changes == ()
        assert watch.grade_of(0) is Quality.GOOD


def test_rest_is_no_fault_and_neither_is_an_unusually_quiet_electrode():
    assert watched(session(60.0, rms_uv=0.0))[1] == ()
    assert watched(session(60.0, rms_uv=0.0, rest_uv=0.4))[1] == ()


def test_a_channel_recovers_after_two_sound_blocks():
    raw_uv = session(20.0)
    raw_uv[0, 8000:10_000] = 0.0
    _, changes = watched(raw_uv)
    assert [(change.at_s, change.grade) for change in changes] == [
        (8.4, Quality.REJECT),
        (10.8, Quality.GOOD),
    ]
    assert changes[0].reason == "the electrode gives no signal"
    assert changes[1].reason is None


def test_figures_that_wobble_make_no_news():
    raw_uv = session(30.0)
    loudness = 1.0 + 0.5 * np.sin(2 * np.pi * np.arange(20_000) / 3000.0)
    raw_uv[0, 10_000:] += 600.0 * loudness * np.sin(2 * np.pi * 50.0 * np.arange(20_000) / RATE_HZ)
    _, changes = watched(raw_uv)
    assert [change.fault for change in changes] == [Fault.HUM]


def test_hum_beneath_a_muscle_that_works_and_rests_is_told_once():
    raw_uv = session(60.0, rms_uv=200.0)
    raw_uv[0] += 25.0 * np.sin(2 * np.pi * 60.0 * np.arange(60_000) / RATE_HZ)
    _, changes = watched(raw_uv)
    assert [(change.channel, change.grade, change.fault) for change in changes] == [
        (0, Quality.USABLE, Fault.HUM)
    ]


def test_hum_that_is_taken_out_is_no_news_until_there_is_very_much_of_it():
    raw_uv = session(20.0)
    hum = np.sin(2 * np.pi * 60.0 * np.arange(20_000) / RATE_HZ)
    assert watched(raw_uv + 60.0 * hum, hum_removed=(True, True))[1] == ()
    assert len(watched(raw_uv + 1300.0 * hum, hum_removed=(True, True))[1]) == 2


def test_another_kind_of_fault_is_news():
    raw_uv = session(20.0)
    floating(raw_uv, 8000)
    raw_uv[0, 12_000:] = 0.0
    _, changes = watched(raw_uv)
    assert [change.fault for change in changes] == [Fault.HUM, Fault.NO_SIGNAL]


def test_what_is_lost_on_the_way_says_nothing_of_the_electrodes():
    raw_uv = session(20.0)
    raw_uv[:, 8000:12_000] = np.nan
    assert watched(raw_uv)[1] == ()


def test_one_channel_without_samples_is_told():
    raw_uv = session(20.0)
    raw_uv[1, 8000:] = np.nan
    _, changes = watched(raw_uv)
    assert [(change.channel, change.grade, change.fault) for change in changes] == [
        (1, Quality.REJECT, Fault.MISSING)
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(0, 20))
def test_the_changes_do_not_depend_on_how_blocks_are_delivered(cuts, seed):
    raw_uv = session(24.0, seed=seed)
    floating(raw_uv, 5000)
    raw_uv[0, 9000:12_000] = 0.0
    raw_uv[0, 12_000:] = raw_uv[1, 12_000:]
    raw_uv[1, 15_000:16_000] = np.nan
    blocks = blocks_of(np.round(raw_uv, 1), RATE_HZ)
    whole = ChannelWatch.begin(2).step(blocks)
    watch, changes, start, step = ChannelWatch.begin(2), [], 0, 0
    while start < len(blocks):
        stop = start + cuts[min(step, len(cuts) - 1)]
        watch, told = watch.step(QualityBlocks(blocks.first_block + start, blocks.values[start:stop]))
        changes.extend(told)
        start, step = stop, step + 1
    assert (watch, tuple(changes)) == whole
