"""Data inspector: the bytes at the cursor as every type, little and big endian side by side."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic_ns
from typing import Any, Final

from PySide6.QtCore import (
    QEvent,
    QObject,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QAction, QFocusEvent, QFontMetricsF, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ....core.errors import ValueFormatError
from ....core.values.steady import Pace, PaceClock
from ....core.values.units import format_offset
from ....core.values.value_types import TYPES
from ....core.watch.frame import Frame, Health, Level
from ...action import Action, Gesture, bind_keys
from ...panel import About, Panel, PanelHost
from ...session.session import Session
from ...style.outside_text import PlainLabel
from ...style.theme import Theme, mono_font
from ..pace_box import PaceBox
from .model import Index, InspectorModel
from .number_watch import Cell, NumberWatch

WINDOW: Final = 32
_SHOW_MS: Final = 50  # values that change faster cannot be read
_CELL_MARGIN: Final = 8  # pixels that a cell keeps free at its sides


class _Editor(QStyledItemDelegate):
    """Edits in place; keeps the line open while what was typed makes no sense."""

    def __init__(self, panel: InspectorPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        self._at = (0, 0)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        line = QLineEdit(parent)
        line.setFont(mono_font())
        line.setFrame(False)
        self._at = index.row(), index.column()
        return line

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter closes the line only when its text was taken; Esc takes the complaint back."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                assert isinstance(watched, QLineEdit)
                if self._panel.commit(*self._at, watched.text()):
                    self.closeEditor.emit(watched)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._panel.problem.hide()
        return super().eventFilter(watched, event)

    def setModelData(self, editor: QWidget, model: Any, index: Index) -> None:
        assert isinstance(editor, QLineEdit)
        self._panel.commit(index.row(), index.column(), editor.text())


class _Table(QTableView):
    """Values to edit and to copy."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        """By keyboard, begin on a value: the column of types cannot be edited."""
        if not self.currentIndex().isValid():
            self.setCurrentIndex(self.model().index(1, 1))
        super().focusInEvent(event)

    def edit_chosen(self) -> None:
        """Edit the chosen value; the column of types cannot be edited."""
        if self.currentIndex().column() > 0:
            self.edit(self.currentIndex())

    def copy(self) -> None:
        """The chosen value, as it can be typed."""
        text = self.currentIndex().data(Qt.ItemDataRole.EditRole)
        QGuiApplication.clipboard().setText(str(text or ""))


class InspectorPanel(Panel):
    """The panel.

    Signals:
        write_wanted(int, bytes, bytes, str): Offset, data, what was seen there, label.
        freeze_wanted(int, bytes, str): Offset, bytes and name of a value to freeze.
        unlock_wanted(): Somebody typed while writing is locked.
    """

    about = About(
        "inspector",
        "Inspector",
        Qt.DockWidgetArea.RightDockWidgetArea,
        ("watch", "edit"),
        ("Alt+3",),
        "inspector",
        "The bytes at the cursor as values of every type",
    )
    write_wanted = Signal(object, bytes, bytes, str)
    freeze_wanted = Signal(object, bytes, str)
    unlock_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offset = 0
        self._frame: Frame | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SHOW_MS)
        self._soon.timeout.connect(self._show_soon)
        self._resized = QTimer(self)  # when all columns have their new width
        self._resized.setSingleShot(True)
        self._resized.setInterval(0)
        self._resized.timeout.connect(self._fit_values)
        self._numbers = NumberWatch()
        self._clock = PaceClock()
        self.pace = PaceBox()
        self.pace.chosen.connect(self._set_pace)
        self.reset = QPushButton("Reset")
        self.reset.setToolTip("Least and greatest begin anew")
        self.reset.setAutoDefault(True)  # Enter presses it
        self.reset.clicked.connect(self._reset_numbers)
        self.span = QLabel()
        self.span.setFont(mono_font())
        self.head = QLabel("no region open")
        self.head.setFont(mono_font())
        self.problem = PlainLabel(wrapped=True)
        self.problem.hide()
        self.model = InspectorModel()
        self.table = _Table()
        self.table.setTabKeyNavigation(False)  # Tab leads on, arrows move inside
        self.table.setModel(self.model)
        self.table.setWordWrap(False)  # the model breaks lines, between the parts of a value
        editor = _Editor(self)
        editor.closeEditor.connect(lambda *_: self._resized.start())
        self.table.setItemDelegate(editor)
        self.table.setFont(mono_font())
        self.table.setShowGrid(False)
        self.table.setAccessibleName("Values at the cursor")
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.table.fontMetrics().height() + 5)
        self.table.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.model.modelReset.connect(self._size_rows)
        self._size_rows()
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.sectionResized.connect(lambda *_: self._resized.start())
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(
            lambda place: self.menu().popup(self.table.viewport().mapToGlobal(place))
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 0, 0)
        layout.setSpacing(4)
        for part in (self.head, self.problem, self.table, self.span):
            layout.addWidget(part)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 8, 6)
        foot.addWidget(self.pace)
        foot.addStretch(1)
        foot.addWidget(self.reset)
        layout.addLayout(foot)
        self.table.selectionModel().currentChanged.connect(lambda *_: self._show_span())
        self.setFocusProxy(self.table)
        bind_keys(self.table, self.own_actions())

    def attach(self, host: PanelHost) -> None:
        host.cursor_moved.connect(self.set_cursor)
        self.write_wanted.connect(host.write_wanted.emit)
        self.freeze_wanted.connect(host.freeze_wanted.emit)
        self.unlock_wanted.connect(host.unlock_wanted)

        def chosen(index: Index) -> None:
            if index.isValid() and index.column():
                kind, endian = self.model.cell_at(index)
                host.type_chosen.emit(kind.name, endian)

        self.table.selectionModel().currentChanged.connect(chosen)

    def own_actions(self) -> tuple[Action, ...]:
        scope, table = self.about.title, self.table
        edit, copy = "Edit the value", "Copy the value"
        return (
            Action("edit_value", edit, ("F2", "Return", "Enter"), table.edit_chosen, scope),
            Action("copy_value", copy, ("Ctrl+C",), table.copy, scope),
        )

    def own_gestures(self) -> tuple[Gesture, ...]:
        scope = self.about.title
        return (
            Gesture(scope, "Typing, double click", "Edit the value"),
            Gesture(scope, "Esc", "Leave the value as it is"),
        )

    # -- what it shows ---------------------------------------------------------------------------

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        super().set_session(session)
        self._frame = None
        self.model.show(b"", b"", [])
        self.head.setText("no region open" if session is None else format_offset(self._offset))

    def listen(self, session: Session) -> None:
        session.frame_arrived.connect(self.set_frame)
        session.health_changed.connect(self._health)

    def _health(self, health: Health) -> None:
        """Values of a region that is gone are grey."""
        self.model.stale = health.level is Level.FAULT
        self.table.viewport().update()

    def _fit_values(self) -> None:
        """Rows for columns as wide as these; not while a value is edited, which would end it."""
        if self.table.state() == QAbstractItemView.State.EditingState:
            return
        digit = max(1.0, QFontMetricsF(self.table.font()).horizontalAdvance("0"))
        left, right = (self.table.columnWidth(column) for column in (1, 2))
        widths = min(left, right), left + right
        half, whole = (max(6, int((width - _CELL_MARGIN) / digit)) for width in widths)
        chosen = self.table.currentIndex()
        row = self.model.rows[chosen.row()] if chosen.isValid() else None
        order = row.orders[chosen.column() - 1 :][:1] if row and chosen.column() else ()
        self.model.set_room(half, whole)
        if row is not None and not self.table.currentIndex().isValid():
            place = self.model.place_of(row.kind.name, *order or row.orders[:1])
            self.table.setCurrentIndex(self.model.index(*place))

    def _size_rows(self) -> None:
        line = self.table.fontMetrics().height()
        self.table.clearSpans()
        for number, row in enumerate(self.model.rows):
            self.table.setRowHeight(number, line * row.lines + 5)
            if len(row.orders) == 1:
                self.table.setSpan(number, 1, 1, 2)

    def set_cursor(self, offset: int) -> None:
        """The bytes from here on."""
        if offset != self._offset:
            self._numbers.reset()
        self._offset = offset
        self.problem.hide()
        self._refresh()
        self._show_span()

    def set_frame(self, frame: Frame) -> None:
        """A newer Frame."""
        self._frame = frame
        self._look()
        if self._clock.pace is not Pace.LIVE:
            # One that is held is shown all the same when it comes into sight.
            comes = not self.model.data_bytes and frame.start <= self._offset < frame.end
            if self._clock.is_due(monotonic_ns()) or comes:
                self._show()
            elif not self._soon.isActive():
                self._soon.start()
        elif self._differs(frame):
            self._show()  # never other bytes than the hex view
        elif not self._soon.isActive():
            self._soon.start()

    def _look(self) -> None:
        """Count what the newest Frame has at the cursor."""
        frame = self._frame
        if frame is not None and self.isVisible() and frame.start <= self._offset < frame.end:
            at = self._offset - frame.start
            self._numbers.look(self.model.types, bytes(frame.data[at : at + WINDOW]), frame.time_ns)

    def _differs(self, frame: Frame) -> bool:
        at = self._offset - frame.start
        inside = 0 <= at < frame.end - frame.start
        return inside != bool(self.model.data_bytes) or (
            inside and bytes(frame.data[at : at + WINDOW]) != self.model.data_bytes
        )

    def shown(self, visible: bool) -> None:
        """What came while it was out of sight."""
        if visible:
            self._show()

    def _show_soon(self) -> None:
        """What ages while it is live; the span moves also while values do not."""
        if self._clock.pace is Pace.LIVE:
            self._show()
        elif self.isVisible():
            self._show_span()

    def _show(self) -> None:
        if self.isVisible() and self.table.state() != QAbstractItemView.State.EditingState:
            means = self._numbers.take_means() if self._clock.pace.is_mean else {}
            self._refresh(means)
            self._show_span()

    def _refresh(self, means: Mapping[Cell, str] | None = None) -> None:
        frame = self._frame
        seen = frame is not None and frame.start <= self._offset < frame.end
        if self._session is not None:
            place = f"{format_offset(self._offset)}  ({self._offset})"
            self.head.setText(place if seen or frame is None else f"{place}  scrolled out of sight")
        if frame is None or not seen:
            self.model.show(b"", b"", [])
            return
        at = self._offset - frame.start
        part = slice(at, at + WINDOW)
        now = monotonic_ns()
        ages = [now - int(stamp) if stamp else 0 for stamp in frame.sample.changed_ns[part][:16]]
        sample = frame.sample
        flux, mine = sample.flux[part].tobytes(), sample.mine[part].tobytes()
        self.model.show(bytes(frame.data[part]), flux, ages, mine, means)

    def _set_pace(self, pace: Pace) -> None:
        self._clock.set_pace(pace, monotonic_ns())
        self._soon.stop()
        self._numbers.take_means()  # those that are shown begin now
        self.model.set_pace(pace)
        if pace is Pace.HELD:
            self.model.calm()
        else:
            self._show()

    def _reset_numbers(self) -> None:
        self._numbers.reset()
        self._look()
        self._show_span()

    def _show_span(self) -> None:
        """Least and greatest of the chosen value."""
        index = self.table.currentIndex()
        text = tip = ""
        if index.isValid() and self._session is not None:
            kind, endian = self.model.cell_at(index)
            cell = kind.name, endian
            text, tip = self._numbers.lines(cell), self._numbers.sentence(cell, monotonic_ns())
        self.span.setText(text)
        self.span.setToolTip(tip)
        self.span.setVisible(bool(text))

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.model.theme = theme
        self.problem.setStyleSheet(f"color: {theme.fault}")
        self.span.setStyleSheet(f"color: {theme.quiet}")
        self.table.viewport().update()

    # -- editing ---------------------------------------------------------------------------------

    def commit(self, row: int, column: int, text: str) -> bool:
        """Write what was typed over what was shown; False when it was refused."""
        kind, orders = self.model.rows[row].kind, self.model.rows[row].orders
        shown = self.model.data(self.model.index(row, column), Qt.ItemDataRole.EditRole)
        if text == shown or not 0 < column <= len(orders):
            self.problem.hide()
            return True
        try:
            data = kind.encode(
                text.split(" U+", maxsplit=1)[0].strip("'") if kind.group == "text" else text,
                orders[column - 1],
            )
        except ValueFormatError as error:
            self._complain(str(error))
            return False
        self.problem.hide()
        if self._session is not None and self._session.locked:
            self.unlock_wanted.emit()
            return False
        seen = self.model.data_bytes[: len(data)]
        if len(seen) < len(data):
            self._complain("There is no room for it before the end of the region.")
            return False
        self.write_wanted.emit(self._offset, data, seen, f"inspector {kind.name}")
        return True

    def _complain(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.show()

    # -- choice of rows --------------------------------------------------------------------------

    def menu(self) -> QMenu:
        """Copy, and which types are shown."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy value").triggered.connect(self.table.copy)
        menu.addAction("Freeze value").triggered.connect(self._freeze)
        menu.addSeparator()
        shown = {kind.name for kind in self.model.types}
        for kind in TYPES:
            action = QAction(kind.label, menu, checkable=True)
            action.setChecked(kind.name in shown)
            action.toggled.connect(lambda on, name=kind.name: self._toggle(name, on=on))
            menu.addAction(action)
        return menu

    def _freeze(self) -> None:
        """Hold the chosen value, as it is shown."""
        index = self.table.currentIndex()
        if not index.isValid() or not self.model.data_bytes:
            return
        kind, endian = self.model.cell_at(index)
        text = kind.decode(self.model.data_bytes, endian)
        size = kind.size or 1
        if text is not None:
            name = f"{kind.name} {text}"
            self.freeze_wanted.emit(self._offset, self.model.data_bytes[:size], name)

    def _toggle(self, name: str, *, on: bool) -> None:
        shown = {kind.name for kind in self.model.types}
        self.model.choose(sorted(shown | {name} if on else shown - {name}))
        self._refresh()

    def state(self) -> dict[str, Any]:
        """For the settings."""
        types = [kind.name for kind in self.model.types]
        return {"types": types, "pace": self.pace.pace.value}

    def restore(self, state: dict[str, Any]) -> None:
        """From the settings; anything odd is ignored."""
        self.pace.choose(state.get("pace"))
        names = state.get("types")
        known = {kind.name for kind in TYPES}
        if isinstance(names, list):
            chosen = [name for name in names if isinstance(name, str) and name in known]
            if chosen:
                self.model.choose(chosen)
