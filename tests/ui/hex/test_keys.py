from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from app.ui.hex.keys import COMMANDS, ZOOM_LIMITS, Place, command_of, moved, next_columns, zoomed
from app.ui.hex.paint.geometry import Grid
from app.ui.hex.paint.surface import Options

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


def test_keys_of_the_pad_count_as_well() -> None:
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.KeypadModifier
    assert command_of(QKeyCombination(modifiers, K.Key_0)) == "zoom_reset"
    assert command_of(QKeyCombination(K.Key_F7)) is None


def test_keys_are_written_as_qt_writes_them() -> None:
    for key in COMMANDS:
        assert QKeySequence(key).toString() == key


def test_every_command_is_one_of_the_view(qtbot: object) -> None:
    from app.ui.hex.widget import HexView

    view = HexView()
    view.unlock_wanted.connect(lambda: None)
    for name in sorted(set(COMMANDS.values()) - {"copy_as"}):
        view._run(name)
    view.deleteLater()


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
