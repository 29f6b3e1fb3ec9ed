"""A placeholder for a plot, which is made when the window is on the screen.

Loading pyqtgraph is half of the time that a window takes to appear, and a graph is empty at
first anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ...style.theme import DARK, Theme
from .time_view import TimeView

if TYPE_CHECKING:
    from .rate_plot import RatePlot

_LEAST: Final = QSize(64, 48)


class LazyPlot(QWidget):
    """Stands in for a RatePlot until `build`; as large before as after, so that nothing jumps.

    Args:
        traces: Their names.
        time: The stretch of time that it shows.
        share: Whether it shows per cent, rather than bytes per second.

    Signals:
        hovered(float | None): Age under the mouse, seconds.
    """

    hovered = Signal(object)

    def __init__(self, traces: tuple[str, ...], time: TimeView, *, share: bool) -> None:
        super().__init__()
        self._traces = traces
        self._time = time
        self._share = share
        self._theme = DARK
        self._colors: list[str] = []
        self._at_zero = "now"
        self._plot: RatePlot | None = None
        self.setMinimumSize(_LEAST)
        policy = QSizePolicy.Policy.Expanding
        self.setSizePolicy(policy, policy)

    @property
    def built(self) -> bool:
        """Whether the plot is there."""
        return self._plot is not None

    @property
    def curves(self) -> list[Any]:
        """What is drawn, a curve per trace."""
        return self._plot.curves if self._plot is not None else []

    def build(self) -> None:
        """Make the plot, if it is not there yet."""
        if self._plot is not None:
            return
        from .rate_plot import RatePlot

        made = self._plot = RatePlot(self._traces, self._time, share=self._share, parent=self)
        made.setGeometry(self.rect())
        made.set_theme(self._theme, self._colors)
        made.set_at_zero(self._at_zero)
        made.hovered.connect(self.hovered)
        made.empty()
        made.show()

    def set_theme(self, theme: Theme, colors: list[str]) -> None:
        """Colours of ground, axes and traces."""
        self._theme, self._colors = theme, colors
        if self._plot is not None:
            self._plot.set_theme(theme, colors)
        self.update()

    def set_at_zero(self, text: str) -> None:
        """What the newest Frame's moment is called."""
        self._at_zero = text
        if self._plot is not None:
            self._plot.set_at_zero(text)

    def show_traces(self, times: Any, rows: Any) -> None:
        """Draw; `times` are negative ages, NaN is a gap."""
        if self._plot is not None:
            self._plot.show_traces(times, rows)

    def set_cursor(self, age_s: float | None) -> None:
        """Mark this moment; None marks none."""
        if self._plot is not None:
            self._plot.set_cursor(age_s)

    def empty(self) -> None:
        """Nothing to show yet."""
        if self._plot is not None:
            self._plot.empty()

    def sizeHint(self) -> QSize:
        """The layout gives more to those that may grow."""
        return _LEAST

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The ground that the plot will have."""
        if self._plot is None:
            QPainter(self).fillRect(self.rect(), self._theme.color("ground"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The plot fills its place."""
        super().resizeEvent(event)
        if self._plot is not None:
            self._plot.setGeometry(self.rect())
