"""A report for each process of the program that did not end well.

Each process opens a file of its own in the log's folder when it starts, and locks it. faulthandler
writes the threads' stacks into it when a signal ends the process; an uncaught exception
is written as well. A process that ends in order removes its file, unless an exception is in it
that no person has seen. So a file that is not locked and has a trace is a crash; one without a
trace is of a process that was killed or lost its machine, and says nothing of the cause.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from ...version import __version__
from .folder_lock import try_lock
from .logs import describe_system
from .paths import log_dir

log = logging.getLogger(__name__)
KEPT: Final = 10
_NEW_S: Final = 10.0  # a file that was made just now may not be locked yet
_LIMIT: Final = 1 << 20  # a loop of exceptions must not fill the disk


@dataclass(frozen=True, slots=True)
class CrashReport:
    """What a process left that ended by a fault.

    Attributes:
        path: Its file.
        ended_s: When, in seconds since 1970.
        text: All of it.
    """

    path: Path
    ended_s: float
    text: str

    def forget(self) -> None:
        """Remove it."""
        with contextlib.suppress(OSError):
            self.path.unlink()


class _Own:
    """The file of this process."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self.path = path
        self.file = file
        self.keep = False
        self.others_faults = faulthandler.is_enabled()  # PYTHONFAULTHANDLER, a test runner
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self.file.tell() < _LIMIT:
                self.file.write(text.rstrip("\n") + "\n\n")
                self.file.flush()


_own: _Own | None = None


@contextlib.contextmanager
def recorded(role: str, directory: Path | None = None) -> Iterator[None]:
    """Leave a report when this process ends by a fault or by an uncaught exception.

    To be entered before anything else installs handlers for faults, which then come first.

    Args:
        role: `window` or `engine`.
        directory: Another place than the platform's.
    """
    _begin(role, directory or log_dir())
    before = threading.excepthook

    def on_thread_error(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and args.exc_type is not SystemExit:
            record(args.exc_value)
        before(args)

    threading.excepthook = on_thread_error
    try:
        yield
    except Exception as error:
        record(error)
        raise
    finally:
        threading.excepthook = before
        end()


def record(error: BaseException, *, seen: bool = False) -> str:
    """Put an exception into the log and the report; the text.

    Args:
        error: The uncaught exception.
        seen: It is shown to a person now; alone, it is no reason to keep the report.
    """
    text = "".join(traceback.format_exception(error)).rstrip()
    log.error("%s", text)
    if _own is not None:
        _own.write(f"{time.strftime('%H:%M:%S')} {threading.current_thread().name}\n{text}")
        _own.keep = _own.keep or not seen
    return text


def end() -> None:
    """This process ends in order: no report, but of what no person has seen."""
    global _own
    own, _own = _own, None
    if own is None:
        return
    faulthandler.disable()
    if own.others_faults and sys.__stderr__ is not None:
        with contextlib.suppress(RuntimeError, ValueError, AttributeError, OSError):
            faulthandler.enable(sys.__stderr__)
    with contextlib.suppress(OSError, ValueError):
        own.file.close()
    if not own.keep:
        with contextlib.suppress(OSError):
            own.path.unlink()


def of_process(pid: int | None, directory: Path | None = None) -> CrashReport | None:
    """What this process left, once it has ended."""
    found = [_read(path) for path in (directory or log_dir()).glob(f"crash-*-{pid}.txt")]
    return max((one for one in found if one), key=lambda one: one.ended_s, default=None)


def left_behind(role: str, directory: Path | None = None) -> list[CrashReport]:
    """Reports of processes that have ended, oldest first."""
    found = [_read(path) for path in (directory or log_dir()).glob(f"crash-{role}-*.txt")]
    return sorted((one for one in found if one), key=lambda one: one.ended_s)


def tidy(directory: Path | None = None) -> None:
    """Remove files without a trace, and all but the newest; those in use stay."""
    place = directory or log_dir()
    for path in place.glob("crash-*-*.txt"):
        with contextlib.suppress(OSError):
            old = time.time() - path.stat().st_mtime > _NEW_S
            if old and _ended(path) and _read(path) is None:
                path.unlink()
    reports = [one for role in ("window", "engine") for one in left_behind(role, place)[:-KEPT]]
    for report in reports:
        report.forget()


def _begin(role: str, place: Path) -> None:
    global _own
    if _own is not None:
        return
    name = f"crash-{role}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    try:
        place.mkdir(parents=True, exist_ok=True)
        file = (place / name).open("w", encoding="utf-8")
    except OSError:
        with contextlib.suppress(RuntimeError, ValueError, AttributeError):
            faulthandler.enable()  # stderr, where there is one
        return
    try_lock(file.fileno())
    began = time.strftime("%Y-%m-%d %H:%M:%S")
    file.write(
        f"IVSHMEM Scope {__version__}, {role}, process {os.getpid()}, started {began}\n"
        f"{describe_system()}\n\n"
    )
    file.flush()
    _own = _Own(place / name, file)
    faulthandler.enable(file)


def _ended(path: Path) -> bool:
    """Whether the file is not locked: its process has ended. False where that cannot be known."""
    if _own is not None and path == _own.path:
        return False
    try:
        handle = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except OSError:
        return False
    try:
        return try_lock(handle, shared=True)  # two that look at once do not mistake each other
    finally:
        os.close(handle)


def _read(path: Path) -> CrashReport | None:
    """The report, when its process has ended and left a trace."""
    if not _ended(path):
        return None
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        ended_s = path.stat().st_mtime
    except OSError:
        return None
    _head, _, trace = text.partition("\n\n")
    return CrashReport(path, ended_s, text) if trace.strip() else None
