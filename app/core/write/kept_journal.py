"""Reading a journal that an engine left, as far as it was written, and going on with it."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ScopeError
from ..region.region import RegionInfo
from .journal_file import UNDO_SUFFIX, read_header, region_identity
from .record import WriteOutcome, WriteRecord
from .steps import Piece, Step, Tally
from .undo_store import StoredBytes, UndoStore
from .write_outcome import read_back_outcome

if TYPE_CHECKING:
    from .journal import Journal

log = logging.getLogger(__name__)


@dataclass(slots=True)
class KeptJournal:
    """What the last engine left.

    Attributes:
        records: Its entries, oldest first.
        undo, redo: Its steps.
        unfinished: Chunks of unfinished writes, by the label of the write.
        signals: Test signals that were running, each with its label; `new` says nothing.
        turning: The entry whose undo or redo was not finished; 0 when there is none.
        trouble: Why nothing of it can be undone, as a sentence; empty when it can.
    """

    records: deque[WriteRecord]
    undo: deque[Step] = field(default_factory=deque)
    redo: deque[Step] = field(default_factory=deque)
    unfinished: dict[str, list[Piece]] = field(default_factory=dict)
    signals: list[tuple[str, Piece]] = field(default_factory=list)
    turning: int = 0
    trouble: str = ""


def read_journal(
    path: Path, info: RegionInfo, store: UndoStore, max_records: int
) -> KeptJournal | None:
    """What is kept there; `store` then knows which of its bytes are in use. None: nothing."""
    header = read_header(path)
    if header is None:
        return None
    reader = _Reader(store, max_records)
    for line in _lines(path):
        try:
            reader.take(line)
        except (ValueError, KeyError, TypeError, IndexError):
            log.warning("%s is spoiled; what it says from there on is passed over", path)
            break
    kept = reader.result()
    here = region_identity(info)
    if any(header.get(name) != here[name] for name in here):
        kept.trouble = "Another region is there now; what was written to the old one stays."
    elif not _has_all(path.with_suffix(UNDO_SUFFIX), reader.spans()):
        kept.trouble = "The old bytes that were kept for it are lost."
    if kept.trouble:
        kept.undo.clear()
        kept.redo.clear()
        store.adopt(())
    else:
        store.adopt(reader.spans())
    return kept


def _lines(path: Path) -> Iterator[list[Any]]:
    """All that were written whole."""
    with path.open("rb") as file:
        file.readline()
        for line in file:
            try:
                parts = json.loads(line)
            except ValueError:
                return
            yield parts


def _has_all(path: Path, spans: list[tuple[int, int]]) -> bool:
    end = max((end for _, end in spans), default=0)
    try:
        return not end or path.stat().st_size >= end
    except OSError:
        return False


class _Reader:
    """Follows the lines (journal_file.py says what they are)."""

    def __init__(self, store: UndoStore, max_records: int) -> None:
        self._store = store
        self._records: deque[WriteRecord] = deque(maxlen=max_records)
        self._steps: dict[int, tuple[str, Step]] = {}
        self._pending: dict[int, tuple[str, Piece]] = {}
        self._signals: dict[int, tuple[str, Piece]] = {}
        self._turning = 0

    def take(self, parts: list[Any]) -> None:
        match parts:
            case ["k", label, piece]:
                self._pending[piece[0]] = (label, self._piece(piece))
            case ["g", label, piece]:
                self._signals[piece[0]] = (label, self._piece(piece))
            case ["d", piece]:
                self._pending.pop(piece[0], None)
                self._signals.pop(piece[0], None)
            case ["s", stack, key, number, label, pieces]:
                for piece in pieces:
                    self._pending.pop(piece[0], None)
                step = Step(number, label, [self._piece(piece) for piece in pieces])
                self._steps[key] = (stack, step)
            case ["x", key]:
                self._steps.pop(key, None)
            case ["r", fields]:
                self._records.append(_record(fields))
            case ["m", number, outcome]:
                self._mark(number, WriteOutcome[outcome])
            case ["t", number]:
                self._turning = number
            case ["e"]:
                self._turning = 0

    def result(self) -> KeptJournal:
        kept = KeptJournal(self._records, turning=self._turning)
        for stack, step in self._steps.values():
            (kept.undo if stack == "undo" else kept.redo).append(step)
        for label, piece in self._pending.values():
            kept.unfinished.setdefault(label, []).append(piece)
        kept.signals.extend(self._signals.values())
        return kept

    def spans(self) -> list[tuple[int, int]]:
        """What is in use of the file with the old bytes."""
        steps = [piece for _, step in self._steps.values() for piece in step.pieces]
        begun = [*self._pending.values(), *self._signals.values()]
        pieces = [*steps, *(piece for _, piece in begun)]
        return [
            (kept.at, kept.at + kept.length)
            for piece in pieces
            for kept in (piece.old, piece.new)
            if kept.at >= 0
        ]

    def _mark(self, number: int, outcome: WriteOutcome) -> None:
        index = number - (self._records[0].number if self._records else 0)
        if 0 <= index < len(self._records):
            self._records[index] = replace(self._records[index], outcome=outcome)

    def _piece(self, packed: list[int]) -> Piece:
        _key, offset, old, new, length, torn = packed
        return Piece(
            offset,
            StoredBytes(self._store, None, old, length),
            StoredBytes(self._store, None, new, length),
            bool(torn),
        )


def _record(fields: dict[str, Any]) -> WriteRecord:
    leaves = fields["leaves"]
    return WriteRecord(
        **{
            **fields,
            "old": bytes.fromhex(fields["old"]),
            "new": bytes.fromhex(fields["new"]),
            "outcome": WriteOutcome[fields["outcome"]],
            "leaves": WriteOutcome[leaves] if leaves else None,
        }
    )


# -- going on with it ------------------------------------------------------------------------------


def go_on_with(journal: Journal, kept: KeptJournal) -> None:
    """Continue in a new journal what the window's last engine left."""
    journal._entries.take_over(kept.records)
    journal._undo.extend(kept.undo)
    journal._redo.extend(kept.redo)
    journal._why_no_undo = kept.trouble
    if kept.turning:
        journal._entries.mark(kept.turning, WriteOutcome.UNDONE_IN_PART)
    try:
        for label, pieces in kept.unfinished.items():
            _take_unfinished(journal, label, pieces)
        for label, piece in kept.signals:
            _take_unfinished(journal, label, [_as_it_is_now(journal, piece)])
    except ScopeError as error:  # the region has to open all the same
        log.warning("unfinished writes of the last engine could not be examined: %s", error)
    journal._log.rewrite(journal._entries.kept, journal._undo, journal._redo)


