"""A set in the middle of which the radio drops gives the numbers that a perfect radio would have given."""

import pytest

from emgmon.events import LinkChanged, LinkState, RepCompleted
from tests.sensors.recorded_sets import recorded, results

MISHAPS = {
    "out of reach for ten seconds": lambda sensor: sensor.take_out_of_reach(for_s=10),
    "a cut link": lambda sensor: sensor.cut(),
    "silence": lambda sensor: sensor.silence(),
}


@pytest.mark.parametrize("mishap", MISHAPS.values(), ids=MISHAPS.keys())
def test_a_loss_in_mid_set_changes_no_number(mishap, tmp_path):
    recorded(tmp_path / "perfect.arrows", lambda _sensor: None)
    told = recorded(tmp_path / "lossy.arrows", mishap)
    perfect = results(tmp_path / "perfect.arrows")
    assert sum(isinstance(event, RepCompleted) for event in perfect) == 4
    assert results(tmp_path / "lossy.arrows") == perfect
    states = [event.state for event in told if isinstance(event, LinkChanged)]
    assert states.count(LinkState.STREAMING) >= 2
