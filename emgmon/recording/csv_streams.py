"""Columns that share a clock become one stream; what makes no whole stream is left out with a warning."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emgmon.errors import ImportFileError
from emgmon.recording.csv_columns import CsvColumn
from emgmon.recording.csv_table import CsvTable
from firmware_protocol.capabilities import Channel, Quantity, StreamKind, Unit

UNIT_OF = {
    Quantity.EMG: Unit.MICROVOLT,
    Quantity.ACCELERATION: Unit.METRE_PER_SECOND_SQUARED,
    Quantity.ANGULAR_RATE: Unit.RADIAN_PER_SECOND,
}


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
        emg = [column for column in columns if column.quantity is Quantity.EMG]
        if emg:
            yield StreamKind.EMG, emg
        motion = [column for column in columns if column.quantity is not Quantity.EMG]
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
            key = (column.quantity, column.site, column.side, column.axis)
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
        channels = tuple(
            Channel(column.quantity, column.site, column.side, column.axis, UNIT_OF[column.quantity], 1.0)
            for column in columns
        )
        return CsvStream(table.file, kind, channels, table.t_s[measured], values[measured])


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
