"""Activity: observed change rate, our own traffic and cost over time, and maps of the region."""

from __future__ import annotations

from time import monotonic_ns
from typing import Any, Final

import numpy as np
from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout, QLabel, QWidget

from ....core.watch.frame import Frame
from ....core.watch.timing import WINDOW_NS, longest_gap_ns
from ...action import Gesture
from ...hex.decorations.decorations import Decorations
from ...panel import About, Panel, PanelHost
from ...session.session import Session
from ...style.elided_label import ElidedLabel
from ...style.theme import DARK, Theme, mono_font
from . import words
from .address_view import AddressView
from .arrangement import WIDE, Shape, arrange, shape_for
from .controls import SPANS, Controls
from .frozen_mark import FrozenMark
from .heat_history import HeatHistory
from .held_rates import HeldRates
from .lazy_plot import LazyPlot
from .maps import HeatMap
from .sample_buffer import Ring
from .time_view import LONGEST_S, TimeView
from .under_mouse import Shown, UnderMouse
from .waterfall import Waterfall

DRAW_MS: Final = 66
_SAMPLE_NS: Final = 50_000_000
_NAME_NS: Final = 250_000_000
_PATIENCE: Final = 45  # turns of the timer, 3 s
_SPACING: Final = 4
_TIGHT: Final = 2
_TRACES: Final = ("observed", "read", "written", "cost")
# A mean over less than most of its window is not shown: a burst would be a peak.
_SETTLED_NS: Final = int(0.8 * WINDOW_NS)
_FRESH_NS: Final = 500_000_000


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
        self._ring = Ring(int(LONGEST_S * 1e9) // _SAMPLE_NS, len(_TRACES))
        self._history = HeatHistory()
        self._held = HeldRates()
        self._shown = Shown(self._ring, self._held)
        self._sampled_ns = 0
        self._stale = True
        self._name_due_ns = 0
        self._awaits_frame = False
        self._turns = 0
        self._controls = Controls()
        self.span, self.freeze = self._controls.span, self._controls.freeze
        self.hold, self.hover = self._controls.hold, self._controls.hover
        self.time = TimeView(SPANS[0][1], self)
        self.address = AddressView(self)
        self.span.currentIndexChanged.connect(self._choose_span)
        self.hold.toggled.connect(self._set_held)
        self._controls.clear.clicked.connect(self.clear)
        self.changes = LazyPlot(("observed",), self.time, share=False)
        self.own = LazyPlot(("read", "written"), self.time, share=False)
        self.cost = LazyPlot(("cost",), self.time, share=True)
        self._plots = (self.changes, self.own, self.cost)
        self.heat = HeatMap(self.address)
        self.water = Waterfall(self._history, self.address, self.time)
        names = ("changes", "own", "cost", "heat", "water")
        self.labels = {name: ElidedLabel() for name in names}
        self.values = {name: QLabel() for name in names}
        for name, about in words.ABOUT.items():
            self.labels[name].setToolTip(about)
            self.values[name].setToolTip(about)
        for value in self.values.values():
            value.setFont(mono_font(self.font().pointSizeF() - 0.5))
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for name, widest in (("changes", "99.9 MB/s"), ("cost", "100 % of a core")):
            metrics = self.values[name].fontMetrics()
            self.values[name].setMinimumWidth(metrics.horizontalAdvance(widest))
        self._lay_out()
        self.frozen = FrozenMark(self, list(self._parts.values()), self.freeze)
        for part in (self.heat, self.water):
            part.goto_wanted.connect(self.goto_wanted)
        self._under_mouse = UnderMouse(self.hover, self._plots, self.heat, self.water, self._shown)
        self.time.changed.connect(self._mark_stale)
        self.address.changed.connect(self._mark_stale)
        self._timer = QTimer(self)
        self._timer.setInterval(DRAW_MS)
        self._timer.timeout.connect(self.draw)
        self.clear()

    def _lay_out(self) -> None:
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
        self._grid.setSpacing(_TIGHT)
        self._grid.setHorizontalSpacing(2 * _SPACING)
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(2 * _SPACING, _SPACING, 2 * _SPACING, _SPACING)
        self._box.setSpacing(_SPACING)
        self._box.addLayout(self._grid, 1)
        self._box.addWidget(self._controls)
        self._shape: Shape | None = None
        self._arrange(WIDE)

    def _arrange(self, shape: Shape) -> None:
        if shape is self._shape:
            return
        self._shape = shape
        arrange(self._grid, self._heads, self._parts, shape)
        self._controls.arrange(strip=shape.strip)
        directions = QBoxLayout.Direction
        self._box.setDirection(directions.LeftToRight if shape.strip else directions.TopToBottom)
        self._box.setSpacing(2 * _SPACING if shape.strip else _SPACING)

    def _height_of(self, parts: int) -> int:
        """What so many parts above one another take, without the controls."""
        one = self._heads["own"].sizeHint().height() + self.own.minimumHeight() + 2 * _TIGHT
        return parts * one + 2 * _SPACING

    def minimumSizeHint(self) -> QSize:
        """That of a strip, whatever stands in it now: a lower dock makes it one."""
        low = max(self._height_of(1), self._controls.block_height + 2 * _SPACING)
        return QSize(super().minimumSizeHint().width(), low)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another size may ask for another arrangement."""
        super().resizeEvent(event)
        least_wide = self._height_of(2) + self._controls.row_height + _SPACING
        self._arrange(shape_for(event.size(), least_wide))

    # -- data ------------------------------------------------------------------------------------

    def set_decorations(self, decorations: Decorations) -> None:
        """Mark these ranges on the map, and name them under the mouse."""
        self._under_mouse.decorations = decorations
        self.heat.set_decorations(decorations)
        self.water.set_decorations(decorations)

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
        self._history.clear()
        self._set_held(self.hold.isChecked())
        self._frame = None
        self._sampled_ns = self._name_due_ns = 0
        self._shown.end_ns = self._shown.period_ns = 0
        for part in (self.heat, self.water):
            part.clear()
        for name, text in words.TITLES.items():
            self.labels[name].setText(text)
            self.values[name].setText("")
        self.hover.setText("Open a region to see what changes in it")
        for plot in self._plots:
            plot.empty()

    def set_frame(self, frame: Frame) -> None:
        """Take the Frame into the history; drawing is the timer's."""
        if self._frame is None:
            self.hover.setText("")
        self._frame = frame
        self._shown.period_ns = frame.period_ns
        self._stale = True
        self.address.set_size(frame.activity.region_size)
        self._held.add(frame.activity, frame.time_ns)
        if frame.paused:
            self._ring.interrupt()
            self._history.interrupt()
            return
        self._history.add(frame.activity, frame.period_ns)
        since_ns = frame.time_ns - self._sampled_ns
        if since_ns >= _SAMPLE_NS:
            if since_ns > longest_gap_ns(frame.period_ns) + _SAMPLE_NS:
                self._ring.interrupt()
            self._sampled_ns = frame.time_ns
            self._ring.append(frame.time_ns / 1e9, _sample(frame))

    def _choose_span(self) -> None:
        self.time.set_home(float(self.span.currentData()))

    def _set_held(self, on: bool) -> None:
        """Begin to keep what changes, or show the present again."""
        self._held.begin(None if not on else self._frame.time_ns if self._frame else 0)
        self._mark_stale()

    def _mark_stale(self) -> None:
        self._stale = True
        self._name_due_ns = 0

    # -- drawing ---------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw what is new; called by the timer."""
        frame = self._frame
        if self.visibleRegion().isEmpty():  # behind another tab, which Qt does not call hidden
            return
        self._build_in_time()
        if frame is None or not len(self._ring):
            return
        self._name_zero(frame)
        if not self._stale:
            return
        self._stale = False
        if not self.freeze.isChecked():
            self._shown.end_ns = frame.time_ns
            self.heat.show_activity(frame.activity, self._held.rates)
            self.water.activity = frame.activity
        end, time = self._shown.end_ns / 1e9, self.time
        rows = self._ring.between(end - time.oldest_s, end - time.back_s)
        rows = rows[:, rows[0] <= end]
        times = rows[0] - end
        self.changes.show_traces(times, rows[1:2])
        self.own.show_traces(times, rows[2:4])
        self.cost.show_traces(times, rows[4:5])
        self.water.show_until(self._shown.end_ns)
        # A figure that changes twenty times a second cannot be read, and each new text costs a
        # layout of the window.
        if frame.time_ns >= self._name_due_ns:
            self._name_due_ns = frame.time_ns + _NAME_NS
            self._name(frame)

    def _name_zero(self, frame: Frame) -> None:
        """The newest Frame is the present only while Frames come and are drawn."""
        age_ns = monotonic_ns() - frame.time_ns
        fresh = age_ns < longest_gap_ns(frame.period_ns) + _FRESH_NS
        live = fresh and not frame.paused and not self.freeze.isChecked()
        text = "now" if live else "0 s"
        for plot in self._plots:
            plot.set_at_zero(text)
        if self.water.at_zero != text:
            self.water.at_zero = text
            self.water.update()

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

    def _name(self, frame: Frame) -> None:
        held_ns = self._held.since_ns or 0
        titles = words.titles(frame, self.heat.tile_bytes, self.address, self.time, held_ns)
        for name, text in titles.items():
            self.labels[name].setText(text)
        mean = self._ring.mean(self._shown.end_ns / 1e9 - words.MEAN_S)
        for name, text in words.values(mean, self._theme).items():
            self.values[name].setText(text)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        colors = list(theme.traces)
        self.changes.set_theme(theme, colors[0:1])
        self.own.set_theme(theme, colors[1:3])
        self.cost.set_theme(theme, colors[3:4])
        self._controls.set_theme(theme)
        for quiet in self.labels.values():
            quiet.setStyleSheet(f"color: {theme.quiet}")
        self.frozen.set_theme(theme)
        for part in (self.heat, self.water):
            part.theme = theme
            part.update()

    def own_gestures(self) -> tuple[Gesture, ...]:
        """The mouse on graphs and maps."""
        scope = self.about.title
        return (
            Gesture(scope, "Wheel", "Zoom the time; on the page activity, the addresses"),
            Gesture(scope, "Ctrl+wheel", "Zoom the addresses of the page activity over time"),
            Gesture(scope, "Drag", "Move what is zoomed; the graphs into the past"),
            Gesture(scope, "Double click", "Show all again"),
            Gesture(scope, "Click on a map", "Go there"),
        )

    def showEvent(self, event: Any) -> None:
        """Draw only while it can be seen."""
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: Any) -> None:
        """Nothing when hidden."""
        self._timer.stop()
        super().hideEvent(event)


def _sample(frame: Frame) -> tuple[float, ...]:
    """One value for each trace; NaN while there is no mean yet."""
    traffic = frame.traffic
    if traffic.over_ns < _SETTLED_NS:
        return (np.nan,) * len(_TRACES)
    return (
        traffic.observed_bytes_per_s,
        traffic.read_bytes_per_s,
        traffic.written_bytes_per_s,
        traffic.cost * 100,
    )
