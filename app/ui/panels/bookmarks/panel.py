"""Bookmarks: named ranges with living values, to go to, edit in place, filter, exchange."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic_ns
from typing import Any, Final

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtWidgets import QAbstractItemView, QWidget

from ....core.annotations.bookmark import (
    MOST,
    Bookmark,
    Put,
    Remove,
    kind_for,
    led_here,
    new_key,
)
from ....core.errors import ScopeError
from ....core.region.region import RegionInfo
from ....core.values.units import format_short_offset
from ....core.values.value_types import type_named
from ....core.watch.frame import Health, Level
from ...action import Action, Gesture, bind_keys
from ...hex.decorations.decorations import Depth, Layer
from ...panel import About, Panel, PanelHost
from ...session.notice import Notice
from ...session.session import Session
from ...style.theme import Theme
from .actions import bookmark_actions, bookmark_gestures
from .editing import BookmarkEditor, edited
from .exchange import export_marks, import_marks
from .layout import BookmarkLayout
from .live_values import MOST as MOST_READ
from .live_values import LiveValues
from .menus import byte_offers, more_menu, row_menu
from .model import BookmarkModel, Column, is_typed, passes
from .ranges import bookmark_ranges
from .store import BookmarkStore

_NOTICE: Final = "bookmark"  # of notices about bookmarks
_MOST_CHOSEN: Final = 1000  # rows that stay chosen when others come or go


class BookmarksPanel(Panel):
    """The panel: a filter and a pace above the table, what can be done beside them."""

    about = About(
        "bookmarks",
        "Bookmarks",
        Qt.DockWidgetArea.BottomDockWidgetArea,
        ("edit", "watch"),
        ("Alt+B",),
        "bookmark",
        "Named ranges with their living values, and notes",
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._host: PanelHost | None = None
        self._layer: Layer | None = None
        self._size = self._cursor = 0
        self._selection = (0, 0)
        self._committing = self._stale_rows = False
        self.store = BookmarkStore(self)
        self.values = LiveValues(self._in_sight, self)
        self.model = BookmarkModel(self.values.value)
        self.parts = BookmarkLayout(self, self.model)
        self.table = self.parts.table
        self.editor = BookmarkEditor(self.model, self.commit, self.parts.problem.hide, self)
        self.table.setItemDelegate(self.editor)
        self.editor.closeEditor.connect(self._edit_ended)
        self.store.changed.connect(self._marks_changed)
        self.store.problem.connect(self._tell_problem)
        self.values.shown.connect(lambda: self.model.show_values(monotonic_ns()))
        self._connect_parts()
        self._actions = bookmark_actions(self)
        bind_keys(self.table, [one for one in self._actions if one.scope == self.about.title])
        self._refresh()

    def _connect_parts(self) -> None:
        parts, table = self.parts, self.table
        parts.filter.textChanged.connect(lambda _text: self._refresh())
        parts.pace.chosen.connect(self._set_pace)
        parts.reset.clicked.connect(self.values.reset)
        parts.add.clicked.connect(self.bookmark_here)
        parts.remove.clicked.connect(self.remove_chosen)
        parts.more.setMenu(more_menu(self))
        table.doubleClicked.connect(self._double_clicked)
        table.customContextMenuRequested.connect(self._popup_menu)
        table.selectionModel().selectionChanged.connect(lambda *_: self._fit_buttons())

    def attach(self, host: PanelHost) -> None:
        self._host = host
        self._layer = host.decorations.layer("bookmarks", Depth.NOTE)
        host.cursor_moved.connect(self._set_cursor)
        host.selection_changed.connect(self._set_selection)
        host.byte_offers.append(partial(byte_offers, self))
        host.takes_bookmarks = True
        host.bookmarks_wanted.connect(self.add_ranges)

    def own_actions(self) -> tuple[Action, ...]:
        return self._actions

    def own_gestures(self) -> tuple[Gesture, ...]:
        return bookmark_gestures(self.about.title)

    # -- the region ------------------------------------------------------------------------------

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        super().set_session(session)
        self._size = 0
        self.store.open(None)
        self.values.set_session(session)
        if session is not None and session.info is not None:
            self._opened(session.info)
        self._refresh()

    def listen(self, session: Session) -> None:
        session.opened.connect(self._opened)
        session.health_changed.connect(self._health)

    def _opened(self, info: RegionInfo) -> None:
        self._size = info.size
        self.store.open(info)

    def _health(self, health: Health) -> None:
        """Values of a region that is gone are grey."""
        self.model.stale = health.level is Level.FAULT
        self.table.viewport().update()

    def _set_cursor(self, offset: int) -> None:
        self._cursor = offset

    def _set_selection(self, start: int, length: int) -> None:
        self._selection = (start, length)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.model.set_theme(theme)
        self.parts.set_theme(theme)

    def shown(self, visible: bool) -> None:
        """Values are read while somebody can see them."""
        self.values.set_running(on=visible)

    # -- what it shows ---------------------------------------------------------------------------

    def _marks_changed(self) -> None:
        marks = self.store.marks
        self.values.keep(marks)
        if self._layer is not None:
            self._layer.replace(bookmark_ranges(marks, self._size))
        if self._host is not None:
            named = (mark for mark in marks if mark.name or mark.digit is not None)
            self._host.places_named.emit({mark.title: mark.start for mark in named})
        editing = self.table.state() == QAbstractItemView.State.EditingState
        if editing and not self._committing:
            self._stale_rows = True  # what is being typed stays
        else:
            self._refresh()

    def _edit_ended(self, *_: object) -> None:
        if self._stale_rows:
            self._refresh()

    def _refresh(self) -> None:
        """The rows that pass the filter; what was chosen stays chosen."""
        self._stale_rows = False
        chosen = {mark.key for mark in self.chosen()}
        current = self.current()
        words = self.parts.filter.text().lower().split()
        marks = self.store.marks
        shown = [mark for mark in marks if passes(mark, words)]
        if self.model.show(shown):
            self._choose(chosen, current.key if current is not None else "")
        self.parts.count(len(shown), len(marks), open_region=self._session is not None)
        # A hidden table takes no focus, and Tab would stop before it.
        self.setFocusProxy(self.table if shown else self.parts.filter)
        self._fit_buttons()

    def _choose(self, keys: Iterable[str], current: str) -> None:
        model = self.table.selectionModel()
        flag = model.SelectionFlag
        row = self.model.row_of(current)
        if row >= 0:
            index = self.model.index(row, Column.NAME)
            model.setCurrentIndex(index, flag.NoUpdate)
        rows = {mark.key: row for row, mark in enumerate(self.model.marks)}
        for row in [rows[key] for key in keys if key in rows][:_MOST_CHOSEN]:
            model.select(self.model.index(row, 0), flag.Select | flag.Rows)

    def _fit_buttons(self) -> None:
        self.parts.remove.setEnabled(self.table.selectionModel().hasSelection())
        self.parts.add.setEnabled(self._size > 0)

    def _in_sight(self) -> Sequence[Bookmark]:
        first = max(0, self.table.rowAt(0))
        last = self.table.rowAt(self.table.viewport().height() - 1)
        end = len(self.model.marks) if last < 0 else last + 1
        return self.model.marks[first : min(end, first + MOST_READ)]

    def _set_pace(self, pace: Any) -> None:
        self.values.set_pace(pace)
        self.model.pace = pace
        self.model.headerDataChanged.emit(
            Qt.Orientation.Horizontal, int(Column.VALUE), int(Column.VALUE)
        )

    def current(self) -> Bookmark | None:
        """The bookmark of the current row."""
        index = self.table.currentIndex()
        return self.model.marks[index.row()] if index.isValid() else None

    def chosen(self) -> list[Bookmark]:
        """The bookmarks of the rows that are chosen."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.marks[row] for row in rows if row < len(self.model.marks)]

    def _tell(self, level: Level, text: str, hint: str = "") -> None:
        if self._host is not None:
            self._host.notice.emit(Notice(level, text, hint, key=_NOTICE))

    def _tell_problem(self, text: str) -> None:
        self._tell(Level.WARNING, text)

    # -- going -------------------------------------------------------------------------------------

    def go_to_chosen(self) -> None:
        """Go to the bookmark of the current row."""
        mark = self.current()
        if mark is not None and self._host is not None:
            self._host.goto_wanted.emit(mark.start)

    def _double_clicked(self, index: QModelIndex) -> None:
        """What is shown of a place leads to it; what was typed is edited."""
        if index.column() in (Column.OFFSET, Column.LENGTH, Column.SPAN):
            self.go_to_chosen()
        else:
            self.table.edit(index)

    def go_to_digit(self, digit: int) -> None:
        """Go to the bookmark with this digit."""
        mark = next((mark for mark in self.store.marks if mark.digit == digit), None)
        if mark is not None and self._host is not None:
            self._host.goto_wanted.emit(mark.start)
        elif self._size > 0:
            text = f"There is no bookmark {digit}."
            self._tell(Level.GOOD, text, f"Ctrl+Shift+{digit} sets one here.")

    # -- changing ----------------------------------------------------------------------------------

    def _here(self) -> tuple[int, int]:
        """The selection, or the byte under the cursor."""
        start, length = self._selection
        return (start, length) if length else (self._cursor, 1)

    def _may_add(self) -> bool:
        if self._size <= 0:
            return False
        if len(self.store.marks) >= MOST:
            self._tell(Level.WARNING, f"A region has at most {MOST} bookmarks.", "Remove some.")
            return False
        return True

    def bookmark_here(self) -> None:
        """A bookmark for the selection or the byte under the cursor; its name is typed next."""
        if not self._may_add():
            return
        start, length = self._here()
        mark = Bookmark(new_key(), start, length, kind=kind_for(length))
        self.store.change([Put(mark)], f"the bookmark at {format_short_offset(start)}")
        self.edit_mark(mark)

    def add_ranges(self, ranges: Sequence[tuple[int, int, str]]) -> None:
        """Bookmarks for these starts, lengths and names, as many as a region may have."""
        if not ranges or not self._may_add():
            return
        marks = [
            Bookmark(new_key(), start, length, name, kind=kind_for(length))
            for start, length, name in ranges[: MOST - len(self.store.marks)]
        ]
        what = "1 bookmark" if len(marks) == 1 else f"{len(marks)} bookmarks"
        self.store.change([Put(mark) for mark in marks], what)
        rest = len(ranges) - len(marks)
        left_out = f" {rest} more are above the limit of {MOST}." if rest else ""
        self._tell(Level.WARNING if rest else Level.GOOD, f"Added {what}.{left_out}", "")

    def edit_mark(self, mark: Bookmark) -> None:
        """Bring a bookmark to the front and edit its name."""
        if not passes(mark, self.parts.filter.text().lower().split()):
            self.parts.filter.clear()
        self.front_wanted.emit()
        index = self.model.index(self.model.row_of(mark.key), Column.NAME)
        self.table.setCurrentIndex(index)
        self.table.scrollTo(index)
        self.table.setFocus()
        self.table.edit(index)

    def set_digit(self, digit: int) -> None:
        """Let a digit lead here, as led_here says."""
        mark = led_here(self.store.marks, digit, *self._here())
        is_new = all(mark.key != known.key for known in self.store.marks)
        if self._size > 0 and (not is_new or self._may_add()):
            self.store.change([Put(mark)], f"the key of bookmark {digit}")
            where = format_short_offset(mark.start)
            self._tell(Level.GOOD, f"Bookmark {digit} is at {where}.", f"Ctrl+{digit} goes there.")

    def give_digit(self, mark: Bookmark, digit: int | None) -> None:
        """Let a digit lead to a bookmark, or none."""
        self.store.change([Put(replace(mark, digit=digit))], f"the key of {mark.title}")

    def remove(self, marks: Sequence[Bookmark]) -> None:
        """Remove bookmarks; undo brings them back."""
        if marks:
            what = f"“{marks[0].title}”" if len(marks) == 1 else f"{len(marks)} bookmarks"
            self.store.change([Remove(mark.key) for mark in marks], f"the removal of {what}")
            self._tell(Level.GOOD, f"Removed {what}.", "Ctrl+Z in the list undoes that.")

    def remove_chosen(self) -> None:
        """Remove what is chosen."""
        row = self.table.currentIndex().row()
        self.remove(self.chosen())
        if self.model.marks:
            self.table.selectRow(min(max(0, row), len(self.model.marks) - 1))

    def undo(self) -> None:
        """Take the last change of the bookmarks back."""
        what = self.store.undo()
        self._tell(Level.GOOD, f"Took back {what}." if what else "There is nothing to undo here.")

    def redo(self) -> None:
        """Make it again."""
        what = self.store.redo()
        self._tell(Level.GOOD, f"Made again: {what}." if what else "There is nothing to redo here.")

    def commit(self, row: int, column: int, text: str) -> bool:
        """Take what was typed; False when it was refused."""
        mark = self.model.marks[row]
        try:
            if column == Column.VALUE:
                return self._write_value(mark, text)
            after = edited(mark, Column(column), text, cursor=self._cursor, size=self._size)
        except ScopeError as error:
            self.parts.complain(str(error))
            return False
        self.parts.problem.hide()
        if after != mark:
            self._committing = True
            try:
                self.store.change([Put(after)], f"the change of {mark.title}")
            finally:
                self._committing = False
        return True

    def _write_value(self, mark: Bookmark, text: str) -> bool:
        """Write a typed value over what was shown. Raises ScopeError for what is no value."""
        value = self.values.value(mark)
        if value is None or not is_typed(mark.kind) or text == mark.value(value.shown_data):
            self.parts.problem.hide()
            return True
        data = type_named(mark.kind).encode(text, mark.endian)
        seen = value.shown_data[: len(data)]
        if len(seen) < len(data):
            self.parts.complain("There is no room for it before the end of the region.")
            return False
        self.parts.problem.hide()
        session, host = self._session, self._host
        if session is None or host is None:
            return False
        if session.locked:
            host.unlock_wanted.emit()
            return False
        host.write_wanted.emit(mark.start, data, seen, f"bookmark {mark.title}")
        return True

    def _popup_menu(self, place: QPoint) -> None:
        mark = self.current()
        if mark is not None and self.chosen():
            row_menu(self, mark).popup(self.table.viewport().mapToGlobal(place))

    def freeze(self, mark: Bookmark) -> None:
        """Hold a bookmark's value as it is shown."""
        value = self.values.value(mark)
        if value is not None and value.shown_data and self._host is not None:
            size = mark.length
            if is_typed(mark.kind):
                size = type_named(mark.kind).size or mark.length
            data = value.shown_data[:size]
            name = f"{mark.title} {mark.value(data)}"
            self._host.freeze_wanted.emit(mark.start, data, name)

    def edit_current(self) -> None:
        """Edit the current cell; one that cannot be edited leads to the name."""
        index = self.table.currentIndex()
        if index.isValid():
            can = self.model.flags(index) & Qt.ItemFlag.ItemIsEditable
            self.table.edit(index if can else index.siblingAtColumn(Column.NAME))

    # -- files -------------------------------------------------------------------------------------

    def import_file(self) -> None:
        """Take bookmarks out of a file that a person chooses."""
        notice = import_marks(self, self.store)
        if notice is not None and self._host is not None:
            self._host.notice.emit(notice)

    def export_file(self) -> None:
        """Write all bookmarks into a file that a person chooses."""
        info = self._session.info if self._session is not None else None
        if info is not None:
            notice = export_marks(self, self.store, info)
            if notice is not None and self._host is not None:
                self._host.notice.emit(notice)

    # -- settings ----------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """For the settings."""
        return {"pace": self.parts.pace.pace.value, "columns": self.parts.widths()}

    def restore(self, state: dict[str, Any]) -> None:
        """From the settings; anything odd is ignored."""
        self.parts.pace.choose(state.get("pace"))
        self.parts.set_widths(state.get("columns"))
