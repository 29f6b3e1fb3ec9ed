"""What stands in the memory where a write tool's form points, read when it is asked for."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from ....core.engine import messages as msg
from ....core.errors import ScopeError
from ....core.write.record import Seen
from ...session.session import Session

_SOON_MS: Final = 100  # a place that is being typed is asked for once


class CurrentBytes(QObject):
    """The bytes of one place, as the form shows them.

    Signals:
        arrived(): They are known now.
    """

    arrived = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._wanted = (0, 0)
        self._known: Seen | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._read)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        self._session = session
        self.forget()

    def forget(self) -> None:
        """They were written, or belong to another region."""
        self._known = None
        self._soon.stop()

    def known(self, start: int, length: int) -> Seen | None:
        """What was read there; None when nothing was."""
        known = self._known
        fits = known is not None and (known.offset, len(known.data)) == (start, length)
        return known if fits else None

    def want(self, start: int, length: int) -> None:
        """Read this soon; it must be inside the region."""
        self._wanted = (start, length)
        self._soon.start()

    def _read(self) -> None:
        start, length = self._wanted
        if self._session is not None and not self._session.lost:
            self._session.ask(msg.Read(start, length), partial(self._take, start), self._unknown)

    def _take(self, start: int, data: bytes) -> None:
        self._known = Seen(start, data)
        self.arrived.emit()

    def _unknown(self, _error: ScopeError) -> None:
        """The form shows nothing then; the region's health says why."""
