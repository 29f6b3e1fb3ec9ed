"""Turn: one undo or redo, piece by piece.

Everything is compared before anything is changed, then each piece once more right before it is
written. Between two pieces other writes may land, and the turn may be cancelled: what was turned
until then can be turned again by the opposite, the rest by the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import CancelledError, ConflictError, LockedError, NothingToUndoError, ScopeError
from ..values.units import format_size
from .record import WriteOutcome, WriteRecord
from .steps import Piece, Step, Tally
from .write_outcome import check_unchanged_since_write, read_back_outcome

if TYPE_CHECKING:
    from .journal import Journal


def _no_progress(_done: int, _total: int) -> None:
    """The default callback: does nothing."""


class Turn:
    """Takes a step from one stack of the journal and puts it on the other.

    Attributes:
        step: What it is about; its pieces become fewer while it runs.
        label: What it says of itself.
        since: Entries that the journal had when it was asked for.
        pieces: Turned already, and on no stack yet.
    """

    def __init__(
        self,
        journal: Journal,
        word: str,
        step: Step,
        source: deque[Step],
        target: deque[Step],
        *,
        force: bool,
    ) -> None:
        self.step = step
        self.label = f"{word} {step.label}"
        self.since = journal.count
        self.pieces: list[Piece] = []
        self._journal = journal
        self._word = word
        self._source = source
        self._target = target
        self._force = force
        self._cleared = journal._cleared
        self._running = False
        self._tally = Tally()
        self._total = 0
        self._emptied: Step | None = None  # of the other stack, when its torn piece was all of it

    @property
    def is_short(self) -> bool:
        """Whether it is one piece, as every write of one call is."""
        return len(self.step.pieces) == 1

    @property
    def _outdated(self) -> bool:
        """Whether a new write has ended redo since this was asked for."""
        return self._journal._cleared != self._cleared

    @property
    def ahead(self) -> list[Piece]:
        """Pieces that are still to be changed; other writes there are refused."""
        return self.step.pieces if self._running else []

    def is_above(self, step: Step) -> bool:
        """Whether this has to be over before that step."""
        return step.number <= self.since

    def run(
        self,
        *,
        progress: Callable[[int, int], None] = _no_progress,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> WriteRecord:
        """Do it.

        Raises:
            ConflictError: Bytes are not as we left them, and force is off.
            NothingToUndoError: The step has gone meanwhile.
            CancelledError, LockedError, ScopeError: It was stopped, or what the region raises.
                What was turned by then is recorded; the message says how much.
        """
        self._begin()
        record: WriteRecord | None = None
        try:
            if not (self._force or self.is_short):
                self._compare_all(progress, cancelled)
            self._turn_all(progress, cancelled)
        except ScopeError as error:
            if isinstance(error, ConflictError):
                error.entry = self.step.number
            if self._tally.length:
                error.message += f" {self._turned()}"
            raise
        finally:
            record = self._end()
        assert record is not None
        return record

    def _turned(self) -> str:
        done, total = format_size(self._tally.length), format_size(self._total)
        what = "are back as they were" if self._word == "undo" else "are written again"
        return f"{done} of {total} {what}."

    def _begin(self) -> None:
        journal = self._journal
        with journal._lock:
            journal._may_write()
            if not any(step is self.step for step in reversed(self._source)):
                raise NothingToUndoError(f"Something else was written; nothing was {self._word}ne.")
            self._take_torn()
            self._total = sum(piece.length for piece in self.step.pieces)
            self._running = True
            journal._under_way.append(self)

    def _take_torn(self) -> None:
        """A piece that the opposite failed in belongs to either direction: it is this one's now."""
        other = self._target[-1] if self._target else None
        if other is not None and other.number == self.step.number and other.pieces[-1].torn:
            self.step.pieces.append(other.pieces.pop().turned())
            if not other.pieces:
                self._emptied = self._target.pop()

    def _compare_all(
        self, progress: Callable[[int, int], None], cancelled: Callable[[], bool]
    ) -> None:
        compared = 0
        for piece in list(self.step.pieces):
            self._go_on(cancelled)
            with self._journal._lock:
                self._compare(piece, piece.new.get(), piece.old.get())
            compared += piece.length
            progress(compared // 2, self._total)

    def _turn_all(
        self, progress: Callable[[int, int], None], cancelled: Callable[[], bool]
    ) -> None:
        before = 0 if self._force or self.is_short else self._total  # compared already
        while self.step.pieces:
            self._go_on(cancelled)
            with self._journal._lock:
                self._turn(self.step.pieces[-1])
            done = self._tally.length
            progress((before + done) // 2 if before else done, self._total)

    def _go_on(self, cancelled: Callable[[], bool]) -> None:
        if cancelled():
            hint = f"{self._word.capitalize()} goes on with the rest." if self._tally.length else ""
            nothing = "" if self._tally.length else "; nothing was changed"
            raise CancelledError(f"The {self._word} was stopped{nothing}.", hint)
        if self._journal.locked:
            nothing = "" if self._tally.length else "; nothing was changed"
            raise LockedError(
                f"Writing was locked during the {self._word}{nothing}.",
                f"Unlock writing (Ctrl+L); {self._word} goes on with the rest.",
            )

    # -- under the journal's lock -----------------------------------------------------------------

    def _compare(self, piece: Piece, left: bytes, wanted: bytes) -> None:
        if not self._force:
            check_unchanged_since_write(self._journal._region, piece.offset, left, wanted)

    def _turn(self, piece: Piece) -> None:
        journal = self._journal
        left, wanted = piece.new.get(), piece.old.get()
        self._compare(piece, left, wanted)
        journal._make_way(piece.offset, piece.length, self)
        if not self._tally.length:
            journal._log.turning(self.step.number)
        try:
            journal._put(piece.offset, wanted, None)
        except ScopeError:
            outcome = read_back_outcome(journal._region, piece.offset, left, wanted)
            if outcome is not WriteOutcome.NONE:
                piece.torn = True
                self._tally.add(piece.offset, left, wanted, outcome)
            raise
        outcome = read_back_outcome(journal._region, piece.offset, left, wanted)
        self._tally.add(piece.offset, left, wanted, outcome)
        self.step.pieces.pop()
        self.pieces.append(piece.turned())

    def settle_pieces(self) -> None:
        """Put what was turned on the other stack, unless a new write has ended redo since."""
        step = Step(self.step.number, self.step.label, self.pieces)
        self.pieces = []
        if not step.pieces:
            return
        if self._word == "undo" and self._outdated:
            self._log_source()
            self._journal._log.commit()
            self._journal._forget(step)
            return
        if self._target and self._target[-1].number == step.number:
            self._target[-1].pieces += step.pieces
        else:
            self._target.append(step)
        self._journal._log.step("redo" if self._word == "undo" else "undo", self._target[-1])
        self._log_source()
        self._journal._log.commit()

    def _log_source(self) -> None:
        """What is left of the step that is being turned."""
        if self.step.pieces:
            self._journal._log.step(self._word, self.step)
        else:
            self._journal._log.gone(self.step)

    def _end(self) -> WriteRecord | None:
        journal = self._journal
        with journal._lock:
            self._running = False
            journal._under_way.remove(self)
            self.settle_pieces()
            outcome = WriteOutcome.PART if self.step.pieces else self._tally.outcome
            leaves = self._what_is_left(outcome)
            redo_ended = self._word == "redo" and self._outdated
            record = None
            if self._tally.length:
                journal._entries.mark(self.step.number, leaves)
                record = journal._entries.add(
                    self.label, self._tally, outcome, self.step.number, leaves
                )
            if redo_ended or not self.step.pieces:
                self._take_from_source()
                journal._log.gone(self.step)
                journal._forget(self.step)
            else:
                journal._log.step(self._word, self.step)
            if self._emptied is not None:
                journal._log.gone(self._emptied)
            journal._log.turned()
            journal._commit()
            return record

    def _take_from_source(self) -> None:
        if self._source[-1] is self.step:
            self._source.pop()
        else:
            self._source.remove(self.step)

    def _what_is_left(self, outcome: WriteOutcome) -> WriteOutcome:
        """What this makes of the step's own entry."""
        if self.step.pieces:
            return WriteOutcome.UNDONE_IN_PART
        return WriteOutcome.UNDONE if self._word == "undo" else outcome
