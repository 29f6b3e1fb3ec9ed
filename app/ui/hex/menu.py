"""The context menu of the hex view: what fits the place that was clicked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup, QGuiApplication
from PySide6.QtWidgets import QMenu

from ...core.values.export_formats import FORMS
from ...core.values.units import format_short_offset
from .keys import GROUPS, MENU_COLUMNS
from .paint.geometry import Part

if TYPE_CHECKING:
    from .widget import HexView


def copy_as_menu(view: HexView, parent: QMenu | None = None) -> QMenu:
    """All forms that bytes can be copied in."""
    menu = QMenu("Copy as", parent or view)
    for form in FORMS:
        menu.addAction(form).triggered.connect(partial(_copy, view, form))
    return menu


def _copy(view: HexView, form: str, _checked: bool = False) -> None:
    view.copy_wanted.emit(form)


def context_menu(view: HexView, part: Part | None) -> QMenu:
    """The menu for a place; `part` is None on the header and beside the bytes."""
    menu = QMenu(view)
    if view.surface.size > 0 and part is not None:
        if part is Part.ADDRESS:
            _add_offset(view, menu)
        _add_bytes(view, menu)
    _add_layout(view, menu)
    return menu


def _add(menu: QMenu, text: str, key: str, slot: Callable[[], object]) -> QAction:
    action = menu.addAction(f"{text}\t{key}" if key else text)
    action.triggered.connect(lambda _checked=False: slot())
    return action


def _add_offset(view: HexView, menu: QMenu) -> None:
    start = format_short_offset(view.surface.selection.start)
    _add(menu, f"Copy offset {start}", "", lambda: QGuiApplication.clipboard().setText(start))
    menu.addSeparator()


def _add_bytes(view: HexView, menu: QMenu) -> None:
    selected = view.surface.selection.length > 0
    _add(menu, "Copy", "Ctrl+C", view.copy)
    menu.addMenu(copy_as_menu(view, menu))
    _add(menu, "Paste over", "Ctrl+V", view.paste)
    fill = _add(menu, "Fill selection…", "Ctrl+I", view.fill_wanted.emit)
    fill.setEnabled(selected)
    menu.addSeparator()
    _add(menu, "Select all", "Ctrl+A", view.select_all)
    _add(menu, "Go to offset…", "Ctrl+G", view.goto_requested.emit)
    _add(menu, "Next changed byte", "F6", lambda: view.next_change_wanted.emit(False))
    _add(menu, "Previous changed byte", "Shift+F6", lambda: view.next_change_wanted.emit(True))
    menu.addSeparator()


def _add_layout(view: HexView, menu: QMenu) -> None:
    options = view.surface.options
    columns = menu.addMenu("Bytes in a row")
    choices = sorted({*MENU_COLUMNS, *([options.columns] if options.columns else [])})
    fits = f"Fit width ({view.surface.grid.columns})" if not options.columns else "Fit width"
    _choice(
        columns, [(0, fits), *((c, str(c)) for c in choices)], options.columns, view.set_columns
    )
    group = menu.addMenu("Group bytes")
    words = {1: "Single bytes", 2: "By 2", 4: "By 4", 8: "By 8"}
    _choice(group, [(g, f"{words[g]}\tCtrl+{g}") for g in GROUPS], options.group, view.set_group)


def _choice(
    menu: QMenu, choices: list[tuple[int, str]], now: int, slot: Callable[[int], None]
) -> None:
    group = QActionGroup(menu)
    for value, text in choices:
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setChecked(value == now)
        action.triggered.connect(partial(_choose, slot, value))
        group.addAction(action)


def _choose(slot: Callable[[int], None], value: int, _checked: bool = False) -> None:
    slot(value)
