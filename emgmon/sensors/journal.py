"""What a recording keeps of the host's own doings: link changes as JSON rows that anyone can read."""

import msgspec

from emgmon.events import LinkChanged, LinkState


class LinkRow(msgspec.Struct, frozen=True, tag_field="event", tag="link"):
    """A change of the link, as an EVENT row of a recording holds it."""

    sensor: int
    state: LinkState
    detail: str = ""


def link_row(change: LinkChanged) -> bytes:
    """Write a change of the link as the payload of an EVENT row."""
    return msgspec.json.encode(LinkRow(change.sensor, change.state, change.detail))


def read_link_row(payload: bytes) -> LinkChanged | None:
    """Read the payload of an EVENT row; ``None`` when it is about something else."""
    try:
        row = msgspec.json.decode(payload, type=LinkRow)
    except msgspec.MsgspecError:
        return None
    return LinkChanged(row.sensor, row.state, row.detail)
