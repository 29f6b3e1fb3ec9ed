"""What is typed in one go is one step of the undo: the next letter takes the last step in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import ScopeError
from .record import WriteOutcome
from .steps import Piece, Tally

if TYPE_CHECKING:
    from .journal import Journal

_WHOLE: Final = WriteOutcome.WHOLE


def join_last(journal: Journal, pieces: list[Piece], tally: Tally, go: int) -> int:
    """Join the journal's last step and a write that begins where it ended.

    The journal's lock is held.

    Args:
        journal: Its last step is taken off when it is joined.
        pieces: The new write, as one piece; the joined piece afterwards.
        tally: Of the new write; of both afterwards.
        go: Only a step of the same go is joined.

    Returns:
        Number of the entry that was taken in; 0 where the write stays a step of its own.
    """
    last = journal._undo[-1] if journal._undo else None
    if last is None or last.go != go or journal._under_way or tally.outcome is not _WHOLE:
        return 0
    (before,), (piece,) = last.pieces, pieces
    entry = journal._entries.kept[-1]
    if entry.number != last.number or entry.outcome is not _WHOLE or before.torn:
        return 0
    if before.offset + before.length != piece.offset:
        return 0
    try:
        old, new = before.old.get() + piece.old.get(), before.new.get() + piece.new.get()
        joined = journal._keep(last.label, before.offset, old, new)
    except ScopeError:  # both are kept, only not as one
        return 0
    journal._log.dropped(piece)
    journal._log.gone(journal._undo.pop())
    journal._forget(last)
    journal._drop(piece)
    pieces[:] = [joined]
    tally.restart(before.offset, old, new, _WHOLE)
    return last.number
