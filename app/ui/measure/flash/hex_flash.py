"""Answers flashes from the hex view: when the Frame that holds the number was painted.

The same path from store to paint as everything else in the hex view, measured as the patch is: the
sample's time is "seen", the paint event of the view is "painted".
"""

from __future__ import annotations

from time import monotonic_ns
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from ....core.watch.frame import Frame
from ...session.session import Session

if TYPE_CHECKING:
    from ....core.measure.flash.flash import Flip


class HexFlash(QObject):
    """Watches the paint events of the hex view.

    Args:
        viewport: The widget that is painted.

    Signals:
        painted(Painted): A flash was painted.
    """

    painted = Signal(object)

    def __init__(self, viewport: QWidget, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewport = viewport
        self._session: Session | None = None
        self._flip: Flip | None = None
        self._seen_ns = 0
        self._paints = 0
        viewport.installEventFilter(self)

    def await_flip(self, flip: Flip) -> None:
        """This flash is in the memory; a Frame will show it."""
        self._flip, self._seen_ns = flip, 0

    def set_session(self, session: Session | None) -> None:
        """Another region, or none: whose Frames hold the numbers."""
        if self._session is not None:
            self._session.disconnect(self)
        self._session, self._flip = session, None
        if session is not None:
            session.frame_arrived.connect(self._look)

    def _look(self, frame: Frame) -> None:
        """A newer Frame; it may hold the number."""
        flip = self._flip
        if flip is None or self._seen_ns or not frame.start <= flip.offset <= frame.end - 8:
            return
        at = flip.offset - frame.start
        if int.from_bytes(frame.data[at : at + 8].tobytes(), "little") == flip.number:
            self._seen_ns = frame.time_ns

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Painting happens now; what is queued here runs right behind it."""
        if event.type() == QEvent.Type.Paint and watched is self._viewport:
            self._paints += 1
            if self._flip is not None and self._seen_ns:
                QTimer.singleShot(0, self, self._handed_over)
        return False

    def _handed_over(self) -> None:
        flip, seen_ns = self._flip, self._seen_ns
        if flip is None or not seen_ns:
            return
        now_ns = monotonic_ns()
        from ....core.measure.flash.flash import Painted  # loaded by who made the flip

        self._flip, self._seen_ns = None, 0
        rate = self._viewport.screen().refreshRate()
        period = round(1e9 / rate) if rate > 0 else 0
        self.painted.emit(Painted(flip.number, now_ns, seen_ns, self._paints, period))
