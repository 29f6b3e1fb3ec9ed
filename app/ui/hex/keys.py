"""Which key does what in the hex view: one table, and the arithmetic of moving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from .paint.geometry import BLOCK, Grid
from .paint.surface import Options

_Key = Qt.Key
_COLUMNS: Final = (4, 8, 16, 24, 32, 48, 64, 96, 128, 256, 512)
GROUPS: Final = (1, 2, 4, 8)
MENU_COLUMNS: Final = (8, 16, 24, 32, 48, 64)
ZOOM_LIMITS: Final = (0.5, 4.0)

# Key text to the name of a command of the view. Some are window shortcuts as well: those reach
# the view only where no window claims them.
COMMANDS: Final[dict[str, str]] = {
    "Ctrl+C": "copy",
    "Ctrl+Ins": "copy",
    "Ctrl+Shift+C": "copy_as",
    "Ctrl+V": "paste",
    "Shift+Ins": "paste",
    "Ctrl+A": "select_all",
    "Ctrl+Z": "undo",
    "Ctrl+Y": "redo",
    "Ctrl+Shift+Z": "redo",
    "Ctrl+G": "goto",
    "F6": "next_change",
    "Shift+F6": "previous_change",
    "Ctrl+=": "zoom_in",
    "Ctrl++": "zoom_in",
    "Ctrl+-": "zoom_out",
    "Ctrl+0": "zoom_reset",
    "Ctrl+]": "more_columns",
    "Ctrl+[": "fewer_columns",
    "Ctrl+\\": "fit_columns",
    "Ctrl+1": "group_1",
    "Ctrl+2": "group_2",
    "Ctrl+4": "group_4",
    "Ctrl+8": "group_8",
    "Ctrl+Up": "scroll_up",
    "Ctrl+Down": "scroll_down",
    "Esc": "escape",
    "Backspace": "back",
    "Del": "delete",
}


def command_of(combination: QKeyCombination) -> str | None:
    """The command of a key, None when it has none."""
    keypad = Qt.KeyboardModifier.KeypadModifier
    plain = QKeyCombination(combination.keyboardModifiers() & ~keypad, combination.key())
    return COMMANDS.get(QKeySequence(plain).toString())


@dataclass(frozen=True, slots=True)
class Place:
    """What moving depends on: the cursor, the layout, and how many rows a page has."""

    cursor: int
    grid: Grid
    page: int


def moved(place: Place, key: int, *, ctrl: bool) -> int | None:
    """Where a key moves the cursor to, clamped to the region; None when it is no such key.

    Up and down keep the column: where there is no row, the cursor stays.
    """
    target = _target(place, Qt.Key(key), ctrl)
    if target is None:
        return None
    last = max(0, place.grid.size - 1)
    return min(max(0, target), last)


def _target(place: Place, key: Qt.Key, ctrl: bool) -> int | None:
    cursor, columns = place.cursor, place.grid.columns
    step = max(place.grid.group, BLOCK if place.grid.group == 1 else 1)
    row = cursor - cursor % columns
    match key:
        case _Key.Key_Left:
            return (cursor - 1) // step * step if ctrl else cursor - 1
        case _Key.Key_Right:
            return cursor // step * step + step if ctrl else cursor + 1
        case _Key.Key_Home:
            return 0 if ctrl else row
        case _Key.Key_End:
            return place.grid.size - 1 if ctrl else row + columns - 1
        case _Key.Key_Up | _Key.Key_Down | _Key.Key_PageUp | _Key.Key_PageDown:
            return None if ctrl else _by_rows(place, key)
    return None


def _by_rows(place: Place, key: Qt.Key) -> int:
    size, columns = place.grid.size, place.grid.columns
    page = key in (_Key.Key_PageUp, _Key.Key_PageDown)
    rows = place.page if page else 1
    if key in (_Key.Key_Up, _Key.Key_PageUp):
        rows = -min(rows, place.cursor // columns)
    else:
        rows = min(rows, max(0, size - 1 - place.cursor) // columns)
    return place.cursor + rows * columns


def next_columns(options: Options, shown: int, step: int) -> int:
    """The next larger (step 1) or smaller (-1) number of columns in the table."""
    allowed = [columns for columns in _COLUMNS if columns % options.group == 0]
    wanted = [c for c in allowed if (c > shown if step > 0 else c < shown)]
    return (wanted[0] if step > 0 else wanted[-1]) if wanted else shown


def zoomed(options: Options, steps: int) -> float:
    """The zoom after some steps of a tenth."""
    low, high = ZOOM_LIMITS
    return min(high, max(low, round(options.zoom * 1.1**steps, 3)))
