"""The charts of one kind of test, one behind the other, and the patch of the flash test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabWidget, QWidget

from app.core.probe.desk_messages import LiveLatency
from app.ui.measure.charts import (
    HistogramChart,
    PercentileChart,
    RateChart,
    SeriesChart,
    Trace,
)
from app.ui.measure.flash_patch import FlashPatch
from app.ui.measure.runs import Run
from app.ui.theme import Theme

PATCH_HINT: Final = (
    "Flash test: this patch turns over when the other side stores a number, and answers when it "
    "has been painted. It takes a window of this program on both sides: start it here, or switch "
    "“Answer tests here” on and start it over there."
)


class ChartTabs(QTabWidget):
    """Shows what fits the kind of test that is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.percentiles = PercentileChart()
        self.histogram = HistogramChart()
        self.series = SeriesChart()
        self.rates = RateChart()
        self.patch = FlashPatch()
        self._runs: tuple[Run, ...] = ()
        self.setDocumentMode(True)
        self.setUsesScrollButtons(False)  # narrow tabs rather than tabs out of sight
        self.setElideMode(Qt.TextElideMode.ElideRight)
        for chart, name in (
            (self.percentiles, "Percentiles"), (self.histogram, "Histogram"),
            (self.series, "Over time"), (self.rates, "Rate by size"), (self.patch, "Flash patch"),
        ):  # fmt: skip
            self.addTab(chart, name)
        self.clear_patch()

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        for chart in (self.percentiles, self.histogram, self.series, self.rates):
            chart.set_theme(theme)
        self.show_runs(self._runs)

    def clear_patch(self) -> None:
        """Nothing flashes."""
        self.patch.clear(PATCH_HINT)

    def show_kind(self, kind: str) -> None:
        """Offer the charts of this kind of test."""
        times: tuple[QWidget, ...] = (self.percentiles, self.histogram, self.series)
        fitting = {"latency": times, "flash": (self.patch, *times)}
        shown = fitting.get(kind, (self.rates,))
        for tab in range(self.count()):
            self.setTabVisible(tab, self.widget(tab) in shown)
        self.setCurrentWidget(shown[0])

    def show_start(self, kind: str) -> None:
        """A test begins: to the front with what moves while it runs."""
        if kind == "latency":
            self.setCurrentWidget(self.series)
        elif kind == "flash":
            self.setCurrentWidget(self.patch)
            self.patch.setFocus()

    def show_end(self, kind: str) -> None:
        """A test is done: its distribution, unless a person has gone elsewhere meanwhile."""
        if kind == "latency" and self.currentWidget() is self.series:
            self.setCurrentWidget(self.percentiles)

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Draw these runs, overlaid."""
        self._runs = tuple(runs)
        for chart in (self.percentiles, self.histogram):
            chart.show_traces(
                tuple(chart.trace(r.title, r.histogram, r.number) for r in runs if r.histogram)
            )
        self.series.show_traces(self._over_time())
        self.rates.show_traces(
            tuple(
                self.rates.trace(run.title, run.sizes, run.rates, run.number)
                for run in runs
                if len(run.sizes)
            )
        )

    def show_live(self, figures: LiveLatency, number: int) -> None:
        """The run that goes on, beside the finished ones."""
        points = figures.points
        # Qt does not call what is behind another dock's tab hidden: it has no visible region.
        seen = self.series.isVisible() and not self.visibleRegion().isEmpty()
        if len(points) > 1 and seen:
            seconds = np.array([point.at_s for point in points])
            times = np.array([float(point.p99_ns) for point in points])
            self.series.show_traces(
                (*self._over_time(), self.series.trace("now", seconds, times, number))
            )

    def _over_time(self) -> tuple[Trace, ...]:
        return tuple(
            self.series.trace(run.title, run.seconds, run.times_ns, run.number)
            for run in self._runs
            if run.histogram is not None
        )
