"""Statistics: what is selected as numbers, checksums and a histogram, live."""

from __future__ import annotations

from time import monotonic_ns
from typing import Any, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ....core.analysis.numbers import NUMERIC
from ....core.analysis.statistics import Statistics, Wanted
from ....core.engine import range_messages as rm
from ....core.errors import CancelledError, ScopeError
from ....core.region.region import RegionInfo
from ....core.values.byte_block import ByteBlock
from ....core.values.units import format_age, format_size, format_time
from ....core.values.value_type import Endian
from ...action import Action, bind_keys
from ...panel import About, Panel, PanelHost
from ...session.live_question import LiveQuestion
from ...session.session import Session
from ...style.combo_box import ComboBox
from ...style.elided_label import ElidedLabel
from ...style.theme import DARK, PAD, UNIT, Theme, mono_font
from .crc_field import CrcField
from .histogram_view import HistogramView
from .model import StatisticsModel, rows_of

_SHOW_PROGRESS_NS: Final = 200_000_000
_TICK_MS: Final = 500
_LEAST_MS, _SHARE = 250, 20
_CELL_MARGIN: Final = 8
_LOW: Final = 420  # pixels
UNASKED: Final = 256 << 20
"""Bytes that are read as soon as they are selected."""
_NOTHING: Final = "Select bytes to see their statistics."


