"""Activity: observed change rate, our own traffic and cost over time, and maps of the region."""

from __future__ import annotations

from time import monotonic_ns
from typing import Any, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ....core.values.units import format_age, format_rate, format_short_offset, format_size
from ....core.watch.frame import Frame
from ...hex.paint.decorations import Decorations
from ...panel import About, Panel, PanelHost
from ...session.session import Session
from ...style.elided_label import ElidedLabel
from ...style.theme import DARK, Theme, mono_font
from .frozen_mark import FrozenMark
from .lazy_plot import LazyPlot
from .maps import HeatMap, Scale, Waterfall
from .sample_buffer import Ring

DRAW_MS: Final = 66
_SAMPLE_NS: Final = 50_000_000
_NAME_NS: Final = 250_000_000
_MOST_NAMES: Final = 3
_PATIENCE: Final = 45  # turns of the timer, 3 s
SPANS: Final = (("10 s", 10), ("1 min", 60), ("5 min", 300))
_TRACES: Final = ("observed", "read", "written", "cost")
_TITLES: Final = {
    "changes": "Observed change rate",
    "own": "Own traffic",
    "cost": "Sampler cost",
    "heat": "Page activity",
    "water": "Page activity over time",
}
# Row, column, rows, columns of each part; the row of its head, below which it stands.
_WIDE: Final = {
    "changes": (0, 0, 3, 1),
    "own": (0, 1, 1, 1),
    "cost": (2, 1, 1, 1),
    "heat": (0, 2, 3, 1),
    "water": (0, 3, 3, 1),
}
_TALL: Final = {
    "changes": (0, 0, 1, 2),
    "own": (2, 0, 1, 1),
    "cost": (2, 1, 1, 1),
    "heat": (0, 2, 1, 1),
    "water": (2, 2, 1, 1),
}
_TALL_FROM: Final = 340  # pixels
# How each was measured.
_ABOUT: Final = {
    "changes": "Bytes that were seen to differ from one look to the next, per second, and the time "
    "between two looks. What changes twice in between counts once.",
    "own": "What this window copies out of the memory to watch it, and what it writes",
    "cost": "Share of one processor core that watching takes",
    "heat": "Every cell stands for so much of the region, first byte at the top left. Its colour "
    "tells how often its busiest page changes; a click goes there.",
    "water": "The region from left to right, the present on top, older looks below; a click goes "
    "there",
}


