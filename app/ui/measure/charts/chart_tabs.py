"""The charts of one kind of test, one behind the other, and the patch of the flash test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabWidget, QWidget

from ....core.engine.measuring.measurement_messages import LiveLatency
from ....core.measure.bandwidth.bandwidth import BandwidthLive
from ....core.measure.transfer.transfer_result import TransferLive
from ...style.theme import Theme
from ..flash.flash_patch import FlashPatch
from ..runs.runs import COPY_MARK, WRITE_MARK, Run
from .charts import (
    EMPTY,
    WAITING,
    HistogramChart,
    PercentileChart,
    RateChart,
    SeriesChart,
    Trace,
)

PATCH_HINT: Final = (
    "Flash test: this patch turns over when the other side stores a number, and answers when it "
    "has been painted. It takes a window of this program on both sides: start it here, or switch "
    "“Answer tests here” on and start it over there."
)
BY_HAND: Final = "Each press of Space, or click in here, is a flash."
FIRST: Final = "The first flash comes as soon as a window answers."
_PERCENTILES_TIP: Final = "How many of all took no longer than that, both axes logarithmic"
_HISTOGRAM_TIP: Final = "How often each time occurred, both axes logarithmic"
# The last two tabs by the kind of test: their names, and what they show.
_SERIES: Final = {
    "latency": ("p99 over time", "The p99 of each tenth of a second or more"),
    "flash": ("Over time", "Each flash: from the store until the answer was back"),
}
_RATES: Final = {
    "transfer": ("Rate by message size", "Verified bytes per second; both ways together"),
    "bandwidth": ("● read  ▲ write  ■ copy, by block", "Bytes per second in the raw mapping"),
}


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
        self.tabBar().setDrawBase(False)  # a line that the style puts above the tabs
        self.setUsesScrollButtons(False)  # narrow tabs rather than tabs out of sight
        self.setElideMode(Qt.TextElideMode.ElideRight)
        for chart, name in (
            (self.percentiles, "Percentiles"),
            (self.histogram, "Histogram"),
            (self.series, "Over time"),
            (self.rates, "Rate by size"),
            (self.patch, "Flash patch"),
        ):
            self.addTab(chart, name)
        self.setTabToolTip(0, _PERCENTILES_TIP)
        self.setTabToolTip(1, _HISTOGRAM_TIP)
        self.setTabToolTip(4, PATCH_HINT)
        self.clear_patch()

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        for chart in (self.percentiles, self.histogram, self.series, self.rates):
            chart.set_theme(theme)
        self.show_runs(self._runs)

    def clear_patch(self, hint: str = PATCH_HINT) -> None:
        """Nothing flashes."""
        self.patch.clear(hint)

    def show_kind(self, kind: str) -> None:
        """Offer the charts of this kind of test."""
        times: tuple[QWidget, ...] = (self.percentiles, self.histogram, self.series)
        fitting = {"latency": times, "flash": (self.patch, *times)}
        shown = fitting.get(kind, (self.rates,))
        for tab in range(self.count()):
            self.setTabVisible(tab, self.widget(tab) in shown)
        for tab, names in ((2, _SERIES), (3, _RATES)):
            if kind in names:
                self.setTabText(tab, names[kind][0])
                self.setTabToolTip(tab, names[kind][1])
        self.setCurrentWidget(shown[0])

    def set_waiting(self, *, on: bool) -> None:
        """What a chart without a curve says: to start a test, or that one has begun."""
        for chart in (self.percentiles, self.histogram, self.series, self.rates):
            chart.empty.setText(WAITING if on else EMPTY)

    def show_start(self, kind: str) -> None:
        """A test begins: to the front with what moves while it runs."""
        if kind == "latency":
            self.setCurrentWidget(self.series)
        elif kind == "flash":
            self.setCurrentWidget(self.patch)
            self.patch.setFocus()

    def show_end(self, kind: str) -> None:
        """A test is done: its distribution, unless a person has gone elsewhere meanwhile."""
        moving = {"latency": self.series, "flash": self.patch}
        if kind in moving and self.currentWidget() is moving[kind]:
            self.setCurrentWidget(self.percentiles)

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Draw these runs, overlaid."""
        self._runs = tuple(runs)
        for chart in (self.percentiles, self.histogram):
            chart.show_traces(
                tuple(chart.trace(r.name, r.histogram, r.color) for r in runs if r.histogram)
            )
        self.series.show_traces(self._over_time())
        self.rates.show_traces(self._by_size())

    def show_live(self, figures: Any, color: int) -> None:
        """Show the running test with the finished ones."""
        match figures:
            case LiveLatency():
                self._live_latency(figures, color)
            case TransferLive(_, size, there, back, _, done):
                rates = {float(one.message_bytes): one.bytes_per_s for one in done}
                if there + back:
                    rates[float(size)] = there + back
                self._live_rates(rates, color)
            case BandwidthLive(_, blocks):
                self._live_rates({float(b.block_bytes): b.read_bytes_per_s for b in blocks}, color)

    def _live_rates(self, rates: dict[float, float], color: int) -> None:
        if rates:
            sizes, values = np.array(sorted(rates)), np.array([rates[s] for s in sorted(rates)])
            now = self.rates.trace("now", sizes, values, color)
            self.rates.show_traces((*self._by_size(), now))

    def _live_latency(self, figures: LiveLatency, color: int) -> None:
        series = figures.series
        # Qt does not call what is behind another dock's tab hidden: it has no visible region.
        seen = self.series.isVisible() and not self.visibleRegion().isEmpty()
        if len(series) > 1 and seen:
            seconds = np.array([point.at_s for point in series])
            times = np.array([float(point.p99_ns) for point in series])
            self.series.show_traces(
                (*self._over_time(), self.series.trace("now", seconds, times, color))
            )

    def _over_time(self) -> tuple[Trace, ...]:
        return tuple(
            self.series.trace(run.name, run.seconds, run.times_ns, run.color)
            for run in self._runs
            if run.histogram is not None
        )

    def _by_size(self) -> tuple[Trace, ...]:
        words = {WRITE_MARK: ", write", COPY_MARK: ", copy"}
        return tuple(
            self.rates.trace(run.name + name, run.sizes, rates, run.color, mark)
            for run in self._runs
            if len(run.sizes)
            for mark, name, rates in (
                ("o", ", read" if run.marked else "", run.rates),
                *((mark, words[mark], rates) for mark, rates in run.marked.items()),
            )
        )
