"""What the screen shows, in words; the only place where there is room to say what a figure is not."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from emgmon.dashboard.widgets.keys import KeyLine

_TEXT = """\
[b]The question[/b]
Did the glutes do this repetition, or did the lower back take it over?

[b]Curves[/b]
How active each muscle is, ten seconds back to now, the newest on the right. 100 % is [b]your \
reference[/b]: the contraction you made for calibration. After the first repetition you read which: \
[b]mvic[/b] is as hard as you can, [b]submaximal[/b] a standard task, [b]best-so-far[/b] the strongest \
half second of the recording. ↑ is above 100 %: the reference was less than this, and emgmon calibrate \
with --best-so-far can measure anew. Without a calibration the curve is in microvolt (µV), and glute \
and back cannot be compared. Below them, where there is room, or alone \
without muscle sensors, you see the movement that repetitions are found on: the height of the pelvis \
(cm), the turning of pelvis or thigh (°), or muscle activity.
Two sides share a plot: the left as a full line, the right as a dotted one. A dotted upright line is \
the end of a counted repetition. Slanted lines (╱╱╱) mean that nothing was measured: samples were \
lost. Crosses (✕✕✕) mean that the signal was not to be trusted; why stands in the line above the curves \
until it is good again.

[b]Activity share[/b]
The share of the glute in glute and back together, each in percent of your reference:
    [$primary]■■■■■■■■■■■■■[/][$secondary]□□□□□□□[/]  65 %\
      [$primary]■ glute[/]   [$secondary]□ back[/]
The two figures behind it (such as 58–70) are the 95 % interval: with the noise that was there, the \
true share lies within it 19 times out of 20. Activity share is [b]not force[/b], and it is not a \
share of the work: muscles differ in size and leverage. Compare with yourself, on the same day, with \
the same electrodes.

[b]Verdict[/b]
    [$primary]●[/] glute-led      the share is in line with your reference set, or above it
    [b]◆[/b] shared         less glute than in your reference set, but not less than back
    [$secondary]▲[/] back-led       less glute than in your reference set, and less than back
    [b]?[/b] cannot tell    not measured well enough, or too little activity to compare
    [b]○[/b] no reference   no reference set of yours is known for this exercise
    [b]∅[/b] left out       counted, but disturbed; it does not vote

[b]Verdict from motion[/b]
Without electrodes on glute and back there is only a stand-in, always marked [b]from motion[/b]: whether \
the pelvis moved as in your reference set. It does not tell which muscle worked.
    [b]≈[/b] steady         the pelvis moved as in your reference set
    [b]≠[/b] beyond range   it moved farther than that by more than chance, from motion alone

[b]Practice cue[/b]
→ comes when two of the last three repetitions lay outside your usual range, and goes with the next one \
that calls for nothing. It is something to try, not an alarm.

[b]The set as a whole[/b]
What a set shows besides is for information and never part of a verdict: for how much of the work the \
glute squeezed, the back at the end of the lift compared with its start, when the glute began \
compared with the back (+ later), and how the frequency of its signal changed from repetition to \
repetition.

[b]Signals[/b]
Every channel is graded all the time and over every repetition: ✓ good, ! usable, ✕ reject. Press s for \
the figures. Muscles beside or beneath an electrode are picked up too; that is not measured.

[b]Repetitions[/b]
L and R are the side that worked, where it is known. Behind the number, + is added by hand and * has \
edges that were moved by hand.
Grey and without a number (·) is what is not counted, with the reason: a partial repetition, or a \
movement that the rest of the set shows to be none. If it was counted at first it is taken back, and \
later ones move up.

[b]Not measured[/b]
Where there is no figure you see – or the words "not measured". It never means 0.

[b]Top line[/b]
State of the link, name of the sensor or of the file, samples lost, battery, time of the session.

[b]The pelvis[/b]
Where a leg is lifted the pelvis should stay quiet. Two figures show how much it moved along, in \
degrees: [b]rot.[/b], how far it rotated to and fro, and [b]pitch[/b], how much further it tipped \
forwards (+) or backwards (-) from the start to the turn of the repetition.
In all other exercises the pelvis is what moves: you see how far it travelled (cm) or pitched (°). \
How far is shown, never rewarded.

[b]Motion only[/b]
Each repetition has its start and the seconds of lifting, holding and returning.

[b]Keys[/b]
    q, Ctrl-C        leave; a second time: at once
    ?, Esc           this page, and back
    s                figures of signal quality
    ↑ ↓  PgUp PgDn   older and newer repetitions

    while a recording plays:
    space            pause, go on
    ← →              5 seconds back, on
    shift ← →        30 seconds back, on
    home             to the start
    + -  or  . ,     faster, slower

emgmon is for training and practice. It is not a medical device. Stop when something hurts.
"""

_KEYS = (("Esc", "back"), ("↑↓", "scroll"), ("q", "leave"))


class HelpScreen(Screen[None]):
    """One page of text over the session, which goes on behind it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,h,enter", "app.pop_screen", "Back"),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="page"):
            yield Static(_TEXT, id="text")
        yield KeyLine(_KEYS, id="keys")

    def on_mount(self) -> None:
        self.query_one("#page").focus()
