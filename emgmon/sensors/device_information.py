"""Who made a sensor and which firmware it runs: text from the air, of which what can be shown is kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceInformation:
    """What the device information service says; empty where the sensor does not say it."""

    manufacturer: str = ""
    model: str = ""
    firmware: str = ""


def shown_text(value: bytes | None) -> str:
    """Read a string of the service; what is not UTF-8 or cannot be printed is left out."""
    text = (value or b"").decode("utf-8", errors="replace")
    return "".join(letter for letter in text if letter.isprintable()).strip()
