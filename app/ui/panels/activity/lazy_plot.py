"""A placeholder for a plot, which is made when the window is on the screen.

Loading pyqtgraph is half of the time that a window takes to appear, and a graph is empty at
first anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ...style.theme import DARK, Theme

if TYPE_CHECKING:
    from .rate_plot import RatePlot

_LEAST: Final = QSize(64, 48)


class LazyPlot(QWidget):
    """Stands in for a RatePlot until `build`; as large before as after, so that nothing jumps.

    Args:
        traces: Their names.
        share: Whether it shows per cent, rather than bytes per second.
    """

    def __init__(self, traces: tuple[str, ...], *, share: bool) -> None:
        super().__init__()
        self._traces = traces
        self._share = share
        self._theme = DARK
        self._colors: list[str] = []
        self._span_s = 1
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

        made = self._plot = RatePlot(self._traces, share=self._share, parent=self)
        made.setGeometry(self.rect())
        made.set_theme(self._theme, self._colors)
        made.empty(self._span_s)
        made.show()

    def set_theme(self, theme: Theme, colors: list[str]) -> None:
        """Colours of ground, axes and traces."""
        self._theme, self._colors = theme, colors
        if self._plot is not None:
            self._plot.set_theme(theme, colors)
        self.update()

    def show_traces(self, times: Any, rows: Any, span_s: int) -> None:
        """Draw; `times` are seconds before now, negative."""
        self._span_s = span_s
        if self._plot is not None:
            self._plot.show_traces(times, rows, span_s)

    def empty(self, span_s: int) -> None:
        """Nothing to show yet."""
        self._span_s = span_s
        if self._plot is not None:
            self._plot.empty(span_s)

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
