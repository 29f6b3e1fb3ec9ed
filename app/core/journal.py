"""Journal: the one writer on behalf of a person.

What was there, what was asked, what landed. Each write is compared with what the person saw;
undo and redo never overwrite a peer's newer bytes unasked. Old bytes are kept in memory up to
a bound and behind that in a temporary file without a name, so that undo has no end.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, Final

from app.core.errors import ConflictError, LockedError, NothingToUndoError, ScopeError, StorageError
from app.core.messages import Landed, WriteRecord
from app.core.region import WIDTHS, Region
from app.core.units import format_short_offset, format_size

CUT: Final = 64
MAX_RECORDS: Final = 100_000
_CHUNK: Final = 1 << 20


class _Store:
    """Old and new bytes: in memory up to a bound, then in one unlinked temporary file."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._used = 0
        self._file: IO[bytes] | None = None

    def put(self, data: bytes) -> _Kept:
        if self._used + len(data) <= self._bound:
            self._used += len(data)
            return _Kept(data, None, 0, len(data))
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="ivshmem-scope-undo-")
            at = self._file.seek(0, 2)
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise StorageError(
                f"{format_size(len(data))} of old bytes could not be kept for undo "
                f"({error.strerror}); nothing was written.",
                "Free some disk space, or write less at once.",
            ) from error
        return _Kept(None, self._file, at, len(data))

    def drop(self, kept: _Kept) -> None:
        if kept.data is not None:
            self._used -= kept.length


@dataclass(frozen=True, slots=True)
class _Kept:
    data: bytes | None
    file: IO[bytes] | None
    at: int
    length: int

    def get(self) -> bytes:
        if self.data is not None:
            return self.data
        assert self.file is not None
        self.file.seek(self.at)
        return self.file.read(self.length)


@dataclass(slots=True)
class _Piece:
    """One chunk of a step: where, what was there, what we left there."""

    offset: int
    old: _Kept
    new: _Kept


@dataclass(slots=True)
class _Step:
    number: int
    label: str
    pieces: list[_Piece]


class Bulk:
    """A large write in chunks: one record, one undo step."""

    def __init__(self, journal: Journal, label: str) -> None:
        self._journal = journal
        self.label = label
        self.pieces: list[_Piece] = []
        self.record: WriteRecord | None = None

    def write(self, offset: int, data: bytes) -> None:
        """Write the next chunk; the old bytes are kept first."""
        self.pieces.append(self._journal._piece(offset, data))


