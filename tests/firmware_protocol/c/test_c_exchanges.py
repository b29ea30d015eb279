"""The C sensor gives the bytes that the Python one gives, in whatever order it is called."""

import pytest

from emgmon.virtual.firmware import Firmware
from firmware_protocol.packets import PacketFlag
from tests.firmware_protocol.c.schedules import Fetch, Played, SessionIds, Write, play_at_random, replay
from tests.firmware_protocol.c.tools import needs_compiler

pytestmark = needs_compiler


def first_difference(played: Played, answers: list[bytes | None]) -> str | None:
    for index, (call, expected, answer) in enumerate(zip(played.calls, played.answers, answers, strict=True)):
        if expected != answer:
            return f"call {index}, {call}: C gave {expected!r}, Python {answer!r}"
    return None


@pytest.mark.parametrize("seed", range(40))
def test_c_and_python_answer_random_exchanges_with_the_same_bytes(seed):
    played = play_at_random(seed, n_calls=200)
    session_ids = SessionIds()
    answers = replay(played, Firmware(played.capabilities, draw_session_id=session_ids), session_ids)
    assert first_difference(played, answers) is None


def test_the_random_exchanges_reach_every_kind_of_answer():
    """Guard against a schedule that tests less than it seems to."""
    all_played = [play_at_random(seed, n_calls=200) for seed in range(40)]
    answered = [pair for played in all_played for pair in zip(played.calls, played.answers, strict=True)]
    responses = {answer[0:1] + answer[2:3] for call, answer in answered if isinstance(call, Write)}
    statuses_of = {
        opcode: {answer[1] for answer in responses if answer[0] == opcode | 0x80} for opcode in range(1, 10)
    }
    assert statuses_of[1] == {0, 2}
    assert statuses_of[2] == {0, 2, 3, 4}
    assert statuses_of[3] == {0, 2}
    assert statuses_of[4] == {0, 1, 2, 3, 5, 6, 7}
    assert statuses_of[5] == {0, 1, 2, 4}
    assert statuses_of[6] == {0, 1, 2, 3}
    assert statuses_of[7] == {0, 1, 2}
    assert statuses_of[8] == {0, 1, 2}
    assert statuses_of[9] == {1}
    flags = {answer[15] for call, answer in answered if isinstance(call, Fetch) and answer}
    for flag in PacketFlag:
        assert any(one & flag for one in flags), flag
    kinds = {answer[2] for _, answer in answered if answer and answer[0] == 0xFF and len(answer) > 3}
    assert kinds == {1, 2, 3, 4}
