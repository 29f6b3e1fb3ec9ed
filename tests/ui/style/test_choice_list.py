"""The open list of a choice: what holds, what the keys are on, what the mouse is on."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.style.combo_box import ComboBox
from app.ui.style.style_sheet import apply_theme
from app.ui.style.theme import DARK, LIGHT, Theme
from tests.ui.helpers import WAIT_MS, show


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_current_and_keyboard_item_are_seen(qtbot: QtBot, qapp: QApplication, theme: Theme) -> None:
    apply_theme(qapp, theme)
    box = ComboBox()
    box.addItems(["10 s", "1 min", "5 min", "15 min"])
    box.setCurrentIndex(1)
    show(qtbot, box, 120, 30)
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton)
    view = box.view()
    qtbot.waitUntil(view.isVisible, timeout=WAIT_MS)

    def pixel(row: int, x: int) -> str:
        area = view.visualRect(box.model().index(row, 0))
        at = area.topLeft() + QPoint(x if x >= 0 else area.width() + x, 2)
        return QColor(view.viewport().grab().toImage().pixel(at)).name().upper()

    assert pixel(1, 1) == theme.mine.upper(), "a bar marks what holds"
    assert pixel(1, -3) == theme.selection.upper(), "the keys begin there"
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert pixel(2, 1) == pixel(2, -3) == theme.selection.upper()
    assert pixel(1, 1) == theme.mine.upper()
    assert pixel(1, -3) == pixel(0, -3) != theme.selection.upper()
    for row in (0, 3):
        where = view.visualRect(box.model().index(row, 0)).center()
        qtbot.mouseMove(view.viewport(), where)
    qtbot.waitUntil(
        lambda: pixel(3, -3) in (theme.selection.upper(), theme.hover.upper()), timeout=WAIT_MS
    )
    qtbot.keyClick(view, Qt.Key.Key_Escape)
