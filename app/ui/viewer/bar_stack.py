"""Slim bars on top of each other, none of which moves another when it comes or goes.

Bars come and go by themselves: a message fades, an undo ends, a conflict arrives. What a person
aims at must not move then. So the stack grows away from its lower edge: a bar that comes stands
above those that are there, or in a gap that has room for it; one that goes from below others
leaves a gap, until all above it have gone too. Only a bar whose own content needs more room than
its place has moves, to the top.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QSizePolicy, QWidget


@dataclass(slots=True)
class _Place:
    """A part of the stack's height with its bar; None is a gap."""

    bar: QWidget | None
    height: int


class BarStack(QWidget):
    """The bars of a view.

    Signals:
        changed(): A bar came, went or needs another height; `fit` has to be called.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars: list[QWidget] = []
        self._wide: list[QWidget] = []
        self._places: list[_Place] = []  # from the lower edge upward
        self._width = 0
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()

    def add(self, bar: QWidget, *, slim: bool) -> None:
        """Another bar, hidden at first.

        Args:
            bar: The bar.
            slim: It may be narrower than all of its text.
        """
        bar.setParent(self)
        self.bars.append(bar)
        if not slim:
            self._wide.append(bar)
        bar.hide()
        bar.installEventFilter(self)

    @property
    def shown(self) -> list[QWidget]:
        """Bars that are there, from below."""
        return [place.bar for place in self._places if place.bar is not None]

    def fit(self, width: int) -> int:
        """Give each bar its place; the height of all."""
        if width != self._width:  # a person made it wider or narrower: nothing has to stay
            self._width = width
            self._places = [place for place in self._places if place.bar is not None]
            for place in self._places:
                place.height = 0
        self._let_go()
        for bar in self.bars:
            if not bar.isHidden():
                self._place(bar, _height(bar, width))
        self._let_go()
        wide = (bar.minimumSizeHint().width() for bar in self._wide if not bar.isHidden())
        self.setMinimumWidth(max(wide, default=0))
        total = bottom = sum(place.height for place in self._places)
        for place in self._places:
            bottom -= place.height
            if place.bar is not None:
                place.bar.setGeometry(0, bottom, width, place.height)
        return total

    def _let_go(self) -> None:
        """Remove hidden bars, and gaps at the top of the stack."""
        for place in self._places:
            if place.bar is not None and place.bar.isHidden():
                place.bar = None
        while self._places and self._places[-1].bar is None:
            self._places.pop()

    def _place(self, bar: QWidget, height: int) -> None:
        own = next((place for place in self._places if place.bar is bar), None)
        if own is not None and (own is self._places[-1] or own.height in (0, height)):
            own.height = height
        elif own is None or own.height < height:
            if own is not None:
                own.bar = None
            gaps = (place for place in self._places if place.bar is None)
            free = next((place for place in gaps if place.height >= height), None)
            if free is not None:
                free.bar = bar
            else:
                self._places.append(_Place(bar, height))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A bar came, went, or needs another height."""
        kind = QEvent.Type
        if event.type() in (kind.ShowToParent, kind.HideToParent, kind.LayoutRequest):
            self.changed.emit()
        return super().eventFilter(watched, event)


def _height(bar: QWidget, width: int) -> int:
    """What a bar needs in this width; a sentence wraps."""
    if bar.width() != width:
        bar.resize(width, bar.height())
    layout = bar.layout()
    if layout is not None and layout.hasHeightForWidth():
        return layout.totalHeightForWidth(width)
    return bar.sizeHint().height()
