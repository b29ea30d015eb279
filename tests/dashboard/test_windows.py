"""The screen in windows of every size: what is on it is whole, and what has no room gives way in order."""

from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len

from emgmon.dashboard.widgets.lines import LinesWidget
from emgmon.events import (
    BatteryRead,
    Event,
    MovementComputed,
    MovementSignal,
    NotificationRejected,
    RepWithdrawn,
    SamplesLost,
)
from tests.dashboard.driving import Run, running
from tests.dashboard.synthetic import (
    BOTH_SIDES,
    GLUTE_AND_BACK,
    IMU_ONLY,
    LEAD_S,
    REP_S,
    Script,
    SyntheticFeed,
    SyntheticTransport,
    closed_set,
    emg_rep,
    leg_lift,
    motion_rep,
    partial_rep,
)

MID_SET_S = LEAD_S + 3 * REP_S + 0.5
SIZES = ((80, 24), (160, 48), (40, 12))


def parts(run: Run) -> list[LinesWidget]:
    return [part for part in run.app.screen.query(LinesWidget) if part.region.area]


def shown(run: Run, part_id: str) -> str:
    """What a part shows, in one line; nothing when it is not on the screen."""
    return " ".join(
        " ".join(line.split()) for part in parts(run) if part.id == part_id for line in part.plain_lines()
    ).strip()


def cut_off(run: Run) -> list[str]:
    """Every line that is longer than its part, and every part that sticks out of the screen."""
    found = []
    for part in parts(run):
        width, height = part.content_size
        for line in part.draw(run.app.view, width, height):
            text = "".join(piece for piece, _ in line).rstrip()
            if len(text) > width:
                found.append(text)
        if not run.app.screen.region.contains_region(part.region):
            found.append(f"{part.id} {part.region}")
    return found


@pytest.mark.parametrize("capabilities", [GLUTE_AND_BACK, BOTH_SIDES, IMU_ONLY], ids=["emg", "sides", "imu"])
@pytest.mark.parametrize("transport", [None, SyntheticTransport], ids=["live", "replay"])
@pytest.mark.parametrize("size", [*SIZES, (76, 24), (75, 12)])
async def test_nothing_is_cut_off(
    size: tuple[int, int], transport: type[SyntheticTransport] | None, capabilities: object
) -> None:
    script = Script(capabilities)  # type: ignore[arg-type]
    feed = SyntheticFeed(script, transport=transport and transport())
    async with running(feed, size) as run:
        for session_s in (0.5, MID_SET_S, script.duration_s):
            await run.advance_to(session_s)
            assert cut_off(run) == []


async def test_every_character_is_one_cell_wide() -> None:
    async with running(SyntheticFeed(Script(BOTH_SIDES, missing_s=(10.0, 12.0))), (160, 48)) as run:
        await run.advance_to(MID_SET_S)
        text = "".join(line for part in parts(run) for line in part.plain_lines())
        assert "╱" in text
        assert [character for character in set(text) if cell_len(character) != 1] == []


@pytest.mark.parametrize("size", SIZES)
async def test_the_verdict_is_a_whole_sentence_in_every_window(size: tuple[int, int]) -> None:
    async with running(SyntheticFeed(Script(GLUTE_AND_BACK)), size) as run:
        await run.advance_to(MID_SET_S)
        sentence = "Glute-led: activity share 64 %, above your reference of 58 %."
        assert f"● glute-led 64 % {sentence}" in shown(run, "verdict")


@pytest.mark.parametrize("size", SIZES)
async def test_a_closed_set_is_summed_up_in_every_window(size: tuple[int, int]) -> None:
    script = Script(GLUTE_AND_BACK)
    async with running(SyntheticFeed(script), size) as run:
        await run.advance_to(script.duration_s)
        # The shares 66 68 64 61 57 55 49 46 have the mean 58.25; three are above 63, two below 53.
        for figure in (
            "repetitions 8 in 0:31",
            "activity share 58 % 56–60",
            "% of ref.",
            "glute-led 3 shared 3 back-led 2",
        ):
            assert figure in shown(run, "summary")


async def test_in_a_low_window_the_counter_comes_back_with_the_next_set() -> None:
    script = Script(GLUTE_AND_BACK, shares=(60, 60), n_sets=2)
    async with running(SyntheticFeed(script), (40, 12)) as run:
        await run.advance_to(script.set_s - 0.1)
        assert (shown(run, "counter"), shown(run, "verdict")) == ("", "")
        assert shown(run, "summary").startswith("SET 1 SUMMARY")
        await run.advance_to(script.set_s + LEAD_S + REP_S)
        assert shown(run, "summary") == ""
        assert shown(run, "counter").startswith("SET 2")


