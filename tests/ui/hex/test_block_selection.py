"""Rectangles and marks: by mouse and by keys, and what is drawn of them."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.values.byte_block import ByteBlock
from app.ui.hex.paint.geometry import Pane
from app.ui.hex.paint.selection import Selection
from app.ui.hex.widget import HexView
from app.ui.style.theme import DARK
from tests.ui.helpers import pixels
from tests.ui.hex.frames import frame_of

K = Qt.Key
LEFT = Qt.MouseButton.LeftButton
NO, SHIFT, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@settings(max_examples=100)
@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 199), st.integers(0, 199))
def test_a_rectangle_stays_in_the_region(size: int, stride: int, anchor: int, to: int) -> None:
    anchor = min(anchor, size - 1)
    made = Selection(anchor).moved(to, size, extend=True, stride=stride)
    block = made.block
    assert 0 <= block.start <= block.end <= size
    assert made.holds(anchor)
    assert made.holds(made.cursor)
    assert Selection.of_block(block).block == block
    columns = {at % stride for low, high in block.pieces() for at in range(low, high)}
    assert len(columns) == block.width


@pytest.fixture
def view(qtbot: QtBot) -> HexView:
    made = HexView()
    qtbot.addWidget(made)
    made.resize(760, 480)
    made.set_theme(DARK)
    made.set_columns(16)
    made.set_region(0x1008, True)
    made.set_frame(frame_of(bytes(range(256)) * 16))
    made.show()
    qtbot.waitExposed(made)
    made.setFocus()
    return made


def at(view: HexView, offset: int, pane: Pane = Pane.HEX) -> QPoint:
    center = view.surface.sheet().cell(pane, offset).center()
    return QPoint(round(center.x() / view.surface.ratio), round(center.y() / view.surface.ratio))


def test_by_mouse_and_by_keys(qtbot: QtBot, view: HexView) -> None:
    port = view.viewport()
    told: list[ByteBlock] = []
    view.block_selected.connect(told.append)
    qtbot.mousePress(port, LEFT, ALT, at(view, 0x2A))
    place = QPointF(at(view, 0x44))
    moved = QMouseEvent(  # QTest moves without modifiers
        QEvent.Type.MouseMove, place, port.mapToGlobal(place), Qt.MouseButton.NoButton, LEFT, ALT
    )
    QApplication.sendEvent(port, moved)
    qtbot.mouseRelease(port, LEFT, ALT, at(view, 0x44))
    assert view.selected_block() == ByteBlock(0x24, 7, 3, 16)
    assert view.selection() == (0x24, 0x27)
    assert told[-1] == view.selected_block()
    view.set_cursor(0x55)
    for key in (K.Key_Down, K.Key_Down, K.Key_Right, K.Key_Up):
        qtbot.keyClick(view, key, ALT | SHIFT)
    assert view.selected_block() == ByteBlock(0x55, 2, 2, 16)
    for _ in range(20):
        qtbot.keyClick(view, K.Key_Right, ALT | SHIFT)
    assert view.selected_block() == ByteBlock(0x55, 11, 2, 16), "it does not leave its rows"
    qtbot.keyClick(view, K.Key_Right, SHIFT)
    assert view.selected_block().whole, "Shift alone selects what lies between"


def test_only_its_rows_are_tinted(qtbot: QtBot, view: HexView) -> None:
    view.clearFocus()
    view.set_cursor(0x80)
    before = pixels(view.viewport())
    view.select(Selection(0x80, 0x62, 16))  # 0x60..0x82, columns 0 to 2
    changed = (pixels(view.viewport()) != before).any(axis=2)

    def differs(offset: int, pane: Pane) -> bool:
        place = at(view, offset, pane)
        return bool(changed[place.y() - 4 : place.y() + 4, place.x() - 2 : place.x() + 3].any())

    for pane in view.surface.grid.panes:
        assert differs(0x61, pane)
        assert differs(0x71, pane)
        assert not differs(0x68, pane)
        assert not differs(0x74, pane)
    sheet, block = view.surface.sheet(), view.selected_block()
    for pane in view.surface.grid.panes:  # the one rectangle is what its rows together are
        whole = sheet.outline_of(pane, block).boundingRect()
        cells = [sheet.cell(pane, at) for low, high in block.pieces() for at in range(low, high)]
        assert whole.toRect() == reduce(QRect.united, cells)
    view.set_columns(8)  # the same bytes, in rows of another length
    assert view.selected_block() == block
    assert sheet.outline_of(Pane.HEX, block).elementCount() > 0


def test_from_here_to_there(qtbot: QtBot, view: HexView) -> None:
    said: list[str] = []
    view.message.connect(said.append)
    qtbot.keyClick(view, K.Key_F8, SHIFT)
    assert "F8" in said[0]
    view.set_cursor(0x40)
    qtbot.keyClick(view, K.Key_F8)
    assert [item.label for item in view.decorations.at(0x40)] == ["begin"]
    view.set_cursor(0x900)
    qtbot.keyClick(view, K.Key_F8, SHIFT)
    assert view.selected_block() == ByteBlock(0x40, 0x8C1)
    assert not list(view.decorations.at(0x40))
    view.set_cursor(0x10)
    qtbot.keyClick(view, K.Key_F8)
    qtbot.keyClick(view, K.Key_Escape)
    assert not list(view.decorations.at(0x10))