class ActivityPanel(Panel):
    """The panel. One timer draws everything, and only while it can be seen.

    Its plots are built when the window has shown a first Frame, or has none to wait for.

    Signals:
        goto_wanted(int): A place on a map was clicked.
    """

    about = About(
        "activity",
        "Activity",
        Qt.DockWidgetArea.BottomDockWidgetArea,
        ("watch", "scope"),
        ("Alt+4",),
        "activity",
        "Change rate, and which pages change",
    )
    goto_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._frame: Frame | None = None
        self._decorations: Decorations | None = None
        self._ring = Ring(300 * 1_000_000_000 // _SAMPLE_NS, len(_TRACES))
        self._sampled_ns = 0
        self._drawn = -1
        self._row_due_ns = 0
        self._name_due_ns = 0
        self._awaits_frame = False
        self._turns = 0
        self.span = QComboBox()
        for text, seconds in SPANS:
            self.span.addItem(text, seconds)
        self.span.setAccessibleName("Time span of the graphs")
        self.freeze = QPushButton("Freeze")
        self.freeze.setCheckable(True)
        self.freeze.setToolTip("Stop drawing; sampling goes on")
        clear = QPushButton("Clear")
        clear.clicked.connect(self.clear)
        self.changes = LazyPlot(("observed",), share=False)
        self.own = LazyPlot(("read", "written"), share=False)
        self.cost = LazyPlot(("cost",), share=True)
        self._plots = (self.changes, self.own, self.cost)
        self.heat = HeatMap()
        self.water = Waterfall()
        self.scale = Scale()
        names = ("changes", "own", "cost", "heat", "water")
        self.labels = {name: ElidedLabel() for name in names}
        self.values = {name: QLabel() for name in names}
        for name, about in _ABOUT.items():
            self.labels[name].setToolTip(about)
            self.values[name].setToolTip(about)
        for value in self.values.values():
            value.setFont(mono_font(self.font().pointSizeF() - 0.5))
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for name, widest in (("changes", "999 MB/s"), ("cost", "100 % of a core")):
            metrics = self.values[name].fontMetrics()
            self.values[name].setMinimumWidth(metrics.horizontalAdvance(widest))
        self.scale_name = QLabel("changes per page")
        self.hover = ElidedLabel()
        self.hover.setFont(mono_font())
        self._lay_out(clear)
        self.frozen = FrozenMark(self, list(self._parts.values()), self.freeze)
        for part in (self.heat, self.water):
            part.goto_wanted.connect(self.goto_wanted)
            part.hovered.connect(self._hover)
        self._timer = QTimer(self)
        self._timer.setInterval(DRAW_MS)
        self._timer.timeout.connect(self.draw)
        self.clear()

    def _lay_out(self, clear: QPushButton) -> None:
        self._parts: dict[str, QWidget] = {
            "changes": self.changes,
            "own": self.own,
            "cost": self.cost,
            "heat": self.heat,
            "water": self.water,
        }
        self._heads: dict[str, QWidget] = {}
        for name in self._parts:
            self._heads[name] = QWidget()
            head = QHBoxLayout(self._heads[name])
            head.setContentsMargins(0, 0, 0, 0)
            head.addWidget(self.labels[name], 1)
            head.addWidget(self.values[name])
        self._grid = QGridLayout()
        self._grid.setSpacing(2)
        self._grid.setHorizontalSpacing(8)
        self._tall: bool | None = None
        self._arrange(tall=False)
        foot = QHBoxLayout()
        foot.addWidget(self.span)
        foot.addWidget(self.freeze)
        foot.addWidget(clear)
        foot.addWidget(self.hover, 1)
        foot.addWidget(self.scale_name)
        foot.addWidget(self.scale)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(self._grid, 1)
        layout.addLayout(foot)

    def _arrange(self, *, tall: bool) -> None:
        """Graphs and maps side by side, or where there is the height above one another."""
        if tall == self._tall:
            return
        self._tall, grid = tall, self._grid
        places, columns, rows = (
            (_TALL, (3, 3, 5), (3, 2)) if tall else (_WIDE, (5, 4, 4, 4), (1, 1))
        )
        for name, (row, column, high, wide) in places.items():
            for part in (self._heads[name], self._parts[name]):
                grid.removeWidget(part)
            grid.addWidget(self._heads[name], row, column, 1, wide)
            grid.addWidget(self._parts[name], row + 1, column, high, wide)
        for column in range(4):
            grid.setColumnStretch(column, columns[column] if column < len(columns) else 0)
        for row, stretch in zip((1, 3), rows, strict=True):
            grid.setRowStretch(row, stretch)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another height may ask for the other arrangement."""
        super().resizeEvent(event)
        self._arrange(tall=event.size().height() >= _TALL_FROM)

    # -- data ------------------------------------------------------------------------------------

    def set_decorations(self, decorations: Decorations) -> None:
        """Mark these ranges on the map, and name them under the mouse."""
        self._decorations = decorations
        self.heat.set_decorations(decorations)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        super().set_session(session)
        self._awaits_frame = session is not None
        self._turns = 0
        self.clear()

    def attach(self, host: PanelHost) -> None:
        self.set_decorations(host.decorations)
        self.goto_wanted.connect(host.goto_wanted)

    def listen(self, session: Session) -> None:
        session.frame_arrived.connect(self.set_frame)

    def clear(self) -> None:
        """Forget the past."""
        self._ring.clear()
        self.water.clear()
        self._frame = None
        self._drawn = -1
        self.heat.activity = self.water.activity = None
        self.heat.image = self.water.image = None
        for name, text in _TITLES.items():
            self.labels[name].setText(text)
            self.values[name].setText("")
        self.hover.setText("Open a region to see what changes in it")
        for plot in self._plots:
            plot.empty(int(self.span.currentData()))
        self.heat.update()
        self.water.update()

    def set_frame(self, frame: Frame) -> None:
        """Take one sample in 50 ms into the history; drawing is the timer's."""
        if self._frame is None:
            self.hover.setText("")
        self._frame = frame
        if frame.paused or frame.time_ns - self._sampled_ns < _SAMPLE_NS:
            return
        self._sampled_ns = frame.time_ns
        traffic = frame.traffic
        self._ring.append(
            frame.time_ns / 1e9,
            (
                traffic.observed_bytes_per_s,
                traffic.read_bytes_per_s,
                traffic.written_bytes_per_s,
                traffic.cost * 100,
            ),
        )
        if frame.time_ns >= self._row_due_ns:
            span_s = int(self.span.currentData())
            self._row_due_ns = frame.time_ns + max(_SAMPLE_NS, span_s * 1_000_000_000 // 256)
            self.water.add_row(frame.activity)

    # -- drawing ---------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw what is new; called by the timer."""
        frame = self._frame
        if self.visibleRegion().isEmpty():  # behind another tab, which Qt does not call hidden
            return
        self._build_in_time()
        if frame is None or self.freeze.isChecked() or not len(self._ring):
            return
        span_s = int(self.span.currentData())
        now = frame.time_ns / 1e9
        rows = self._ring.since(now - span_s)
        times = rows[0] - now
        self.changes.show_traces(times, rows[1:2], span_s)
        self.own.show_traces(times, rows[2:4], span_s)
        self.cost.show_traces(times, rows[4:5], span_s)
        if frame.activity.number != self._drawn:
            self._drawn = frame.activity.number
            self.heat.show_activity(frame.activity)
        self.water.redraw(256)
        # A figure that changes twenty times a second cannot be read, and each new text costs a
        # layout of the window.
        if frame.time_ns >= self._name_due_ns:
            self._name_due_ns = frame.time_ns + _NAME_NS
            self._name(frame, span_s)

    def build(self) -> None:
        """Make the plots now, if they are not there yet."""
        for plot in self._plots:
            plot.build()

    def _build_in_time(self) -> None:
        """Build one turn of the timer after the first Frame, which is painted by then."""
        if self.changes.built:
            return
        if self._awaits_frame and self._turns < _PATIENCE:
            self._turns += 1
            self._awaits_frame = self._frame is None
            return
        self.build()

    def _name(self, frame: Frame, span_s: int) -> None:
        traffic, colors = frame.traffic, self._theme.traces
        pages = "" if frame.activity.exact else ", by page"
        titles = {
            "changes": f"Observed change rate ({format_age(traffic.over_ns)}{pages})",
            "heat": f"Page activity, {format_size(frame.activity.cell_bytes)} per cell",
            "water": f"Page activity over {span_s} s, now on top",
        }
        read, written = traffic.read_bytes_per_s, traffic.written_bytes_per_s
        values = {
            "changes": _ink(colors[0], format_rate(traffic.observed_bytes_per_s)),
            "own": f"{_ink(colors[1], f'reads {format_rate(read)}')}  "
            f"{_ink(colors[2], f'writes {format_rate(written)}')}",
            "cost": _ink(colors[3], f"{traffic.cost * 100:.0f} % of a core"),
        }
        for name, text in titles.items():
            self.labels[name].setText(text)
        for name, text in values.items():
            self.values[name].setText(text)

    def _hover(self, cell: int) -> None:
        activity = self._frame.activity if self._frame else None
        if activity is None or not 0 <= cell < len(activity.rate):
            self.hover.setText("")
            return
        start = cell * activity.cell_bytes
        changed = int(activity.changed_ns[cell])
        age = f"changed {format_age(monotonic_ns() - changed)} ago" if changed else "no change seen"
        state = age if activity.allocated[cell] else "never written (a hole)"
        text = f"{format_short_offset(start)}  {activity.rate[cell]:.1f}/s per page  {state}"
        self.hover.setText("  ".join([text, *self._names(start, activity.cell_bytes)]))

    def _names(self, start: int, length: int) -> list[str]:
        """Labels of the decorations in a cell, the topmost first."""
        if self._decorations is None:
            return []
        items = self._decorations.touching(start, length)[::-1]
        return [item.label for item in items if item.label][:_MOST_NAMES]

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        colors = list(theme.traces)
        self.changes.set_theme(theme, colors[0:1])
        self.own.set_theme(theme, colors[1:3])
        self.cost.set_theme(theme, colors[3:4])
        for quiet in (self.hover, self.scale_name, *self.labels.values()):
            quiet.setStyleSheet(f"color: {theme.quiet}")
        self.frozen.set_theme(theme)
        for part in (self.heat, self.water, self.scale):
            part.theme = theme
            part.update()

    def showEvent(self, event: Any) -> None:
        """Draw only while it can be seen."""
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: Any) -> None:
        """Nothing when hidden."""
        self._timer.stop()
        super().hideEvent(event)


def _ink(color: str, text: str) -> str:
    return f"<span style='color:{color}'>{text}</span>"
