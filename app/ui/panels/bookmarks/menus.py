"""The menus about bookmarks: of a row, of the panel, and what the bytes' own menu offers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from ....core.annotations.bookmark import DIGITS, Bookmark
from ...action import Offer

if TYPE_CHECKING:
    from .panel import BookmarksPanel

_MOST_OFFERED: Final = 3


def byte_offers(panel: BookmarksPanel, start: int, length: int) -> Iterable[Offer]:
    """For the context menu of the bytes."""
    yield Offer("Bookmark here", panel.bookmark_here, "Ctrl+B")
    here = [m for m in panel.store.marks if m.start < start + length and start < m.end]
    for mark in here[:_MOST_OFFERED]:
        yield Offer(f"Edit bookmark “{mark.title}”", partial(panel.edit_mark, mark))
        yield Offer(f"Remove bookmark “{mark.title}”", partial(panel.remove, [mark]))


def more_menu(panel: BookmarksPanel) -> QMenu:
    """What is needed seldom."""
    menu = QMenu(panel)
    for text, call in (
        ("Undo\tCtrl+Z", panel.undo),
        ("Redo\tCtrl+Y", panel.redo),
        ("Import…", panel.import_file),
        ("Export…", panel.export_file),
    ):
        menu.addAction(text).triggered.connect(lambda _on=False, call=call: call())
    return menu


def row_menu(panel: BookmarksPanel, mark: Bookmark) -> QMenu:
    """What can be done with a row."""
    menu = QMenu(panel)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for text, call in (
        ("Go to\tEnter", panel.go_to_chosen),
        ("Edit\tF2", panel.edit_current),
        ("Remove\tDel", panel.remove_chosen),
        ("Freeze value", partial(panel.freeze, mark)),
    ):
        menu.addAction(text).triggered.connect(lambda _on=False, call=call: call())
    keys = menu.addMenu("Key")
    for digit in (*DIGITS, None):
        action = keys.addAction("None" if digit is None else f"Ctrl+{digit}")
        action.setCheckable(True)
        action.setChecked(mark.digit == digit)
        action.triggered.connect(lambda _on=False, to=digit: panel.give_digit(mark, to))
    return menu
