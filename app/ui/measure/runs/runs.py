"""Finished tests, in a form for the table and the charts: a name, figures, curves, files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from ....core.errors import ValueFormatError
from ....core.measure.bandwidth.bandwidth import BandwidthResult
from ....core.measure.flash.flash_result import FlashResult
from ....core.measure.histogram import LEAST_BEYOND, Histogram
from ....core.measure.latency.latency_result import LatencyResult
from ....core.measure.latency.one_way import OneWay
from ....core.measure.transfer.transfer_result import SizeResult, TransferResult
from ....core.storage.atomic_file import write_text
from ....core.values.units import format_rate, format_size, format_time
from ..charts.charts import F64

KEPT: Final = 24
WRITE_MARK: Final = "t1"  # pyqtgraph's names of ▲ and ■
COPY_MARK: Final = "s"


@dataclass(frozen=True, slots=True)
class Run:
    """One finished test.

    Attributes:
        number: Counts up in this window.
        kind: `latency`, `flash`, ...
        title: What was asked, in a few words.
        result: As the engine gave it.
        figures: What the table shows, as texts by the name of the column.
        lines: Sentences with everything that a reader must know.
        histogram: Of the times; None where the test has none.
        seconds, times_ns: The series.
        sizes, rates: A sweep by size.
        marked: Other rates of the sweep, by the symbol of their points.
        weak: Columns whose figures rest on too few samples.
    """

    number: int
    kind: str
    title: str
    result: Any
    figures: dict[str, str]
    lines: tuple[str, ...] = ()
    histogram: Histogram | None = None
    seconds: F64 = field(default_factory=lambda: np.zeros(0))
    times_ns: F64 = field(default_factory=lambda: np.zeros(0))
    sizes: F64 = field(default_factory=lambda: np.zeros(0))
    rates: F64 = field(default_factory=lambda: np.zeros(0))
    marked: dict[str, F64] = field(default_factory=dict)
    weak: frozenset[str] = frozenset()

    @property
    def color(self) -> int:
        """Number of its colour and line style: the first run has the first."""
        return self.number - 1

    @property
    def name(self) -> str:
        """How tables and charts call it."""
        return f"{self.number}  {self.title}"


def run_of(number: int, result: Any, ending: str = "") -> Run:
    """A result as a Run. Raises ValueFormatError for what is no result of a test."""
    if isinstance(result, LatencyResult):
        return _latency(number, result, ending)
    if isinstance(result, FlashResult):
        return _flash(number, result, ending)
    if isinstance(result, TransferResult):
        return _transfer(number, result, ending)
    if isinstance(result, BandwidthResult):
        return _bandwidth(number, result, ending)
    raise ValueFormatError(f"{type(result).__name__} is no result of a test.")


def time_figures(histogram: Histogram, lost: int) -> dict[str, str]:
    """The table's columns for a distribution of times."""
    summary = histogram.summary()
    times = {
        "p50": summary.p50,
        "p99": summary.p99,
        "p99.9": summary.p99_9,
        "max": summary.maximum,
    }
    return {
        # Where nothing was answered there is no time, least of all 0 ns.
        **{name: format_time(time_ns) if summary.count else "-" for name, time_ns in times.items()},
        "count": f"{summary.count:,}",
        "lost": f"{lost:,}",
    }


def weak_figures(histogram: Histogram) -> frozenset[str]:
    """The columns of `time_figures` that rest on too few samples."""
    keys = histogram.summary().too_few_samples
    return frozenset(key.removesuffix("_ns").replace("_", ".") for key in keys)


def _latency(number: int, result: LatencyResult, ending: str) -> Run:
    mode = f"{result.rate_hz:g}/s" if result.rate_hz else "closed loop"
    title = f"{mode}, {result.payload_bytes} B, {result.wait.name.lower()}"
    response, service = result.response.summary(), result.service.summary()
    lines = [
        f"With {result.conditions.peer}",
        f"Engine {result.engine.value} here, {result.peer_engine.value} there; floor "
        f"{format_time(result.floor.p50)} (p50 of the same loop without a peer)",
    ]
    if response.count:
        lines += [
            f"{'Response' if result.rate_hz else 'Round trip'} p90 {format_time(response.p90)}, "
            f"p99.99 {format_time(response.p99_99)}, min {format_time(response.minimum)}, mean "
            f"{format_time(response.mean)}",
            f"Service time p50 {format_time(service.p50)}, p99 {format_time(service.p99)}",
        ]
    weak = weak_figures(result.response)
    if weak:
        names = ", ".join(sorted(weak))
        lines.append(f"Fewer than {LEAST_BEYOND} samples lie beyond {names}: more by chance")
    lines.append(
        f"Of {result.due:,} due {response.count:,} answered ({result.late:,} sent late), "
        f"{result.lost:,} lost, {result.skipped:,} skipped; {result.unexpected:,} unexpected"
    )
    lines.append(
        f"Of {result.duration_s:.3g} s {result.stalled_share * 100:.1f} % stalled, "
        f"{result.paused_share * 100:.1f} % taken by counting"
    )
    if result.ways is not None:
        lines.append(one_way_sentence(result.ways))
    lines += [*result.notes, ending]
    return Run(
        number,
        "latency",
        title,
        result,
        {**time_figures(result.response, result.lost), "skipped": f"{result.skipped:,}"},
        tuple(line for line in lines if line),
        result.response,
        np.array([point.at_s for point in result.series]),
        np.array([float(point.p99_ns) for point in result.series]),
        weak=weak,
    )


