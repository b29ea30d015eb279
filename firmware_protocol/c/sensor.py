"""The C sensor as a machine turned by hand: the same calls as the Python one, the same bytes."""

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_protocol.c.build import shared_library
from firmware_protocol.capabilities import Capabilities, Stream
from firmware_protocol.errors import HostFault
from firmware_protocol.packets import SampleFormat
from firmware_protocol.worn import NO_IMPEDANCE, BatteryState, Lead, LeadsChanged, Saturated

_RANDOM = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p)
_U8, _U16, _U32, _U64 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64
_POINTER, _BYTES, _SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
_NATIVE = {SampleFormat.INT16: np.int16, SampleFormat.INT24: np.int32, SampleFormat.FLOAT32: np.float32}
_MAX_PAYLOAD = 0xFFFF

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "emgmon_host_new": (_POINTER, (_BYTES, _SIZE, _U64, _RANDOM)),
    "emgmon_host_free": (None, (_POINTER,)),
    "emgmon_host_sensor": (_POINTER, (_POINTER,)),
    "emgmon_host_set_lead": (None, (_POINTER, _U8, _U8, _U8, _U16)),
    "emgmon_host_identified": (ctypes.c_int, (_POINTER,)),
    "emgmon_connected": (None, (_POINTER,)),
    "emgmon_disconnected": (None, (_POINTER,)),
    "emgmon_notifications_off": (None, (_POINTER,)),
    "emgmon_confirmed": (None, (_POINTER,)),
    "emgmon_take": (None, (_POINTER, _U8, _POINTER, _U32, _U8)),
    "emgmon_skip": (None, (_POINTER, _U8, _U32)),
    "emgmon_is_sampling": (ctypes.c_bool, (_POINTER,)),
    "emgmon_is_streaming": (ctypes.c_bool, (_POINTER,)),
    "emgmon_next_sample": (_U64, (_POINTER, _U8)),
    "emgmon_sample_time_us": (_U64, (_POINTER, _U8, _U64)),
    "emgmon_written": (ctypes.c_bool, (_POINTER, _BYTES, _SIZE, _U16, ctypes.c_bool, _U64)),
    "emgmon_next_indication": (_SIZE, (_POINTER, _U64, _POINTER)),
    "emgmon_next_packet": (_SIZE, (_POINTER, _U16, _POINTER)),
    "emgmon_lead_changed": (None, (_POINTER, _U8, _U8, _U8)),
    "emgmon_saturated": (None, (_POINTER, _U8, _U8)),
    "emgmon_battery": (None, (_POINTER, _U8, _U8)),
    "emgmon_restore_sites": (ctypes.c_bool, (_POINTER, _BYTES, _SIZE)),
    "emgmon_description": (_POINTER, (_POINTER, ctypes.POINTER(_SIZE))),
}


