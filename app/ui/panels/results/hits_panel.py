"""Base of the panels that list hits: the table, what can be done with its rows, and the marks."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from PySide6.QtCore import QItemSelectionModel, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ....core.engine.search_messages import ROWS, FindSummary
from ....core.errors import CancelledError, ScopeError
from ....core.search.hits import HitRow
from ....core.values.units import format_size, format_time
from ....core.watch.frame import Level
from ...action import Action, Gesture, bind_keys
from ...hex.decorations.decorations import Depth, Mark, Tint
from ...hex.decorations.many_ranges import ManyRanges
from ...panel import Panel, PanelHost
from ...session.notice import Notice
from ...session.session import Session
from ...style.elided_label import ElidedLabel
from ...style.save_dialog import ask_where
from ...style.theme import PAD, UNIT, Theme, mono_font
from .hit_model import HitModel, Shown, hex_of
from .hit_source import I64, HitSource

_MOST_COPIED: Final = 4096  # rows
_MOST_BOOKMARKS: Final = 1000
_FILTER_MS: Final = 300  # after the last letter
_FORMS: Final = "CSV (*.csv);;JSON (*.json)"


class HitsPanel(Panel):
    """A list of hits.

    Subclasses say `about`, put their own parts into `head`, and start searches of `source`.
    """

    tint = Tint.OLIVE
    mark = Mark.OUTLINE
    empty_text = ""
    what = "hit"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._host: PanelHost | None = None
        self._marks: ManyRanges | None = None
        self._outcome: object = None
        self.source = HitSource(self)
        self.model = HitModel()
        self._make_table()
        self._make_bar()
        self._lay_out()
        self._connect()
        self._show_state()

    # -- putting together -------------------------------------------------------------------------

    def _make_table(self) -> None:
        table = self.table = QTableView()
        table.setModel(self.model)
        table.setTabKeyNavigation(False)
        table.setFont(mono_font())
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.setAccessibleName(f"{self.what.capitalize()}s that were found")
        table.verticalHeader().hide()
        rows = table.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(table.fontMetrics().height() + 5)
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setHighlightSections(False)
        digit = table.fontMetrics().horizontalAdvance("0")
        for column, characters in enumerate(self.columns()):
            table.setColumnWidth(column, digit * characters)
        header.setStretchLastSection(True)

    def columns(self) -> tuple[int, ...]:
        """Characters that the columns take, all but the last."""
        return (14, 7, 50)

    def _make_bar(self) -> None:
        self.head = QHBoxLayout()
        self.head.setSpacing(UNIT)
        self.filter = QLineEdit(placeholderText="filter")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Only those with this text")
        self.filter.setToolTip(f"Only {self.what}s that have this text in them now")
        self.filter.setMaximumWidth(160)
        self._filter_timer = QTimer(self, interval=_FILTER_MS, singleShot=True)
        self.count = ElidedLabel()
        self.buttons: dict[str, QPushButton] = {}
        for word, tip, call in (
            ("Stop", "End the search; what was found stays", self.source.stop),
            ("Again", "Search again: what has moved is found again", self.again),
            ("Clear", "Empty the list, and take its marks away", self.clear),
            ("Copy", "Copy the chosen rows (Ctrl+C)", self.copy_rows),
            ("Bookmark", "Keep the chosen rows as bookmarks", self.bookmark),
            ("Export…", "Save all as CSV or JSON", self.export),
        ):
            button = self.buttons[word] = QPushButton(word)
            button.setToolTip(tip)
            button.setAutoDefault(True)
            button.clicked.connect(call)

    def _lay_out(self) -> None:
        self.empty = QLabel(self.empty_text)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        stack = QWidget()
        self._stack = QStackedLayout(stack)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        bar = self.foot = QHBoxLayout()
        bar.setContentsMargins(PAD, UNIT, PAD, UNIT)
        bar.setSpacing(UNIT)
        bar.addWidget(self.count, 1)
        bar.addWidget(self.filter)
        for button in self.buttons.values():
            bar.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self.head)
        layout.addWidget(stack, 1)
        layout.addLayout(self.foot)

    def _connect(self) -> None:
        source = self.source
        source.began.connect(self._began)
        source.grew.connect(self._grew)
        source.progressed.connect(self._show_state)
        source.ended.connect(self._ended)
        source.rows_came.connect(self.model.take)
        source.ranges_came.connect(self._mark)
        self.table.verticalScrollBar().valueChanged.connect(self._watch)
        self.table.doubleClicked.connect(lambda _index: self.go_to_row())
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_row())
        self.filter.textEdited.connect(lambda _text: self._filter_timer.start())
        self._filter_timer.timeout.connect(self._filter)
        bind_keys(self.table, self._row_actions())

    def attach(self, host: PanelHost) -> None:
        self._host = host
        layer = host.decorations.layer_of(ManyRanges, f"hits {self.about.name}", Depth.FINDING)
        layer.tint, layer.mark = self.tint, self.mark
        self._marks = layer

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        super().set_session(session)
        self.filter.clear()
        self.source.set_session(session)
        self._show_state()

    def listen(self, session: Session) -> None:
        session.opened.connect(self._reset)

    def _reset(self, _info: object) -> None:
        self.source.set_session(self._session)
        self._show_state()

    def _row_actions(self) -> tuple[Action, ...]:
        scope, name = self.about.title, self.about.name
        return (
            Action(
                f"go_to_{name}", "Select it in the hex view", ("Return", "Enter"),
                self.go_to_row, scope,
            ),
            Action(f"copy_{name}", "Copy the rows", ("Ctrl+C",), self.copy_rows, scope),
        )  # fmt: skip

    def own_actions(self) -> tuple[Action, ...]:
        return self._row_actions()

    def own_gestures(self) -> tuple[Gesture, ...]:
        return (Gesture(self.about.title, "Double click", "Select it in the hex view"),)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.model.theme = theme
        self.empty.setStyleSheet(f"color: {theme.quiet}")

    def shown(self, visible: bool) -> None:
        """Only rows that can be seen are read."""
        if visible:
            self._watch()
        else:
            self.source.watch(0, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More rows are on the screen."""
        super().resizeEvent(event)
        self._watch()

    # -- what the search says ---------------------------------------------------------------------

    def shown_as(self) -> Shown:
        """How values are shown."""
        return hex_of

    def name(self) -> str:
        """What stands before the count."""
        return ""

    def _began(self) -> None:
        self._outcome = None
        self.model.clear(self.shown_as())
        if self._marks is not None:
            self._marks.clear()
        self._show_state()

    def _grew(self, count: int) -> None:
        self.model.grow(count)
        self._watch()
        self._show_state()

    def _ended(self, outcome: object) -> None:
        self._outcome = outcome
        self._show_state()

    def _mark(self, starts: I64, lengths: I64) -> None:
        if self._marks is not None:
            self._marks.show(starts, lengths, self.what)
        self._show_state()

    def _watch(self) -> None:
        """Tell which rows are on the screen."""
        height = self.table.verticalHeader().defaultSectionSize()
        first = max(0, self.table.rowAt(0))
        rows = self.table.viewport().height() // max(1, height) + 2
        if self.table.isVisible():
            self.source.watch(first, min(rows, ROWS))

    def _show_state(self, percent: int = -1) -> None:
        source, count = self.source, self.model.count
        self._stack.setCurrentIndex(1 if count or source.works or self._outcome is not None else 0)
        parts = [f"{count:,} {self.what}{'' if count == 1 else 's'}".replace(",", " ")]
        if source.works:
            parts.append(f"searching… {percent} %" if percent >= 0 else "searching…")
        parts += _outcome_words(self._outcome)
        begun = source.needle is not None
        self.count.setText(self.name() + "; ".join(parts) if begun else "")
        self.count.setToolTip(self.count.text())
        self.buttons["Stop"].setVisible(source.works)
        self.buttons["Again"].setVisible(not source.works)
        for word in ("Again", "Clear"):
            self.buttons[word].setEnabled(begun)
        self.buttons["Bookmark"].setVisible(self._host is not None and self._host.takes_bookmarks)
        for word in ("Copy", "Bookmark", "Export…"):
            self.buttons[word].setEnabled(count > 0)
        self.filter.setEnabled(begun)

    # -- doing ------------------------------------------------------------------------------------

    def again(self) -> None:
        """The same search once more."""
        needle = self.source.needle
        if needle is not None:
            self.filter.clear()
            self.source.find(needle, self.source.scope)

    def clear(self) -> None:
        """Empty the list."""
        self.filter.clear()
        self.source.clear()

    def _filter(self) -> None:
        self.source.filter(self.filter.text())

    def _with_row(self, number: int, take: Any) -> None:
        row = self.model.row(number)
        if row is not None:
            take(row)
        elif 0 <= number < self.model.count:
            self.source.rows(number, 1, lambda rows: [take(row) for row in rows])

    def _show_row(self) -> None:
        """The chosen hit comes into sight in the hex view."""
        index = self.table.currentIndex()
        if index.isValid() and self.table.hasFocus():
            self._with_row(index.row(), self._select)

    def _select(self, row: HitRow) -> None:
        if self._host is not None:
            self._host.hit_wanted.emit(row.offset, row.length)

    def go_to_row(self) -> None:
        """Select the chosen hit in the hex view."""
        index = self.table.currentIndex()
        if index.isValid():
            self._with_row(index.row(), self._select)

    def step(self, by: int) -> None:
        """Choose the next hit, or the one before, and select it in the hex view; goes round."""
        if not self.model.count:
            return
        index = self.table.currentIndex()
        at = index.row() + by if index.isValid() else 0 if by > 0 else -1
        chosen = self.model.index(at % self.model.count, 0)
        mode = QItemSelectionModel.SelectionFlag
        self.table.selectionModel().setCurrentIndex(chosen, mode.ClearAndSelect | mode.Rows)
        self.table.scrollTo(chosen)
        self._with_row(chosen.row(), self._select)

    def _chosen(self, most: int) -> list[int]:
        """Numbers of the chosen rows, at most so many."""
        numbers: list[int] = []
        chosen = self.table.selectionModel().selection()
        for part in (chosen.at(at) for at in range(chosen.count())):
            rows = range(part.top(), part.bottom() + 1)
            numbers += rows[: most - len(numbers)]
        return sorted(numbers)

    def _with_rows(self, numbers: list[int], done: Any, got: list[HitRow] | None = None) -> None:
        """Fetch rows, a run after the other, then call `done` with all of them."""
        rows = got if got is not None else []
        if not numbers:
            done(rows)
            return
        run = 1
        while run < min(len(numbers), ROWS) and numbers[run] == numbers[0] + run:
            run += 1

        def came(more: tuple[HitRow, ...]) -> None:
            self._with_rows(numbers[run:], done, [*rows, *more])

        self.source.rows(numbers[0], run, came)

    def copy_rows(self) -> None:
        """The chosen rows as lines of text, as they are now."""
        self._with_rows(self._chosen(_MOST_COPIED), self._copied)

    def _copied(self, rows: list[HitRow]) -> None:
        if rows:
            QGuiApplication.clipboard().setText("\n".join(map(self.model.line, rows)))
            self._report(Level.GOOD, f"Copied {len(rows)} {'row' if len(rows) == 1 else 'rows'}.")

    def bookmark(self) -> None:
        """Offer the chosen rows to whoever keeps bookmarks."""
        self._with_rows(self._chosen(_MOST_BOOKMARKS), self._bookmarked)

    def _bookmarked(self, rows: list[HitRow]) -> None:
        needle = self.source.needle
        if rows and needle is not None and self._host is not None:
            name = needle.label
            ranges = tuple((row.offset, row.length, name) for row in rows)
            self._host.bookmarks_wanted.emit(ranges)

    def export(self) -> None:
        """Save all hits to a file."""
        path = ask_where(self, f"Export {self.what}s", f"{self.what}s", _FORMS)
        if path is not None:
            self.export_to(str(path))

    def export_to(self, path: str) -> None:
        """Save all hits; the ending says in which form."""
        form = "json" if path.lower().endswith(".json") else "csv"
        done = partial(self._exported, path)
        self.source.export(path, form, done, self._refused)

    def _exported(self, path: str, count: int) -> None:
        self._report(Level.GOOD, f"Saved {count} {self.what}s to {path}.")

    def _refused(self, error: ScopeError) -> None:
        self._report(Level.WARNING, error.message, error.hint)

    def _report(self, level: Level, text: str, hint: str = "") -> None:
        if self._host is not None:
            self._host.notice.emit(Notice(level, text, hint, key="hits"))


def _outcome_words(outcome: object) -> list[str]:
    """How a search ended, in a few words each."""
    if isinstance(outcome, CancelledError):
        return ["stopped"]
    if isinstance(outcome, ScopeError):
        return [str(outcome)]
    if not isinstance(outcome, FindSummary):
        return []
    words = [f"{format_size(outcome.searched)} in {format_time(outcome.took_ns)}"]
    if outcome.full:
        words.append("there are more than are kept")
    if outcome.unsteady:
        was = "was" if outcome.unsteady == 1 else "were"
        words.append(f"{outcome.unsteady} {was} gone at a second look")
    if outcome.holes:
        words.append(f"{format_size(outcome.holes)} never written")
    return words
