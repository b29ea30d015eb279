"""What a session brought, judged from all that was heard: whether everything came, once, in its place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emgmon.events import NotificationKind
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.reassembly import Backfill, Expired, Reject, SampleBlock
from firmware_protocol.receiver import Receiver, ReceiverEvent
from tests.bluez_vm.guest.messages import Facts
from tests.bluez_vm.guest.pattern import n_out_of_place


@dataclass(frozen=True, slots=True)
class Heard:
    """One payload that belongs into a recording."""

    at_s: float
    kind: NotificationKind
    payload: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """What a session brought."""

    n_notifications: int
    rate_hz: float
    """Notifications per second, from the first to the last."""
    mean_bytes: float
    n_samples: int
    n_backfilled: int
    """How many of the samples came late."""
    n_lost: int
    """How many will not come, or had not come in the end."""
    n_wrong: int
    """How many are not what the sensor measured at that place, came twice, or could not be read."""

    @property
    def whole(self) -> bool:
        """Whether everything came, once, in its place."""
        return self.n_samples > 0 and (self.n_lost, self.n_wrong) == (0, 0)

    def facts(self) -> Facts:
        """Say it in the words of a report."""
        return {
            "notifications": self.n_notifications,
            "notifications_per_s": round(self.rate_hz, 1),
            "bytes_per_notification": round(self.mean_bytes, 1),
            "samples": self.n_samples,
            "samples_backfilled": self.n_backfilled,
            "samples_lost": self.n_lost,
        }


def listen(receiver: Receiver, item: Heard) -> Sequence[ReceiverEvent]:
    """Let a receiver hear one payload."""
    if item.kind is NotificationKind.DATA:
        return receiver.receive_data(item.payload)
    return receiver.receive_control(item.payload) if item.kind is NotificationKind.CONTROL else ()


def judge(capabilities: Capabilities, heard: Sequence[Heard]) -> Received:
    """Judge a session of one boot of its sensor; every stream of it by itself, all added up."""
    receiver = Receiver(capabilities)
    events = [event for item in heard for event in listen(receiver, item)]
    late = [event.block for event in events if isinstance(event, Backfill)]
    blocks = [*late, *(event for event in events if isinstance(event, SampleBlock))]
    data = [item for item in heard if item.kind is NotificationKind.DATA]
    missing = [span for stream in capabilities.streams for span in receiver.missing(stream.number)]
    n_expired = sum(event.n_samples for event in events if isinstance(event, Expired))
    return Received(
        n_notifications=len(data),
        rate_hz=(len(data) - 1) / (data[-1].at_s - data[0].at_s),
        mean_bytes=sum(len(item.payload) for item in data) / len(data),
        n_samples=_n_samples(blocks),
        n_backfilled=_n_samples(late),
        n_lost=n_expired + sum(end - begin for begin, end in missing),
        n_wrong=sum(_n_wrong(blocks, stream.number) for stream in capabilities.streams)
        + sum(isinstance(event, Reject) for event in events),
    )


def _n_samples(blocks: Sequence[SampleBlock]) -> int:
    return sum(len(block.values) for block in blocks)


def _n_wrong(blocks: Sequence[SampleBlock], stream: int) -> int:
    """Holes and overlaps of one stream, and samples that are not what was measured at their place."""
    ordered = sorted(
        (block for block in blocks if block.stream == stream), key=lambda block: block.first_sample
    )
    ends = [block.first_sample + len(block.values) for block in ordered]
    n_torn = sum(end != block.first_sample for end, block in zip(ends, ordered[1:], strict=False))
    return n_torn + n_out_of_place(np.concatenate([block.values for block in ordered]))
