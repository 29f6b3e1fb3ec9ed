"""Pipes, devices and standard output: what a person may name where a file is expected.

Opening a pipe by name waits for the other end, for ever where there is none; here each wait has a
bound, and the writer can end it sooner.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Final

from .os_errors import meaning

BINARY: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
WAIT_S: Final = 5.0
_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
_STEP_S: Final = 0.02
_PIECE: Final = 1 << 16
_SMALL_PIECE: Final = 4096  # Linux's PIPE_BUF: so much fits into a pipe that has room at all

Stop = Callable[[], None]


def open_source(path: str | Path, wait_s: float = WAIT_S) -> BinaryIO:
    """Open a file, a pipe or a device for reading; a pipe once a program writes to it.

    Raises:
        OSError: As opening does; ENXIO for a socket, and when no program opened the pipe in time.
    """
    if os.name == "nt" or not stat.S_ISFIFO(os.stat(path).st_mode):  # noqa: PTH116
        return Path(path).open("rb")
    return os.fdopen(_open_pipe(path, wait_s), "rb")


def _open_pipe(path: str | Path, wait_s: float) -> int:
    """Wait for a writer in a thread: only a waiting open() tells an idle one from none."""
    opened: list[int | OSError] = []

    def wait() -> None:
        try:
            opened.append(os.open(path, os.O_RDONLY | BINARY))
        except OSError as error:
            opened.append(error)

    thread = threading.Thread(target=wait, name="pipe-open", daemon=True)
    thread.start()
    in_time = False
    try:
        thread.join(wait_s)
        in_time = not thread.is_alive()
    finally:
        if not in_time:
            _release(path, thread)
            for handle in opened:
                if isinstance(handle, int):
                    os.close(handle)
    if not in_time:
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
    [handle] = opened
    if isinstance(handle, OSError):
        raise handle
    return handle


def _release(path: str | Path, thread: threading.Thread) -> None:
    """Be the writer for a moment, so that the thread's open() returns."""
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | _NONBLOCK))
        thread.join(1.0)


def open_stream(target: Path, wait_s: float | None, stop: Stop) -> int | None:
    """A descriptor for what is written into and never replaced; None for a file.

    `stop` is asked while a reader is waited for; what it raises ends that.

    Raises:
        OSError: As opening does; ENXIO when no program opened the pipe in time.
    """
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    own = own_stream(status)
    if own is not None:
        return os.dup(own)
    if stat.S_ISREG(status.st_mode):
        return None
    flags = os.O_WRONLY | BINARY | _NONBLOCK
    until = time.monotonic() + (WAIT_S if wait_s is None else wait_s)
    while True:
        stop()
        try:
            return os.open(target, flags)
        except OSError as error:
            if error.errno == errno.ENXIO and not stat.S_ISFIFO(status.st_mode):
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from error
            if error.errno != errno.ENXIO or time.monotonic() >= until:
                raise
            time.sleep(_STEP_S)  # its reader may be about to open it


def own_stream(status: os.stat_result) -> int | None:
    """The number of this process's standard output or error, when that is the file."""
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if os.name != "nt" and os.path.samestat(os.fstat(number), status):
                return number
    return None


def write_stream(handle: int, chunks: Iterable[bytes], wait_s: float | None, stop: Stop) -> int:
    """Write everything and close the descriptor; the bytes written.

    `stop` is asked before each piece and while nothing is taken; what it raises ends that.

    Raises:
        OSError: As writing does; ETIMEDOUT when nothing was taken for `wait_s`.
    """
    if sys.stdout is not None:
        sys.stdout.flush()  # it may be the same file
    written = 0
    try:
        piece = _piece(handle)
        for chunk in chunks:
            left = memoryview(chunk)
            while left:
                left = left[_write_some(handle, left[:piece], wait_s, stop) :]
            written += len(chunk)
    finally:
        os.close(handle)
    return written


def _piece(handle: int) -> int:
    """How much to write at once, so that a write into what has room never waits.

    Standard output is shared with other programs and stays as it is, mostly one that waits.
    """
    if sys.platform == "win32":
        return _PIECE
    else:  # noqa: RET505 - the type checker reads platforms by branches
        return _SMALL_PIECE if os.get_blocking(handle) else _PIECE


def _write_some(handle: int, data: memoryview[int], wait_s: float | None, stop: Stop) -> int:
    until = None if wait_s is None else time.monotonic() + wait_s
    while True:
        stop()
        if _has_room(handle):
            with contextlib.suppress(BlockingIOError):
                return os.write(handle, data)
        if until is not None and time.monotonic() >= until:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def _has_room(handle: int) -> bool:
    """Whether it takes bytes now; waits a moment for it."""
    # Windows can be asked about sockets only.
    return os.name == "nt" or bool(select.select([], [handle], [], _STEP_S)[1])


def pipe_meaning(error: OSError) -> str:
    """What an error of a pipe means, as meaning() of os_errors.py."""
    if error.errno == errno.ENXIO:
        return "it is a pipe from which no program reads"
    if error.errno == errno.ETIMEDOUT:
        return "the program that reads from it takes nothing"
    if error.errno == errno.ENOSPC:  # /dev/full is no disk
        return os.strerror(errno.ENOSPC)
    return meaning(error)
