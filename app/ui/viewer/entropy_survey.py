"""Asks the engine for the region's entropy again and again, while the minimap shows it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, QTimer

from ...core.engine import messages as msg
from ...core.errors import ScopeError
from ...core.watch.frame import F32
from ..hex.minimap import Minimap
from ..session.session import Session

EVERY_MS: Final = 2000


class EntropySurvey(QObject):
    """Between one session and the minimap.

    Args:
        minimap: What shows it.
    """

    def __init__(self, minimap: Minimap) -> None:
        super().__init__(minimap)
        self._minimap = minimap
        self._session: Session | None = None
        self._on = False
        self._asked: Session | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self._ask)

    def set_session(self, session: Session | None) -> None:
        """Of another region, or of none."""
        self._session, self._asked = session, None
        self._minimap.set_entropy(None)
        self.set_on(self._on)

    def set_on(self, on: bool) -> None:
        """Show it, or changes."""
        self._on = on
        if on and self._session is not None:
            self._timer.start()
            self._ask()
        else:
            self._timer.stop()
            self._minimap.set_entropy(None)

    def _ask(self) -> None:
        """One question at a time; none while nobody sees the answer."""
        session = self._session
        if session is None or session.info is None or self._asked or not self._minimap.isVisible():
            return
        self._asked = session
        rows = round(self._minimap.height() * self._minimap.devicePixelRatioF())

        def done(entropy: F32) -> None:
            if self._asked is session:
                self._asked = None
                if self._on:
                    self._minimap.set_entropy(entropy)

        def failed(_error: ScopeError) -> None:  # the region's own health tells why
            if self._asked is session:
                self._asked = None

        session.ask(msg.SampleEntropy(max(1, rows)), done, failed)
