"""The whole screen, driven by keys and a hand-turned clock, read as text."""

import numpy as np
import pytest

from emgmon.dashboard.widgets.lines import LinesWidget
from emgmon.events import (
    LinkChanged,
    LinkState,
    MovementComputed,
    MovementSignal,
    NotificationRejected,
    SamplesLost,
    SamplesMissing,
)
from tests.dashboard.driving import running
from tests.dashboard.synthetic import (
    BOTH_SIDES,
    GLUTE_AND_BACK,
    IMU_ONLY,
    Script,
    SyntheticFeed,
    SyntheticTransport,
    emg_rep,
)

SMALL, LARGE = (80, 24), (160, 48)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE])


def live(**script: object) -> SyntheticFeed:
    return SyntheticFeed(Script(script.pop("capabilities", GLUTE_AND_BACK), **script))  # type: ignore[arg-type]


def replay(**script: object) -> SyntheticFeed:
    feed = live(**script)
    feed.transport = SyntheticTransport(duration_s=feed.script.duration_s)
    return feed


def transport(feed: SyntheticFeed) -> SyntheticTransport:
    assert feed.transport is not None
    return feed.transport


@SIZES
async def test_a_set_in_progress_is_all_on_the_screen(size: tuple[int, int]) -> None:
    async with running(live(), size) as run:
        await run.advance_to(26.0)
        for part in (
            "bridge",
            "● streaming",
            "hip-01",
            "loss 0.0 %",
            "battery 87 %",
            "0:26",
            "GLUTE",
            "BACK",
            "% of your reference",
            "SET 1",
            "reps",
            "LAST REP",
            "◆ shared  55 %",
            "■ glute □ back",
            "66 %  61–71  ● glute-led",
            "q leave",
        ):
            assert part in run.text, part
        assert {len(line) for line in run.lines} == {size[0]}


async def test_a_large_window_shows_levels_tempo_and_pelvis_height_as_well() -> None:
    async with running(live(), LARGE) as run:
        await run.advance_to(26.0)
        assert "PELVIS HEIGHT cm" in run.text
        assert "lift  hold return  glute    back" in run.text
        assert "0:02    1.2   0.4    1.4   46 %    24 %" in run.text


@SIZES
async def test_a_closed_set_is_summed_up(size: tuple[int, int]) -> None:
    async with running(live(), size) as run:
        assert "SET SUMMARY" in run.text
        await run.advance_to(39.7)
        assert "SET 1 SUMMARY" in run.text
        assert "closed" in run.text
        assert "8 in 0:31" in run.text
        # Mean of the eight shares.
        assert "58 % 56–60" in run.text
        for verdict, n_reps in (("glute-led", 3), ("shared", 3), ("back-led", 2)):
            assert f"{verdict:<15}{n_reps}" in run.text


async def test_the_counter_begins_anew_with_the_next_set() -> None:
    async with running(live(n_sets=2), LARGE) as run:
        await run.advance_to(55.0)
        assert (run.app.view.set_number, run.app.view.n_reps_in_set) == (2, 3)
        assert "SET 2 ─" in run.text
        assert "set 2 ─" in run.text


@SIZES
async def test_motion_alone_is_shown_as_height_tempo_and_travel(size: tuple[int, int]) -> None:
    async with running(replay(capabilities=IMU_ONLY), size) as run:
        await run.advance_to(26.0)
        assert "PELVIS HEIGHT cm" in run.text
        assert "GLUTE" not in run.text
        assert "share" not in run.text
        assert "0:02    1.2   0.4    1.4" in run.text
        assert "41 cm" in run.text
        assert "○ no reference" in run.text


async def test_without_calibration_the_curves_are_in_microvolt() -> None:
    async with running(live(calibrated=False)) as run:
        await run.advance_to(10.0)
        assert "GLUTE right  µV" in run.text
        assert "% of your reference" not in run.text


async def test_before_anything_came_there_is_no_number() -> None:
    feed = live()
    feed._timed = []
    async with running(feed) as run:
        assert "loss –   battery –   –" in run.text
        assert "none yet" in run.text
        # The counter shows the sign for "not measured", not a 0: one bar of a glyph's width.
        assert any(line.rstrip().endswith("██████") for line in run.lines)
        assert not any("██  ██" in line for line in run.lines)


