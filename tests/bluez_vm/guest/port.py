"""The guest's line to the host: a serial port of its own, so that no kernel message gets in between."""

import asyncio
import os
from types import TracebackType
from typing import Self

from tests.bluez_vm.guest.messages import Answer, Ask, Deed, Sensor, Upward, answer, to_line

DEVICE = "/dev/vport0p1"
ANSWER_LIMIT_S = 20.0


class Port:
    """Reports up, requests up, answers down. One request at a time."""

    def __init__(self, device: str = DEVICE) -> None:
        self._file = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        self._pending = b""
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._file, self._on_readable)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._file)
        os.close(self._file)

    def send(self, message: Upward) -> None:
        """Put a line on its way."""
        line = to_line(message)
        while line:
            line = line[os.write(self._file, line) :]

    async def ask(self, deed: Deed, sensor: Sensor = Sensor.USUAL, *, away_s: float = 0.0) -> Answer:
        """Have something done at the sensor's end; what the sensor's side tells of it, at once."""
        self.send(Ask(deed, sensor, away_s))
        async with asyncio.timeout(ANSWER_LIMIT_S):
            return await self._answers.get()

    def _on_readable(self) -> None:
        data = os.read(self._file, 65536)
        if not data:
            # Nobody is there any more: the power goes off, so that no machine is left behind.
            raise SystemExit("the host has hung up")
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            self._answers.put_nowait(answer(line))
