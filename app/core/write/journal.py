"""Journal: the one writer on behalf of a person.

It records what was there, what was to be written, and what was read back. Each write is compared
with what the person saw; undo and redo never overwrite a peer's newer bytes unasked. Old bytes are
kept in memory up to a bound and beyond it on disk (undo_store.py), so that undo reaches far back.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from ..errors import (
    LockedError,
    NothingToUndoError,
    ScopeError,
    ValueFormatError,
)
from ..region.region import WIDTHS, Region
from .record import WriteOutcome, WriteRecord
from .undo_store import StoredBytes, UndoStore
from .write_outcome import (
    SHOWN,
    check_unchanged_since_seen,
    check_unchanged_since_write,
    combined_outcome,
    read_back_outcome,
)

MAX_RECORDS: Final = 100_000
MAX_STEPS: Final = 100_000


@dataclass(slots=True)
class _Piece:
    """One chunk of a step: its offset, the old bytes, the new ones, the outcome."""

    offset: int
    old: StoredBytes
    new: StoredBytes
    outcome: WriteOutcome = WriteOutcome.WHOLE


@dataclass(slots=True)
class _Step:
    number: int
    label: str
    pieces: list[_Piece]


class Bulk:
    """A large write in chunks that do not overlap: one record, one undo step."""

    def __init__(self, journal: Journal, label: str) -> None:
        self._journal = journal
        self.label = label
        self.pieces: list[_Piece] = []
        self.record: WriteRecord | None = None

    def write(self, offset: int, data: bytes) -> None:
        """Write the next chunk; the old bytes are kept first."""
        self._journal._write_chunk(self.pieces, offset, data)


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
        self._store = UndoStore(memory_bound)
        self._undo: deque[_Step] = deque()
        self._redo: deque[_Step] = deque()
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
            first = self._count - len(self._records)  # they are numbered without gaps
            return list(islice(self._records, max(0, after - first), None))

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

        Aligned writes of 1, 2, 4 or 8 bytes are one store. The record's outcome is what was read
        back right after; it is less than all if a peer writes there at the same time.

        Raises:
            LockedError: Writing is locked.
            ConflictError: The bytes are not as seen, and force is off; nothing was written.
            MisalignedError, ValueFormatError: `width` was asked for and does not fit.
            StorageError: The old bytes could not be kept; nothing was written.
            ScopeError: Raised by the region; what may have been written by then is recorded.
        """
        with self._lock:
            self._may_write()
            _fits_width(data, width)
            now = self._region.read(offset, len(data))
            if seen is not None and not force:
                check_unchanged_since_seen(offset, seen, now, data)
            pieces: list[_Piece] = []
            try:
                self._land(pieces, offset, now, bytes(data), width)
            except ScopeError:
                if pieces:
                    self._finish(label, pieces)
                raise
            return self._finish(label, pieces)

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
        """A large write; if it ends early, what was written is recorded and undoable."""
        with self._lock:
            self._may_write()
        bulk = Bulk(self, label)
        whole = False
        try:
            yield bulk
            whole = True
        finally:
            if bulk.pieces:
                with self._lock:
                    bulk.record = self._finish(label, bulk.pieces, part=not whole)

    def remember(self, label: str, offset: int, old: bytes, new: bytes) -> WriteRecord:
        """Record a write that was made elsewhere (a test signal), undoable."""
        with self._lock:
            piece = self._keep(offset, old, new)
            piece.outcome = read_back_outcome(self._region, offset, old, new)
            return self._finish(label, [piece])

    def store_now(self, offset: int, data: bytes) -> None:
        """Write without a record; for signals, which record themselves once at their end."""
        with self._lock:
            self._may_write()
            self._put(offset, data, None)

    def close(self) -> None:
        """Forget all and free the disk space. Safe to call twice."""
        with self._lock:
            self._undo.clear()
            self._redo.clear()
            self._store.close()

    # -- one chunk at a time ----------------------------------------------------------------------

    def _may_write(self) -> None:
        self._region.info.need_writable()
        if self._locked:
            raise LockedError("Writing is locked; nothing was changed.")

    def _write_chunk(self, pieces: list[_Piece], offset: int, data: bytes) -> None:
        with self._lock:
            self._may_write()
            self._land(pieces, offset, self._region.read(offset, len(data)), data, None)

    def _keep(self, offset: int, old: bytes, new: bytes) -> _Piece:
        kept = self._store.put(old)
        try:
            return _Piece(offset, kept, self._store.put(new))
        except ScopeError:
            self._store.drop(kept)
            raise

    def _land(
        self, pieces: list[_Piece], offset: int, old: bytes, new: bytes, width: int | None
    ) -> None:
        """Keep the old bytes, write, read back. On failure `pieces` has it if part was written."""
        piece = self._keep(offset, old, new)
        pieces.append(piece)
        try:
            self._put(offset, new, width)
        except ScopeError:
            piece.outcome = read_back_outcome(self._region, offset, old, new)
            if piece.outcome is WriteOutcome.NONE:
                pieces.remove(piece)
                self._drop(piece)
            raise
        piece.outcome = read_back_outcome(self._region, offset, old, new)

    def _put(self, offset: int, data: bytes, width: int | None) -> None:
        if self._on_write is not None:
            self._on_write(offset, len(data))
        size = len(data)
        single = width or (size if size in WIDTHS and offset % size == 0 else None)
        if single is not None:
            self._region.store(offset, single, int.from_bytes(data, "little"))
        else:
            self._region.write(offset, data)

    # -- steps and records ------------------------------------------------------------------------

    def _finish(self, label: str, pieces: list[_Piece], *, part: bool = False) -> WriteRecord:
        record = self._record(label, pieces, part=part)
        self._undo.append(_Step(record.number, label, pieces))
        gone = [*self._redo]
        self._redo.clear()
        if len(self._undo) > MAX_STEPS:
            gone.append(self._undo.popleft())
        for step in gone:
            for piece in step.pieces:
                self._drop(piece)
        return record

    def _drop(self, piece: _Piece) -> None:
        self._store.drop(piece.new)
        self._store.drop(piece.old)

    def _record(
        self, label: str, pieces: list[_Piece], *, part: bool = False, undoes: int = 0
    ) -> WriteRecord:
        first = min(pieces, key=lambda piece: piece.offset)
        self._count += 1
        record = WriteRecord(
            number=self._count,
            time_ns=self._clock(),
            clock_s=time.time(),
            offset=first.offset,
            length=sum(piece.new.length for piece in pieces),
            old=first.old.get()[:SHOWN],
            new=first.new.get()[:SHOWN],
            outcome=WriteOutcome.PART
            if part
            else combined_outcome(piece.outcome for piece in pieces),
            label=label,
            undoes=undoes,
        )
        self._records.append(record)
        return record

    # -- undo and redo ----------------------------------------------------------------------------

    def _turn_back(
        self, source: deque[_Step], target: deque[_Step], word: str, force: bool
    ) -> WriteRecord:
        self._may_write()
        if not source:
            raise NothingToUndoError(f"There is nothing to {word}.")
        step = source[-1]
        if not force:
            for piece in step.pieces:
                check_unchanged_since_write(
                    self._region, piece.offset, piece.new.get(), piece.old.get()
                )
        label = f"{word} {step.label}"
        done: list[_Piece] = []
        try:
            for piece in reversed(step.pieces):
                self._turn_piece(done, piece)
        except ScopeError:
            # The step stays where it is: asked again, it goes on from here.
            if done:
                self._record(label, done, part=True, undoes=step.number)
            raise
        source.pop()
        target.append(_Step(step.number, step.label, done))
        record = self._record(label, done, undoes=step.number)
        self._mark(step.number, WriteOutcome.UNDONE if word == "undo" else record.outcome)
        return record

    def _turn_piece(self, done: list[_Piece], piece: _Piece) -> None:
        left, wanted = piece.new.get(), piece.old.get()
        turned = _Piece(piece.offset, piece.new, piece.old)
        try:
            self._put(piece.offset, wanted, None)
        except ScopeError:
            turned.outcome = read_back_outcome(self._region, piece.offset, left, wanted)
            if turned.outcome is not WriteOutcome.NONE:
                done.append(turned)
            raise
        turned.outcome = read_back_outcome(self._region, piece.offset, left, wanted)
        done.append(turned)

    def _mark(self, number: int, landed: WriteOutcome) -> None:
        index = number - 1 - (self._count - len(self._records))
        if index >= 0:
            self._records[index] = replace(self._records[index], outcome=landed)


def _fits_width(data: bytes, width: int | None) -> None:
    if not data:
        raise ValueFormatError("There is nothing to write.")
    if width is not None and width != len(data):
        raise ValueFormatError(f"{len(data)} bytes are no single store of {width} bytes.")
