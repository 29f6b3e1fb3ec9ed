"""Slim bars above a body that can be taken away, leaving the bars as high as they are."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

_NO_LIMIT: Final = (1 << 24) - 1  # QWIDGETSIZE_MAX


class BarColumn(QWidget):
    """Base of a view with bars.

    Attributes:
        body: What stands below the bars, side by side.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.body = QWidget(self)
        row = self._row = QHBoxLayout(self.body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._column.addWidget(self.body, 1)

    def add_bar(self, bar: QWidget, *, slim: bool) -> None:
        """Another bar below those that there are; hidden at first.

        Args:
            bar: The bar.
            slim: A long text in it must not push the docks aside.
        """
        if slim:
            policy = bar.sizePolicy()
            policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
            bar.setSizePolicy(policy)
        self._column.insertWidget(len(self._bars), bar)
        self._bars.append(bar)
        bar.hide()
        bar.installEventFilter(self)

    def add_to_body(self, part: QWidget, stretch: int = 0) -> None:
        """Another part of the body, at the right."""
        self._row.addWidget(part, stretch)

    def show_body(self, on: bool) -> None:
        """Show the body, or only the bars, which then take what they need."""
        self.body.setVisible(on)
        self._fit()

    def _fit(self) -> None:
        """Without a body, be as high as the bars, and away while there is none."""
        if not self.body.isHidden():
            self.setMinimumHeight(0)
            self.setMaximumHeight(_NO_LIMIT)
            self.show()
            return
        width, column = max(self.width(), self.minimumWidth()), self._column
        wraps = column.hasHeightForWidth()
        self.setFixedHeight(column.heightForWidth(width) if wraps else column.sizeHint().height())
        self.setVisible(any(not bar.isHidden() for bar in self._bars))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A bar came, went, or needs another height."""
        kind = QEvent.Type
        changes = (kind.ShowToParent, kind.HideToParent, kind.LayoutRequest)
        if event.type() in changes and self.body.isHidden():
            self._fit()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In another width a sentence takes another height."""
        super().resizeEvent(event)
        if self.body.isHidden():
            self._fit()
