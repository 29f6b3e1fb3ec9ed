"""What the journal keeps of a write so that it can be undone: pieces, and steps made of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .record import WriteOutcome
from .undo_store import StoredBytes
from .write_outcome import SHOWN, combined_outcome


@dataclass(slots=True, eq=False)
class Piece:
    """One chunk of a step.

    Attributes:
        offset: Where.
        old: What was there.
        new: What we left there.
        torn: An undo or redo failed within it: each byte is one of the two.
    """

    offset: int
    old: StoredBytes
    new: StoredBytes
    torn: bool = False

    @property
    def length(self) -> int:
        """Bytes in it."""
        return self.new.length

    def turned(self) -> Piece:
        """The same, seen from behind its undo."""
        return Piece(self.offset, self.new, self.old)


@dataclass(slots=True, eq=False)
class Step:
    """What one undo takes back; `number` is that of its entry. Pieces stand in writing order.

    A step that was undone in part stands on both stacks, each with the pieces that it is about.
    """

    number: int
    label: str
    pieces: list[Piece]


def overlap(pieces: Iterable[Piece], offset: int, length: int) -> bool:
    """Whether some of these bytes are in the pieces."""
    return any(p.offset < offset + length and offset < p.offset + p.length for p in pieces)


@dataclass(slots=True)
class Tally:
    """What an entry says of many pieces, without keeping them.

    Attributes:
        offset: Of the first byte; -1 before there is one.
        length: Bytes.
        old, new: The first piece's bytes, cut to SHOWN.
    """

    offset: int = -1
    length: int = 0
    old: bytes = b""
    new: bytes = b""
    outcomes: set[WriteOutcome] = field(default_factory=set)

    def add(self, offset: int, old: bytes, new: bytes, outcome: WriteOutcome) -> None:
        """Count one piece."""
        if self.offset < 0 or offset < self.offset:
            self.offset, self.old, self.new = offset, old[:SHOWN], new[:SHOWN]
        self.length += len(new)
        self.outcomes.add(outcome)

    @property
    def outcome(self) -> WriteOutcome:
        """Of all pieces together."""
        return combined_outcome(self.outcomes)
