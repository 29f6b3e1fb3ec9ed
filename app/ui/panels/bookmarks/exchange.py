"""Bookmarks to a file that a person chooses, and out of one."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog, QWidget

from ....core.annotations.bookmark import MOST, Put
from ....core.annotations.bookmark_file import read_file, to_text
from ....core.errors import ScopeError
from ....core.region.region import RegionInfo
from ....core.storage.atomic_file import write_text
from ....core.watch.frame import Level
from ...session.notice import Notice
from ...style.save_dialog import ask_where
from .store import BookmarkStore, region_key

_FORMS = "Bookmarks (*.json)"
_KEY = "bookmark"


def export_marks(parent: QWidget, store: BookmarkStore, info: RegionInfo) -> Notice | None:
    """Write all of them; what became of it, None when it was called off."""
    path = ask_where(parent, "Export bookmarks", f"{info.name}-bookmarks", _FORMS)
    if path is None:
        return None
    try:
        write_text(path, to_text(region_key(info), store.marks), wait_s=0)
    except ScopeError as error:
        return Notice(Level.WARNING, error.message, error.hint, key=_KEY)
    return Notice(Level.GOOD, f"Exported {_count(len(store.marks))} to {path}.", key=_KEY)


def import_marks(parent: QWidget, store: BookmarkStore) -> Notice | None:
    """Take those of a file over, in one step of the undo; as export_marks."""
    path, _form = QFileDialog.getOpenFileName(parent, "Import bookmarks", "", _FORMS)
    if not path:
        return None
    try:
        content = read_file(path)
    except ScopeError as error:
        return Notice(Level.WARNING, error.message, error.hint, key=_KEY)
    keys = {mark.key for mark in store.marks}
    if len(keys | {mark.key for mark in content.marks}) > MOST:
        text = f"With those of {path} there would be more than {MOST} bookmarks."
        return Notice(Level.WARNING, text, "Nothing was taken from it.", key=_KEY)
    store.change([Put(mark) for mark in content.marks], f"the import of {path}")
    text = f"Imported {_count(len(content.marks))} from {path}."
    if content.left_out:
        left = f"{len(content.left_out)} left out. {content.why()}"
        return Notice(Level.WARNING, text, left, key=_KEY)
    return Notice(Level.GOOD, text, "Ctrl+Z in the list takes that back.", key=_KEY)


def _count(number: int) -> str:
    return "1 bookmark" if number == 1 else f"{number} bookmarks"
