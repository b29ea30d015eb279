"""What a recording says about itself before its first notification."""

import re
import zlib
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from emgmon.dsp.alignment import Alignment
from emgmon.errors import RecordingError
from emgmon.exercises.exercise import Exercise
from emgmon.metrics.calibration import Calibration
from emgmon.metrics.reference import ReferenceSet
from firmware_protocol.capabilities import Capabilities
from firmware_protocol.errors import ProtocolError

if TYPE_CHECKING:
    from emgmon.reps.corrections import Correction
    from emgmon.session import SessionSetup

FORMAT_NAME = "emgmon.recording"
FORMAT_VERSION = 1
"""Raised when an older reader would misread a file; a new optional field does not raise it."""
SCHEMA = f"{FORMAT_NAME}/{FORMAT_VERSION}"
HEADER_KEY = b"emgmon"
HEADER_CRC_KEY = b"emgmon.crc32"

_REPAIR_HEADER = (
    "Nothing can be decoded without the header. If another recording of the same sensor and setup exists,"
    " run: emgmon repair FILE --header-from OTHER"
)


class SensorHeader(msgspec.Struct, frozen=True):
    """One sensor of the session; its place in the list is the ``sensor`` column's value."""

    name: str
    address: str
    """Bluetooth address as the host saw it; empty for imported and simulated data."""
    capabilities: str
    """The capability descriptor as the sensor sent it, in hex."""
    firmware: str = ""
    """Firmware revision, as the sensor's device information has it; empty where it does not say."""


class RecordingHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known before the first notification; JSON in the Arrow schema's metadata."""

    schema: str = SCHEMA
    app_version: str
    origin: str
    """``live``, ``import`` or ``simulation``."""
    started_utc: str | None = None
    """ISO 8601; for people, never used to compute."""
    exercise: str | None = None
    sensors: tuple[SensorHeader, ...]
    calibration: Calibration | None = None
    reference: ReferenceSet | None = None
    alignments: tuple[Alignment, ...] = ()
    """How the motion sensors sit, where it was measured standing and bowing."""
    own_exercise: Exercise | None = None
    """The exercise itself, when it is a person's own and not in the catalogue."""
    notes: tuple[str, ...] = ()


class _FormatProbe(msgspec.Struct):
    schema: str


def sensor_header(capabilities: Capabilities, *, address: str = "", firmware: str = "") -> SensorHeader:
    """Put a sensor's capabilities down as the header keeps them."""
    return SensorHeader(capabilities.name, address, capabilities.to_bytes().hex(), firmware)


def arrow_schema(header: RecordingHeader) -> pa.Schema:
    """Columns of a recording, with the header and its CRC32 as schema metadata."""
    text = msgspec.json.encode(header)
    metadata = {HEADER_KEY: text, HEADER_CRC_KEY: f"{zlib.crc32(text):08x}".encode()}
    return plain_schema().with_metadata(metadata)


def plain_schema() -> pa.Schema:
    """Columns of a recording, without a header."""
    return pa.schema(
        [
            pa.field("arrival_ns", pa.int64(), nullable=False),
            pa.field("sensor", pa.uint8(), nullable=False),
            pa.field("kind", pa.uint8(), nullable=False),
            pa.field("payload", pa.binary(), nullable=False),
        ]
    )


def parse_header(text: bytes, crc32: bytes | None) -> RecordingHeader:
    """Read the header's JSON.

    Parameters
    ----------
    text
        Value of the schema metadata key ``emgmon``.
    crc32
        Value of ``emgmon.crc32``, eight hex digits; None when the key is missing.

    Raises
    ------
    RecordingError
        When the header is damaged or written by a newer emgmon.
    """
    if crc32 != f"{zlib.crc32(text):08x}".encode():
        raise damaged_header("its checksum does not fit its text")
    try:
        _check_version(msgspec.json.decode(text, type=_FormatProbe).schema)
        return msgspec.json.decode(text, type=RecordingHeader)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged_header(str(error)) from error


def damaged_header(why: str) -> RecordingError:
    """Say that the header cannot be used, and why."""
    return RecordingError(f"the header is damaged: {why}", advice=_REPAIR_HEADER)


def sensor_capabilities(header: RecordingHeader) -> tuple[Capabilities, ...]:
    """Decode what each sensor said about itself.

    Raises
    ------
    RecordingError
        When a descriptor does not decode.
    """
    decoded = []
    for number, sensor in enumerate(header.sensors):
        try:
            decoded.append(Capabilities.from_bytes(bytes.fromhex(sensor.capabilities)))
        except (ProtocolError, ValueError) as error:
            raise damaged_header(f"the capabilities of sensor {number} do not decode: {error}") from error
    return tuple(decoded)


def session_setup(
    header: RecordingHeader,
    *,
    exercise: str | Exercise | None = None,
    partial: str = "left-out",
    corrections: "tuple[Correction, ...]" = (),
    alignments: tuple[Alignment, ...] = (),
    reference: ReferenceSet | None = None,
    calibration: Calibration | None = None,
) -> "SessionSetup":
    """Gather what the session engine has to know to play a recording.

    Parameters
    ----------
    exercise
        Takes the place of the header's exercise.
    partial
        ``left-out`` or ``counted``: what to do with partial repetitions.
    corrections
        What a person has said about repetitions of this recording.
    alignments
        Each takes the place of the header's for its site.
    reference
        Takes the place of the header's where it is one of the exercise that is played.
    calibration
        Takes the place of the header's.
    """
    # Only who plays a recording pays for loading the engine.
    from emgmon.judging import Partials
    from emgmon.session import SessionSetup

    own = header.own_exercise
    chosen = exercise or header.exercise
    name = chosen if chosen is None or isinstance(chosen, str) else chosen.name
    fits = reference is not None and reference.exercise == name
    return SessionSetup(
        sensors=sensor_capabilities(header),
        exercise=own if own is not None and chosen == own.name else chosen,
        calibration=calibration or header.calibration,
        reference=reference if fits else header.reference,
        alignments=newest_alignments(header.alignments, alignments),
        count_partial=Partials(partial),
        corrections=corrections,
    )


def newest_alignments(first: tuple[Alignment, ...], later: tuple[Alignment, ...]) -> tuple[Alignment, ...]:
    """Keep one alignment a site, the later one where there are two."""
    return tuple({alignment.site: alignment for alignment in (*first, *later)}.values())


def _check_version(schema: str) -> None:
    found = re.fullmatch(re.escape(FORMAT_NAME) + r"/(\d{1,9})", schema)
    if not found:
        raise damaged_header(f"its schema is {schema!r}, not {SCHEMA!r}")
    if int(found[1]) > FORMAT_VERSION:
        raise RecordingError(
            f"the recording has format {schema}; this emgmon reads up to {SCHEMA}",
            advice="Update emgmon: pip install --upgrade emgmon",
        )