class StatisticsPanel(Panel):
    """The panel."""

    about = About(
        "statistics",
        "Statistics",
        Qt.DockWidgetArea.RightDockWidgetArea,
        ("edit",),
        ("Alt+C",),
        "",
        "Sums, checksums and histogram of the selection",
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._block = ByteBlock(0, 0)
        self._shown_ns = self._began_ns = 0
        self._took_ns = 0
        self.live = LiveQuestion(self, least_ms=_LEAST_MS, share=_SHARE)
        self.head = ElidedLabel()
        self.head.setFont(mono_font())
        self.state_text = ElidedLabel()
        self.again = QPushButton("Read again")
        self.again.clicked.connect(self._again)
        self.kind = ComboBox()
        self.kind.setAccessibleName("Value type of the sums")
        self.kind.addItems(NUMERIC)
        self.endian = ComboBox()
        self.endian.setAccessibleName("Byte order")
        for endian in Endian:
            self.endian.addItem(endian.value, endian)
        self.crc = CrcField()
        self.model = StatisticsModel()
        self.table = QTableView()
        self.histogram = HistogramView()
        self._style_table()
        self._lay_out()
        self._tick = QTimer(self, interval=_TICK_MS)
        self._tick.timeout.connect(self._show_age)
        self.kind.currentIndexChanged.connect(self._choose)
        self.endian.currentIndexChanged.connect(self._choose)
        self.crc.changed.connect(self._choose)
        self.live.began.connect(self._begun)
        self.live.arrived.connect(self._show)
        self.live.progressed.connect(self._progress)
        self.live.failed.connect(self._failed)
        bind_keys(self.table, self.own_actions())
        self._empty(_NOTHING)

    def _style_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setFont(mono_font())
        table.setShowGrid(False)
        table.setAccessibleName("Statistics of the selection")
        table.setTabKeyNavigation(False)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.hide()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.sectionResized.connect(self._fit)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        copy = table.addAction("Copy value")
        copy.triggered.connect(self.copy)
        self._size_rows()

    def _lay_out(self) -> None:
        kinds = QHBoxLayout()
        kinds.setSpacing(PAD)
        kinds.addWidget(QLabel("Values as"))
        kinds.addWidget(self.kind, 1)
        kinds.addWidget(self.endian, 1)
        state = QHBoxLayout()
        state.setSpacing(PAD)
        state.addWidget(self.state_text, 1)
        state.addWidget(self.again)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PAD, 6, PAD, UNIT)
        layout.setSpacing(UNIT)
        layout.addWidget(self.head)
        layout.addLayout(state)
        layout.addLayout(kinds)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.crc)
        layout.addWidget(self.histogram)
        self.setFocusProxy(self.table)

    # -- what it is about ------------------------------------------------------------------------

    def attach(self, host: PanelHost) -> None:
        host.block_selected.connect(self.set_block)
        host.type_chosen.connect(self.set_type)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        super().set_session(session)
        self.live.set_session(session)
        self._empty(_NOTHING)
        self.live.restart()

    def listen(self, session: Session) -> None:
        session.opened.connect(self._opened)

    def _opened(self, _info: RegionInfo) -> None:
        self.live.restart()

    def shown(self, visible: bool) -> None:
        """Out of sight nothing is read."""
        self.live.set_active(visible)
        self._tick.start() if visible else self._tick.stop()

    def own_actions(self) -> tuple[Action, ...]:
        scope = self.about.title
        return (Action("copy_statistic", "Copy the value", ("Ctrl+C",), self.copy, scope),)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = self.model.theme = theme
        self.histogram.set_theme(theme)
        self.crc.set_theme(theme)
        self.state_text.setStyleSheet(f"color: {theme.quiet}")
        self.table.viewport().update()

    def set_block(self, block: ByteBlock) -> None:
        """Something else is selected."""
        before, self._block = self._block, block
        if not block.length:
            if before.length:
                self._empty(_NOTHING)
        else:
            self.head.setText(block.summary)
        self._choose()

    def set_type(self, name: str, endian: Endian) -> None:
        """The type that was chosen in the inspector, if it is a number's."""
        if name in NUMERIC:
            self.kind.setCurrentText(name)
            self.endian.setCurrentIndex(self.endian.findData(endian))

    def wanted(self) -> Wanted:
        """What the fields ask for."""
        return Wanted(self.kind.currentText(), self.endian.currentData(), self.crc.model)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a low dock the values have the room."""
        super().resizeEvent(event)
        self.histogram.set_low(event.size().height() < _LOW)

    def _choose(self) -> None:
        """Ask for what is wanted now; what takes long is read when a person says so."""
        block = self._block
        if block.length > UNASKED:
            self.live.ask(None)
            self.model.clear()
            self.histogram.show_counts(None)
            self._shown_ns = 0
            self._say(f"{format_size(block.length)} are not read unasked.")
            self.again.setText("Read")
            self.again.show()
        else:
            self.live.ask(rm.Describe(block, self.wanted()) if block.length else None)

    def copy(self) -> None:
        """The value of the row that is chosen."""
        row = self.table.currentIndex().row()
        if row >= 0:
            QGuiApplication.clipboard().setText(self.model.texts[row])

    # -- showing ---------------------------------------------------------------------------------

    def _empty(self, text: str) -> None:
        self.model.clear()
        self.histogram.show_counts(None)
        self.head.setText("")
        self._say(text)
        self.again.hide()
        self._shown_ns = 0

    def _say(self, text: str) -> None:
        self.state_text.setText(text)
        self.state_text.setToolTip(text)  # where it is cut off

    def _begun(self) -> None:
        self.head.setText(self._block.summary)
        self._began_ns = monotonic_ns()
        self._shown_ns = 0
        self.model.set_old()
        self._say("Reading")

    def _show(self, found: Statistics, took_ns: int) -> None:
        self._shown_ns, self._took_ns = monotonic_ns(), took_ns
        self._began_ns = 0
        self.model.show(rows_of(found, self.wanted()))
        self.histogram.show_counts(found.histogram)
        self.again.hide()
        self._show_age()

    def _show_age(self) -> None:
        if self._shown_ns and not self.live.running:
            age = format_age(monotonic_ns() - self._shown_ns)
            self._say(f"{age} ago, read in {format_time(self._took_ns)}")

    def _progress(self, done: int, total: int) -> None:
        now_ns = monotonic_ns()
        self._began_ns = self._began_ns or now_ns  # also of one that was asked for by itself
        if now_ns - self._began_ns >= _SHOW_PROGRESS_NS:
            self._say(f"Reading, {done * 100 // max(1, total)} %")
            self.again.setText("Stop")
            self.again.show()

    def _failed(self, error: ScopeError) -> None:
        self.model.clear()
        self.histogram.show_counts(None)
        self._shown_ns = 0
        self._say("Stopped." if isinstance(error, CancelledError) else str(error))
        self.again.setText("Read again")
        self.again.show()

    def _again(self) -> None:
        if self.live.running:
            self.live.stop()
        elif self.live.asks:
            self.live.restart()
        else:
            self.live.ask(rm.Describe(self._block, self.wanted()))

    def _fit(self, column: int, _before: int, width: int) -> None:
        digit = max(1, self.table.fontMetrics().horizontalAdvance("0"))
        room = max(8, (width - _CELL_MARGIN) // digit)
        if column == 1 and room != self.model.room:
            self.model.room = room
            self._size_rows()

    def _size_rows(self) -> None:
        line = self.table.fontMetrics().height()
        for row in range(self.model.rowCount()):
            self.table.setRowHeight(row, line * self.model.lines(row) + 4)

    def state(self) -> dict[str, Any]:
        """For the settings."""
        return {
            "type": self.kind.currentText(),
            "endian": self.endian.currentData().value,
            "crc": self.crc.model.text,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """From the settings; anything odd is ignored."""
        if state.get("type") in NUMERIC:
            self.kind.setCurrentText(state["type"])
        if state.get("endian") in {endian.value for endian in Endian}:
            self.endian.setCurrentText(state["endian"])
        self.crc.restore(state.get("crc"))
