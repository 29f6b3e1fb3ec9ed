"""The find bar by itself: what its fields mean, what it says, what its keys do."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.core.search.needle import Endians, Needle, NeedleKind
from app.ui.style.theme import DARK
from app.ui.viewer.find_bar import FindBar
from tests.ui.helpers import show

K = Qt.Key
SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def bar(qtbot: QtBot) -> FindBar:
    made = FindBar()
    made.set_theme(DARK)
    show(qtbot, made, 700, 120)
    made.open()
    return made


def choose(bar: FindBar, kind: NeedleKind, text: str) -> None:
    bar.kind.setCurrentIndex(bar.kind.findData(kind))
    bar.edit.setText(text)


def test_the_fields_make_a_needle(bar: FindBar) -> None:
    choose(bar, NeedleKind.VALUE, "1..2")
    assert bar.type.isVisible()
    assert not bar.encoding.isVisible()
    bar.type.setCurrentIndex(bar.type.findData("f64"))
    bar.order.setCurrentIndex(bar.order.findData(Endians.BOTH))
    bar.aligned.setChecked(True)
    assert bar.needle == Needle(
        NeedleKind.VALUE, "1..2", "utf-8", True, "f64", Endians.BOTH, align=8
    )
    choose(bar, NeedleKind.TEXT, "x")
    bar.case.setChecked(True)
    bar.encoding.setCurrentIndex(bar.encoding.findData("cp437"))
    assert (bar.needle.encoding, bar.needle.ignore_case, bar.needle.align) == ("cp437", False, 1)
    assert not bar.type.isVisible()


def test_what_is_wrong_is_said_in_place_and_finds_nothing(qtbot: QtBot, bar: FindBar) -> None:
    height = bar.sizeHint().height()
    choose(bar, NeedleKind.BYTES, "FF G?")
    assert "two digits" in bar.status.text()
    assert bar.edit.property("invalid") is True
    assert bar.sizeHint().height() == height  # nothing moves
    with qtbot.assertNotEmitted(bar.find_wanted):
        qtbot.keyClick(bar.edit, K.Key_Return)
    choose(bar, NeedleKind.BYTES, "FF 0?")
    assert bar.status.text() == ""
    assert bar.edit.property("invalid") is False
    bar.open(replace=True)
    bar.by.setText("zz")
    assert bar.status.text() != ""
    with qtbot.assertNotEmitted(bar.replace_wanted):
        qtbot.keyClick(bar.by, K.Key_Return)


def test_keys(qtbot: QtBot, bar: FindBar) -> None:
    choose(bar, NeedleKind.BYTES, "01")
    for key, modifiers, signal, arguments in (
        (K.Key_Return, Qt.KeyboardModifier.NoModifier, bar.find_wanted, [False]),
        (K.Key_Return, SHIFT, bar.find_wanted, [True]),
        (K.Key_Return, ALT, bar.all_wanted, []),
    ):
        with qtbot.waitSignal(signal, timeout=1000) as told:
            qtbot.keyClick(bar.edit, key, modifiers)
        assert told.args == arguments
    bar.edit.setText("02")
    qtbot.keyClick(bar.edit, K.Key_Return)
    qtbot.keyClick(bar.edit, K.Key_Up)
    qtbot.keyClick(bar.edit, K.Key_Up)
    assert bar.edit.text() == "01"
    bar.set_working(True)
    with qtbot.waitSignal(bar.stop_wanted, timeout=1000):
        qtbot.keyClick(bar.edit, K.Key_Escape)
    assert bar.isVisible()
    bar.set_working(False)
    with qtbot.waitSignal(bar.closed, timeout=1000):
        qtbot.keyClick(bar.edit, K.Key_Escape)
    assert not bar.isVisible()


def test_it_fits_where_the_window_is_narrow(qtbot: QtBot, bar: FindBar) -> None:
    choose(bar, NeedleKind.VALUE, "1")
    bar.open(replace=True)
    bar.resize(340, bar.layout().totalHeightForWidth(340))
    parts = (bar.edit, bar.type, bar.order, bar.aligned, bar.scope, bar.by, bar.close_button)
    for part in parts:
        inside = part.geometry().translated(part.parentWidget().mapTo(bar, part.rect().topLeft()))
        assert bar.rect().contains(inside), part.accessibleName()