async def test_hops_that_were_not_measured_are_hatched() -> None:
    async with running(live(missing_s=(6.0, 8.0))) as run:
        await run.advance_to(10.0)
        assert sum("╱╱╱" in line for line in run.lines) == 8


async def test_hops_that_are_all_missing_do_no_harm() -> None:
    async with running(live(missing_s=(0.0, 99.0))) as run:
        await run.advance_to(10.0)
        assert run.text.count("not measured") == 2


async def test_500_repetitions_show_the_newest_and_older_ones_on_demand() -> None:
    feed = live()
    async with running(feed) as run:
        feed.pending += [emg_rep(number, share=60, start_s=4.0 * number) for number in range(1, 501)]
        await run.until(lambda: len(run.app.view.reps) == 500)
        await run.settle()
        assert "500  ■" in run.text
        await run.press("up", "up", "pageup")
        assert "490  ■" in run.text
        assert "500  ■" not in run.text
        assert "↓ 10 more" in run.text
        await run.press("pagedown", "down", "down", "down")
        assert "500  ■" in run.text


async def test_a_very_long_sentence_ends_in_an_ellipsis_and_moves_nothing() -> None:
    feed = live()
    async with running(feed) as run:
        feed.pending.append(emg_rep(1, share=60, sentence="The activity share was measured again. " * 40))
        await run.until(lambda: bool(run.app.view.reps))
        await run.settle()
        assert "…" in run.text
        assert "SET SUMMARY" in run.text
        assert {len(line) for line in run.lines} == {80}


async def test_a_repetition_that_does_not_vote_says_why() -> None:
    feed = live()
    async with running(feed) as run:
        feed.pending.append(emg_rep(1, share=60, excluded="samples were lost"))
        await run.until(lambda: bool(run.app.view.reps))
        await run.settle()
        assert "∅ left out" in run.text
        assert "left out: samples were lost" in run.text


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (LinkState.STALLED, "▲ no samples"),
        (LinkState.RECONNECTING, "▲ reconnecting"),
        (LinkState.LOST, "✕ link lost"),
        (LinkState.CLOSED, "■ closed"),
    ],
)
async def test_a_troubled_link_is_told_in_the_top_line(state: LinkState, shown: str) -> None:
    feed = live()
    async with running(feed) as run:
        feed.pending.append(LinkChanged(0, state))
        await run.until(lambda: shown in run.lines[0])


async def test_lost_samples_and_rejects_are_told_in_the_top_line() -> None:
    feed = live()
    async with running(feed) as run:
        await run.advance_to(10.0)
        # 210 of the 21,000 samples of 10 s.
        feed.pending += [SamplesLost(0, 1, 3.0, 210), NotificationRejected(0, "too short", "3.1")]
        await run.until(lambda: "not decoded 1   loss 1.0 %" in run.lines[0])


async def test_what_is_being_fetched_is_told_until_it_has_come() -> None:
    feed = live()
    async with running(feed) as run:
        await run.advance_to(10.0)
        feed.pending += [LinkChanged(0, LinkState.RECONNECTING), SamplesMissing(0, 1, 3000)]
        await run.until(lambda: "reconnecting" in run.lines[0] and "fetching 1.5 s" in run.lines[0])
        feed.pending += [LinkChanged(0, LinkState.STREAMING), SamplesMissing(0, 1, 0)]
        await run.until(lambda: "streaming" in run.lines[0] and "loss 0.0 %" in run.lines[0])


async def test_a_resize_in_mid_set_loses_nothing() -> None:
    async with running(replay(), SMALL) as run:
        await run.advance_to(15.0)
        await run.pilot.resize_terminal(*LARGE)
        await run.until(lambda: "PELVIS HEIGHT" in run.text)
        assert len(run.app.view.reps) == 3
        await run.pilot.resize_terminal(40, 10)
        await run.settle()
        await run.pilot.resize_terminal(*SMALL)
        await run.advance_to(19.0)
        await run.until(lambda: "GLUTE" in run.text and len(run.lines) == 24)
        assert len(run.app.view.reps) == 4


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (40, 12), (79, 23), (300, 100)])
async def test_no_size_of_the_window_breaks_the_screen(size: tuple[int, int]) -> None:
    async with running(replay(capabilities=BOTH_SIDES), size) as run:
        await run.advance_to(39.7)
        assert len(run.app.view.reps) == 8
        assert len(run.lines) == size[1]


