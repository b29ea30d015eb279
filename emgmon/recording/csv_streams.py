"""Columns that share a clock become one stream; what makes no whole stream is left out with a warning."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from emgmon.errors import ImportFileError
from emgmon.recording.csv_columns import CsvColumn
from emgmon.recording.csv_envelopes import EmgForm, emg_form, is_often_negative
from emgmon.recording.csv_table import CsvTable
from emgmon.recording.csv_timing import estimate_rate
from firmware_protocol.capabilities import Channel, Quantity, StreamKind, Unit

UNIT_OF = {
    Quantity.EMG: Unit.MICROVOLT,
    Quantity.ENVELOPE: Unit.MICROVOLT,
    Quantity.ACCELERATION: Unit.METRE_PER_SECOND_SQUARED,
    Quantity.ANGULAR_RATE: Unit.RADIAN_PER_SECOND,
}

_FOUND = {
    EmgForm.RECTIFIED: "never goes below 0 and piles up there: it is taken for rectified EMG, not for raw.",
    EmgForm.SMOOTHED: "rises from 0 with the effort: it is taken for an envelope, not for raw EMG.",
}
_WHAT_FOLLOWS = (
    "Its amplitude is used as it is; there is no median frequency, and no onset finer than its smoothing."
    " Name it env. in place of emg. to say so yourself; if it is raw, take its mean away first"
)
_UNCLEAR = "never goes below 0: it is taken for raw EMG with an offset; if it is an envelope, name it {env}"
_BELOW_ZERO = "is named an envelope but goes below 0 often: if it is raw EMG, name it emg. in place of env."


@dataclass(frozen=True, slots=True, eq=False)
class CsvStream:
    """The samples of one stream, before they have a rate."""

    file: str
    kind: StreamKind
    channels: tuple[Channel, ...]
    t_s: NDArray[np.float64]
    """Shape (n_samples,), the file's own times."""
    values: NDArray[np.float32]
    """Shape (n_samples, n_channels), microvolt, m/s² or rad/s; NaN where one channel is missing."""


@dataclass(slots=True)
class StreamBuilder:
    """Takes tables in, gives streams out, and collects what a person should know."""

    warnings: list[str] = field(default_factory=list)
    _owners: dict[tuple[Quantity, str, str | None, str | None], str] = field(default_factory=dict)
    """File that each signal came from."""

    def streams(self, table: CsvTable) -> Iterator[CsvStream]:
        """Make the streams of one file: all EMG columns together, and one IMU for each site.

        Raises
        ------
        ImportFileError
            When a signal came in an earlier file already, or a value is beyond float32.
        """
        self.warnings += (f"{table.file}: {sentence}" for sentence in table.header.skipped)
        for kind, columns in self._groups(table):
            self._claim(columns, table.file)
            stream = self._stream(table, kind, columns)
            if stream is not None:
                yield stream

    def _groups(self, table: CsvTable) -> Iterator[tuple[StreamKind, list[CsvColumn]]]:
        columns = table.header.columns
        emg = [column for column in columns if column.quantity.is_emg]
        if emg:
            yield StreamKind.EMG, emg
        motion = [column for column in columns if not column.quantity.is_emg]
        for site, side in dict.fromkeys((column.site, column.side) for column in motion):
            here = [column for column in motion if (column.site, column.side) == (site, side)]
            chosen = self._imu_columns(here, table.file)
            if chosen:
                yield StreamKind.IMU, chosen

    def _imu_columns(self, columns: Sequence[CsvColumn], file: str) -> list[CsvColumn]:
        """Three axes of acceleration, then three of angular rate; an incomplete set is of no use."""
        chosen: list[CsvColumn] = []
        for quantity in (Quantity.ACCELERATION, Quantity.ANGULAR_RATE):
            axes = sorted(
                (column for column in columns if column.quantity is quantity),
                key=lambda column: column.axis or "",
            )
            names = ", ".join(column.name for column in axes)
            if len(axes) == 3 and (chosen or quantity is Quantity.ACCELERATION):
                chosen += axes
            elif len(axes) == 3:
                self.warnings.append(
                    f"{file}: {names} are skipped: there is no acceleration of the same site"
                )
            elif axes:
                self.warnings.append(f"{file}: {names}: skipped, because x, y and z are needed together")
        return chosen

    def _claim(self, columns: Sequence[CsvColumn], file: str) -> None:
        for column in columns:
            key = column.signal
            if key in self._owners:
                raise ImportFileError(
                    f"{file}, column {column.index + 1} ({column.name}): the same signal came from"
                    f" {self._owners[key]}",
                    advice="Give every signal once, or rename the column.",
                )
            self._owners[key] = file

    def _stream(self, table: CsvTable, kind: StreamKind, columns: list[CsvColumn]) -> CsvStream | None:
        places = [table.header.columns.index(column) for column in columns]
        values = _scaled(table, columns, places)
        missing = np.isnan(values)
        for column in np.flatnonzero(missing.all(axis=0)).tolist():
            self.warnings.append(f"{table.file}: column {columns[column].name} holds no value at all")
        # A sample of which every channel is missing was not measured: it becomes part of a gap.
        measured = ~missing.all(axis=1)
        if not measured.any():
            return None
        t_s, values = table.t_s[measured], values[measured]
        columns = [
            self._known_form(column, values[:, place], t_s, table.file)
            for place, column in enumerate(columns)
        ]
        channels = tuple(
            Channel(column.quantity, column.site, column.side, column.axis, UNIT_OF[column.quantity], 1.0)
            for column in columns
        )
        return CsvStream(table.file, kind, channels, t_s, values)

    def _known_form(
        self, column: CsvColumn, values: NDArray[np.float32], t_s: NDArray[np.float64], file: str
    ) -> CsvColumn:
        """Give an EMG column the quantity that its values show, and say what a person should look at."""
        if column.quantity is Quantity.ENVELOPE and is_often_negative(values):
            self.warnings.append(f"{file}: {column.name} {_BELOW_ZERO}")
        if column.quantity is not Quantity.EMG or len(t_s) < 2:
            return column
        form = emg_form(values, estimate_rate(t_s).rate_hz)
        if form is EmgForm.UNCLEAR:
            self.warnings.append(f"{file}: {column.name} {_UNCLEAR.format(env=_as_envelope(column.name))}")
        if form not in _FOUND:
            return column
        self.warnings.append(f"{file}: {column.name} {_FOUND[form]} {_WHAT_FOLLOWS}")
        return replace(column, quantity=Quantity.ENVELOPE)


def _scaled(table: CsvTable, columns: Sequence[CsvColumn], places: Sequence[int]) -> NDArray[np.float32]:
    scaled = table.values[:, places] * [column.factor for column in columns]
    with np.errstate(over="ignore"):
        values = scaled.astype(np.float32)
    beyond = np.argwhere(np.isinf(values))
    if len(beyond):
        row, place = beyond[0].tolist()
        raise ImportFileError(
            f"{table.file}, column {columns[place].index + 1} ({columns[place].name}), t_s"
            f" {table.t_s[row]:.6f}: the value {table.values[row, places[place]]:g} is too large",
            advice="Check the unit in the column's name.",
        )
    return values


def _as_envelope(name: str) -> str:
    return "env." + name.partition(".")[2]
