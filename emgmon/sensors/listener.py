"""Hears one sensor over all its connections: a payload is passed on first, then looked at for what misses."""

from collections.abc import Callable

from emgmon.clock import Clock
from emgmon.events import NotificationKind
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.reassembly import Backfill, SampleBlock, StreamState
from firmware_protocol.receiver import Receiver


class Listener:
    """Keeps what outlives a connection: how far each stream is, what it misses, when samples last came.

    Parameters
    ----------
    clock
        Stamps samples.
    receive
        Called with every payload that belongs into a recording, in order of arrival.
    on_samples
        Called when samples came.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        receive: Callable[[NotificationKind, bytes], None],
        on_samples: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._receive = receive
        self._on_samples = on_samples
        self._receiver: Receiver | None = None
        self._recorded = False
        self.last_samples_ns = 0
        self.battery_pct: int | None = None
        """As it was last heard of."""

    def begin(self, capabilities: Capabilities) -> None:
        """From now on all that is heard belongs into the recording, whose header says what the sensor is."""
        self._receiver = Receiver(capabilities)
        self._recorded = True

    @property
    def streams(self) -> tuple[StreamState, ...]:
        """How far each stream is and what it misses."""
        return () if self._receiver is None else self._receiver.state.decoder.streams

    def on_control(self, indication: bytes) -> None:
        """Take an indication of the control point."""
        if self._recorded:
            self._receive(NotificationKind.CONTROL, indication)
        if self._receiver is not None:
            self._receiver.receive_control(indication)

    def on_data(self, notification: bytes) -> None:
        """Take a notification of data; only one that carries samples is a sign of life."""
        self._receive(NotificationKind.DATA, notification)
        assert self._receiver is not None
        events = self._receiver.receive_data(notification)
        if any(isinstance(event, SampleBlock | Backfill) for event in events):
            self.last_samples_ns = self._clock.now_ns()
            self._on_samples()

    def on_battery(self, level: bytes) -> None:
        """Take a battery level, read or notified."""
        self._receive(NotificationKind.BATTERY, level)
        if len(level) == 1:
            self.battery_pct = level[0]
