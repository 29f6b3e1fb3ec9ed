"""What is under the mouse in the Activity panel, in words; the same moment in all its graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic_ns
from typing import Final

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLabel, QWidget

from ....core.watch.timing import longest_gap_ns
from ...hex.decorations.decorations import Decorations
from . import words
from .held_rates import HeldRates
from .lazy_plot import LazyPlot
from .maps import HeatMap, Place
from .sample_buffer import Ring
from .waterfall import Waterfall

_MOST_NAMES: Final = 3


@dataclass(slots=True)
class Shown:
    """What the panel draws.

    Attributes:
        ring: Samples of the graphs.
        held: Greatest rates since Hold.
        end_ns: Time of the newest Frame that is drawn.
        period_ns: Sampling period of the newest Frame; 0 without one.
    """

    ring: Ring
    held: HeldRates
    end_ns: int = 0
    period_ns: int = 0


class UnderMouse(QObject):
    """Says it in a label, and whole in tool tips.

    Args:
        label: Below the graphs.
        plots: Graphs over time.
        heat: The map of the present.
        water: The map over time.
        shown: What the panel draws; it is kept up to date there.
    """

    def __init__(
        self,
        label: QLabel,
        plots: Sequence[LazyPlot],
        heat: HeatMap,
        water: Waterfall,
        shown: Shown,
    ) -> None:
        super().__init__(label)
        self._label = label
        self._plots = tuple(plots)
        self._heat = heat
        self._water = water
        self._shown = shown
        self.decorations: Decorations | None = None
        heat.hovered.connect(self._present)
        water.hovered.connect(self._past)
        for plot in self._plots:
            plot.hovered.connect(self._moment)

    def _present(self, place: Place | None) -> None:
        activity = self._heat.activity
        if place is None or activity is None:
            self._say([], self._heat)
            return
        held = self._shown.held
        greatest = (held.since_ns or 0, held.greatest(place.cell))
        names = self._names(place)
        self._say(words.present(activity, place, monotonic_ns(), greatest, names), self._heat)

    def _past(self, place: Place | None) -> None:
        self._mark_moment(None if place is None else place.age_s)
        if place is None:
            self._say([], self._water)
            return
        rate = self._water.rate_at(place)
        parts = words.past(self._shown.end_ns, place, rate, self._names(place))
        self._say(parts, self._water)

    def _moment(self, age_s: float | None) -> None:
        self._mark_moment(age_s)
        shown = self._shown
        if age_s is None or not len(shown.ring):
            self._label.setText("")
            return
        gap_s = longest_gap_ns(shown.period_ns) / 2e9
        sample = shown.ring.at(shown.end_ns / 1e9 - age_s, gap_s)
        self._label.setText(words.sample_text(shown.end_ns, age_s, sample))

    def _say(self, parts: list[str], where: QWidget) -> None:
        """Show it below, as far as there is room, and all of it in the tool tip."""
        self._label.setText("  ".join(parts))
        where.setToolTip("\n".join(parts))

    def _mark_moment(self, age_s: float | None) -> None:
        """The same moment in all that show time."""
        for plot in self._plots:
            plot.set_cursor(age_s)
        self._water.set_cursor(age_s)

    def _names(self, place: Place) -> list[str]:
        """Labels of the decorations in a cell, the topmost first."""
        if self.decorations is None:
            return []
        items = self.decorations.touching(place.offset, place.length)[::-1]
        return [item.label for item in items if item.label][:_MOST_NAMES]
