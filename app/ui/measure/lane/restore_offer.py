"""The bytes that a crashed test left saved: offered to be restored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from ....core.errors import LockedError, ScopeError
from ....core.watch.frame import Level
from ...session.notice import Notice
from ...session.session import Session

if TYPE_CHECKING:
    from ....core.measure.lane.hold import RestoreOutcome

PUT_BACK: Final = "Put back"
_KEY: Final = "restore_offer"
_AFTER_MS: Final = 500  # asking loads the measuring modules, here and in the engine: after a Frame


class RestoreOffer(QObject):
    """Asks for saved bytes when a region was opened, reports them, and restores them on request.

    Signals:
        notice(Notice): For the message bar.
    """

    notice = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._soon = QTimer(self, singleShot=True, interval=_AFTER_MS)
        self._soon.timeout.connect(self._ask)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        if self._session is not None:
            self._session.opened.disconnect(self._opened)
        self._soon.stop()
        self._session = session
        if session is not None:
            session.opened.connect(self._opened)

    def _opened(self, _info: object) -> None:
        self._soon.start()

    def _ask(self) -> None:
        from ....core.engine.measuring.measurement_messages import ListUnrestored

        if self._session is not None:
            self._session.ask(ListUnrestored(), self._offer, lambda _error: None)

    def _offer(self, places: tuple[str, ...]) -> None:
        if places:
            text = f"A test that crashed did not put back the bytes under its lane ({places[0]})."
            hint = "They are kept on this computer; nothing is lost."
            self.notice.emit(Notice(Level.WARNING, text, hint, (PUT_BACK,), _KEY))

    def act(self, word: str) -> None:
        """A button of the message bar was pressed."""
        from ....core.engine.measuring.measurement_messages import RestoreSaved

        if word == PUT_BACK and self._session is not None:
            self._session.ask(RestoreSaved(), self._restored, self._refused)

    def _restored(self, outcomes: tuple[RestoreOutcome, ...]) -> None:
        from ....core.measure.lane.hold import RestoreOutcome

        good = all(outcome is RestoreOutcome.RESTORED for outcome in outcomes)
        text = (
            "; ".join(dict.fromkeys(outcome.value for outcome in outcomes))
            or "nothing was left to put back"
        )
        level = Level.GOOD if good else Level.WARNING
        self.notice.emit(Notice(level, f"Under the lane: {text}.", key=_KEY))

    def _refused(self, error: ScopeError) -> None:
        """Not restored: the offer stays, with the reason."""
        words = ("Unlock", PUT_BACK) if isinstance(error, LockedError) else (PUT_BACK,)
        self.notice.emit(Notice(Level.WARNING, error.message, error.hint, words, _KEY))
