"""What the virtual sensor says about itself, when it is there and when it is not."""

from dataclasses import replace

from emgmon.virtual.montage import as_live, describe
from emgmon.virtual.params import AthleteParams


def test_a_sensor_that_nobody_can_ask_has_no_ring():
    """The recordings that ship were described like this, and stay as they are."""
    capabilities = describe(AthleteParams())
    assert (capabilities.version_minor, capabilities.ring_ms) == (0, 0)


def test_a_live_sensor_speaks_the_newest_version_and_can_send_again():
    capabilities = describe(AthleteParams())
    live = as_live(capabilities)
    assert (live.version_minor, live.ring_ms) == (1, 15_000)
    assert replace(live, version_minor=0, ring_ms=0) == capabilities
