"""Bulk: a large write of the journal that is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .record import WriteRecord
from .steps import Piece, Step, Tally, overlap

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
        """Nothing that others must leave alone."""
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

    def write(self, offset: int, data: bytes) -> None:
        """Write the next chunk; the old bytes are kept first."""
        self._journal._write_chunk(self, offset, data)
