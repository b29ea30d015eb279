"""A CSV file becomes the recording that a sensor of our own would have made, on the file's own time line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import emgmon
from emgmon.clock import SystemClock
from emgmon.errors import ImportFileError
from emgmon.events import Notification, NotificationBatch, NotificationKind
from emgmon.exercises import EXERCISE_NAMES, Exercise, load_exercise
from emgmon.recording.csv_streams import CsvStream, StreamBuilder
from emgmon.recording.csv_table import read_csv
from emgmon.recording.csv_timing import RateEstimate, SampleNumbers, estimate_rate, number_samples
from emgmon.recording.files import refuse_existing
from emgmon.recording.format import RecordingHeader, sensor_header
from emgmon.recording.writer import RecordingWriter, complete_or_nothing
from firmware_protocol.capabilities import Capabilities, Stream
from firmware_protocol.columns import gather_stretches
from firmware_protocol.control import Opcode, Response, Started, Status, StreamStart
from firmware_protocol.errors import HostFault
from firmware_protocol.packets import SampleFormat, pack_stream, samples_per_packet

LATEST_T_S = 1e6
"""Times beyond this (or before 0) are no session times but dates; they are counted from the first row."""
LONGEST_HOLE_S = 3600.0
"""A decoder takes a longer jump of the sample counter for nonsense."""
PACKET_S = 0.05
"""A packet spans at most this, so that replay is as lively as a sensor."""
PAYLOAD_SIZES = (244, 512)
"""Bytes of a usual notification, and of the largest there can be; the second only for many channels."""
SENSOR_NAME = "imported CSV"
_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class ImportedStream:
    """What became of one stream."""

    file: str
    stream: Stream
    rate_given: bool
    """Whether the rate was given by the caller instead of estimated."""
    n_samples: int
    n_missing: int
    """Samples inside gaps."""
    n_gaps: int
    first_s: float
    last_s: float
    max_deviation_s: float
    """Largest difference between a row's ``t_s`` and the time of its sample number."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import made, and what a person should know about it."""

    path: Path
    streams: tuple[ImportedStream, ...]
    duration_s: float
    """From time 0 to the last sample."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _TimedStream:
    """A stream with its rate and the number of every sample."""

    source: CsvStream
    stream: Stream
    numbers: SampleNumbers
    rate_given: bool


def import_csv(
    paths: Sequence[Path | str],
    out: Path | str,
    *,
    exercise: str | Exercise | None,
    rate_hz: float | None = None,
    replace: bool = False,
) -> ImportReport:
    """Turn CSV files into one recording.

    Session time is the files' ``t_s``: the recording begins with the response to a START at time 0, and
    every stream starts at the time of its first row.

    Parameters
    ----------
    paths
        One file for each stream; a file with EMG and motion columns becomes several streams. All files
        share one time line.
    out
        The recording; written beside and renamed into place when it is whole.
    exercise
        Kept in the header: its name, and itself when it is a person's own; None when there is none.
    rate_hz
        Takes the place of the rate that is estimated from ``t_s``, for every stream.
    replace
        Whether an existing `out` may be replaced.

    Raises
    ------
    ImportFileError
        Names file, line, column and value.
    RecordingError
        When `out` exists or cannot be written.
    ExerciseError
        When there is no such exercise.
    """
    out = Path(out)
    refuse_existing(out, replace=replace)
    exercise = load_exercise(exercise) if isinstance(exercise, str) else exercise
    _refuse_source_as_output(paths, out)
    builder = StreamBuilder()
    sources = [stream for path in paths for stream in builder.streams(read_csv(Path(path)))]
    if not sources:
        raise ImportFileError(
            f"{', '.join(Path(path).name for path in paths)}: no column makes a stream",
            advice=" ".join(builder.warnings) or "Give at least one CSV file.",
        )
    sources, moved = _on_session_time(sources)
    timed = [_timed(source, number, rate_hz) for number, source in enumerate(sources)]
    warnings = (*builder.warnings, *moved, *(text for stream in timed for text in _timing_warnings(stream)))
    _write(out, timed, exercise=exercise, replace=replace)
    duration_s = max(float(stream.source.t_s[-1]) for stream in timed)
    return ImportReport(out, tuple(_report(stream) for stream in timed), duration_s, warnings)


def _refuse_source_as_output(paths: Sequence[Path | str], out: Path) -> None:
    for path in map(Path, paths):
        if out.exists() and path.exists() and out.samefile(path):
            raise ImportFileError(
                f"{out} is one of the files to be imported and was left as it is",
                advice="Give the recording a name of its own.",
            )


def _on_session_time(sources: list[CsvStream]) -> tuple[list[CsvStream], list[str]]:
    """Leave times as they are unless they cannot be session times; then count from the first row of all."""
    first_s = min(float(source.t_s[0]) for source in sources)
    last_s = max(float(source.t_s[-1]) for source in sources)
    if first_s >= 0 and last_s <= LATEST_T_S:
        return sources, []
    if last_s - first_s > LATEST_T_S:
        raise ImportFileError(
            f"t_s spans {last_s - first_s:.0f} s, from {first_s} to {last_s}: the files share no time line",
            advice="Give t_s in seconds, counted from the same moment in every file.",
        )
    moved = [changed(source, t_s=source.t_s - first_s) for source in sources]
    return moved, [f"t_s begins at {first_s!r} s; all times are counted from there, so that they begin at 0"]


def _timed(source: CsvStream, number: int, rate_hz: float | None) -> _TimedStream:
    _check_holes(source)
    rate = _checked_rate(source, rate_hz)
    try:
        stream = Stream(number, source.kind, SampleFormat.FLOAT32, rate, source.channels)
    except HostFault as fault:
        raise ImportFileError(f"{source.file}: {fault}", advice="Check t_s: it is in seconds.") from fault
    return _TimedStream(source, stream, number_samples(source.t_s, stream.rate_hz), rate_hz is not None)


def _check_holes(source: CsvStream) -> None:
    steps = np.diff(source.t_s)
    if len(steps) and steps.max() > LONGEST_HOLE_S:
        row = int(steps.argmax())
        raise ImportFileError(
            f"{source.file}: nothing was measured from t_s {source.t_s[row]} to {source.t_s[row + 1]} s,"
            f" more than {LONGEST_HOLE_S:.0f} s",
            advice="Cut the file there and import the parts one by one.",
        )


def _checked_rate(source: CsvStream, rate_hz: float | None) -> float:
    if rate_hz is not None and not rate_hz > 0:
        raise ImportFileError(f"the rate {rate_hz} Hz is not greater than 0", advice="Give it in hertz.")
    if len(source.t_s) < 2:
        if rate_hz is None:
            raise ImportFileError(
                f"{source.file}: a single sample at t_s {source.t_s[0]} s tells no rate",
                advice="Give the rate with --rate, or a longer file.",
            )
        return rate_hz
    estimate = estimate_rate(source.t_s)
    if rate_hz is None:
        return estimate.rate_hz
    _check_agreement(source, rate_hz, estimate)
    return rate_hz


def _check_agreement(source: CsvStream, rate_hz: float, estimate: RateEstimate) -> None:
    """Another rate than the times show would turn most samples into gaps, or into the wrong time."""
    most = 2.0 if estimate.in_bursts else 1.1
    if not estimate.mean_hz / most < rate_hz < estimate.rate_hz * most:
        raise ImportFileError(
            f"{source.file}: the rate given is {rate_hz:g} Hz, but t_s shows {estimate.rate_hz:.4g} Hz",
            advice="Leave out --rate, or give the rate that t_s was written with.",
        )


def _timing_warnings(timed: _TimedStream) -> Iterator[str]:
    source, numbers = timed.source, timed.numbers
    if not timed.rate_given and len(source.t_s) > 1 and estimate_rate(source.t_s).in_bursts:
        yield (
            f"{source.file}: t_s comes in bursts, so the rate is only roughly {timed.stream.rate_hz:.4g} Hz;"
            " give it with --rate when it is known"
        )
    if numbers.n_unseen:
        yield (
            f"{source.file}: t_s runs ahead of the number of rows although no hole is seen;"
            f" {numbers.n_unseen} samples were counted as missing"
        )
    if numbers.max_deviation_s * timed.stream.rate_hz > 3.0:
        yield (
            f"{source.file}: t_s is uneven: it differs by up to {numbers.max_deviation_s * 1e3:.0f} ms from"
            f" {timed.stream.rate_hz:.6g} samples per second"
        )


def _report(timed: _TimedStream) -> ImportedStream:
    numbers = timed.numbers
    return ImportedStream(
        file=timed.source.file,
        stream=timed.stream,
        rate_given=timed.rate_given,
        n_samples=len(numbers.numbers),
        n_missing=int(numbers.numbers[-1]) + 1 - len(numbers.numbers),
        n_gaps=len(numbers.stretches) - 1,
        first_s=float(timed.source.t_s[0]),
        last_s=float(timed.source.t_s[-1]),
        max_deviation_s=numbers.max_deviation_s,
    )


def _write(out: Path, timed: Sequence[_TimedStream], *, exercise: Exercise | None, replace: bool) -> None:
    capabilities = Capabilities(0, 0, SENSOR_NAME, 0, tuple(stream.stream for stream in timed))
    files = ", ".join(dict.fromkeys(stream.source.file for stream in timed))
    header = RecordingHeader(
        app_version=emgmon.__version__,
        origin="import",
        exercise=None if exercise is None else exercise.name,
        own_exercise=None if exercise is None or exercise.name in EXERCISE_NAMES else exercise,
        sensors=(sensor_header(capabilities),),
        notes=(f"imported from {files}",),
    )
    packets = [_packets(stream) for stream in timed]
    with complete_or_nothing(out, header, clock=SystemClock(), replace=replace) as writer:
        writer.append(_start_response(timed))
        _write_merged(writer, packets)


def _start_response(timed: Sequence[_TimedStream]) -> Notification:
    """Build the answer to a START at time 0, so that session time is the file's time."""
    starts = tuple(StreamStart(t.stream.number, 0, round(float(t.source.t_s[0]) * 1e6)) for t in timed)
    response = Response(Opcode.START, 0, Status.OK, Started(0, 0, starts).to_bytes())
    first_ns = min(round(float(stream.source.t_s[0]) * 1e9) for stream in timed)
    return Notification(first_ns, 0, NotificationKind.CONTROL, response.to_bytes())


