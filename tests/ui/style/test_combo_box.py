"""The choice in a form, with a real wheel and real keys."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.ui.style.combo_box import ComboBox
from tests.ui.helpers import show


def turn(widget: QWidget) -> None:
    """A notch down, as the system sends it."""
    place = QPointF(widget.mapTo(widget.window(), widget.rect().center()))
    QTest.wheelEvent(widget.window().windowHandle(), place, QPoint(0, -120))
    QApplication.processEvents()


def test_the_wheel_scrolls_the_form_and_not_the_choice(qtbot: QtBot) -> None:
    box, line, inside, form = ComboBox(), QLineEdit(), QWidget(), QScrollArea()
    box.addItems(["one", "two", "three"])
    inside.setMinimumHeight(900)
    column = QVBoxLayout(inside)
    column.addWidget(line)
    column.addWidget(box)
    column.addStretch(1)
    form.setWidget(inside)
    show(qtbot, form, 200, 200)
    form.activateWindow()
    line.setFocus()
    qtbot.waitUntil(line.hasFocus)
    turn(box)
    assert box.currentText() == "one"
    assert line.hasFocus()
    assert form.verticalScrollBar().value() > 0
    form.verticalScrollBar().setValue(0)
    box.setFocus()
    turn(box)
    assert box.currentText() == "two", "who chose it may turn"


def test_enter_is_told_and_the_arrows_choose(qtbot: QtBot) -> None:
    box = ComboBox()
    box.addItems(["one", "two"])
    show(qtbot, box, 100, 30)
    with qtbot.waitSignal(box.entered):
        qtbot.keyClick(box, Qt.Key.Key_Return)
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert box.currentText() == "two"
