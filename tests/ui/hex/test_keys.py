from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.ui.action import KeyMap
from app.ui.hex.keys import ZOOM_LIMITS, Place, moved, next_columns, zoomed
from app.ui.hex.paint.geometry import Grid
from app.ui.hex.paint.surface import Options
from app.ui.hex.widget import HexView

K = Qt.Key
MOVES = (
    K.Key_Left,
    K.Key_Right,
    K.Key_Up,
    K.Key_Down,
    K.Key_PageUp,
    K.Key_PageDown,
    K.Key_Home,
    K.Key_End,
)


def place(cursor: int, *, size: int = 1000, columns: int = 16, group: int = 1) -> Place:
    return Place(cursor, Grid(size, columns, group, 8, 18, 8), 10)


@pytest.mark.parametrize(
    ("cursor", "key", "ctrl", "target"),
    [
        (0, K.Key_Left, False, 0),
        (5, K.Key_Left, False, 4),
        (999, K.Key_Right, False, 999),
        (5, K.Key_Right, False, 6),
        (5, K.Key_Right, True, 8),
        (9, K.Key_Left, True, 8),
        (8, K.Key_Left, True, 0),
        (5, K.Key_Up, False, 5),
        (21, K.Key_Up, False, 5),
        (21, K.Key_Down, False, 37),
        (983, K.Key_Down, False, 999),
        (984, K.Key_Down, False, 984),  # the last row is too short for this column
        (37, K.Key_PageUp, False, 5),
        (37, K.Key_PageDown, False, 197),
        (980, K.Key_PageDown, False, 996),
        (21, K.Key_Home, False, 16),
        (21, K.Key_End, False, 31),
        (995, K.Key_End, False, 999),
        (21, K.Key_Home, True, 0),
        (21, K.Key_End, True, 999),
        (21, K.Key_Up, True, None),
        (21, K.Key_A, False, None),
    ],
)
def test_where_keys_lead(cursor: int, key: Qt.Key, ctrl: bool, target: int | None) -> None:
    assert moved(place(cursor), key, ctrl=ctrl) == target


@given(
    st.integers(1, 1 << 45), st.integers(1, 512), st.sampled_from(MOVES), st.booleans(), st.data()
)
def test_no_key_leaves_the_region(
    size: int, columns: int, key: Qt.Key, ctrl: bool, data: st.DataObject
) -> None:
    cursor = data.draw(st.integers(0, size - 1))
    target = moved(place(cursor, size=size, columns=columns), key, ctrl=ctrl)
    assert target is None or 0 <= target < size
    if key in (K.Key_Up, K.Key_Down, K.Key_PageUp, K.Key_PageDown) and target is not None:
        assert target % columns == cursor % columns


@pytest.fixture
def view() -> Iterator[HexView]:
    made = HexView()
    yield made
    made.deleteLater()


def test_keys_of_the_pad_count_as_well(view: HexView) -> None:
    keys = KeyMap(view.own_actions())
    modifiers = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.KeypadModifier
    found = keys.find(QKeyCombination(modifiers, K.Key_0))
    assert found is not None
    assert found.name == "zoom_reset"
    assert keys.find(QKeyCombination(K.Key_F7)) is None


def test_shift_selects_with_the_keys_that_move_and_with_no_other(view: HexView) -> None:
    keys = KeyMap(view.own_actions())
    shift, ctrl = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
    found = keys.find(QKeyCombination(shift | ctrl, K.Key_End))
    assert found is not None
    assert found.by_key
    assert keys.find(QKeyCombination(shift, K.Key_Backspace)) is None


def test_every_listed_key_reaches_its_entry(qtbot: QtBot, view: HexView) -> None:
    """With real key events."""
    reached: list[str] = []

    def record(name: str) -> Callable[..., None]:
        return lambda *_: reached.append(name)

    entries = [replace(entry, callback=record(entry.name)) for entry in view.own_actions()]
    view._keys = KeyMap(entries)
    for entry in entries:
        for key in entry.keys:
            reached.clear()
            QTest.keySequence(view, QKeySequence(key))
            assert reached == [entry.name], key


def test_keys_are_written_as_qt_writes_them(view: HexView) -> None:
    for action in view.own_actions():
        for key in action.keys:
            assert QKeySequence(key).toString() == key


def test_everything_can_be_called_in_an_empty_view(view: HexView) -> None:
    view.unlock_wanted.connect(lambda: None)
    for action in view.own_actions():
        if action.name != "copy_as" and not action.by_key:
            action.callback()


def test_columns_step_through_whole_groups() -> None:
    assert next_columns(Options(), 16, 1) == 24
    assert next_columns(Options(), 16, -1) == 8
    assert next_columns(Options(group=8), 8, -1) == 8
    assert next_columns(Options(), 40, -1) == 32
    assert next_columns(Options(), 512, 1) == 512


def test_zoom_has_limits() -> None:
    assert zoomed(Options(), 1) == pytest.approx(1.1)
    assert zoomed(Options(), 1000) == ZOOM_LIMITS[1]
    assert zoomed(Options(), -1000) == ZOOM_LIMITS[0]