def one_way_sentence(ways: OneWay) -> str:
    """The one-way estimate with its uncertainty."""
    there, back = format_time(ways.there_p50_ns), format_time(ways.back_p50_ns)
    if ways.same_clock:
        return f"One way, p50: {there} there, {back} back (both sides read one clock)"
    bound = format_time(ways.uncertainty_ns)
    return f"One way, estimated p50: {there} there, {back} back, each ± {bound}"


def _flash(number: int, result: FlashResult, ending: str) -> Run:
    histogram = Histogram()
    histogram.record(result.column("total_ns"))
    lines = [f"With {result.peer}"]
    for name, words in (
        ("seen_ns", "stored → seen"),
        ("paint_ns", "seen → painted"),
        ("answer_ns", "painted → answered"),
        ("total_ns", "stored → answered"),
    ):
        found = result.percentiles(name)
        if found:
            text = (
                f"{words}: p50 {format_time(found['p50_ns'])}, p99 {format_time(found['p99_ns'])}"
            )
            if name == "seen_ns" and not result.one_clock:
                bound = max(sample.seen_error_ns for sample in result.samples)
                text += f" (two clocks: half of the way, ± {format_time(bound)})"
            lines.append(text)
    if result.peer_period_ns:
        lines.append(f"The peer's display refreshes every {format_time(result.peer_period_ns)}")
    reactions = [s.reaction_ns for s in result.samples if s.reaction_ns]
    if reactions:
        middle = float(np.median(reactions))
        lines.append(f"Reaction of a person: median {format_time(middle)} of {len(reactions)}")
    surface = result.plan.surface.name.lower()
    totals = result.column("total_ns")
    return Run(
        number,
        "flash",
        f"flash {surface}, every {result.plan.every_s:g} s",
        result,
        time_figures(histogram, result.lost),
        tuple([*lines, ending] if ending else lines),
        histogram,
        np.arange(len(totals), dtype=np.float64) * result.plan.every_s,
        totals.astype(np.float64),
        weak=weak_figures(histogram),
    )


def _transfer(number: int, result: TransferResult, ending: str) -> Run:
    sizes = result.sizes
    best = max(sizes, key=lambda size: size.bytes_per_s, default=None)
    ways = [way for size in sizes for way in size.ways]
    direction = result.direction.value.replace("-", " ")
    what = format_size(sizes[0].message_bytes) if len(sizes) == 1 else f"{len(sizes)} sizes"
    lines = [f"With {result.conditions.peer}"]
    lines += [_size_sentence(size) for size in sizes]
    checked = "all verified, in order" if result.clean else "not all arrived whole and in order"
    lines += [f"Engine {result.engine.value}; {checked}", *result.notes, ending]
    figures = {"sizes": str(len(sizes))}
    if best is not None:
        figures |= {
            "rate": format_rate(best.bytes_per_s),
            "Gbit/s": f"{best.bytes_per_s * 8 / 1e9:.1f}",
            "CPU/GB": f"{best.cpu_s_per_gb:.2f} s",
            "bad": f"{sum(way.bad + way.out_of_order for way in ways):,}",
            "lost": f"{sum(way.lost for way in ways):,}",
        }
    return Run(
        number,
        "transfer",
        f"{direction}, {what}",
        result,
        figures,
        tuple(line for line in lines if line),
        sizes=np.array([float(size.message_bytes) for size in sizes]),
        rates=np.array([size.bytes_per_s for size in sizes]),
    )


def _size_sentence(size: SizeResult) -> str:
    ways = (("to the peer", size.to_peer), ("from the peer", size.from_peer))
    rates = [f"{format_rate(way.bytes_per_s)} {name}" for name, way in ways if way is not None]
    return (
        f"{format_size(size.message_bytes)}: {', '.join(rates)}; processor {size.cpu_s_per_gb:.2f} "
        f"s/GB here, {size.peer_cpu_s_per_gb:.2f} s/GB there"
    )


