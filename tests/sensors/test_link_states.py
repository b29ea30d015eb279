"""The table of legal moves, without a radio."""

import pytest

from emgmon.clock import ManualClock
from emgmon.errors import SensorError
from emgmon.events import LinkState
from emgmon.sensors.ble import SYSTEM_RADIO
from emgmon.sensors.journal import link_row, read_link_row
from emgmon.sensors.link import LEGAL_MOVES, SensorLink


def a_link(changes):
    return SensorLink(
        0, SYSTEM_RADIO, ManualClock(), address=None, receive=lambda *_: None, changed=changes.append
    )


def reachable_from(state):
    seen, front = set(), [state]
    while front:
        current = front.pop()
        if current not in seen:
            seen.add(current)
            front += LEGAL_MOVES[current]
    return seen


def test_every_state_has_its_line_in_the_table():
    assert set(LEGAL_MOVES) == set(LinkState)


def test_every_state_can_be_reached():
    assert reachable_from(LinkState.IDLE) == set(LinkState)


def test_there_is_a_way_back_to_streaming_after_every_loss():
    for state in (LinkState.STREAMING, LinkState.STALLED, LinkState.CHECKING, LinkState.CONNECTING):
        assert LinkState.RECONNECTING in LEGAL_MOVES[state]
    assert LinkState.STREAMING in reachable_from(LinkState.RECONNECTING)


def test_a_link_is_lost_only_where_it_was_about_to_come_back():
    from_where = {state for state in LinkState if LinkState.LOST in LEGAL_MOVES[state]}
    assert from_where == {LinkState.RECONNECTING, LinkState.CONNECTING, LinkState.CHECKING}


def test_every_reachable_state_can_be_closed():
    for state in reachable_from(LinkState.IDLE):
        assert LinkState.CLOSED in reachable_from(state)


def test_closed_is_final():
    assert LEGAL_MOVES[LinkState.CLOSED] == frozenset()


async def test_closing_a_link_that_never_opened_says_so_once():
    changes = []
    link = a_link(changes)
    await link.close()
    await link.close()
    assert [change.state for change in changes] == [LinkState.CLOSED]


async def test_a_closed_link_cannot_connect():
    link = a_link([])
    await link.close()
    with pytest.raises(ValueError, match="from closed to scanning"):
        await link.connect()


async def test_a_link_cannot_start_before_it_has_connected():
    with pytest.raises(ValueError, match="after it has connected"):
        await a_link([]).start()


@pytest.mark.parametrize("state", LinkState)
def test_a_change_of_state_survives_its_way_through_the_recording(state):
    from emgmon.events import LinkChanged

    change = LinkChanged(3, state, "µ “quoted”")
    assert read_link_row(link_row(change)) == change


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b'{"event":"mark","text":"x"}',
        b"\xff\x00",
        b'{"event":"link"}',
        b'{"event":"correction-undone","number":2,"undone":1}',
    ],
)
def test_another_kind_of_row_is_not_taken_for_a_change_of_state(payload):
    assert read_link_row(payload) is None


def test_errors_carry_advice():
    assert SensorError("x", advice="y").advice == "y"