def _packets(timed: _TimedStream) -> NotificationBatch:
    """Pack one stream; no packet spans a gap, and each arrives with its last sample."""
    source, stream, numbers = timed.source, timed.stream, timed.numbers
    n_per_packet = _samples_per_packet(source, stream.rate_hz)
    times_us = np.rint(source.t_s * 1e6).astype(np.int64)
    data, sizes, last_rows = [], [], []
    n_packets = 0
    for start, stop in numbers.stretches:
        packed = pack_stream(
            source.values[start:stop],
            stream=stream.number,
            sample_format=SampleFormat.FLOAT32,
            rate_hz=stream.rate_hz,
            first_sample=int(numbers.numbers[start]),
            first_sequence=n_packets,
            times_us=times_us[start:stop],
            samples_per_packet=n_per_packet,
        )
        n_packets += len(packed.n_samples)
        data.append(packed.data)
        sizes.append(np.diff(packed.offsets))
        last_rows.append(start + np.cumsum(packed.n_samples) - 1)
    arrival_ns = np.rint(source.t_s[np.concatenate(last_rows)] * 1e9).astype(np.int64)
    return _batch(arrival_ns, np.concatenate(data), np.concatenate(sizes))


def _samples_per_packet(source: CsvStream, rate_hz: float) -> int:
    n_channels = len(source.channels)
    for payload_size in PAYLOAD_SIZES:
        try:
            fits = samples_per_packet(
                payload_size=payload_size, n_channels=n_channels, sample_format=SampleFormat.FLOAT32
            )
        except HostFault:
            continue
        return max(1, min(fits, int(rate_hz * PACKET_S)))
    raise ImportFileError(
        f"{source.file}: {n_channels} channels do not fit in one packet of {PAYLOAD_SIZES[-1]} bytes",
        advice="Split the columns into several files.",
    )


def _batch(
    arrival_ns: NDArray[np.int64], data: NDArray[np.uint8], sizes: NDArray[np.int64]
) -> NotificationBatch:
    n_rows = len(arrival_ns)
    return NotificationBatch(
        arrival_ns=arrival_ns,
        sensor=np.zeros(n_rows, np.uint8),
        kind=np.full(n_rows, NotificationKind.DATA, np.uint8),
        data=data,
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
    )


def _write_merged(writer: RecordingWriter, packets: Sequence[NotificationBatch]) -> None:
    """Write the packets of all streams in the order in which they would have arrived."""
    data = np.concatenate([batch.data for batch in packets])
    sizes = np.concatenate([np.diff(batch.offsets) for batch in packets])
    arrival_ns = np.concatenate([batch.arrival_ns for batch in packets])
    starts = np.cumsum(sizes) - sizes
    order = np.argsort(arrival_ns, kind="stable")
    for first in range(0, len(order), _ROWS_AT_ONCE):
        chosen = order[first : first + _ROWS_AT_ONCE]
        payloads = gather_stretches(data, starts[chosen], sizes[chosen])
        writer.append_many(_batch(arrival_ns[chosen], payloads, sizes[chosen]))
