"""Write tools: fill, load, save, copy.

All work in chunks with progress(done, total) and cancelled(). One that ends early, for whatever
reason, leaves one entry in the journal that can be undone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
import sys
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Final

from ..errors import (
    CancelledError,
    CannotFindError,
    LockedError,
    OutOfRangeError,
    StorageError,
    UnsuitableError,
)
from ..region.region import Region
from ..storage.atomic_file import any_length, make_beside, resolved
from ..values.units import format_short_offset, format_size
from .journal import Journal
from .patterns import Pattern
from .record import Seen, WriteRecord

CHUNK: Final = 1 << 20
_SINK_POLL_S: Final = 0.05

OnProgress = Callable[[int, int], None]
IsCancelled = Callable[[], bool]


def fits(region: Region, start: int, length: int, what: str) -> None:
    """Raise OutOfRangeError unless there is something to do and it is inside the region."""
    if length <= 0:
        raise OutOfRangeError(f"{what}: nothing to do, the length is {length}.")
    if start < 0 or start + length > region.size:
        room = max(0, region.size - start) if start >= 0 else 0
        raise OutOfRangeError(
            f"{what}: {format_size(length)} at {format_short_offset(start)} go past the end "
            f"of the region ({format_size(region.size)}).",
            f"There is room for {format_size(room)} from there.",
        )


def may_write(journal: Journal, region: Region) -> None:
    """Raise LockedError or ReadOnlyError unless writing is possible."""
    region.info.need_writable()
    if journal.locked:
        raise LockedError("Writing is locked; nothing was changed.")


def _stop_if(cancelled: IsCancelled, verb: str, done: int) -> None:
    if cancelled():
        raise CancelledError(
            f"{verb} was stopped after {format_size(done)}.",
            "Undo takes back what landed." if done else "",
        )


def _chunked(
    journal: Journal,
    label: str,
    verb: str,
    start: int,
    length: int,
    source: Callable[[int, int], bytes],
    seen: Seen | None,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> WriteRecord:
    mine = source(seen.offset - start, len(seen.data)) if seen is not None else b""
    with journal.bulk(label, seen, mine) as bulk:
        for at in range(0, length, CHUNK):
            _stop_if(cancelled, verb, at)
            size = min(CHUNK, length - at)
            bulk.write(start + at, source(at, size))
            progress(at + size, length)
    assert bulk.record is not None
    return bulk.record


def fill(
    journal: Journal,
    region: Region,
    start: int,
    length: int,
    pattern: Pattern,
    *,
    seen: Seen | None = None,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> WriteRecord:
    """Fill a range with a pattern.

    `seen` is what the person saw of the range. It is compared before anything is written; what
    nobody saw counts as it is.

    Raises:
        OutOfRangeError, LockedError, ReadOnlyError, ConflictError: Nothing was written.
        CancelledError, RegionGoneError: Part may have landed; undo takes it back. A LockedError
            in the middle says how much was written.
    """
    fits(region, start, length, "Fill")
    may_write(journal, region)
    label = f"fill, {pattern.label}"
    return _chunked(
        journal, label, "The fill", start, length, pattern.chunk, seen, progress, cancelled
    )


def load_file(
    journal: Journal,
    region: Region,
    path: str,
    start: int,
    length: int | None = None,
    file_offset: int = 0,
    *,
    seen: Seen | None = None,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> WriteRecord:
    """Copy a file's bytes into the region; the whole file must fit unless a length is given.

    Raises:
        CannotFindError, UnsuitableError, StorageError: The file.
        Others as fill.
    """
    try:
        _loadable(region, Path(any_length(path)))
        with Path(any_length(path)).open("rb") as file:
            size = os.fstat(file.fileno()).st_size - file_offset
            wanted = size if length is None else length
            if length is not None and length > size:
                raise OutOfRangeError(
                    f"{path} has only {format_size(max(0, size))} from there; "
                    f"{format_size(length)} were asked for."
                )
            if (length is None and wanted <= 0) or file_offset < 0:
                raise UnsuitableError(
                    f"{path} has no bytes at {format_short_offset(file_offset)}; "
                    "there is nothing to load."
                )
            fits(region, start, wanted, f"Load {Path(path).name}")
            may_write(journal, region)

            def source(at: int, count: int) -> bytes:
                file.seek(file_offset + at)
                data = file.read(count)
                if len(data) != count:
                    raise StorageError(f"{path} became shorter while it was loaded.")
                return data

            label = f"load {Path(path).name}"
            return _chunked(
                journal, label, "Loading", start, wanted, source, seen, progress, cancelled
            )
    except (FileNotFoundError, ValueError) as error:  # ValueError: a name with a zero byte
        raise CannotFindError(f"There is no file {path}.") from error
    except IsADirectoryError as error:
        raise UnsuitableError(f"{path} is a directory.", "Choose a file.") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}).") from error


def _loadable(region: Region, path: Path) -> None:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe would wait for ever
        raise UnsuitableError(f"{path} is no regular file.", "Choose a file.")
    with contextlib.suppress(OSError):
        if path.samefile(region.info.path):
            raise UnsuitableError(f"{path} is the shared memory itself.", "Copy the range instead.")


def copy_range(
    journal: Journal,
    region: Region,
    source: int,
    target: int,
    length: int,
    *,
    seen: Seen | None = None,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> WriteRecord:
    """Copy inside the region; where the ranges overlap the target gets what the source had.

    `seen` is of the target; raises as fill.
    """
    fits(region, source, length, "Copy from")
    fits(region, target, length, "Copy to")
    may_write(journal, region)
    label = f"copy from {format_short_offset(source)}"
    chunks = list(range(0, length, CHUNK))
    if source < target:
        chunks.reverse()
    done = 0
    mine = b""
    if seen is not None:
        mine = region.read(source + seen.offset - target, len(seen.data))
    with journal.bulk(label, seen, mine) as bulk:
        for at in chunks:
            _stop_if(cancelled, "The copy", done)
            size = min(CHUNK, length - at)
            bulk.write(target + at, region.read(source + at, size))
            done += size
            progress(done, length)
    assert bulk.record is not None
    return bulk.record


def save_file(
    region: Region,
    path: str,
    start: int,
    length: int,
    *,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> int:
    """Copy a range to a file: written beside it, then renamed, so that the old one stays whole.

    Returns:
        Bytes written.

    Raises:
        StorageError: Full disk, read-only folder, or the region's own file; the old file is kept.
        CancelledError: Stopped; the old file is kept.
    """
    fits(region, start, length, "Save")
    target = _target(region, path)
    if target.exists() and not target.is_file():
        return _save_into(region, path, start, length, progress, cancelled)
    temporary = ""
    try:
        old_mode = _mode_of(target)
        # A new file gets what the umask leaves; the umask can only be read by changing it.
        handle, made = make_beside(target, 0o666 if old_mode is None else 0o600)
        temporary = str(made)
        with os.fdopen(handle, "wb") as file:
            for at in range(0, length, CHUNK):
                _stop_if(cancelled, "Saving", 0)
                size = min(CHUNK, length - at)
                file.write(region.read(start + at, size))
                progress(at + size, length)
            file.flush()
            os.fsync(file.fileno())
        if old_mode is not None:
            Path(temporary).chmod(old_mode)
        Path(temporary).replace(target)
        temporary = ""
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise StorageError(
            f"{path} could not be written ({reason}); what was there before is unchanged.",
            "Choose another place.",
        ) from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
    return length


def _save_into(
    region: Region,
    path: str,
    start: int,
    length: int,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> int:
    """Write into a pipe or a device, which a rename would replace by a file (/dev/null, say)."""
    try:
        with _open_sink(path, cancelled) as file:
            for at in range(0, length, CHUNK):
                left = memoryview(region.read(start + at, min(CHUNK, length - at)))
                while left:
                    _stop_if(cancelled, "Saving", 0)
                    if _takes_more(file):
                        left = left[file.write(left) or 0 :]
                progress(min(at + CHUNK, length), length)
    except OSError as error:
        raise StorageError(
            f"{path} did not take everything ({error.strerror}).", "Choose another place."
        ) from error
    return length


def _open_sink(path: str, cancelled: IsCancelled) -> FileIO:
    """Open for writing without waiting in the system, where a Cancel would not be heard."""
    if sys.platform == "win32":
        return FileIO(path, "wb")
    else:  # noqa: RET505 - mypy for Windows looks at one of the two
        while True:
            _stop_if(cancelled, "Saving", 0)
            try:
                return FileIO(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC), "wb")
            except OSError as error:
                if error.errno != errno.ENXIO or not stat.S_ISFIFO(Path(path).stat().st_mode):
                    raise
                time.sleep(_SINK_POLL_S)  # a pipe that nobody reads yet


def _takes_more(file: FileIO) -> bool:
    """Whether it takes bytes now; waits a moment for it."""
    return sys.platform == "win32" or bool(select.select([], [file], [], _SINK_POLL_S)[1])


def _mode_of(target: Path) -> int | None:
    """The permissions of the file that is to be replaced; None where there is none to keep."""
    if os.name != "posix":
        return None
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        return None


def _target(region: Region, path: str) -> Path:
    """The file to be replaced: a link is followed, and kept."""
    try:
        target = resolved(path)
        target.exists()
    except PermissionError as error:
        raise StorageError(
            f"{path} could not be written ({error.strerror}).", "Choose another place."
        ) from error
    except (OSError, ValueError, RuntimeError) as error:  # too long, a zero byte, a loop of links
        raise StorageError(f"{path!r} is no name of a file.", "Choose another.") from error
    with contextlib.suppress(OSError):
        if target.samefile(region.info.path):
            raise StorageError(
                f"{target} is the shared memory itself; saving there would replace it.",
                "Choose another file.",
            )
    if target.is_dir():
        raise StorageError(f"{target} is a directory.", "Name a file in it.")
    return target