def _as_it_is_now(journal: Journal, piece: Piece) -> Piece:
    """What a signal wrote last is not recorded; it is taken from the region as it is now."""
    if journal._why_no_undo:
        return piece
    now = journal._region.read(piece.offset, piece.length)
    journal._store.drop(piece.new)
    return Piece(piece.offset, piece.old, journal._store.put(now))


def _take_unfinished(journal: Journal, label: str, pieces: list[Piece]) -> None:
    """Chunks that were being written when the engine ended: each byte is the old or the new one."""
    tally = Tally()
    if journal._why_no_undo:  # and the bytes are not known
        tally.offset = min(piece.offset for piece in pieces)
        tally.length = sum(piece.length for piece in pieces)
        journal._entries.add(label, tally, WriteOutcome.INTERRUPTED)
        return
    landed = []
    for piece in pieces:
        old, new = piece.old.get(), piece.new.get()
        outcome = read_back_outcome(journal._region, piece.offset, old, new)
        if outcome is WriteOutcome.NONE or old == new:  # nothing that an undo could tell
            journal._drop(piece)
        else:
            landed.append(piece)
            tally.add(piece.offset, old, new, WriteOutcome.INTERRUPTED)
    if landed:
        record = journal._entries.add(label, tally, WriteOutcome.INTERRUPTED)
        journal._undo.append(Step(record.number, label, landed))
