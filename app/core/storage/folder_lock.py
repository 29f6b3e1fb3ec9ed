"""A lock that programs take while they change a file of ours: settings, the log.

It holds between processes and between the threads of one. Where the file system knows no locks
(some network drives), or another program holds it too long, the work goes on without it: files are
replaced in one step, so that what is lost is a change, never a file.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

WAIT_S: Final = 0.5
_STEP_S: Final = 0.005


@contextlib.contextmanager
def folder_lock(folder: Path, wait_s: float = WAIT_S) -> Iterator[bool]:
    """Hold the folder's lock; yields whether it was had within the time."""
    try:
        handle = _handle(folder)
    except OSError:
        yield False
        return
    try:
        yield _take(handle, wait_s)
    finally:
        os.close(handle)  # lets go of the lock as well


def try_lock(handle: int, *, shared: bool = False) -> bool:
    """Lock an open file until it is closed; False when another holds it.

    Args:
        handle: Its descriptor.
        shared: Others may lock it so too (on Windows the lock is never shared).
    """
    try:
        _lock(handle, shared)
    except OSError:
        return False
    return True


def _take(handle: int, wait_s: float) -> bool:
    until = time.monotonic() + wait_s
    while not try_lock(handle):
        if time.monotonic() >= until:
            return False
        time.sleep(_STEP_S)
    return True


if sys.platform == "win32":
    import msvcrt

    _FAR: Final = 0x7FFF_0000  # behind every content: Windows refuses to read what is locked

    def _handle(folder: Path) -> int:
        return os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOINHERIT)

    def _lock(handle: int, _shared: bool) -> None:
        at = os.lseek(handle, 0, os.SEEK_CUR)
        os.lseek(handle, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(handle, at, os.SEEK_SET)

else:
    import fcntl

    def _handle(folder: Path) -> int:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # itself: no further file is needed

    def _lock(handle: int, shared: bool) -> None:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
