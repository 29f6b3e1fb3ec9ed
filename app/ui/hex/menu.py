"""The context menu of the hex view: what fits the place that was clicked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from ...core.values.export_formats import FORMS, address_text
from ...core.values.units import format_short_offset
from . import clipboard
from .columns_menu import columns_menu, encodings_menu
from .emphasis_menu import emphasis_menu
from .keys import GROUPS, MENU_COLUMNS
from .paint.geometry import Part

if TYPE_CHECKING:
    from .widget import HexView


def copy_as_menu(view: HexView, parent: QMenu | None = None) -> QMenu:
    """All forms that bytes can be copied in."""
    menu = QMenu("Copy as", parent or view)
    for form in FORMS:
        menu.addAction(form).triggered.connect(partial(_copy, view, form))
    menu.addSeparator()
    menu.addAction("address").triggered.connect(lambda _checked=False: copy_address(view))
    return menu


def copy_address(view: HexView) -> None:
    """Where the selection lies, or the cursor, as *Select range* and *Go to* read it."""
    clipboard.put_address(address_text(view.selected_block()))


def _copy(view: HexView, form: str, _checked: bool = False) -> None:
    view.copy_wanted.emit(form)


def context_menu(view: HexView, part: Part | None) -> QMenu:
    """The menu for a place; `part` is None on the header and beside the bytes."""
    menu = QMenu(view)
    if view.surface.size > 0 and part is not None:
        if part is Part.ADDRESS:
            _add_offset(view, menu)
        _add_bytes(view, menu)
        _add_offers(view, menu)
    _add_layout(view, menu)
    return menu


def _add(menu: QMenu, text: str, key: str, slot: Callable[[], object]) -> QAction:
    action = menu.addAction(f"{text}\t{key}" if key else text)
    action.triggered.connect(lambda _checked=False: slot())
    return action


def _add_offset(view: HexView, menu: QMenu) -> None:
    start = format_short_offset(view.surface.selection.start)
    _add(menu, f"Copy offset {start}", "", lambda: clipboard.put_address(start))
    menu.addSeparator()


def _add_bytes(view: HexView, menu: QMenu) -> None:
    selected = view.surface.selection.length > 0
    _add(menu, "Copy", view.key_of("copy"), view.copy)
    menu.addMenu(copy_as_menu(view, menu))
    _add(menu, "Paste over", view.key_of("paste"), view.paste)
    fill = _add(menu, "Fill selection…", view.key_of("fill"), view.fill_wanted.emit)
    fill.setEnabled(selected)
    menu.addSeparator()
    _add(menu, "Begin selection here", view.key_of("begin_selection"), view.begin_selection)
    _add(menu, "Select to here", view.key_of("end_selection"), view.end_selection)
    _add(menu, "Select all", view.key_of("select_all"), view.select_all)
    _add(menu, "Go to offset…", view.key_of("goto"), view.goto_requested.emit)
    _add(
        menu,
        "Next changed byte",
        view.key_of("next_change"),
        lambda: view.next_change_wanted.emit(False),
    )
    _add(
        menu,
        "Previous changed byte",
        view.key_of("previous_change"),
        lambda: view.next_change_wanted.emit(True),
    )
    menu.addSeparator()
    _add(menu, "Follow pointer", view.key_of("follow"), view.follow_wanted.emit)
    _add(menu, "Find what points here", view.key_of("pointing_here"), view.pointing_wanted.emit)
    menu.addSeparator()


def _add_offers(view: HexView, menu: QMenu) -> None:
    """What others offer for the selection, or the byte under the cursor."""
    place = view.surface.selection.span()
    for source in view.offers:
        for offer in source(*place):
            _add(menu, offer.text, offer.key, offer.call)
        if not menu.actions()[-1].isSeparator():
            menu.addSeparator()


def _add_layout(view: HexView, menu: QMenu) -> None:
    options = view.surface.options
    columns = menu.addMenu("Bytes in a row")
    choices = sorted({*MENU_COLUMNS, *([options.columns] if options.columns else [])})
    fits = f"Fit width ({view.surface.grid.columns})" if not options.columns else "Fit width"
    _choice(
        columns, [(0, fits), *((c, str(c)) for c in choices)], options.columns, view.set_columns
    )
    group = menu.addMenu(f"Group bytes\t{view.key_of('next_group')}")
    words = {1: "Single bytes", 2: "By 2", 4: "By 4", 8: "By 8"}
    _choice(
        group,
        [(g, words[g]) for g in GROUPS],
        options.group,
        view.set_group,
    )
    menu.addMenu(columns_menu(view, menu))
    menu.addMenu(encodings_menu(view, menu))
    menu.addMenu(emphasis_menu(view, menu))


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