async def test_space_pauses_and_goes_on() -> None:
    async with running(replay()) as run:
        await run.press("space")
        assert "‖ paused" in run.text
        assert transport(run.feed).paused
        await run.press("space")
        assert "▸ play" in run.text


@pytest.mark.parametrize(
    ("key", "position_s"),
    [("right", 25.0), ("left", 15.0), ("shift+left", 0.0), ("shift+right", 40.0), ("home", 0.0)],
)
async def test_arrows_seek_and_stop_at_the_ends(key: str, position_s: float) -> None:
    async with running(replay()) as run:
        await run.press("space")
        transport(run.feed).seek(20.0)
        await run.press(key)
        # The recording is 40 s long.
        assert transport(run.feed).position_s == position_s


async def test_seeking_back_takes_repetitions_off_the_screen_again() -> None:
    async with running(replay()) as run:
        await run.advance_to(26.0)
        assert len(run.app.view.reps) == 6
        await run.press("left", "left")
        await run.until(lambda: len(run.app.view.reps) == 3)
        await run.settle()
        assert "  3  ■" in run.text
        assert "  4  ■" not in run.text


async def test_plus_and_minus_change_the_speed_within_bounds() -> None:
    async with running(replay()) as run:
        await run.press("space", "plus")
        assert transport(run.feed).speed == 2.0
        await run.press("full_stop", "equals_sign", *["plus"] * 5)
        assert transport(run.feed).speed == 32.0
        await run.press("comma", *["minus"] * 10)
        assert transport(run.feed).speed == 0.25
        assert "0.25×" in run.text


async def test_a_replay_stays_on_the_screen_at_its_end() -> None:
    async with running(replay()) as run:
        await run.advance_to(45.0)
        assert "■ end" in run.text
        assert "0:40" in run.text
        assert run.app.return_code is None


async def test_a_click_on_the_bar_goes_there() -> None:
    async with running(replay()) as run:
        await run.press("space")
        row = next(y for y, line in enumerate(run.lines) if "paused" in line)
        bar = run.lines[row].index("─")
        end = run.lines[row].rindex("─")
        await run.pilot.click(offset=((bar + end + 1) // 2, row))
        assert transport(run.feed).position_s == pytest.approx(20.0, abs=0.5)


async def test_a_live_session_has_no_replay_line_and_its_keys_do_nothing() -> None:
    async with running(live()) as run:
        await run.press("space", "left", "home", "plus")
        assert "seek" not in run.text
        assert "pause" not in run.text
        assert run.app.return_code is None


async def test_help_opens_over_the_session_which_goes_on_behind_it() -> None:
    async with running(replay()) as run:
        await run.press("question_mark")
        await run.until(lambda: "Activity share" in run.text)
        await run.advance_to(10.0)
        await run.press("escape")
        await run.until(lambda: "GLUTE" in run.text)
        assert len(run.app.view.reps) == 2


async def test_a_paused_replay_redraws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(replay()) as run:
        await run.advance_to(10.0)
        await run.press("space")
        redrawn: list[LinesWidget] = []
        monkeypatch.setattr(LinesWidget, "redraw", redrawn.append)
        await run.settle()
        assert not redrawn


async def test_while_hops_come_only_the_parts_that_show_them_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feed = live()
    async with running(feed) as run:
        await run.advance_to(10.0)
        original, redrawn = LinesWidget.redraw, set[str]()

        def noted(self: LinesWidget) -> None:
            redrawn.add(self.id or "")
            original(self)

        monkeypatch.setattr(LinesWidget, "redraw", noted)
        feed.pending.append(MovementComputed(1000, MovementSignal.PELVIS_HEIGHT, np.zeros(2)))
        await run.settle()
        assert {name for name in redrawn if not name.startswith("trace-")} <= {"status", "keys"}
        assert "trace-0" in redrawn


async def test_everything_the_feed_gave_is_taken_in_though_frames_are_dropped() -> None:
    feed = live(n_sets=3)
    async with running(feed) as run:
        await run.advance_to(feed.script.duration_s + 1)
        assert len(run.app.view.reps) == 24
        assert len(run.app.view.sets) == 3
        assert run.app.view.ended
