from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.ui.style.theme import DARK
from app.ui.viewer.goto_bar import GotoBar

K = Qt.Key
SIZE = 1 << 40


@pytest.fixture
def bar(qtbot: QtBot) -> GotoBar:
    made = GotoBar()
    qtbot.addWidget(made)
    made.set_theme(DARK)
    made.open(0x100, SIZE, (0x200, 16))
    return made


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("64", 64),
        ("0x40", 0x40),
        ("40h", 0x40),
        ("+16", 0x110),
        ("-0x10", 0xF0),
        ("end-0x100", SIZE - 0x100),
        ("sel+8", 0x208),
        ("page 5", 5 * 4096),
        ("2 GiB + 4096", (2 << 30) + 4096),
        ("0x00FF'FFFF'FFFF", SIZE - 1),
    ],
)
def test_enter_goes_where_the_preview_says(
    qtbot: QtBot, bar: GotoBar, text: str, offset: int
) -> None:
    bar.edit.setText(text)
    assert f"({offset})" in bar.preview.text()
    with qtbot.waitSignal(bar.go) as went:
        qtbot.keyClick(bar.edit, K.Key_Return)
    assert went.args == [offset]
    assert not bar.isVisible()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("zz", "not known"),
        ("0x", ""),
        ("end", "last byte"),
        ("-1000", "before the region begins"),
        ("1/0", "zero"),
        ("(4", "bracket"),
        ("0x1'0000'0000'0000", "last byte"),
    ],
)
def test_what_leads_nowhere_is_told_in_place(
    qtbot: QtBot, bar: GotoBar, text: str, words: str
) -> None:
    with qtbot.assertNotEmitted(bar.go):
        qtbot.keyClicks(bar.edit, text)
        qtbot.keyClick(bar.edit, K.Key_Return)
    assert words in bar.preview.text()
    assert bar.preview.text()
    assert bar.isVisible()
    assert bar.edit.property("invalid") is True
    bar.edit.setText("4")
    assert bar.edit.property("invalid") is False


def test_nothing_typed_is_no_error(qtbot: QtBot, bar: GotoBar) -> None:
    assert bar.preview.text() == ""
    with qtbot.assertNotEmitted(bar.go):
        qtbot.keyClick(bar.edit, K.Key_Return)
    assert bar.isVisible()


def test_esc_closes(qtbot: QtBot, bar: GotoBar) -> None:
    with qtbot.waitSignal(bar.closed):
        qtbot.keyClick(bar.edit, K.Key_Escape)
    assert not bar.isVisible()


def test_up_and_down_bring_earlier_ones_once_each(qtbot: QtBot, bar: GotoBar) -> None:
    for text in ("1", "2", "1", "3", "0xbad bad"):
        bar.open(0, SIZE, None)
        bar.edit.setText(text)
        qtbot.keyClick(bar.edit, K.Key_Return)
    bar.open(0, SIZE, None)
    seen = []
    for _ in range(4):
        qtbot.keyClick(bar.edit, K.Key_Up)
        seen.append(bar.edit.text())
    assert seen == ["3", "1", "2", "2"]
    qtbot.keyClick(bar.edit, K.Key_Down)
    assert bar.edit.text() == "1"
