"""What a sensor says without being asked, in words for a person."""

import pytest

from emgmon.sensor_words import status_words
from firmware_protocol.worn import BatteryState, Contact, DroppedOnDevice, LeadsChanged, Saturated


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (LeadsChanged(1, 0, Contact.OFF), "contact of channel 0 of stream 1 is lost"),
        (LeadsChanged(1, 2, Contact.GOOD), "contact of channel 2 of stream 1 is good again"),
        (LeadsChanged(1, 2, Contact.UNKNOWN), "contact of channel 2 of stream 1 is not known"),
        (Saturated(3, 1), "channel 1 of stream 3 is at the end of its range"),
        (DroppedOnDevice(1, 9, 40), "40 samples of stream 1 were lost inside the sensor"),
        (BatteryState(7, charging=False, low=True, ending=False), "battery at 7 %, low"),
        (BatteryState(50, charging=True, low=False, ending=False), "battery at 50 %, charging"),
        (
            BatteryState(1, charging=False, low=True, ending=True),
            "battery at 1 %, low, the sensor switches itself off within a minute",
        ),
    ],
)
def test_every_status_is_said(status, words):
    assert status_words(status) == words