class Journal:
    """Compared, recorded, undoable writes to one region. Locked at first.

    Args:
        region: Where to write.
        on_write: Called with offset and length just before bytes are written.
        memory_bound: Bytes kept in memory for undo; more goes to a temporary file.
    """

    def __init__(
        self,
        region: Region,
        *,
        on_write: Callable[[int, int], None] | None = None,
        memory_bound: int = 256 << 20,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._region = region
        self._on_write = on_write
        self._clock = clock
        self._lock = threading.RLock()
        self._locked = True
        self._store = _Store(memory_bound)
        self._undo: list[_Step] = []
        self._redo: list[_Step] = []
        self._records: deque[WriteRecord] = deque(maxlen=MAX_RECORDS)
        self._count = 0

    @property
    def locked(self) -> bool:
        """Whether writing is refused."""
        return self._locked

    def set_locked(self, locked: bool) -> None:
        """Lock or unlock writing."""
        self._locked = locked

    @property
    def count(self) -> int:
        """Entries so far."""
        return self._count

    def records(self, after: int = 0) -> list[WriteRecord]:
        """Entries whose number is above `after`, oldest first."""
        with self._lock:
            return [record for record in self._records if record.number > after]

    def write(
        self,
        offset: int,
        data: bytes,
        *,
        seen: bytes | None = None,
        force: bool = False,
        width: int | None = None,
        label: str = "typed",
    ) -> WriteRecord:
        """Write, if the bytes are still as they were seen.

        Aligned writes of 1, 2, 4 or 8 bytes are one store. `landed` tells what was read back
        right after; a peer that writes there in the same moment makes it less than whole.

        Raises:
            LockedError: Writing is locked.
            ConflictError: The bytes are not as seen, and force is off; nothing was written.
            MisalignedError: `width` was asked for and does not fit.
            ScopeError: What the region raises.
        """
        with self._lock:
            self._may_write()
            now = self._region.read(offset, len(data))
            if seen is not None and not force and now != seen:
                raise ConflictError(
                    f"The peer changed {_differing(seen, now)} at {format_short_offset(offset)} "
                    "since you saw them.",
                    offset=offset, seen=seen, now=now, mine=data,
                )  # fmt: skip
            piece = _Piece(offset, self._store.put(now), self._store.put(bytes(data)))
            self._put(offset, data, width)
            return self._finish(label, [piece])

    def undo(self, force: bool = False) -> WriteRecord:
        """Take the last step back. Raises NothingToUndoError, ConflictError, LockedError."""
        with self._lock:
            return self._turn_back(self._undo, self._redo, "undo", force)

    def redo(self, force: bool = False) -> WriteRecord:
        """Do the last undone step again. Raises as undo."""
        with self._lock:
            return self._turn_back(self._redo, self._undo, "redo", force)

    @contextmanager
    def bulk(self, label: str) -> Iterator[Bulk]:
        """A large write; whatever ends it early, what landed is recorded and undoable."""
        with self._lock:
            self._may_write()
        bulk = Bulk(self, label)
        whole = False
        try:
            yield bulk
            whole = True
        finally:
            if bulk.pieces or whole:
                with self._lock:
                    bulk.record = self._finish(label, bulk.pieces, part=not whole)

    def remember(self, label: str, offset: int, old: bytes, new: bytes) -> WriteRecord:
        """Record a write that was made elsewhere (a test signal), undoable."""
        with self._lock:
            piece = _Piece(offset, self._store.put(old), self._store.put(new))
            return self._finish(label, [piece])

    def store_now(self, offset: int, data: bytes) -> None:
        """Write without a record; for signals, which record themselves once at their end."""
        with self._lock:
            self._may_write()
            self._put(offset, data, None)

    # -- inside -----------------------------------------------------------------------------------

    def _may_write(self) -> None:
        if self._locked:
            raise LockedError("Writing is locked; nothing was changed.")

    def _piece(self, offset: int, data: bytes) -> _Piece:
        with self._lock:
            self._may_write()
            old = self._store.put(self._region.read(offset, len(data)))
            piece = _Piece(offset, old, self._store.put(data))
            self._put(offset, data, None)
            return piece

    def _put(self, offset: int, data: bytes, width: int | None) -> None:
        if self._on_write is not None:
            self._on_write(offset, len(data))
        size = len(data)
        single = width or (size if size in WIDTHS and offset % size == 0 else None)
        if single is not None:
            if single != size:
                raise ScopeError(f"{size} bytes are no single store of {single} bytes.")
            self._region.store(offset, single, int.from_bytes(data, "little"))
        else:
            self._region.write(offset, data)

    def _finish(
        self, label: str, pieces: list[_Piece], *, part: bool = False, undoes: int = 0
    ) -> WriteRecord:
        landed = Landed.PART if part else self._landed(pieces)
        record = self._record(label, pieces, landed, undoes)
        if not undoes:
            self._undo.append(_Step(record.number, label, pieces))
            for step in self._redo:
                self._drop(step)
            self._redo.clear()
        return record

    def _drop(self, step: _Step) -> None:
        for piece in step.pieces:
            self._store.drop(piece.old)
            self._store.drop(piece.new)

    def _landed(self, pieces: list[_Piece]) -> Landed:
        good = bad = 0
        for piece in pieces:
            new = piece.new.get()
            now = self._region.read(piece.offset, len(new))
            if now == new:
                good += 1
            else:
                bad += 1
                good += any(a == b for a, b in zip(now[:_CHUNK], new[:_CHUNK], strict=True))
        return Landed.WHOLE if not bad else Landed.PART if good else Landed.NONE

    def _record(self, label: str, pieces: list[_Piece], landed: Landed, undoes: int) -> WriteRecord:
        self._count += 1
        first = pieces[0] if pieces else None
        record = WriteRecord(
            number=self._count,
            time_ns=self._clock(),
            clock_s=time.time(),
            offset=first.offset if first else 0,
            length=sum(piece.new.length for piece in pieces),
            old=first.old.get()[:CUT] if first else b"",
            new=first.new.get()[:CUT] if first else b"",
            landed=landed,
            label=label,
            undoes=undoes,
        )
        self._records.append(record)
        return record

    def _turn_back(
        self, source: list[_Step], target: list[_Step], word: str, force: bool
    ) -> WriteRecord:
        self._may_write()
        if not source:
            raise NothingToUndoError(f"There is nothing to {word}.")
        step = source[-1]
        if not force:
            for piece in step.pieces:
                self._compare(piece)
        done: list[_Piece] = []
        for piece in reversed(step.pieces):
            self._put(piece.offset, piece.old.get(), None)
            done.append(_Piece(piece.offset, piece.new, piece.old))
        source.pop()
        target.append(_Step(step.number, step.label, done))
        self._mark_undone(step.number, undone=word == "undo")
        return self._finish(f"{word} {step.label}", done, undoes=step.number)

    def _compare(self, piece: _Piece) -> None:
        left = piece.new.get()
        now = self._region.read(piece.offset, len(left))
        if now != left:
            at = next(i for i, (a, b) in enumerate(zip(now, left, strict=True)) if a != b)
            at = at // 16 * 16 if len(left) > CUT else 0
            raise ConflictError(
                f"The peer changed {_differing(left, now)} at "
                f"{format_short_offset(piece.offset)} since you wrote them.",
                offset=piece.offset + at, seen=left[at : at + CUT], now=now[at : at + CUT],
                mine=piece.old.get()[at : at + CUT],
            )  # fmt: skip

    def _mark_undone(self, number: int, *, undone: bool) -> None:
        for index in range(len(self._records) - 1, -1, -1):
            if self._records[index].number == number:
                landed = Landed.UNDONE if undone else Landed.WHOLE
                self._records[index] = replace(self._records[index], landed=landed)
                return


def _differing(seen: bytes, now: bytes) -> str:
    count = sum(a != b for a, b in zip(seen, now, strict=False)) + abs(len(seen) - len(now))
    return "1 byte" if count == 1 else f"{count} bytes"
