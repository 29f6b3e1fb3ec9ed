"""Starts and ends the demo's peer and its file."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import struct
import tempfile
from pathlib import Path
from typing import Self

import psutil  # type: ignore[import-untyped]

from ..errors import StorageError
from ..protocols import demo_layout
from ..region.region import RegionKind, RegionSpec
from . import peer


def _place() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - it is the place


def _remove_orphans() -> None:
    """Files of demos whose starter and peer were both killed; the header names the peer."""
    for path in Path(_place() or tempfile.gettempdir()).glob(f"{demo_layout.PREFIX}*"):
        with contextlib.suppress(OSError, struct.error):
            with path.open("rb") as file:
                magic, _, pid = struct.unpack("<8sII", file.read(16))
            if magic == demo_layout.MAGIC and not psutil.pid_exists(pid):
                path.unlink()


class Demo:
    """A running demo. It ends by stop(), and when this process ends, in whatever way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        context = multiprocessing.get_context("spawn")
        self._life, theirs = context.Pipe()
        self._process = context.Process(
            target=peer.run, args=(str(path), theirs), name="ivshmem-scope-demo", daemon=True
        )
        self._process.start()
        theirs.close()

    @classmethod
    def start(cls) -> Self:
        """Make the file and start the peer; returns at once.

        Raises:
            StorageError: No room or no right to make the file.
        """
        _remove_orphans()
        name = ""
        try:
            handle, name = tempfile.mkstemp(prefix=demo_layout.PREFIX, dir=_place())
            try:
                os.ftruncate(handle, demo_layout.SIZE)
            finally:
                os.close(handle)
        except OSError as error:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise StorageError(
                f"The demo's file could not be made ({error.strerror}).",
                "Free some space in /dev/shm, or open a region of your own.",
            ) from error
        return cls(Path(name))

    @property
    def spec(self) -> RegionSpec:
        """What to open."""
        return RegionSpec(RegionKind.FILE, str(self.path))

    @property
    def alive(self) -> bool:
        """Whether the peer runs."""
        return self._process.is_alive()

    def wait_ready(self, timeout_s: float = 10.0) -> bool:
        """Wait until the peer has written its header; for tests and the command line."""
        return self._life.poll(timeout_s)

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the peer and remove the file. Safe to call twice."""
        self._life.close()
        self._process.join(timeout_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(1.0)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