@functools.cache
def load_library() -> ctypes.CDLL:
    """Load the C sensor, compiled if need be; raises CompilerError."""
    library = ctypes.CDLL(str(shared_library()))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class CSensor:
    """What a sensor does, in C, without its radio and without its clock. Clauses are those of SPEC.md.

    Every indication that it gives counts as confirmed at once: waiting for that is the caller's.

    Parameters
    ----------
    capabilities
        What it says about itself.
    random_u32
        Gives the number of every session, 32 bits (6.8).
    boot_us
        Device time of sample 0 of every stream (5.2), microseconds.

    Raises
    ------
    CompilerError
        Where the C code cannot be compiled.
    HostFault
        When the C code finds that these capabilities do not suit a sensor.
    """

    def __init__(
        self, capabilities: Capabilities, *, random_u32: Callable[[], int], boot_us: int = 0
    ) -> None:
        self._library = load_library()
        self._rows = {stream.number: row for row, stream in enumerate(capabilities.streams)}
        self._streams = capabilities.streams
        self._random = _RANDOM(lambda _: random_u32())
        description = capabilities.to_bytes()
        host = self._library.emgmon_host_new(description, len(description), boot_us, self._random)
        if host is None:
            raise HostFault(f"the C sensor cannot be {capabilities.name!r} as described", clause="7.3")
        self._host = host
        self._sensor = self._library.emgmon_host_sensor(host)
        self._out = ctypes.create_string_buffer(_MAX_PAYLOAD)

    def __del__(self) -> None:
        if hasattr(self, "_host"):
            self._library.emgmon_host_free(self._host)

    @property
    def streaming(self) -> bool:
        """Whether START was obeyed and neither STOP nor a disconnection has come since."""
        return bool(self._library.emgmon_is_streaming(self._sensor))

    @property
    def sampling(self) -> bool:
        """Whether samples are taken: from START on, also over a disconnection, until STOP (2.8)."""
        return bool(self._library.emgmon_is_sampling(self._sensor))

    @property
    def identified_s(self) -> int | None:
        """Seconds that the last IDENTIFY asked for; None before the first."""
        seconds = int(self._library.emgmon_host_identified(self._host))
        return None if seconds < 0 else seconds

    @property
    def description(self) -> bytes:
        """The description as it stands (7)."""
        size = _SIZE()
        address = self._library.emgmon_description(self._sensor, ctypes.byref(size))
        return ctypes.string_at(address, size.value)

    def next_sample(self, stream: int) -> int:
        """Tell the number of the sample to be taken next, not wrapped."""
        return int(self._library.emgmon_next_sample(self._sensor, self._rows[stream]))

    def sample_time_us(self, stream: int, sample: int) -> int:
        """Tell the device time of a sample, microseconds, not wrapped (5.3)."""
        return int(self._library.emgmon_sample_time_us(self._sensor, self._rows[stream], sample))

    def take(self, stream: int, values: NDArray[np.generic], *, flags: int = 0) -> None:
        """Take samples from the converter; shape (n_samples, n_channels). Ignored while it does not sample.

        Raises
        ------
        HostFault
            When a value does not fit the format of the stream, or the shape its channels.
        """
        row = self._rows[stream]
        native = _native(values, self._streams[row])
        self._library.emgmon_take(self._sensor, row, native.ctypes.data, len(native), flags)

    def skip(self, stream: int, n_samples: int) -> None:
        """Count samples that the converter lost (5.5)."""
        self._library.emgmon_skip(self._sensor, self._rows[stream], n_samples)

    def connect(self) -> None:
        """Have a host."""
        self._library.emgmon_connected(self._sensor)

    def disconnect(self) -> None:
        """Stop sending, not sampling (2.8)."""
        self._library.emgmon_disconnected(self._sensor)

    def notifications_off(self) -> None:
        """Stop sending, not sampling: the host switched notifications of data off (2.8)."""
        self._library.emgmon_notifications_off(self._sensor)

    def respond(self, written: bytes, *, payload_size: int, notifying: bool, now_us: int) -> bytes:
        """Obey what was written to the control point; the indication to send.

        Parameters
        ----------
        payload_size
            Bytes that one notification or indication can carry: ATT_MTU - 3.
        notifying
            Whether the host has enabled notifications of data.
        """
        self._library.emgmon_written(self._sensor, written, len(written), payload_size, notifying, now_us)
        return self._indication(now_us)

    def next_status(self, now_us: int) -> bytes | None:
        """Give the next status notification to indicate (6.14)."""
        return self._indication(now_us) or None

    def next_packet(self, *, payload_size: int) -> bytes | None:
        """Give the next packet to notify: live ones first, then those asked for again (8.4)."""
        size = self._library.emgmon_next_packet(self._sensor, payload_size, self._out)
        return ctypes.string_at(self._out, size) if size else None

    def report(self, status: LeadsChanged | Saturated | BatteryState) -> None:
        """Have a state told to the host, if there is one."""
        if isinstance(status, LeadsChanged):
            row = self._rows[status.stream]
            self._library.emgmon_lead_changed(self._sensor, row, status.channel, status.contact)
        elif isinstance(status, Saturated):
            self._library.emgmon_saturated(self._sensor, self._rows[status.stream], status.channel)
        else:
            bits = status.charging | status.low << 1 | status.ending << 2
            self._library.emgmon_battery(self._sensor, status.level_pct, bits)

    def set_lead(self, stream: int, channel: int, lead: Lead) -> None:
        """Say how the electrodes of a channel touch, for LEAD CHECK (6.13)."""
        kohm = NO_IMPEDANCE if lead.impedance_kohm is None else lead.impedance_kohm
        self._library.emgmon_host_set_lead(self._host, self._rows[stream], channel, lead.contact, kohm)

    def restore_sites(self, description: bytes) -> bool:
        """Take over the sites of a description that was stored before power-down (6.11)."""
        return bool(self._library.emgmon_restore_sites(self._sensor, description, len(description)))

    def _indication(self, now_us: int) -> bytes:
        size = self._library.emgmon_next_indication(self._sensor, now_us, self._out)
        self._library.emgmon_confirmed(self._sensor)
        return ctypes.string_at(self._out, size)


def _native(values: NDArray[Any], stream: Stream) -> NDArray[Any]:
    """Give samples the type that the C code reads; nothing is rounded or clipped on the quiet."""
    n_channels, format_name = len(stream.channels), stream.sample_format.name
    if values.ndim != 2 or values.shape[1] != n_channels:
        raise HostFault(f"samples need the shape (n, {n_channels}), not {values.shape}", clause="4.9")
    if stream.sample_format is not SampleFormat.FLOAT32 and values.size:
        limit = 1 << (8 * stream.sample_format.width - 1)
        if not np.issubdtype(values.dtype, np.integer):
            raise HostFault(f"{format_name} carries integers, not {values.dtype}", clause="4.11")
        if int(values.min()) < -limit or int(values.max()) >= limit:
            raise HostFault(f"a count does not fit in {format_name}", clause="4.11")
    return np.ascontiguousarray(values, _NATIVE[stream.sample_format])
