"""Nothing in a window keeps a menu after it is closed: it may run for weeks."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QDialog, QMenu
from pytestqt.qtbot import QtBot

from app.core.discovery.device import DeviceList
from app.core.storage.settings import Settings
from app.ui.main_window import MainWindow
from app.ui.panels.devices.panel import DevicesPanel
from app.ui.panels.inspector.panel import InspectorPanel
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, bury
from tests.ui.panels.test_devices import FOUND


def test_menus_and_lists_end_when_they_are_closed(qtbot: QtBot, sessions: Sessions) -> None:
    window = MainWindow(sessions.make, Settings(), DARK)
    window.show()
    try:
        window.set_devices(FOUND)
        before = count(window)
        for _ in range(3):
            window.set_devices(DeviceList())
            window.set_devices(FOUND)
            devices = window.panels[DevicesPanel]
            row = next(n for n, row in enumerate(devices.model.rows) if row.spec is not None)
            devices.list.customContextMenuRequested.emit(
                devices.list.visualRect(devices.model.index(row)).center()
            )
            close_popup(qtbot)
            window.panels[InspectorPanel].table.customContextMenuRequested.emit(QPoint(5, 5))
            close_popup(qtbot)
            for name in ("palette", "keys"):
                window.actions_table[name].trigger()
                shown = [one for one in window.findChildren(QDialog) if one.isVisible()]
                assert shown
                for dialog in shown:
                    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        assert count(window) == before
    finally:
        bury(window)


def close_popup(qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None, timeout=WAIT_MS)
    qtbot.keyClick(QApplication.activePopupWidget(), Qt.Key.Key_Escape)


def count(window: MainWindow) -> int:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return len(window.findChildren(QMenu)) + len(window.findChildren(QDialog))
