"""The mark over frozen graphs, so that they are not taken for the present."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from ...style.theme import DARK, PAD, Theme

_WORD: Final = "frozen"
_HATCH_ALPHA: Final = 130


class FrozenMark(QWidget):
    """A hatched ground with a word, over some views while a button is down; the mouse goes through.

    Args:
        parent: Whose children the views are.
        views: What it covers; those that are hidden are left out.
        button: While it is checked the views are frozen.
    """

    def __init__(self, parent: QWidget, views: Sequence[QWidget], button: QAbstractButton) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self._views = tuple(views)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setVisible(button.isChecked())
        button.toggled.connect(self._switch)
        parent.installEventFilter(self)
        for view in self._views:
            view.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.theme = theme
        self.update()

    def _switch(self, on: bool) -> None:
        self.setVisible(on)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The views were moved, resized, shown or hidden."""
        kinds = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)
        if event.type() in kinds and not self.isHidden():
            self._place()
        return False

    def places(self) -> list[QRect]:
        """Where the views are, in the parent."""
        parent = self.parentWidget()
        assert parent is not None
        return [
            QRect(view.mapTo(parent, QPoint()), view.size())
            for view in self._views
            if view.isVisibleTo(parent)
        ]

    def _place(self) -> None:
        parent = self.parentWidget()
        assert parent is not None
        self.setGeometry(parent.rect())
        self.raise_()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Hatch each view, and say why."""
        painter = QPainter(self)
        hatch = QBrush(self.theme.color("quiet", _HATCH_ALPHA), Qt.BrushStyle.BDiagPattern)
        metrics = painter.fontMetrics()
        size = metrics.boundingRect(_WORD).size()
        for place in self.places():
            painter.fillRect(place, hatch)
            label = QRect(0, 0, size.width() + 2 * PAD, size.height() + PAD)
            label.moveTopRight(place.topRight() + QPoint(-PAD, PAD))
            if not place.contains(label):
                continue
            painter.fillRect(label, self.theme.color("panel", 230))
            painter.setPen(self.theme.color("warning"))
            painter.drawText(label, Qt.AlignmentFlag.AlignCenter, _WORD)
