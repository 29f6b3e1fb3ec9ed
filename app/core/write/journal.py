"""Journal: the one writer on behalf of a person.

What was there, what was asked, what landed. Each write is compared with what the person saw;
undo and redo never overwrite a peer's newer bytes unasked. Old bytes are kept in memory up to
a bound and behind that on disk (undo_store.py), so that undo has no end that a person meets.
With a path, all of it is kept in files and continued by the journal of the window's next engine
(journal_file.py).

Large writes and large undos (`bulk`, turn.py) go piece by piece and give way to other writes
between two pieces. What each of them has done is one step of the undo, in an order in which
taking steps back from the last to the first restores every byte:

* A write over bytes that a large one has already written splits that one: what it did until
  then is a step of its own, below the new one.
* A write over bytes that a large one has yet to write stays below it.
* A write over bytes that a running undo has yet to put back is refused, for it has no place.
* What is under way, or under something that is under way, cannot be undone; newer writes can.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..errors import (
    BusyError,
    LockedError,
    NothingToUndoError,
    ScopeError,
)
from ..region.region import WIDTHS, Region
from .bulk import Bulk
from .entries import MAX_RECORDS, Entries
from .fifo_lock import FifoLock
from .joining import join_last
from .journal_file import UNDO_SUFFIX, JournalFile, JournalLog
from .kept_journal import go_on_with, read_journal
from .record import Seen, WriteOutcome, WriteRecord
from .steps import Piece, Step, Tally, overlap
from .turn import Turn
from .undo_store import UndoStore
from .write_outcome import check_fits, check_seen, check_unchanged_since_seen, read_back_outcome

MAX_STEPS: Final = 100_000


class Journal:
    """Compared, recorded, undoable writes to one region. Locked at first.

    Args:
        region: Where to write.
        on_write: Called with offset and length just before bytes are written.
        memory_bound: Bytes kept in memory for undo; more goes to a temporary file.
        path: Where it is kept, and continued if an engine left one there.
    """

    def __init__(
        self,
        region: Region,
        *,
        on_write: Callable[[int, int], None] | None = None,
        memory_bound: int = 256 << 20,
        clock: Callable[[], int] = time.monotonic_ns,
        path: Path | None = None,
    ) -> None:
        self._region = region
        self._on_write = on_write
        self._lock = FifoLock()
        self._locked = True
        self._store = UndoStore(memory_bound, path.with_suffix(UNDO_SUFFIX) if path else None)
        self._log = JournalFile(path, region.info) if path else JournalLog()
        self._undo: deque[Step] = deque()
        self._redo: deque[Step] = deque()
        self._under_way: list[Bulk | Turn] = []
        self._signals: dict[int, tuple[str, Piece]] = {}  # by the key of the piece
        self._entries = Entries(self._log, clock)
        self._cleared = 0  # how often a new write ended what could be redone
        self._why_no_undo = ""  # of what an earlier engine wrote
        kept = read_journal(path, region.info, self._store, MAX_RECORDS) if path else None
        if kept is not None:
            go_on_with(self, kept)

    @property
    def locked(self) -> bool:
        """Whether writing is refused."""
        return self._locked

    def set_locked(self, locked: bool) -> None:
        """Lock or unlock writing; what is under way ends before its next piece."""
        if not locked:
            with self._lock:
                self._log.prepare()
        self._locked = locked

    @property
    def count(self) -> int:
        """Entries so far."""
        return self._entries.count

    def records(self, after: int = 0) -> list[WriteRecord]:
        """Entries whose number is above `after`, oldest first."""
        with self._lock:
            return self._entries.after(after)

    # -- writing ----------------------------------------------------------------------------------

    def write(
        self,
        offset: int,
        data: bytes,
        *,
        seen: bytes | Seen | None = None,
        force: bool = False,
        width: int | None = None,
        label: str = "typed",
        go: int = 0,
    ) -> WriteRecord:
        """Write, if the bytes are still as they were seen.

        Aligned writes of 1, 2, 4 or 8 bytes are one store. The outcome tells what was read back
        right after; a peer that writes there in the same moment makes it less than whole.
        Writes with the same `go`, each right behind the one before, are one step of the undo; the
        record of the last one tells of all.

        Raises:
            LockedError: Writing is locked.
            BusyError: A running undo has yet to put these bytes back.
            ConflictError: The bytes are not as seen, and force is off; nothing was written.
            MisalignedError, ValueFormatError: `width` was asked for and does not fit.
            StorageError: The old bytes could not be kept; nothing was written.
            ScopeError: Raised by the region; what may have been written by then is recorded.
        """
        with self._lock:
            self._may_write()
            check_fits(offset, data, width)
            now = self._region.read(offset, len(data))
            if not force:
                check_seen(seen, offset, now, data)
            self._make_way(offset, len(data))
            pieces, tally = list[Piece](), Tally()
            try:
                self._land(pieces, tally, offset, now, bytes(data), width, label)
            except ScopeError:
                if pieces:
                    self._finish(label, pieces, tally)
                raise
            return self._finish(label, pieces, tally, go)

    @contextmanager
    def bulk(self, label: str, seen: Seen | None = None, mine: bytes = b"") -> Iterator[Bulk]:
        """A large write; whatever ends it early, what landed is recorded and undoable.

        Args:
            label: What the person did.
            seen: What the person saw in the range, compared before anything is written.
            mine: What will be written there.

        Raises:
            LockedError, ConflictError: As for `write`; nothing was written.
        """
        bulk = Bulk(self, label)
        with self._lock:
            self._may_write()
            if seen is not None and seen.data:
                now = self._region.read(seen.offset, len(seen.data))
                check_unchanged_since_seen(seen.offset, seen.data, now, mine)
            self._under_way.append(bulk)
        whole = False
        try:
            yield bulk
            whole = True
        finally:
            with self._lock:
                self._under_way.remove(bulk)
                bulk.end(whole)

    def remember(self, label: str, offset: int, old: bytes, new: bytes) -> WriteRecord:
        """Record a write that was made elsewhere (a test signal), undoable."""
        with self._lock:
            self._make_way(offset, len(new))
            piece, tally = self._keep(label, offset, old, new), Tally()
            tally.add(offset, old, new, read_back_outcome(self._region, offset, old, new))
            return self._finish(label, [piece], tally)

    def begin_signal(self, label: str, offset: int, before: bytes) -> Piece:
        """A test signal is about to write: its old bytes are kept in case the engine ends then.

        Raises:
            StorageError: They could not be kept.
        """
        with self._lock:
            piece = Piece(offset, self._store.put(before), self._store.put(before))
            self._signals[piece.key] = (label, piece)
            self._log.signal(label, piece)
            return piece

    def end_signal(self, piece: Piece) -> None:
        """The signal has ended; its record was added by `remember` if it wrote."""
        with self._lock:
            if self._signals.pop(piece.key, None) is not None:
                self._log.dropped(piece)
                self._commit()
                self._drop(piece)

    def store_now(self, offset: int, data: bytes) -> None:
        """Write without a record; for signals, which record themselves once at their end."""
        with self._lock:
            self._may_write()
            self._put(offset, data, None)

    # -- undo and redo ----------------------------------------------------------------------------

    def undo(self, force: bool = False) -> WriteRecord:
        """Take the last step back. Raises as `begin_undo` and `Turn.run`."""
        return self.begin_undo(force).run()

    def redo(self, force: bool = False) -> WriteRecord:
        """Do the last undone step again. Raises as undo."""
        return self.begin_redo(force).run()

    def begin_undo(self, force: bool = False, number: int = 0, since: int = 0) -> Turn:
        """What takes the last step back, when it is run.

        Args:
            force: Also where the bytes are no longer as we left them.
            number: Only if the last step is this entry; 0 takes any.
            since: Only if the last step is newer than this entry.

        Raises:
            NothingToUndoError: There is none, or it is another than `number`.
            BusyError: A large write is under way that has to be taken back before it.
            LockedError, ReadOnlyError: Nothing may be written.
        """
        with self._lock:
            step = self._last(self._undo, "undo", number, since)
            return Turn(self, "undo", step, self._undo, self._redo, force=force)

    def begin_redo(self, force: bool = False, number: int = 0, since: int = 0) -> Turn:
        """What does the last undone step again, when it is run. Raises as `begin_undo`."""
        with self._lock:
            step = self._last(self._redo, "redo", number, since)
            return Turn(self, "redo", step, self._redo, self._undo, force=force)

    def close(self) -> None:
        """Forget all and free the disk space, but for files with a path. Safe to call twice."""
        with self._lock:
            self._undo.clear()
            self._redo.clear()
            self._log.close()
            self._store.close()

    # -- one piece at a time; from here on the lock is held ---------------------------------------

    def _may_write(self) -> None:
        self._region.info.need_writable()
        if self._locked:
            raise LockedError("Writing is locked; nothing was changed.")

    def _make_way(self, offset: int, length: int, by: Bulk | Turn | None = None) -> None:
        """Before a write lands: give what is under way there its place in the undo's order."""
        for other in self._under_way:
            if other is by:
                continue
            if overlap(other.ahead, offset, length):
                raise BusyError(
                    f"These bytes are being changed by “{other.label}” right now; "
                    "nothing was written.",
                    "Wait until it is done, or stop it.",
                )
            if overlap(other.pieces, offset, length):
                other.settle_pieces()

    def _keep(self, label: str, offset: int, old: bytes, new: bytes) -> Piece:
        kept = self._store.put(old)
        try:
            piece = Piece(offset, kept, self._store.put(new))
        except ScopeError:
            self._store.drop(kept)
            raise
        self._log.piece(label, piece)
        return piece

    def _land(
        self,
        pieces: list[Piece],
        tally: Tally,
        offset: int,
        old: bytes,
        new: bytes,
        width: int | None,
        label: str,
    ) -> None:
        """Keep the old bytes, write, read back. On failure `pieces` has it if part was written."""
        piece = self._keep(label, offset, old, new)
        try:
            self._put(offset, new, width)
        except ScopeError:
            outcome = read_back_outcome(self._region, offset, old, new)
            if outcome is WriteOutcome.NONE or old == new:  # nothing that an undo could tell
                self._log.dropped(piece)
                self._log.commit()
                self._drop(piece)
            else:
                pieces.append(piece)
                tally.add(offset, old, new, outcome)
            raise
        pieces.append(piece)
        tally.add(offset, old, new, read_back_outcome(self._region, offset, old, new))

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

    def _finish(self, label: str, pieces: list[Piece], tally: Tally, go: int = 0) -> WriteRecord:
        """A whole new write: what was undone before it cannot be redone any more."""
        self._clear_redo()
        joins = join_last(self, pieces, tally, go) if go else 0
        record = self._entries.add(label, tally, tally.outcome, joins=joins)
        self._push(Step(record.number, label, pieces, go))
        return record

    def _push(self, step: Step) -> None:
        self._undo.append(step)
        self._log.step("undo", step)
        if len(self._undo) > MAX_STEPS and not self._is_turned(self._undo[0]):
            self._log.gone(self._undo[0])
            self._forget(self._undo.popleft())
        self._commit()

    def _commit(self) -> None:
        self._log.commit()
        if self._log.is_large and not self._under_way:
            self._log.rewrite(self._entries.kept, self._undo, self._redo)
            for label, piece in self._signals.values():
                self._log.signal(label, piece)

    def _clear_redo(self) -> None:
        """A step that is being redone right now stays until that ends."""
        self._cleared += 1
        for step in [step for step in self._redo if not self._is_turned(step)]:
            self._redo.remove(step)
            self._log.gone(step)
            self._forget(step)

    def _could_redo(self, offset: int, length: int) -> bool:
        """Whether a redo would write some of these bytes."""
        return any(overlap(step.pieces, offset, length) for step in self._redo)

    def _is_turned(self, step: Step) -> bool:
        return any(isinstance(one, Turn) and one.step is step for one in self._under_way)

    def _forget(self, step: Step) -> None:
        for piece in step.pieces:
            self._drop(piece)

    def _drop(self, piece: Piece) -> None:
        self._store.drop(piece.new)
        self._store.drop(piece.old)

    def _last(self, source: deque[Step], word: str, number: int, since: int) -> Step:
        self._may_write()
        if not source:
            raise NothingToUndoError(f"There is nothing to {word}.", self._why_no_undo)
        step = source[-1]
        blocking = next((one for one in self._under_way if one.is_above(step)), None)
        if blocking is not None or step.number <= since:
            running = blocking or next(iter(self._under_way), None)
            what = f"“{running.label}”" if running is not None else "A large write"
            raise BusyError(
                f"{what} is still under way; there was nothing to {word} before it.",
                f"Wait until it is done, or stop it; then {word} again.",
            )
        if number and step.number != number:
            raise NothingToUndoError(f"Something else was written since; nothing was {word}ne.")
        return step
