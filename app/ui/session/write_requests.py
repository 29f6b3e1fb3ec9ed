"""A person's writes on their way to the engine: compared, asked about in place, undoable."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from ...core.engine import messages as msg
from ...core.errors import ConflictError, LockedError, NothingToUndoError, ScopeError
from ...core.values.units import format_short_offset, format_size
from ...core.watch.frame import Level
from ...core.write.record import WriteOutcome, WriteRecord
from .notice import Notice
from .session import Session


@dataclass(frozen=True, slots=True)
class Question:
    """A conflict that waits for a person: what differs, and the command that would go ahead."""

    error: ConflictError
    command: msg.Write | msg.Undo | msg.Redo
    go_text: str


class Writing(QObject):
    """Sends writes, keeps conflicts until they are answered, one after the other.

    Signals:
        question(Question | None): Ask this in place; None when nothing is left to ask.
        notice(Notice): A sentence for the message bar.
    """

    question = Signal(object)
    notice = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._questions: deque[Question] = deque()

    def write(self, offset: int, data: bytes, seen: bytes | None, label: str) -> None:
        """Write what a person typed or pasted over what they saw."""
        self._send(msg.Write(offset, data, seen=seen, label=label), "Write mine")

    def undo(self) -> None:
        """Take the last write back."""
        self._send(msg.Undo(), "Undo anyway", self._undone)

    def redo(self) -> None:
        """Do it again."""
        self._send(msg.Redo(), "Redo anyway", self._undone)

    def answer(self, *, go_ahead: bool) -> None:
        """A person's answer to the question that is shown."""
        if not self._questions:
            return
        question = self._questions.popleft()
        if go_ahead:
            self._send(replace(question.command, force=True), question.go_text)
        self.question.emit(self._questions[0] if self._questions else None)

    def forget(self) -> None:
        """Drop all questions (the region was opened anew)."""
        self._questions.clear()
        self.question.emit(None)

    def _send(
        self,
        command: msg.Write | msg.Undo | msg.Redo,
        go_text: str,
        done: Callable[[WriteRecord], None] | None = None,
    ) -> None:
        def failed(error: ScopeError) -> None:
            if isinstance(error, ConflictError):
                self._questions.append(Question(error, command, go_text))
                if len(self._questions) == 1:
                    self.question.emit(self._questions[0])
            else:
                self._tell(error)

        self._session.ask(command, done or self._landed, failed)

    def _landed(self, record: WriteRecord) -> None:
        if record.outcome is not WriteOutcome.WHOLE:
            where = f"{format_size(record.length)} at {format_short_offset(record.offset)}"
            self.notice.emit(
                Notice(
                    Level.WARNING,
                    f"The write of {where} {record.outcome.value}.",
                    "The peer wrote there in the same moment, or the memory is gone.",
                    key="landed",
                )
            )

    def _undone(self, record: WriteRecord) -> None:
        self._landed(record)
        where = f"{format_size(record.length)} at {format_short_offset(record.offset)}"
        self.notice.emit(Notice(Level.GOOD, f"Put back {where}.", key="undo"))

    def _tell(self, error: ScopeError) -> None:
        level = Level.GOOD if isinstance(error, NothingToUndoError) else Level.WARNING
        actions = ("Unlock",) if isinstance(error, LockedError) else ()
        self.notice.emit(Notice(level, error.message, error.hint, actions, key=error.code))
