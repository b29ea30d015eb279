"""What a sensor says about itself, in words for a person."""

from firmware_protocol.worn import BatteryState, Contact, LeadsChanged, Saturated, StatusNotification

_CONTACT = {
    Contact.UNKNOWN: "is not known",
    Contact.GOOD: "is good again",
    Contact.POOR: "is poor",
    Contact.OFF: "is lost",
}


def status_words(status: StatusNotification) -> str:
    """Say a status notification."""
    if isinstance(status, LeadsChanged):
        return f"contact of channel {status.channel} of stream {status.stream} {_CONTACT[status.contact]}"
    if isinstance(status, Saturated):
        return f"channel {status.channel} of stream {status.stream} is at the end of its range"
    if isinstance(status, BatteryState):
        said = f"battery at {status.level_pct} %"
        said += ", charging" if status.charging else ""
        said += ", low" if status.low else ""
        return said + (", the sensor switches itself off within a minute" if status.ending else "")
    return f"{status.n_samples} samples of stream {status.stream} were lost inside the sensor"