def _bandwidth(number: int, result: BandwidthResult, ending: str) -> Run:
    blocks = result.blocks
    best = max(blocks, key=lambda block: block.read_bytes_per_s, default=None)
    lines = [str(result.verdict)]
    lines += [
        f"{format_size(block.block_bytes)}: read {format_rate(block.read_bytes_per_s)}, write "
        f"{format_rate(block.write_bytes_per_s)}, copy {format_rate(block.copy_bytes_per_s)} "
        f"(own memory {format_rate(block.own_copy_bytes_per_s)}); load {block.load_ns:.0f} ns, "
        f"store {block.store_ns:.0f} ns"
        for block in blocks
    ]
    lines += [f"Engine {result.engine.value}", *result.notes, ending]
    figures = {"sizes": str(len(blocks))}
    if best is not None:
        figures |= {
            "read": format_rate(best.read_bytes_per_s),
            "write": format_rate(best.write_bytes_per_s),
            "copy": format_rate(best.copy_bytes_per_s),
            "load": f"{best.load_ns:.0f} ns",
            "store": f"{best.store_ns:.0f} ns",
        }
    where = result.cache.split(" ")[0] or "shared file"
    at = f" at {format_size(best.block_bytes)}" if best is not None else ""
    return Run(
        number,
        "bandwidth",
        f"{where}{at}",
        result,
        figures,
        tuple(line for line in lines if line),
        sizes=np.array([float(block.block_bytes) for block in blocks]),
        rates=np.array([block.read_bytes_per_s for block in blocks]),
        marked={
            WRITE_MARK: np.array([block.write_bytes_per_s for block in blocks]),
            COPY_MARK: np.array([block.copy_bytes_per_s for block in blocks]),
        },
    )


def headline(run: Run) -> str:
    """The figures that one looks for first, and what is missing."""
    wanted = ("p50", "p99", "rate", "read", "write")
    parts = [f"{name} {run.figures[name]}" for name in wanted if name in run.figures]
    return ", ".join((*parts, *missing(run)))


def missing(run: Run) -> list[str]:
    """What did not arrive, or not as it was sent: `12 lost`; empty when all is well."""
    names = ("lost", "bad")
    return [f"{run.figures[name]} {name}" for name in names if run.figures.get(name, "0") != "0"]


def comparison(run: Run, base: Run) -> str:
    """How a run differs from another of its kind: `Against run 1: p50 +12 %, p99 −4 %`."""
    if run.histogram is not None and base.histogram is not None:
        mine, other = run.histogram.summary(), base.histogram.summary()
        pairs: list[tuple[str, float, float]] = [
            ("p50", mine.p50, other.p50),
            ("p99", mine.p99, other.p99),
            ("p99.9", mine.p99_9, other.p99_9),
            ("max", mine.maximum, other.maximum),
        ]
    else:
        pairs = [
            (f"at {format_size(int(size))}", float(run.rates[at]), float(base.rates[found[0]]))
            for at, size in enumerate(run.sizes)
            if len(found := np.flatnonzero(base.sizes == size))
        ]
    # Nothing answered is no time of 0 ns.
    parts = [f"{name} {_percent(mine / other)}" for name, mine, other in pairs if mine and other]
    if not parts:
        return ""
    return f"Against run {base.number}{_unlike(run.result, base.result)}: {', '.join(parts)}"


def _unlike(result: Any, base: Any) -> str:
    """Why two times cannot be compared as they stand; empty when they can."""
    if not isinstance(result, LatencyResult) or not isinstance(base, LatencyResult):
        return ""
    if bool(result.rate_hz) == bool(base.rate_hz):
        return ""
    mine, other = ("fixed rate" if each.rate_hz else "closed loop" for each in (result, base))
    return f" (unlike tests: {mine} against {other}, which times from another moment)"


def _percent(ratio: float) -> str:
    if ratio >= 10:
        return f"× {ratio:,.0f}"
    change = (ratio - 1) * 100
    return f"{'−' if change < 0 else '+'}{abs(change):.0f} %"


def save_run(run: Run, path: Path) -> None:
    """Write a run as `.json`, or a latency run as `.csv` or `.hlog`.

    Raises:
        ValueFormatError: This run has no such form.
        StorageError: The file cannot be written.
    """
    result, suffix = run.result, path.suffix.lower()
    if suffix == ".csv" and hasattr(result, "csv_text"):
        text = result.csv_text()
    elif suffix == ".hlog" and hasattr(result, "hdr_text"):
        text = result.hdr_text()
    elif suffix == ".json":
        text = json.dumps(result.as_dict(), indent=1) + "\n"
    else:
        raise ValueFormatError(
            f"A {run.kind} run cannot be saved as {suffix}.",
            "Use .json; latency runs also have .csv and .hlog.",
        )
    write_text(path, text, wait_s=0)  # the window does not wait for a pipe
