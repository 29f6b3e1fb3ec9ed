"""`latency`: measure round trips with a peer that responds.

On Ctrl+C and SIGTERM it stops the responder, leaves the lane and restores the bytes under it.
Sentences and progress go to standard error.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import Any, Final

from ..core.measure.conditions import choose_core
from ..core.measure.latency.latency import LatencyOptions, Watcher, run_latency
from ..core.measure.latency.latency_result import LatencyResult, Tally
from ..core.measure.peers.doorbells import measuring_bell
from ..core.native.kernel import Wait
from .common import FAILED, INTERRUPTED, OK, add_device, opened, say, say_json
from .ending import interrupt_guard
from .engines import add_engine, engine_of, engine_word
from .lane import add_lane, add_peer, held_lane, tell_place
from .running_line import RunningLine
from .saving import check_place, save_text

_SUFFIXES: Final = (".json", ".csv", ".hlog")
_WAITS: Final = {"spin": Wait.SPIN, "poll": Wait.POLL, "yield": Wait.YIELD, "bell": Wait.BELL}


def add_latency(verbs: Any) -> None:
    """Declare `latency`."""
    parser = verbs.add_parser("latency", help="measure round trips with a peer that responds")
    add_device(parser)
    parser.add_argument(
        "--rate",
        type=float,
        default=1000.0,
        metavar="HZ",
        help="requests per second, 10 to 1000000; 0: one after the other",
    )
    parser.add_argument("--duration", type=float, default=10.0, metavar="S", help="seconds")
    parser.add_argument("--warm-up", type=float, default=0.5, metavar="S", help="seconds before")
    parser.add_argument("--payload", type=int, default=8, metavar="BYTES", help="8 to 4096")
    parser.add_argument(
        "--wait",
        choices=_WAITS,
        default="spin",
        help="how both sides wait; bell: asleep until the device's doorbell rings",
    )
    parser.add_argument("--poll", type=float, default=50.0, metavar="US", help="poll interval, µs")
    parser.add_argument("--lost-after", type=float, default=1.0, metavar="S", help="seconds")
    add_peer(parser)
    parser.add_argument("--save", metavar="FILE", help="keep the result: .json, .csv or .hlog")
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
    with interrupt_guard() as end, opened(options, read_only=False) as region:
        if options.save is not None:
            check_place(options.save, _SUFFIXES)  # the region is open: its own file is known
        measuring_bell(region, plan.wait)  # before anything is written
        with held_lane(options, region, end.sleep) as hold, closing(RunningLine()) as line:
            tell_place(hold, region)

            def show(tally: Tally, share: float) -> None:
                if line.on:
                    line.show(_live(tally, share))

            watcher = Watcher(show, line.report, end.asked.is_set, end.sleep)
            result = run_latency(region, hold.lane, plan, watcher, give_up_s=options.peer_within)
        if options.save != "-":  # standard output is for the result alone then
            _report(options, result)
        if options.save is not None:
            _save(options.save, result)
        if end.asked.is_set():
            return INTERRUPTED
    return OK if result.response.count else FAILED


def _live(tally: Tally, share: float) -> str:
    now = tally.response.summary()
    if not now.count:
        return f"{min(share, 1) * 100:3.0f} %  nothing answered  lost {tally.lost}"
    return (
        f"{min(share, 1) * 100:3.0f} %  p50 {_time(now.p50)}  p99 {_time(now.p99)}  "
        f"max {_time(now.maximum)}  lost {tally.lost}"
    )


def _report(options: argparse.Namespace, result: LatencyResult) -> None:
    if options.json:
        say_json(result.figures())
        return
    how = f"{result.rate_hz:g}/s" if result.rate_hz else "closed loop"
    say(
        f"{how}, {result.payload_bytes} B, {result.wait.name.lower()}, "
        f"{result.duration_s:.3g} s with {result.conditions.peer}"
    )
    rows = [("response" if result.rate_hz else "round trip", result.response.summary())]
    if result.rate_hz:
        rows.append(("service", result.service.summary()))
    rows.append(("floor", result.floor))
    heads = ("p50", "p90", "p99", "p99.9", "p99.99", "min", "max", "mean")
    say(" " * 11 + "".join(f"{head:>10}" for head in heads))
    for name, row in rows:
        times = (row.p50, row.p90, row.p99, row.p99_9, row.p99_99, row.minimum, row.maximum)
        cells = [_time(value) if row.count else "-" for value in (*times, row.mean)]
        say(f"{name:<11}" + "".join(f"{cell:>10}" for cell in cells))
    say(
        f"{result.response.count} answered, {result.lost} lost, {result.late} sent late, "
        f"{result.unexpected} unexpected; of the time {result.stalled_share * 100:.2f} % stalled, "
        f"{result.paused_share * 100:.2f} % taken by counting"
    )
    if result.ways is not None:
        say(f"one way (p50): {result.ways}, of {result.ways.samples} trips before the test")
    say(f"measured in {engine_word(result.engine)}, answered in {engine_word(result.peer_engine)}")
    for text in result.notes:
        say(f"note: {text}")


def _time(ns: float) -> str:
    for limit, unit, factor in ((1e3, "ns", 1.0), (1e6, "µs", 1e3), (1e9, "ms", 1e6)):
        if ns < limit * 0.9995:
            digits = 0 if unit == "ns" or ns / factor >= 100 else 1 if ns / factor >= 10 else 2
            return f"{ns / factor:.{digits}f} {unit}"
    return f"{ns / 1e9:.2f} s"


def _save(path: str, result: LatencyResult) -> None:
    makers = (result.json_text, result.csv_text, result.hdr_text)
    save_text(path, dict(zip(_SUFFIXES, makers, strict=True)))
