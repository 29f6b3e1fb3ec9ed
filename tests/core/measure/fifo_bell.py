"""A doorbell between processes, made of named pipes; run as a program it is a peer that has one.

    python -m tests.core.measure.fifo_bell FOLDER PEER respond FILE ...

Nobody wakes by time here as long as a test lasts: whoever is not rung answers too late to count.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from pathlib import Path

from app import cli
from app.core.backends.shared_file import SharedFile
from app.core.measure.latency import echo_python
from app.core.region.doorbell import BellAddress

SLEEP_S = 0.8


class FifoBell:
    """A DeviceBell; `rung` and `woken` count."""

    def __init__(self, folder: Path, peer: int, vector: int) -> None:
        self.address = BellAddress(peer, vector)
        self.rung = 0
        self.woken = 0
        self._folder = folder
        path = self._path(self.address)
        if not path.exists():
            os.mkfifo(path)
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def _path(self, address: BellAddress) -> Path:
        return self._folder / f"bell-{address.peer}-{address.vector}"

    def ring(self, to: BellAddress) -> None:
        self.rung += 1
        with contextlib.suppress(OSError):  # nobody there, or its pipe is full of rings
            pipe = os.open(self._path(to), os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(pipe, b"!")
            finally:
                os.close(pipe)

    def wait(self, timeout_s: float) -> bool:
        if not select.select([self._pipe], [], [], timeout_s)[0]:
            return False
        os.read(self._pipe, 4096)  # rings coalesce
        self.woken += 1
        return True

    def close(self) -> None:
        os.close(self._pipe)


def main(folder: str, peer: str, *arguments: str) -> int:
    """The program, with this doorbell on every file that it opens."""
    made: dict[int, FifoBell] = {}

    def bell(_region: SharedFile, waiter: int) -> FifoBell:
        return made.setdefault(waiter, FifoBell(Path(folder), int(peer), waiter))

    SharedFile.bell = bell  # type: ignore[method-assign]
    echo_python._BELL_S = SLEEP_S
    return cli.run(list(arguments))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
