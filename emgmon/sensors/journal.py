"""Link changes as a live session puts them into its recording: as rows of `recording.host_events`."""

from emgmon.events import LinkChanged
from emgmon.recording.host_events import LinkRow, MalformedEventError, decode, encode


def link_row(change: LinkChanged) -> bytes:
    """Write a change of the link as the payload of an EVENT row."""
    return encode(LinkRow(change.sensor, change.state, change.detail))


def read_link_row(payload: bytes) -> LinkChanged | None:
    """Read the payload of an EVENT row; ``None`` when it is about something else, or cannot be read."""
    try:
        row = decode(payload)
    except MalformedEventError:
        return None
    return LinkChanged(row.sensor, row.state, row.detail) if isinstance(row, LinkRow) else None
