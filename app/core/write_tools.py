"""Write tools: fill, load, save, copy, and live test signals.

All work in chunks with progress(done, total) and cancelled(); what ends one early leaves one
entry in the journal that can be undone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.core.errors import (
    CancelledError,
    CannotFindError,
    LockedError,
    OutOfRangeError,
    ReadOnlyError,
    ScopeError,
    StorageError,
    UnsuitableError,
    ValueFormatError,
)
from app.core.journal import Journal
from app.core.messages import RepeatState, WriteRecord
from app.core.patterns import MIN_INTERVAL_NS, Pattern, Repeat
from app.core.region import Region
from app.core.units import format_short_offset, format_size

CHUNK: Final = 1 << 20
_RATE_WRITES: Final = 256

OnProgress = Callable[[int, int], None]
IsCancelled = Callable[[], bool]


def _fits(region: Region, start: int, length: int, what: str) -> None:
    if length <= 0:
        raise OutOfRangeError(f"{what}: nothing to do, the length is {length}.")
    if start < 0 or start + length > region.size:
        room = max(0, region.size - start) if start >= 0 else 0
        raise OutOfRangeError(
            f"{what}: {format_size(length)} at {format_short_offset(start)} go past the end "
            f"of the region ({format_size(region.size)}).",
            f"There is room for {format_size(room)} from there.",
        )


def _may_write(journal: Journal, region: Region) -> None:
    if journal.locked:
        raise LockedError("Writing is locked; nothing was changed.")
    if not region.info.writable:
        raise ReadOnlyError(f"{region.info.name} is read-only.", region.info.read_only_reason)


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
    progress: OnProgress,
    cancelled: IsCancelled,
) -> WriteRecord:
    with journal.bulk(label) as bulk:
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
    progress: OnProgress,
    cancelled: IsCancelled,
) -> WriteRecord:
    """Fill a range with a pattern.

    Raises:
        OutOfRangeError, LockedError, ReadOnlyError: Nothing was written.
        CancelledError, RegionGoneError: Part may have landed; undo takes it back.
    """
    _fits(region, start, length, "Fill")
    _may_write(journal, region)
    label = f"fill, {pattern.label}"
    return _chunked(journal, label, "The fill", start, length, pattern.chunk, progress, cancelled)


def load_file(
    journal: Journal,
    region: Region,
    path: str,
    start: int,
    length: int | None = None,
    file_offset: int = 0,
    *,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> WriteRecord:
    """Copy a file's bytes into the region; the whole file must fit unless a length is given.

    Raises:
        CannotFindError, UnsuitableError, StorageError: The file.
        Others as fill.
    """
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size - file_offset
            wanted = size if length is None else length
            if length is not None and length > size:
                raise OutOfRangeError(
                    f"{path} has only {format_size(max(0, size))} from there; "
                    f"{format_size(length)} were asked for."
                )
            if wanted == 0:
                raise UnsuitableError(f"{path} is empty; there is nothing to load.")
            _fits(region, start, wanted, f"Load {Path(path).name}")
            _may_write(journal, region)

            def source(at: int, count: int) -> bytes:
                file.seek(file_offset + at)
                data = file.read(count)
                if len(data) != count:
                    raise StorageError(f"{path} became shorter while it was loaded.")
                return data

            label = f"load {Path(path).name}"
            return _chunked(journal, label, "Loading", start, wanted, source, progress, cancelled)
    except FileNotFoundError as error:
        raise CannotFindError(f"There is no file {path}.") from error
    except IsADirectoryError as error:
        raise UnsuitableError(f"{path} is a directory.", "Choose a file.") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}).") from error


def copy_range(
    journal: Journal,
    region: Region,
    source: int,
    target: int,
    length: int,
    *,
    progress: OnProgress,
    cancelled: IsCancelled,
) -> WriteRecord:
    """Copy inside the region; where the ranges overlap the target gets what the source had."""
    _fits(region, source, length, "Copy from")
    _fits(region, target, length, "Copy to")
    _may_write(journal, region)
    label = f"copy from {format_short_offset(source)}"
    chunks = list(range(0, length, CHUNK))
    if source < target:
        chunks.reverse()
    done = 0
    with journal.bulk(label) as bulk:
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
    _fits(region, start, length, "Save")
    target = Path(path)
    _not_the_region(region, target)
    if target.exists() and not target.is_file():
        return _save_into(region, path, start, length, progress, cancelled)
    target = target.resolve()  # a link keeps pointing to what is saved
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:80]}-")
        with os.fdopen(handle, "wb") as file:
            for at in range(0, length, CHUNK):
                _stop_if(cancelled, "Saving", 0)
                size = min(CHUNK, length - at)
                file.write(region.read(start + at, size))
                progress(at + size, length)
            file.flush()
            os.fsync(file.fileno())
        _like_a_new_file(temporary, target)
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
    """Into a pipe or a device: a rename would put a file in its place, /dev/null for one."""
    try:
        with Path(path).open("wb", buffering=0) as file:
            for at in range(0, length, CHUNK):
                _stop_if(cancelled, "Saving", 0)
                left = memoryview(region.read(start + at, min(CHUNK, length - at)))
                while left:
                    left = left[file.write(left) or 0 :]
                progress(min(at + CHUNK, length), length)
    except OSError as error:
        raise StorageError(
            f"{path} did not take everything ({error.strerror}).", "Choose another place."
        ) from error
    return length


def _like_a_new_file(temporary: str, target: Path) -> None:
    """Temporary files are made 0600; give it the mode that the old file or the umask would."""
    if os.name != "posix":
        return
    try:
        mode = target.stat().st_mode & 0o777
    except OSError:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    Path(temporary).chmod(mode)


def _not_the_region(region: Region, target: Path) -> None:
    with contextlib.suppress(OSError):
        if target.samefile(region.info.path):
            raise StorageError(
                f"{target} is the shared memory itself; saving there would replace it.",
                "Choose another file.",
            )
    if target.is_dir():
        raise StorageError(f"{target} is a directory.", "Name a file in it.")


# -- live test signals ---------------------------------------------------------------------------


class Repeater:
    """One running signal: a thread that writes a value at absolute deadlines."""

    def __init__(self, number: int, journal: Journal, region: Region, repeat: Repeat) -> None:
        if repeat.interval_ns < MIN_INTERVAL_NS:
            raise ValueFormatError(
                f"An interval of {repeat.interval_ns / 1000:g} µs is too short.",
                f"At least {MIN_INTERVAL_NS / 1000:g} µs.",
            )
        _fits(region, repeat.offset, repeat.width, "Signal")
        _may_write(journal, region)
        self.number = number
        self.repeat = repeat
        self._journal = journal
        self._region = region
        self._before = region.read(repeat.offset, repeat.width)
        self._last = self._before
        self._writes = 0
        self._times: deque[int] = deque(maxlen=_RATE_WRITES)
        self._error: ScopeError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="test-signal", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic_ns()
        try:
            while not self._stop.is_set():
                data = self.repeat.encode(self._writes)
                self._journal.store_now(self.repeat.offset, data)
                self._last = data
                self._writes += 1
                now = time.monotonic_ns()
                self._times.append(now)
                due = max(due + self.repeat.interval_ns, now - self.repeat.interval_ns)
                if due > now:
                    self._stop.wait((due - now) / 1e9)
        except ScopeError as error:
            self._error = error

    def state(self) -> RepeatState:
        """How it goes."""
        times = list(self._times)
        span = times[-1] - times[0] if len(times) > 1 else 0
        running = self._thread.is_alive()
        return RepeatState(
            number=self.number, repeat=self.repeat, writes=self._writes,
            rate_hz=(len(times) - 1) * 1e9 / span if span and running else 0.0,
            asked_hz=1e9 / self.repeat.interval_ns, last=self._last, error=self._error,
        )  # fmt: skip

    def stop(self) -> WriteRecord | None:
        """End it; one journal entry takes back all that it wrote."""
        self._stop.set()
        self._thread.join(2.0)
        if not self._writes:
            return None
        return self._journal.remember(
            f"signal, {self.repeat.label}", self.repeat.offset, self._before, self._last
        )


class Repeaters:
    """All running signals of an engine."""

    def __init__(self, journal: Journal, region: Region) -> None:
        self._journal = journal
        self._region = region
        self._running: dict[int, Repeater] = {}
        self._numbers = 0
        self._lock = threading.Lock()

    def start(self, repeat: Repeat) -> int:
        """Start a signal; its number."""
        with self._lock:
            self._numbers += 1
            signal = Repeater(self._numbers, self._journal, self._region, repeat)
            self._running[self._numbers] = signal
            return self._numbers

    def stop(self, number: int = 0) -> WriteRecord | None:
        """Stop one, or all (0); the last one's record."""
        with self._lock:
            chosen = [number] if number else list(self._running)
            signals = [self._running.pop(n) for n in chosen if n in self._running]
        record = None
        for signal in signals:
            with contextlib.suppress(ScopeError):
                record = signal.stop()
        return record

    def stop_all(self) -> None:
        """Stop all."""
        self.stop(0)

    def states(self) -> tuple[RepeatState, ...]:
        """How each of them goes."""
        with self._lock:
            return tuple(signal.state() for signal in self._running.values())
