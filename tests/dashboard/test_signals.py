"""Channels that are not good: told at once, until they recover; and the page with every figure."""

from dataclasses import replace

import pytest
from textual.geometry import Size

from emgmon.dashboard.view import SessionView
from emgmon.dashboard.widgets.quality import QualityTable
from emgmon.dashboard.widgets.troubles import Troubles
from emgmon.dsp.quality_track import CROSSTALK
from emgmon.events import ChannelQuality, Quality, QualityFigures, RepCompleted, Rewound, Verdict
from tests.dashboard.driving import Run, running
from tests.dashboard.synthetic import (
    BOTH_SIDES,
    CUE,
    GLUTE_AND_BACK,
    IMU_ONLY,
    MOTION_CUE,
    NO_SIGNAL,
    Script,
    SyntheticFeed,
    SyntheticTransport,
    emg_rep,
    graded,
    quality_changed,
    surrogate,
)
from tests.dashboard.test_windows import cut_off, shown

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48), (40, 12)])
CHANNELS = BOTH_SIDES.streams[0].channels


def trouble(row: int, grade: Quality = Quality.REJECT, reason: str | None = NO_SIGNAL) -> object:
    return quality_changed(BOTH_SIDES, row, grade, reason)


def feed_of(**script: object) -> SyntheticFeed:
    return SyntheticFeed(Script(BOTH_SIDES, **script))  # type: ignore[arg-type]


async def give(run: Run, *events: object) -> None:
    run.feed.pending += events  # type: ignore[arg-type]
    await run.until(lambda: not run.feed.pending)
    await run.settle()


@SIZES
async def test_an_electrode_that_falls_off_is_told_until_it_recovers(size: tuple[int, int]) -> None:
    async with running(feed_of(), size) as run:
        await run.advance_to(10.0)
        assert shown(run, "troubles") == ""
        await give(run, trouble(0))
        assert shown(run, "troubles") == f"✕ left gluteus maximus: {NO_SIGNAL}"
        assert cut_off(run) == []
        await give(run, trouble(0, Quality.GOOD, None))
        assert "left gluteus maximus" not in run.text


async def test_a_replay_set_back_to_before_the_trouble_does_not_tell_it() -> None:
    async with running(feed_of()) as run:
        await run.advance_to(10.0)
        await give(run, trouble(0))
        await give(run, Rewound())
        assert NO_SIGNAL not in run.text


@SIZES
async def test_whatever_is_told_nothing_is_cut_off(size: tuple[int, int]) -> None:
    feed = feed_of()
    feed.transport = SyntheticTransport(duration_s=feed.script.duration_s)
    async with running(feed, size) as run:
        await run.advance_to(15.0)
        await give(run, *(trouble(row) for row in range(4)), emg_rep(9, share=40, warning=CUE))
        assert "✕ left gluteus maximus" in shown(run, "troubles")
        assert "Practice cue: glute first, back easy." in shown(run, "verdict")
        assert cut_off(run) == []
        await run.advance_to(feed.script.duration_s)
        assert "repetitions 8" in shown(run, "summary")
        assert cut_off(run) == []


@SIZES
async def test_a_session_from_motion_alone_says_so_wherever_it_judges(size: tuple[int, int]) -> None:
    feed = SyntheticFeed(Script(IMU_ONLY, shares=(60,)))
    async with running(feed, size) as run:
        reps = [surrogate(n, Verdict.BEYOND_RANGE, start_s=4.0 * n) for n in range(1, 4)]
        await give(run, *reps[:2], replace(reps[2], warning=MOTION_CUE))
        assert "≠ beyond range from motion → Practice cue: slow and steady." in shown(run, "verdict")
        if size[0] > 40:
            assert "judged from motion" in shown(run, "reps")
        for muscle in ("glute-led", "back-led", "shared"):
            assert muscle not in run.text
        assert cut_off(run) == []


def test_several_troubles_have_a_row_each_and_those_without_room_are_named() -> None:
    view = SessionView(sensors=(BOTH_SIDES,))
    for row in range(4):
        view.apply(trouble(row))  # type: ignore[arg-type]
    rows = ["".join(text for text, _ in line) for line in Troubles().draw(view, 78, 4)]
    assert rows == [
        f"✕ {side} {site}: {NO_SIGNAL}"
        for site in ("gluteus maximus", "erector spinae")
        for side in ("left", "right")
    ]
    first, second = ("".join(text for text, _ in line) for line in Troubles().draw(view, 78, 2))
    assert first == rows[0]
    assert (
        second
        == "and 3 more (s): right gluteus maximus, left erector spinae, right erector spinae"[:77] + "…"
    )


def judged(*qualities: ChannelQuality) -> RepCompleted:
    return emg_rep(4, share=60, channels=qualities)


def table(view: SessionView, width: int = 80) -> list[str]:
    rows = ["".join(text for text, _ in line).rstrip() for line in QualityTable().draw(view, width, 0)]
    assert all(len(row) <= width for row in rows)
    return rows


