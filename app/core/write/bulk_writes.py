"""Write tools: fill, load, save, copy.

All work in chunks with progress(done, total) and cancelled(). One that ends early, for whatever
reason, leaves one entry in the journal that can be undone.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
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
from ..storage.atomic_file import any_length, write_file
from ..storage.os_errors import meaning
from ..values.units import exact_size, format_short_offset, format_size
from .journal import Journal
from .patterns import Pattern
from .record import Seen, WriteRecord

CHUNK: Final = 1 << 20

OnProgress = Callable[[int, int], None]
IsCancelled = Callable[[], bool]


def fits(region: Region, start: int, length: int, what: str) -> None:
    """Raise OutOfRangeError unless the range is not empty and inside the region."""
    if length <= 0:
        raise OutOfRangeError(f"{what}: nothing to do, the length is {length}.")
    if start < 0 or start + length > region.size:
        room = max(0, region.size - start) if start >= 0 else 0
        raise OutOfRangeError(
            f"{what}: {exact_size(length)} at {format_short_offset(start)} go past the end "
            f"of the region ({exact_size(region.size)}).",
            f"There is room for {exact_size(room)} from there.",
        )


def may_write(journal: Journal, region: Region) -> None:
    """Raise LockedError or ReadOnlyError unless writing is possible."""
    region.info.need_writable()
    if journal.locked:
        raise LockedError("Writing is locked; nothing was changed.")


def stop_if(cancelled: IsCancelled, verb: str, done: int) -> None:
    """Raise CancelledError when it was cancelled; `done` bytes have landed."""
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
            stop_if(cancelled, verb, at)
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

    `seen` is what the person saw of the range. It is compared before anything is written; bytes
    that were not seen are not compared.

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
        _loadable(region, any_length(path))
        with open(any_length(path), "rb") as file:  # noqa: PTH123 - Path drops a slash at the end
            size = os.fstat(file.fileno()).st_size - file_offset
            wanted = size if length is None else length
            if length is not None and length > size:
                raise OutOfRangeError(
                    f"{path} has only {exact_size(max(0, size))} from there; "
                    f"{exact_size(length)} were asked for."
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
        raise StorageError(f"{path} cannot be read ({meaning(error)}).") from error


def _loadable(region: Region, path: str) -> None:
    mode = os.stat(path).st_mode  # noqa: PTH116 - as it was typed
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe would wait for ever
        raise UnsuitableError(f"{path} is no regular file.", "Choose a file.")
    with contextlib.suppress(OSError):
        if Path(path).samefile(region.info.path):
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
            stop_if(cancelled, "The copy", done)
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
    """Copy a range to a file, as write_file of storage/atomic_file.py does.

    A pipe is waited for as long as it has a reader, and a few seconds for its first.

    Returns:
        Bytes written.

    Raises:
        StorageError: Full disk, read-only folder, or memory; the old file is kept.
        CancelledError: Stopped, also while a pipe takes nothing; the old file is kept.
    """
    fits(region, start, length, "Save")
    with contextlib.suppress(OSError, ValueError):
        # On Windows no other process can be asked what it maps.
        if Path(any_length(path)).samefile(region.info.path):
            raise StorageError(
                f"{path} is the shared memory itself; saving there would replace it.",
                "Choose another file.",
            )

    def stop() -> None:
        stop_if(cancelled, "Saving", 0)

    def chunks() -> Iterator[bytes]:
        for at in range(0, length, CHUNK):
            stop()
            size = min(CHUNK, length - at)
            yield region.read(start + at, size)
            progress(at + size, length)

    return write_file(path, chunks(), wait_s=None, stop=stop)
