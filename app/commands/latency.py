"""`latency`: measure round trips with a peer that responds.

On Ctrl+C and SIGTERM it stops the responder, leaves the lane and restores the bytes under it.
Sentences and progress go to standard error.
"""

from __future__ import annotations

import argparse
from typing import Any, Final

from ..core.measure.conditions import choose_core
from ..core.measure.histogram import LEAST_BEYOND, QUANTILE_KEYS
from ..core.measure.latency.latency import LatencyLive, LatencyOptions, run_latency
from ..core.measure.latency.latency_result import LatencyResult
from ..core.measure.peers.doorbells import measuring_bell
from ..core.native.kernel import Wait
from ..core.storage.pipes import Stop
from ..core.values.units import format_time
from .common import FAILED, OK, add_device, note, number, opened, say, say_json
from .interrupts import INTERRUPTED, InterruptGuard
from .measuring import (
    STDOUT,
    add_engine,
    add_lane,
    add_peer,
    check_place,
    engine_of,
    engine_word,
    held_lane,
    run_context,
    save_text,
    tell_place,
)
from .progress_line import ProgressLine

_MOST: Final = 1e12  # beyond every bound of LatencyOptions, which says what can be measured
_SUFFIXES: Final = (".json", ".csv", ".hlog")
_USUAL: Final = LatencyOptions()
_WAITS: Final = {"spin": Wait.SPIN, "poll": Wait.POLL, "yield": Wait.YIELD, "bell": Wait.BELL}


def add_latency(verbs: Any) -> None:
    """Declare `latency`."""
    parser = verbs.add_parser("latency", help="measure round trips with a peer that responds")
    add_device(parser)
    parser.add_argument(
        "--rate",
        type=number(float, "rate", 0, _MOST),
        default=_USUAL.rate_hz,
        metavar="HZ",
        help="requests per second, 10 to 1000000; 0: one after the other",
    )
    seconds = number(float, "time", 0, _MOST)
    usual = _USUAL
    parser.add_argument(
        "--duration", type=seconds, default=usual.duration_s, metavar="S", help="seconds"
    )
    parser.add_argument(
        "--warm-up", type=seconds, default=usual.warm_up_s, metavar="S", help="seconds before"
    )
    size = number(int, "size", 0, _MOST)
    parser.add_argument(
        "--payload", type=size, default=usual.payload_bytes, metavar="BYTES", help="8 to 4096"
    )
    parser.add_argument(
        "--wait",
        choices=_WAITS,
        default=usual.wait.name.lower(),
        help="how both sides wait; bell: asleep until the device's doorbell rings",
    )
    parser.add_argument(
        "--poll", type=seconds, default=usual.poll_ns / 1e3, metavar="US", help="poll, µs"
    )
    parser.add_argument(
        "--lost-after", type=seconds, default=usual.timeout_s, metavar="S", help="seconds"
    )
    add_peer(parser)
    parser.add_argument("--save", metavar="FILE", help="keep the result: .json, .csv, .hlog; -")
    add_engine(parser)
    add_lane(parser)
    parser.set_defaults(run=run_latency_verb)


def run_latency_verb(options: argparse.Namespace) -> int:
    """Measure, print, keep: in this order, so that a full disk takes no result away."""
    plan = LatencyOptions(
        rate_hz=options.rate,
        duration_s=options.duration,
        warm_up_s=options.warm_up,
        payload_bytes=options.payload,
        wait=_WAITS[options.wait],
        poll_ns=int(options.poll * 1000),
        timeout_s=options.lost_after,
        engine=engine_of(options),
        core=options.pin,
        slot=options.slot,
    )
    plan.check()
    choose_core(plan.core)
    with InterruptGuard() as guard, opened(options, read_only=False) as region:
        if options.save is not None:
            check_place(options.save, _SUFFIXES)  # the region is open: its own file is known
        measuring_bell(region, plan.wait)  # before a lane is created
        with held_lane(options, region, guard.sleep) as hold, ProgressLine() as line:
            tell_place(hold, region)
            context = run_context(guard, line, _live)
            result = run_latency(region, hold.lane, plan, context, give_up_s=options.peer_within)
        stop = guard.from_now()
        try:
            _report(options, result)
        finally:  # the result is kept even where the report cannot be printed
            if options.save is not None:
                _save(options.save, result, stop)
        if guard.cancelled():
            return INTERRUPTED
    return OK if result.response.count else FAILED


def _live(live: LatencyLive) -> str:
    now, share, lost = live.tally.response.summary(), min(live.share, 1) * 100, live.tally.lost
    if not now.count:
        return f"{share:3.0f} %  nothing answered  lost {lost}"
    return (
        f"{share:3.0f} %  p50 {format_time(now.p50)}  p99 {format_time(now.p99)}  "
        f"max {format_time(now.maximum)}  lost {lost}"
    )


def _report(options: argparse.Namespace, result: LatencyResult) -> None:
    if options.json:
        if options.save != STDOUT:  # which gets one value, with the figures in it
            say_json(result.figures())
        return
    tell = note if options.save == STDOUT else say
    how = f"{result.rate_hz:g}/s" if result.rate_hz else "closed loop"
    tell(
        f"{how}, {result.payload_bytes} B, {result.wait.name.lower()}, "
        f"{result.duration_s:.3g} s with {result.conditions.peer}"
    )
    rows = [("response" if result.rate_hz else "round trip", result.response.summary())]
    if result.rate_hz:
        rows.append(("service", result.service.summary()))
    rows.append(("floor", result.floor))
    heads = ("p50", "p90", "p99", "p99.9", "p99.99", "min", "max", "mean")
    tell(" " * 11 + "".join(f"{head:>10}" for head in heads))
    for name, row in rows:
        times = (row.p50, row.p90, row.p99, row.p99_9, row.p99_99, row.minimum, row.maximum)
        cells = [format_time(value) if row.count else "-" for value in (*times, row.mean)]
        marks = ["*" if key in row.too_few_samples else " " for key in QUANTILE_KEYS] + [" "] * 3
        line = "".join(f"{cell:>9}{mark}" for cell, mark in zip(cells, marks, strict=True))
        tell(f"{name:<12}{line}".rstrip())
    if any(row.too_few_samples for _, row in rows):
        tell(f"* rests on fewer than {LEAST_BEYOND} samples beyond it")
    tell(
        f"{result.due} due: {result.response.count} answered ({result.late} sent late), "
        f"{result.lost} lost, {result.skipped} skipped; {result.unexpected} unexpected; of the "
        f"time {result.stalled_share * 100:.2f} % stalled, {result.paused_share * 100:.2f} % taken "
        "by counting"
    )
    if result.ways is not None:
        tell(f"one way (p50): {result.ways}, of {result.ways.samples} trips before the test")
    tell(f"measured in {engine_word(result.engine)}, answered in {engine_word(result.peer_engine)}")
    for text in result.notes:
        tell(f"note: {text}")


def _save(path: str, result: LatencyResult, stop: Stop) -> None:
    makers = (result.json_text, result.csv_text, result.hdr_text)
    save_text(path, dict(zip(_SUFFIXES, makers, strict=True)), stop)
