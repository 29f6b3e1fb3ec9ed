"""One question that a view asks its engine again and again, at a bounded share of its time."""

from __future__ import annotations

from functools import partial
from time import monotonic_ns
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from ...core.engine.messages import Command
from ...core.errors import CancelledError, ScopeError
from .session import Session

_SOON_MS: Final = 60  # a selection that is being dragged is asked for once


class LiveQuestion(QObject):
    """A command, its answers, and when it is asked anew: not while the session is paused.

    Args:
        least_ms: Between an answer and the next question at least.
        share: An answer takes this part of the time at most, as its denominator.

    Signals:
        began(): Another question is asked.
        arrived(object, int): Its result, and how many nanoseconds it took.
        progressed(int, int): Bytes read, and in all.
        failed(ScopeError): No result; nothing more is asked until `restart` or another question.
    """

    began = Signal()
    arrived = Signal(object, object)
    progressed = Signal(object, object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None, *, least_ms: int, share: int) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._command: Command[Any] | None = None
        self._least_ms, self._share = least_ms, share
        self._active = False
        self._turn = 0  # answers of an older one are dropped
        self._request = 0
        self._answered = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)

    @property
    def running(self) -> bool:
        """Whether a reading goes on."""
        return self._request != 0

    @property
    def asks(self) -> bool:
        """Whether there is a question."""
        return self._command is not None

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        self._drop()
        self._session = session

    def ask(self, command: Command[Any] | None) -> None:
        """Ask this from now on; None asks nothing. The same as before changes nothing."""
        if command != self._command:
            self._command = command
            self.restart()

    def set_active(self, active: bool) -> None:
        """Whether somebody sees it."""
        if active != self._active:
            self._active = active
            self.restart() if active else self._drop()

    def restart(self) -> None:
        """Begin anew, with what is wanted now."""
        self._drop()
        self._answered = False
        if self._active and self._command is not None and self._session is not None:
            self.began.emit()
            self._timer.start(_SOON_MS)

    def stop(self) -> None:
        """A person had enough of this reading; it is not asked for again by itself."""
        if self._request and self._session is not None:
            self._session.cancel(self._request)

    def _drop(self) -> None:
        self._turn += 1
        self._timer.stop()
        self.stop()
        self._request = 0

    def _ask(self) -> None:
        session, command = self._session, self._command
        if session is None or command is None or session.info is None or session.lost:
            return
        if session.paused and self._answered:
            self._timer.start(self._least_ms)
            return
        turn, asked_ns = self._turn, monotonic_ns()
        self._request = session.ask(
            command,
            partial(self._done, turn, asked_ns),
            partial(self._failed, turn),
            partial(self._progress, turn),
        )

    def _done(self, turn: int, asked_ns: int, found: object) -> None:
        if turn != self._turn:
            return
        self._request = 0
        self._answered = True
        took_ns = monotonic_ns() - asked_ns
        self.arrived.emit(found, took_ns)
        self._timer.start(max(self._least_ms, self._share * took_ns // 1_000_000))

    def _progress(self, turn: int, done: int, total: int) -> None:
        if turn == self._turn:
            self.progressed.emit(done, total)

    def _failed(self, turn: int, error: ScopeError) -> None:
        if turn != self._turn:
            return
        self._request = 0
        self.failed.emit(CancelledError("Stopped.") if isinstance(error, CancelledError) else error)
