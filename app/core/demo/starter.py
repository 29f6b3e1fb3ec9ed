"""Starts and ends the demo's peer and its file."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from pathlib import Path
from typing import Self

from ..errors import StorageError
from ..protocols import demo_layout
from ..region.region import RegionKind, RegionSpec
from ..storage.os_errors import lacks_space
from . import peer, stale_files


class Demo:
    """A running demo. It ends by stop(), and when this process ends, in whatever way."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle  # its lock says that the file is in use
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
        stale_files.remove_stale()
        handle, path = -1, None
        try:
            handle, path = stale_files.make()
            os.ftruncate(handle, demo_layout.SIZE)
        except OSError as error:
            if path is not None:
                os.close(handle)
                with contextlib.suppress(OSError):
                    path.unlink()
            raise StorageError(
                f"The demo's file could not be made ({error.strerror}).",
                f"Free some space in {stale_files.place()}, or open a region of your own."
                if lacks_space(error)
                else "Open a region of your own.",
            ) from error
        return cls(path, handle)

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
        if self._handle >= 0:  # Windows removes no file that is open
            os.close(self._handle)
            self._handle = -1
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
