"""How the parts of the Measure panel stand: as a place of its own, or as a strip."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from ..style.theme import PAD

_LOW: Final = 400  # pixels; a panel that is lower is a strip
_LEFT: Final = 252  # the test and the peers, beside the chart
_MOST_LEFT: Final = 360
_LEAST_RUNS: Final = 146
_RUNS: Final = 0.225  # of the height
# Test, peers, charts, runs in a strip: what they get of 1280 pixels, the least, and enough.
_STRIP: Final = (224, 184, 372, 476)
_LEAST: Final = (190, 150, 268, 150)  # the charts: three tabs with their whole names
_ENOUGH: Final = (280, 240)
_NO_LIMIT: Final = (1 << 24) - 1  # QWIDGETSIZE_MAX


class Place(QSplitter):
    """Test and peers at the left, the chart large, the runs below it; in a strip side by side.

    Args:
        test: What to measure.
        peers: Who is in the lane.
        chart: The charts.
        runs: The finished tests.
    """

    def __init__(self, test: QWidget, peers: QWidget, chart: QWidget, runs: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._parts = (test, peers, chart, runs)
        self._strip: bool | None = None
        self._left, self._right = QSplitter(), QSplitter()
        for splitter, parts in ((self._left, (test, peers)), (self._right, (chart, runs))):
            for part in parts:
                splitter.addWidget(part)
            self.addWidget(splitter)
        for splitter in (self, self._left, self._right):
            splitter.setHandleWidth(PAD)
            splitter.setChildrenCollapsible(False)
            splitter.setStyleSheet("QSplitter::handle { image: none; }")
        self._arrange(strip=False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another height may ask for the other arrangement."""
        super().resizeEvent(event)
        strip = event.size().height() < _LOW
        if strip != self._strip:
            self._arrange(strip=strip)

    def _arrange(self, *, strip: bool) -> None:
        self._strip = strip
        flat, tall = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        for splitter in (self._left, self._right):
            splitter.setOrientation(flat if strip else tall)
        for part, least in zip(self._parts, _LEAST, strict=True):
            part.setMinimumWidth(least if strip else 0)
        for part, enough in zip(self._parts[:2], _ENOUGH, strict=True):
            part.setMaximumWidth(enough if strip else _NO_LIMIT)
        left = sum(_ENOUGH) + PAD if strip else _MOST_LEFT
        self._left.setMinimumWidth(0 if strip else _LEFT)
        self._left.setMaximumWidth(left)
        self._parts[3].setMinimumHeight(0 if strip else _LEAST_RUNS)
        width, height = self.width(), self.height()
        if strip:
            share = [size * width // sum(_STRIP) for size in _STRIP]
            self._left.setSizes(share[:2])
            self._right.setSizes(share[2:])
            self.setSizes([sum(share[:2]), sum(share[2:])])
        else:
            runs = max(_LEAST_RUNS, round(height * _RUNS))
            peers = max(120, height - self._parts[0].sizeHint().height() - PAD)
            self._left.setSizes([max(1, height - peers), peers])
            self._right.setSizes([max(1, height - runs), runs])
            self.setSizes([_LEFT, max(1, width - _LEFT)])
        for splitter, stretches in (
            (self, (0, 1)),
            (self._left, (_STRIP[0], _STRIP[1]) if strip else (0, 1)),
            (self._right, (_STRIP[2], _STRIP[3]) if strip else (1, 0)),
        ):
            for number, stretch in enumerate(stretches):
                splitter.setStretchFactor(number, stretch)
