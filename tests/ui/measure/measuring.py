"""Two Measure panels on two engine processes, as two windows have them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.core.engine.process import EngineProcess
from app.ui.measure.panel import MeasurePanel
from app.ui.session.session import Session
from app.ui.style.theme import DARK
from tests.ui.helpers import Sessions

WAIT_MS = 30_000


class Sides:
    """Two panels; `b` answers."""

    def __init__(self, qtbot: QtBot, sessions: Sessions, path: Path) -> None:
        self.panels: list[MeasurePanel] = []
        self.sessions: list[Session] = []
        for _ in range(2):
            panel = MeasurePanel()
            qtbot.addWidget(panel)
            panel.set_theme(DARK)
            panel.resize(1200, 220)
            session = sessions.open(path, EngineProcess)
            panel.set_session(session)
            panel.show()
            self.panels.append(panel)
            self.sessions.append(session)
        self.a, self.b = self.panels


def answering(qtbot: QtBot, sides: Sides) -> None:
    for session in sides.sessions:
        session.set_locked(False)
    qtbot.mouseClick(sides.b.lane.answer, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    qtbot.waitUntil(lambda: "●" in sides.a.lane.peers.item(0).text(), timeout=WAIT_MS)
