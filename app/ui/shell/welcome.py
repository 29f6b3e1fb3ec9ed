"""The next steps as buttons, under what the hex view says while no region is open."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ...core.watch.frame import Health, Level
from ..hex.paint.empty import WAYS
from ..session.session import Session
from ..style.theme import PAD, Theme
from .actions import Actions


class Welcome(QWidget):
    """Text and buttons in the middle of a view that has nothing to show.

    Args:
        view: What it covers.
        actions: The window's actions.
    """

    def __init__(self, view: QWidget, actions: Actions) -> None:
        super().__init__(view)
        self._session: Session | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(PAD)
        for name, text in (("demo", "Open demo"), ("open_file", "Open file…")):
            button = QPushButton(text)
            button.setToolTip(actions[name].toolTip())
            button.clicked.connect(actions[name].trigger)
            layout.addWidget(button)
        view.installEventFilter(self)
        self._place(view)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        if self._session is not None:
            self._session.disconnect(self)
        self._session = session
        self.setVisible(session is None)
        if session is not None:
            session.opened.connect(self.hide)
            session.health_changed.connect(self._health)

    def set_theme(self, theme: Theme) -> None:
        """The buttons take their colours from the style sheet."""

    def _health(self, health: Health) -> None:
        """A region that could not be opened leaves the view as empty as it was."""
        session = self._session
        failed = session is not None and session.info is None and health.level is Level.FAULT
        self.setVisible(failed)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The view was resized."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self._place(watched)
        return False

    def _place(self, view: QWidget) -> None:
        self.adjustSize()
        below = (len(WAYS) + 2) * (self.fontMetrics().height() + PAD) // 2
        middle = view.rect().center()
        self.move(middle.x() - self.width() // 2, middle.y() + below)
