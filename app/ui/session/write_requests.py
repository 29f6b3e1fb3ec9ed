"""A person's writes on their way to the engine: compared, asked about in place, undoable.

All of a window's writes go through here: what is typed, pasted, edited in the inspector, and what
the write tools do. Each is compared with what the person saw: the bytes that the view showed in
the moment of asking. Bytes that are not on the screen are not compared; the journal keeps them for
the undo.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import QObject, Signal

from ...core.engine import messages as msg
from ...core.engine import range_messages as rm
from ...core.errors import (
    CancelledError,
    ConflictError,
    LockedError,
    NothingToUndoError,
    ScopeError,
)
from ...core.values.units import format_short_offset, format_size
from ...core.watch.frame import Level
from ...core.write.record import Seen, WriteOutcome, WriteRecord
from .notice import Notice

if TYPE_CHECKING:
    from .session import Session

# How long something may take before its progress is worth a place on the screen.
SHOW_PROGRESS_NS: Final = 200_000_000
R = TypeVar("R")
# Commands that a conflict can stop, and that `force` makes go on.
ToolWrite = msg.Fill | rm.FillBlock | msg.LoadFile | msg.CopyRange | msg.Write | msg.StartRepeat
Compared = ToolWrite | msg.Undo | msg.Redo


@dataclass(frozen=True, slots=True)
class Question:
    """A conflict that waits for a person: what differs, and the two ways on."""

    error: ConflictError
    go_text: str
    go_ahead: Callable[[], object]
    give_up: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Working:
    """An undo or redo that takes long."""

    word: str
    request: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Watcher:
    """Receives progress and outcome of a tool's write, on the window's thread.

    Attributes:
        begun: Gets the request's number, to cancel it by; once more when a person went ahead.
        done: Gets the result: WriteRecord, a signal's number.
        failed: Gets the error, also a ConflictError about which a person is being asked.
        progress: Bytes done, and in all.
        given_up: A person kept what the peer wrote; nothing was written.
    """

    begun: Callable[[int], object]
    done: Callable[[object], object]
    failed: Callable[[ScopeError], object]
    progress: Callable[[int, int], None]
    given_up: Callable[[], object]


class Writing(QObject):
    """Sends writes in order; a conflict waits until the person has answered it.

    Signals:
        question(Question | None): Ask this in place; None when nothing is left to ask.
        notice(Notice): A sentence for the message bar.
        settled(set[str]): A write landed: what notices with these keys warned of is over.
        undone(int): Bytes from this offset on were put back, or written again.
        working(Working | None): How far an undo or redo is that takes long; None when it is over.

    Attributes:
        shown: Gives the part of a range that is on the screen, and the bytes that stand there.
    """

    question = Signal(object)
    notice = Signal(object)
    settled = Signal(object)
    undone = Signal(object)
    working = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._questions: deque[Question] = deque()
        self._warned: set[str] = set()
        self.shown: Callable[[int, int], tuple[int, bytes]] = lambda start, _length: (start, b"")

    def write(self, offset: int, data: bytes, seen: bytes | None, label: str, go: int = 0) -> None:
        """Write what a person typed or pasted over what they saw; None: what the view shows.

        Writes with the same `go` are undone together, as `Journal.write` says.
        """
        what = self._seen(offset, len(data)) if seen is None else seen
        command = msg.Write(offset, data, seen=what, label=label, go=go)
        self._compared(command, "Write mine", self._landed)

    def use_tool(
        self,
        command: ToolWrite,
        target: tuple[int, int],
        go_text: str,
        watcher: Watcher,
        in_form: Seen | None = None,
    ) -> None:
        """Carry out what a write tool asks, compared with what was seen of its range.

        Args:
            command: What it asks.
            target: Offset and length of what it writes.
            go_text: The word of the button that goes ahead after a conflict.
            watcher: Gets its progress and its outcome.
            in_form: What the tool's own form shows of the target; counts when the view shows none.
        """
        self._tool(replace(command, seen=self._seen(*target) or in_form), go_text, watcher)

    def undo(self) -> None:
        """Take the last write back."""
        self._turn(msg.Undo(), "Undo")

    def redo(self) -> None:
        """Do it again."""
        self._turn(msg.Redo(), "Redo")

    def answer(self, *, go_ahead: bool) -> None:
        """A person's answer to the question that is shown."""
        if not self._questions:
            return
        question = self._questions.popleft()
        (question.go_ahead if go_ahead else question.give_up)()
        self.question.emit(self._questions[0] if self._questions else None)

    def forget(self) -> None:
        """Drop all questions (the region was opened anew)."""
        while self._questions:
            self._questions.popleft().give_up()
        self.question.emit(None)
        self.working.emit(None)

    # -- sending ----------------------------------------------------------------------------------

    def _seen(self, start: int, length: int) -> Seen | None:
        offset, data = self.shown(start, length)
        return Seen(offset, data) if data else None

    def _ask(
        self,
        error: ScopeError,
        go_text: str,
        go_ahead: Callable[[], object],
        give_up: Callable[[], object] = lambda: None,
    ) -> bool:
        """Ask the person if this error is a conflict; returns whether it is."""
        if not isinstance(error, ConflictError):
            return False
        self._questions.append(Question(error, go_text, go_ahead, give_up))
        if len(self._questions) == 1:
            self.question.emit(self._questions[0])
        return True

    def _compared(
        self,
        command: msg.Write,
        go_text: str,
        done: Callable[[WriteRecord], None],
    ) -> None:
        def failed(error: ScopeError) -> None:
            if not self._ask(error, go_text, lambda: self._compared(forced, go_text, done)):
                self._tell(error)

        forced = replace(command, force=True)
        self._session.ask(command, done, failed)

    def _tool(self, command: ToolWrite, go_text: str, watcher: Watcher) -> None:
        def failed(error: ScopeError) -> None:
            again = partial(self._tool, forced, go_text, watcher)
            self._ask(error, go_text, again, watcher.given_up)
            watcher.failed(error)

        forced = replace(command, force=True)
        asked: msg.Command[object] = command
        watcher.begun(self._session.ask(asked, watcher.done, failed, watcher.progress))

    def _turn(self, command: msg.Undo | msg.Redo, word: str) -> None:
        began_ns = time.monotonic_ns()
        request = 0

        def progress(done: int, total: int) -> None:
            if time.monotonic_ns() - began_ns >= SHOW_PROGRESS_NS:
                self.working.emit(Working(word, request, done, total))

        def ended(record: WriteRecord) -> None:
            self.working.emit(None)
            self._undone(record)

        def failed(error: ScopeError) -> None:
            self.working.emit(None)
            entry = error.entry if isinstance(error, ConflictError) else 0
            # Only that entry: something else may have been written while the question stood.
            forced = replace(command, force=True, number=entry)
            if not self._ask(error, f"{word} anyway", lambda: self._turn(forced, word)):
                self._tell(error)

        request = self._session.ask(command, ended, failed, progress)

    # -- telling ----------------------------------------------------------------------------------

    def _landed(self, record: WriteRecord) -> None:
        if record.outcome is WriteOutcome.WHOLE:
            warned, self._warned = self._warned, set()
            self.settled.emit(warned)
        else:
            self._warned.add("landed")
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
        self.undone.emit(record.offset)

    def _tell(self, error: ScopeError) -> None:
        good = isinstance(error, NothingToUndoError | CancelledError)
        actions = ("Unlock",) if isinstance(error, LockedError) else ()
        level = Level.GOOD if good else Level.WARNING
        self._warned.add(error.code)
        self.notice.emit(
            Notice(level, error.message, error.hint, actions, error.code, error.command)
        )
