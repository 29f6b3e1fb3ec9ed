"""Bulk: a large write of the journal that is under way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import LockedError
from ..values.units import format_size
from .record import WriteOutcome, WriteRecord
from .steps import Piece, Step, Tally, overlap
from .write_outcome import check_unchanged_since_seen, combined_outcome

if TYPE_CHECKING:
    from .journal import Journal


class Bulk:
    """A large write in chunks that do not overlap: one record, one undo step.

    It is more than one when something else is written over it meanwhile; `record` tells of all.
    """

    def __init__(self, journal: Journal, label: str) -> None:
        self._journal = journal
        self.label = label
        self.since = journal.count  # entries when it began
        self.pieces: list[Piece] = []  # those that are in no step yet
        self.tally = Tally()  # of those pieces
        self.sealed: list[WriteRecord] = []
        self.record: WriteRecord | None = None

    @property
    def ahead(self) -> tuple[Piece, ...]:
        """No pieces: a bulk write reserves no bytes."""
        return ()

    @property
    def written(self) -> int:
        """Bytes so far."""
        return sum(record.length for record in self.sealed) + self.tally.length

    def is_above(self, step: Step) -> bool:
        """Whether this has to be taken back before that step."""
        return (
            step.number <= self.since
            or any(record.number == step.number for record in self.sealed)
            or any(overlap(self.pieces, piece.offset, piece.length) for piece in step.pieces)
        )

    def write(self, offset: int, data: bytes, seen: bytes | None = None) -> None:
        """Write the next chunk; the old bytes are kept first.

        Args:
            offset: Where.
            data: What.
            seen: The bytes that have to be there; None does not compare.

        Raises:
            ConflictError: They are not; this chunk was not written.
            LockedError: Writing is locked; says how much was written before.
            BusyError, StorageError, ScopeError: As `Journal.write`.
        """
        journal = self._journal
        with journal._lock:
            if journal.locked and self.written:
                raise LockedError(
                    f"Writing was locked after {format_size(self.written)} had been written.",
                    "Unlock writing (Ctrl+L), then undo takes them back.",
                )
            journal._may_write()
            journal._make_way(offset, len(data), self)
            old = journal._region.read(offset, len(data))
            if seen is not None:
                check_unchanged_since_seen(offset, seen, old, data)
            if not self.written or journal._could_redo(offset, len(data)):
                journal._clear_redo()
            journal._land(self.pieces, self.tally, offset, old, data, None, self.label)

    # -- under the journal's lock -----------------------------------------------------------------

    def settle_pieces(self) -> None:
        """Something else comes over what was written: until now it is a step of its own."""
        self._settle(f"{self.label}, part {len(self.sealed) + 1}", self.tally.outcome)

    def end(self, whole: bool) -> None:
        """Nothing follows; make the last step, and the record of all."""
        if self.pieces:
            label = f"{self.label}, part {len(self.sealed) + 1}" if self.sealed else self.label
            self._settle(label, self.tally.outcome if whole else WriteOutcome.PART)
        if self.sealed:
            first = min(self.sealed, key=lambda record: record.offset)
            self.record = replace(
                self.sealed[-1],
                offset=first.offset,
                length=self.written,
                old=first.old,
                new=first.new,
                outcome=combined_outcome(record.outcome for record in self.sealed),
                label=self.label,
            )

    def _settle(self, label: str, outcome: WriteOutcome) -> None:
        record = self._journal._entries.add(label, self.tally, outcome)
        self._journal._push(Step(record.number, label, self.pieces))
        self.sealed.append(record)
        self.pieces, self.tally = [], Tally()