def view_of(*events: object) -> SessionView:
    view = SessionView(sensors=(BOTH_SIDES,))
    for _, event in Script(BOTH_SIDES, shares=(60,)).timed_events()[:20]:
        view.apply(event)
    for event in events:
        view.apply(event)  # type: ignore[arg-type]
    return view


def row_of(rows: list[str], label: str) -> list[str]:
    line = next(row for row in rows if row.startswith(label))
    return [cell.strip() for cell in (line[18:32], line[32:46], line[46:60], line[60:74])]


def test_every_figure_has_a_row_and_every_channel_a_column() -> None:
    rows = table(view_of(judged(*(graded(channel, Quality.GOOD) for channel in CHANNELS))))
    assert rows[0].endswith(" set 1 rep 4")
    assert row_of(rows, "noise at rest") == ["2.1 µV"] * 4
    assert row_of(rows, "signal to noise") == ["22.3 dB"] * 4
    assert row_of(rows, "mains hum") == ["3.1 %"] * 4
    assert row_of(rows, "its frequency") == ["50 Hz"] * 4
    assert row_of(rows, "cut off") == ["0.0 %"] * 4
    assert row_of(rows, "over the rep") == ["✓ good"] * 4


def test_what_was_not_measured_is_said_in_words_and_is_no_0() -> None:
    nothing = [ChannelQuality(one.site, one.side, Quality.GOOD, None, QualityFigures()) for one in CHANNELS]
    rows = table(view_of(judged(*nothing)))
    for label in ("noise", "signal", "mains", "its", "cut", "no signal", "motion", "median", "heart", "miss"):
        assert row_of(rows, label) == ["not measured"] * 4


def test_the_newest_grade_stands_beside_that_of_the_repetition_each_with_its_reason() -> None:
    hum = graded(CHANNELS[2], Quality.USABLE, "mains hum makes up 14 % of the signal")
    good = [graded(channel, Quality.GOOD) for channel in CHANNELS]
    rows = table(view_of(judged(*good[:2], hum, good[3]), trouble(0)))
    assert row_of(rows, "now") == ["✕ reject", "✓ good", "✓ good", "✓ good"]
    assert row_of(rows, "over the rep") == ["✓ good", "✓ good", "! usable", "✓ good"]
    assert f"left gluteus maximus, now: {NO_SIGNAL}" in rows
    assert "left erector spinae, over the rep: mains hum makes up 14 % of the signal" in rows


def test_before_anything_came_no_channel_is_called_good() -> None:
    rows = table(SessionView(sensors=(BOTH_SIDES,)))
    assert rows[0].endswith("no repetition yet")
    assert row_of(rows, "now") == row_of(rows, "over the rep") == ["not measured"] * 4


@pytest.mark.parametrize("width", [36, 60, 156])
def test_in_every_width_all_channels_are_there(width: int) -> None:
    text = " ".join(" ".join(row.split()) for row in table(view_of(trouble(0)), width))
    assert text.count("✓ good") == 3
    assert text.count("✕ reject") == 1


def test_that_crosstalk_is_not_measured_is_said() -> None:
    assert CROSSTALK in " ".join(" ".join(table(view_of())).split())


def test_a_session_without_electrodes_says_so() -> None:
    assert table(SessionView(sensors=(IMU_ONLY,)))[1:] == ["No muscle sensors in this session."]


def test_the_page_is_as_high_as_its_lines() -> None:
    widget = QualityTable()
    widget._view = view_of()
    assert widget.get_content_height(Size(80, 20), Size(80, 24), 80) == len(table(view_of()))


@SIZES
async def test_s_opens_the_page_which_follows_the_session_and_escape_closes_it(size: tuple[int, int]) -> None:
    async with running(feed_of(), size) as run:
        await run.advance_to(10.0)
        await run.press("s")
        await run.until(lambda: "SIGNAL QUALITY" in run.text)
        assert "✕ reject" not in run.text
        await give(run, trouble(0))
        await run.until(lambda: "✕ reject" in run.text)
        await run.press("escape")
        await run.until(lambda: "SET 1" in run.text)


async def test_the_page_scrolls_to_its_end_in_a_low_window() -> None:
    async with running(feed_of(), (40, 12)) as run:
        await run.advance_to(10.0)
        await run.press("s")
        await run.until(lambda: "SIGNAL QUALITY" in run.text)
        await run.press("end")
        await run.until(lambda: "This is not measured." in run.text)


async def test_the_key_is_named_in_the_footer_and_in_help() -> None:
    async with running(SyntheticFeed(Script(GLUTE_AND_BACK)), (80, 200)) as run:
        assert "s signals" in run.lines[-1]
        await run.press("question_mark")
        await run.until(lambda: "figures of signal quality" in run.text)
        for said in ("≈ steady", "≠ beyond range", "from motion", "Practice cue", "not an alarm", "↑"):
            assert said in run.text
