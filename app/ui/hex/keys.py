"""What the hex view contributes to the table of actions, and the arithmetic of moving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt

from ..action import Action, Gesture
from .paint.geometry import BLOCK, Grid, Pane
from .paint.surface import Options

if TYPE_CHECKING:
    from .widget import HexView

_Key = Qt.Key
_COLUMNS: Final = (4, 8, 16, 24, 32, 48, 64, 96, 128, 256, 512)
GROUPS: Final = (1, 2, 4, 8)
_GROUP_WORDS: Final = {
    1: "Single bytes",
    2: "Group bytes by 2",
    4: "Group bytes by 4",
    8: "Group bytes by 8",
}
_BLOCK_KEYS: Final = ("Left", "Right", "Up", "Down", "Home", "End", "PgUp", "PgDown")
MENU_COLUMNS: Final = (8, 16, 24, 32, 48, 64)
ZOOM_LIMITS: Final = (0.5, 4.0)

SCOPE: Final = "Hex view"
GESTURES: Final = (
    Gesture(SCOPE, "Shift with any of these", "Select"),
    Gesture(SCOPE, "Alt or Ctrl+Alt with dragging", "Select a rectangle"),
    Gesture(SCOPE, "0–9, A–F", "Overwrite the byte (two digits; Esc drops the first)"),
    Gesture(SCOPE, "Digits in another column", "Overwrite its value, when full or by Enter"),
    Gesture(SCOPE, "Tab", "Go to the next column"),
    Gesture(SCOPE, "Click on a column's head", "Choose the form of that column"),
    Gesture(SCOPE, "Space, Backspace in the text pane", "Type a blank, go back by a byte"),
    Gesture(SCOPE, "Double, triple click", "Select the group or word, the row"),
    Gesture(SCOPE, "Ctrl+wheel", "Zoom"),
    Gesture(SCOPE, "Shift+wheel", "Scroll sideways"),
)


def actions(view: HexView) -> tuple[Action, ...]:
    """What can be done in a hex view. In a window some of it works from anywhere."""
    return (*_moving(view), *_editing(view), *_going(view), *_looking(view))


def _moving(view: HexView) -> tuple[Action, ...]:
    def move(name: str, keys: tuple[str, ...], text: str) -> Action:
        return Action(name, text, keys, view.move_by_key, SCOPE, by_key=True)

    return (
        move("move", ("Left", "Right", "Up", "Down", "PgUp", "PgDown"), "Move the cursor"),
        move("move_in_row", ("Home", "End"), "First, last byte of the row"),
        move("move_to_end", ("Ctrl+Home", "Ctrl+End"), "First, last byte of the region"),
        move("move_by_group", ("Ctrl+Left", "Ctrl+Right"), "Go by groups"),
        Action(
            "select_block",
            "Select a rectangle",
            tuple(f"Alt+Shift+{key}" for key in _BLOCK_KEYS),
            view.extend_block,
            SCOPE,
            by_key=True,
        ),
    )


def _editing(view: HexView) -> tuple[Action, ...]:
    """These keys have another meaning in a line of text, which keeps it."""

    def edit(
        name: str, text: str, keys: tuple[str, ...], call: Callable[[], object], hint: str = ""
    ) -> Action:
        icon = name if name in ("undo", "redo") else ""
        return Action(name, text, keys, call, SCOPE, "Edit", 1, hint, icon, needs_session=True)

    return (
        edit(
            "undo",
            "Undo write",
            ("Ctrl+Z",),
            view.undo,
            "Put the bytes back that your last write replaced",
        ),
        edit(
            "redo",
            "Redo write",
            ("Ctrl+Y", "Ctrl+Shift+Z"),
            view.redo,
            "Do the write again that was undone",
        ),
        edit("copy", "Copy", ("Ctrl+C", "Ctrl+Ins"), view.copy),
        Action(
            "copy_as",
            "Copy as…",
            ("Ctrl+Shift+C",),
            view.popup_copy_as,
            SCOPE,
            "Edit",
            1,
            needs_session=True,
        ),
        edit("paste", "Paste over", ("Ctrl+V", "Shift+Ins"), view.paste),
        edit("select_all", "Select all", ("Ctrl+A",), view.select_all),
        edit(
            "begin_selection",
            "Begin selection here",
            ("F8",),
            view.begin_selection,
            "Go anywhere then, and select to there with Shift+F8",
        ),
        edit("end_selection", "Select to here", ("Shift+F8",), view.end_selection),
        Action(
            "fill",
            "Fill…",
            ("Ctrl+I",),
            view.fill_wanted.emit,
            group="Edit",
            section=2,
            hint="Fill the selection with a pattern",
            needs_session=True,
        ),
        Action(
            "escape",
            "Drop the first digit, the message, or the selection",
            ("Esc",),
            view.escape,
            SCOPE,
        ),
        Action(
            "step_back",
            "Come back from a followed pointer, else go back by a byte",
            ("Backspace",),
            view.step_back,
            SCOPE,
        ),
        Action(
            "commit", "Write the value typed so far", ("Return", "Enter"), view.editor.commit, SCOPE
        ),
        Action("insert", "Say why nothing can be inserted", ("Ins",), view.editor.insert, SCOPE),
        Action("delete", "Say why nothing can be deleted", ("Del",), view.editor.delete, SCOPE),
    )


def _going(view: HexView) -> tuple[Action, ...]:
    def change(name: str, text: str, key: str, *, back: bool, hint: str = "") -> Action:
        call = partial(view.next_change_wanted.emit, back)
        return Action(name, text, (key,), call, group="Go", hint=hint, needs_session=True)

    return (
        Action(
            "goto",
            "Go to offset…",
            ("Ctrl+G",),
            view.goto_requested.emit,
            group="Go",
            hint="0x40, 64, +16, or an expression",
            icon="goto",
            needs_session=True,
        ),
        change(
            "next_change",
            "Next changed byte",
            "F6",
            back=False,
            hint="Find what the other side writes",
        ),
        change("previous_change", "Previous changed byte", "Shift+F6", back=True),
        Action(
            "follow",
            "Follow the pointer under the cursor",
            ("Space",),
            view.follow_wanted.emit,
            SCOPE,
            "Go",
            6,
            "A number that stands here leads on; in the text column Space is typed",
            needs_session=True,
        ),
        Action(
            "pointing_here",
            "Find what points here",
            ("Shift+Space",),
            view.pointing_wanted.emit,
            SCOPE,
            "Go",
            6,
            "All places that hold this offset",
            needs_session=True,
        ),
    )


def _looking(view: HexView) -> tuple[Action, ...]:
    def zoom(name: str, text: str, keys: tuple[str, ...], call: Callable[[], object]) -> Action:
        return Action(name, text, keys, call, group="View", section=3)

    def local(name: str, text: str, key: str, call: Callable[[], object]) -> Action:
        return Action(name, text, (key,), call, SCOPE)

    def columns(name: str, text: str, key: str, call: Callable[[], object], hint: str) -> Action:
        return Action(name, text, (key,), call, SCOPE, "View", 3, hint=hint, needs_session=True)

    return (
        zoom("zoom_in", "Larger bytes", ("Ctrl+=", "Ctrl++"), view.zoom_in),
        zoom("zoom_out", "Smaller bytes", ("Ctrl+-",), view.zoom_out),
        zoom("zoom_reset", "Normal size", ("Alt+0",), view.zoom_reset),
        local("fewer_columns", "Fewer bytes in a row", "Ctrl+[", partial(view.step_columns, -1)),
        local("more_columns", "More bytes in a row", "Ctrl+]", partial(view.step_columns, 1)),
        local(
            "fit_columns",
            "Fit the bytes in a row to the width",
            "Ctrl+\\",
            partial(view.set_columns, 0),
        ),
        local("next_group", "Group bytes by 1, 2, 4, 8 in turn", "Ctrl+Shift+G", view.next_group),
        *(
            Action(f"group_{size}", _GROUP_WORDS[size], (), partial(view.set_group, size), SCOPE)
            for size in GROUPS
        ),
        columns(
            "columns",
            "Columns of the hex view…",
            "Ctrl+Shift+K",
            view.popup_columns,
            "Hex, decimal, binary or float of 1, 2, 4 or 8 bytes; several beside each other",
        ),
        columns(
            "text_column",
            "Encoding of the text column…",
            "Ctrl+Shift+T",
            view.popup_encodings,
            "ASCII, UTF-8, UTF-16, Latin-1, CP437, EBCDIC or Shift-JIS",
        ),
        columns(
            "emphasis",
            "Emphasis of bytes…",
            "Ctrl+Shift+H",
            view.popup_emphasis,
            "Classes of values, a rule, what does not change, how long a change glows",
        ),
        columns(
            "mark_rule",
            "Mark bytes by a rule…",
            "Ctrl+Shift+M",
            view.rule_requested.emit,
            "By value, mask, range, or how often they change",
        ),
        local("scroll_up", "Scroll up by a row", "Ctrl+Up", partial(view.scroll_rows, -1)),
        local("scroll_down", "Scroll down by a row", "Ctrl+Down", partial(view.scroll_rows, 1)),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """What moving depends on: the cursor, the layout, how many rows a page has, and the pane."""

    cursor: int
    grid: Grid
    page: int
    pane: Pane = Pane.HEX


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
    layout = place.grid.layouts[place.pane]
    value = layout.value_start(cursor)
    match key:
        case _Key.Key_Left:
            return (cursor - 1) // step * step if ctrl else value - layout.unit
        case _Key.Key_Right:
            return cursor // step * step + step if ctrl else value + layout.unit
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
    whole = max(options.group, options.text.unit, *(form.width for form in options.forms))
    allowed = [columns for columns in _COLUMNS if columns % whole == 0]
    wanted = [c for c in allowed if (c > shown if step > 0 else c < shown)]
    return (wanted[0] if step > 0 else wanted[-1]) if wanted else shown


def zoomed(options: Options, steps: int) -> float:
    """The zoom after some steps of a tenth."""
    low, high = ZOOM_LIMITS
    return min(high, max(low, round(options.zoom * 1.1**steps, 3)))