async def test_a_summary_without_room_for_all_shows_verdicts_and_levels_and_not_the_notes() -> None:
    script = Script(GLUTE_AND_BACK)
    feed = SyntheticFeed(script)
    async with running(feed) as run:
        await run.advance_to(script.duration_s)
        left_out = emg_rep(9, share=40, excluded="samples were lost", start_s=34.0)
        done = closed_set([*run.app.view.reps, left_out])
        feed.pending += [left_out, replace(done, notes=("What a set shows besides may be long. " * 8,))]
        await run.until(lambda: len(run.app.view.sets) == 2)
        await run.settle()
        assert "glute-led 3 shared 3 back-led 2 left out 1" in shown(run, "summary")
        assert "of ref." in shown(run, "summary")
        assert "besides" not in shown(run, "summary")
        assert cut_off(run) == []


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 110])
async def test_the_top_line_gives_up_what_matters_least(columns: int) -> None:
    feed = SyntheticFeed(
        Script(GLUTE_AND_BACK, shares=(60,)),
        exercise="single-leg-hip-thrust",
        title="a very long name of a sensor",
        pending=[NotificationRejected(0, "too short", "4.1"), SamplesLost(0, 1, 0.0, 1), BatteryRead(0, 3)],
    )
    async with running(feed, (columns, 24)) as run:
        await run.advance_to(1.0)
        assert shown(run, "status").endswith("0:01")
        assert cut_off(run) == []


@pytest.mark.parametrize("size", SIZES)
async def test_five_hundred_repetitions_and_a_very_long_sentence_fit(size: tuple[int, int]) -> None:
    reps = [emg_rep(number, share=60, start_s=4.0 * number) for number in range(1, 501)]
    reps[-1] = emg_rep(500, share=60, sentence="This is said " * 100, excluded="samples were lost " * 20)
    feed = SyntheticFeed(Script(GLUTE_AND_BACK, shares=(60,)), pending=list(reps))
    async with running(feed, size) as run:
        await run.advance_to(0.5)
        assert run.app.view.n_reps_in_set == 500
        assert "This is said" in shown(run, "verdict")
        assert "…" in shown(run, "verdict")
        assert cut_off(run) == []


def alternating(signal: MovementSignal) -> list[Event]:
    """Five repetitions of both sides, one of them by hand and one taken back, and a partial one."""
    reps = [leg_lift(n, "left" if n % 2 else "right", start_s=4.0 * n) for n in range(1, 6)]
    by_hand = emg_rep(6, share=60, start_s=24.0, side="right", origin="added")
    taken_back = RepWithdrawn(1, 2, 8.0, 11.0, "begun in another position than the rest of this set")
    return [
        MovementComputed(0, signal, np.linspace(-4.0, 31.0, 1000)),
        *reps[:3],
        partial_rep(start_s=15.0),
        *reps[3:],
        by_hand,
        taken_back,
        closed_set([*reps, by_hand]),
    ]


@pytest.mark.parametrize("capabilities", [BOTH_SIDES, IMU_ONLY], ids=["emg", "imu"])
@pytest.mark.parametrize("signal", list(MovementSignal))
@pytest.mark.parametrize("size", [*SIZES, (76, 24), (110, 30)])
async def test_nothing_is_cut_off_whatever_is_followed(
    size: tuple[int, int], signal: MovementSignal, capabilities: object
) -> None:
    script = Script(capabilities, shares=(60,))  # type: ignore[arg-type]
    events = alternating(signal)
    async with running(SyntheticFeed(script, pending=events[:-1]), size) as run:
        assert cut_off(run) == []
        assert "L 3 R 2" in shown(run, "counter")
        run.feed.pending.append(events[-1])
        await run.until(lambda: bool(run.app.view.sets))
        await run.settle()
        assert cut_off(run) == []
        assert "repetitions 6" in shown(run, "summary")


async def test_a_repetition_taken_back_is_seen_to_be_and_later_ones_move_up() -> None:
    feed = SyntheticFeed(Script(GLUTE_AND_BACK, shares=(60,)))
    async with running(feed, (160, 48)) as run:
        feed.pending += [emg_rep(number, share=60, start_s=4.0 * number) for number in (1, 2, 3)]
        await run.until(lambda: len(run.app.view.reps) == 3)
        await run.settle()
        before = shown(run, "counter")
        feed.pending.append(RepWithdrawn(1, 2, 8.0, 11.0, "partial: 40 % of the usual range of this set"))
        await run.until(lambda: len(run.app.view.reps) == 2)
        await run.settle()
        assert shown(run, "counter") != before
        assert "0:08 · not counted: partial: 40 % of the usual range of this set" in shown(run, "reps")
        assert "2 0:12" in shown(run, "reps")
        assert "LAST REP" in shown(run, "verdict")
        assert shown(run, "verdict").split("LAST REP")[1].split()[1] == "2"


async def test_motion_alone_shows_leg_lifts_in_a_small_window() -> None:
    events: list[Event] = [
        MovementComputed(0, MovementSignal.THIGH_PITCH, np.linspace(0.0, 31.0, 1000)),
        motion_rep(1),
        motion_rep(2, side="left", metrics=leg_lift(2, "left").metrics),
    ]
    feed = SyntheticFeed(Script(IMU_ONLY, shares=(60,)), pending=events)
    async with running(feed) as run:
        await run.until(lambda: len(run.app.view.reps) == 2)
        await run.settle()
        assert "THIGH PITCH °" in shown(run, "trace-0")
        assert "rot. pitch 1 0:00 1.2 0.4 1.4 – – 2L 0:00 1.2 0.4 1.4 12° +4°" in shown(run, "reps")
