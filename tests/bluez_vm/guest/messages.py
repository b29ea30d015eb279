"""What guest and host say to each other, one JSON line each way: reports and requests up, answers down."""

import enum

import msgspec

Facts = dict[str, int | float | str | bool]
"""What a scenario measured or found, for the page that people read."""


class Sensor(enum.Enum):
    """The sensors on the air; both demand an encrypted link and keep 15 s."""

    USUAL = "usual"
    """Two channels of EMG and one of motion: about 100 notifications a second."""
    FAST = "fast"
    """500 notifications of 240 bytes a second: 14 samples of eight channels in each."""

    @property
    def address(self) -> str:
        return "F0:00:00:00:E0:01" if self is Sensor.USUAL else "F0:00:00:00:E0:03"

    @property
    def boot_id(self) -> int:
        return 0x1234BEEF if self is Sensor.USUAL else 0x1234FA57

    @property
    def n_channels(self) -> int:
        return 2 if self is Sensor.USUAL else 8

    @property
    def rate_hz(self) -> float:
        return 1000.0 if self is Sensor.USUAL else 7000.0


class Deed(enum.StrEnum):
    """What a scenario cannot do itself, because it happens at the sensor's end."""

    HANG_UP = "hang up"
    """The sensor disconnects, as one does that is switched off: reason 0x13."""
    CUT = "cut"
    """The radio link breaks without a goodbye: reason 0x08."""
    REBOOT = "reboot"
    """The sensor begins anew in the middle of everything."""
    FORGET_BOND = "forget bond"
    """The sensor loses its keys, as after a reset to the factory's state."""
    TELL = "tell"
    """Nothing happens; the answer tells the sensor's side, as all answers do."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The guest is up: bluetoothd has a radio that is switched on."""

    uptime_s: float


class Ask(msgspec.Struct, frozen=True, tag=True):
    """The guest asks for something at the sensor's end."""

    deed: Deed
    sensor: Sensor = Sensor.USUAL
    away_s: float = 0.0
    """How long the sensor is not heard afterwards."""


class Report(msgspec.Struct, frozen=True, tag=True):
    """How one scenario went."""

    scenario: str
    duration_s: float
    facts: Facts
    failure: str | None = None
    """A traceback, where it failed."""


class Ended(msgspec.Struct, frozen=True, tag=True):
    """There is nothing left to do."""


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The deed is done; the sensor's side of the story."""

    facts: Facts


Upward = Ready | Ask | Report | Ended


def to_line(message: Upward | Answer) -> bytes:
    """Encode a message as one line."""
    return msgspec.json.encode(message) + b"\n"


def upward(line: bytes) -> Upward:
    """Read a line from the guest."""
    message: Upward = msgspec.json.decode(line, type=Upward)
    return message


def answer(line: bytes) -> Answer:
    """Read a line from the host."""
    return msgspec.json.decode(line, type=Answer)
