"""A body with slim bars below it, which can be taken away, leaving the bars as high as they are."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from .bar_stack import BarStack

_NO_LIMIT: Final = (1 << 24) - 1  # QWIDGETSIZE_MAX


class BarColumn(QWidget):
    """Base of a view with bars.

    Attributes:
        body: What stands above the bars. It begins at the upper edge, so that bars do not move it.
        bars: The bars.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)
        self._grid.setRowStretch(0, 1)
        self._grid.setColumnStretch(0, 1)
        self.body = QWidget(self)
        row = self._row = QHBoxLayout(self.body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.bars = BarStack(self)
        self.bars.changed.connect(self._fit)
        self._beside: list[QWidget] = []
        self._fitting = False
        self._grid.addWidget(self.body, 0, 0)
        self._grid.addWidget(self.bars, 1, 0)

    def add_bar(self, bar: QWidget, *, slim: bool) -> None:
        """Another bar; hidden at first.

        Args:
            bar: The bar.
            slim: A long text in it must not push the docks aside.
        """
        self.bars.add(bar, slim=slim)

    def add_to_body(self, part: QWidget, stretch: int = 0) -> None:
        """Another part of the body, at the right."""
        self._row.addWidget(part, stretch)

    def add_beside(self, part: QWidget) -> None:
        """A part at the right of body and bars, which comes and goes with the body."""
        self._beside.append(part)
        self._grid.addWidget(part, 0, len(self._beside), 2, 1)

    def show_body(self, on: bool) -> None:
        """Show the body, or only the bars, which then take what they need."""
        self.body.setVisible(on)
        for part in self._beside:
            part.setVisible(on)
        self._fit()

    def held(self) -> AbstractContextManager[None]:
        """While the bars take or give height from below, the body stays where it is."""
        return nullcontext()

    def _fit(self) -> None:
        """Give the bars their height; without a body, be as high as they are."""
        if self._fitting:
            return
        self._fitting = True
        try:
            with self.held():
                self._give_height()
        finally:
            self._fitting = False

    def _give_height(self) -> None:
        bodiless = self.body.isHidden()
        beside = 0 if bodiless else sum(part.width() for part in self._beside)
        height = self.bars.fit(max(self.width() - beside, self.bars.minimumWidth()))
        self.bars.setFixedHeight(height)
        self.bars.setVisible(height > 0)
        if bodiless:
            self.setFixedHeight(height)
            self.setVisible(height > 0)
        else:
            self.setMinimumHeight(0)
            self.setMaximumHeight(_NO_LIMIT)
            self.show()
        self._grid.activate()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In another width a sentence takes another height."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()
