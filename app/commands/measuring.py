"""`latency` and `respond`: measure a peer, or be the peer that is measured.

Both end by Ctrl+C or SIGTERM as they end by themselves: the peer is told, the lane is left, and
the bytes under it are as they were before. Sentences and progress go to standard error.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from app.commands.common import (
    FAILED,
    INTERRUPTED,
    OK,
    add_device,
    note,
    offset_of,
    opened,
    say,
    say_json,
)
from app.core.errors import CancelledError, ScopeError, StorageError
from app.core.probe.bells import measuring_bell
from app.core.probe.cards import EngineKind
from app.core.probe.conditions import choose_core
from app.core.probe.echo import EchoHandler
from app.core.probe.flow import TransferHandler
from app.core.probe.keeper import Ending, LaneHold, Sleep, hold_lane
from app.core.probe.kernel import Wait, why_absent
from app.core.probe.latency import LatencyOptions, Watcher, run_latency
from app.core.probe.latency_result import LatencyResult, Tally
from app.core.probe.responder import Handler, Phase, Responder, ResponderState
from app.core.region import Region
from app.core.units import format_short_offset, format_size

_OWN_WAITS: Final = {"spin": Wait.SPIN, "poll": Wait.POLL, "yield": Wait.YIELD}
_WAITS: Final = {**_OWN_WAITS, "bell": Wait.BELL}  # who is measured rings when it is asked to
_BACK: Final = (Ending.RESTORED, Ending.NOTHING_OWED)


# -- arguments ------------------------------------------------------------------------------------


def add_lane(parser: argparse.ArgumentParser) -> None:
    """The arguments that say where the lane lies; shared by all measuring verbs."""
    lane = parser.add_argument_group("lane", "where the two sides meet (docs/lane.md)")
    lane.add_argument("--offset", help="its place; default: the one that is there, else the end")
    lane.add_argument("--lane-size", help="bytes of a new lane (64K, 4M)")
    lane.add_argument("--slots", type=int, help="peers that a new lane has places for")
    lane.add_argument(
        "--force", action="store_true", help="lay it even over bytes that somebody keeps changing"
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """The arguments that say on what the loops run; shared by all measuring verbs."""
    parser.add_argument(
        "--engine", choices=[kind.value for kind in EngineKind],
        help="run the loops on this engine; default: the C kernel where it was built",
    )  # fmt: skip
    parser.add_argument(
        "--pin", default="", metavar="CORE", help="keep the loop on a core: a number, or auto"
    )


def add_latency(verbs: Any) -> None:
    """Declare `latency`."""
    parser = verbs.add_parser("latency", help="measure round trips with a peer that responds")
    add_device(parser)
    parser.add_argument(
        "--rate", type=float, default=1000.0, metavar="HZ",
        help="requests per second, 10 to 1000000; 0: one after the other",
    )  # fmt: skip
    parser.add_argument("--duration", type=float, default=10.0, metavar="S", help="seconds")
    parser.add_argument("--warm-up", type=float, default=0.5, metavar="S", help="seconds before")
    parser.add_argument("--payload", type=int, default=8, metavar="BYTES", help="8 to 4096")
    parser.add_argument(
        "--wait", choices=_WAITS, default="spin",
        help="how both sides wait; bell: asleep until the device's doorbell rings",
    )  # fmt: skip
    parser.add_argument("--poll", type=float, default=50.0, metavar="US", help="poll interval, µs")
    parser.add_argument("--lost-after", type=float, default=1.0, metavar="S", help="seconds")
    parser.add_argument("--slot", type=int, help="measure with the owner of this slot")
    parser.add_argument("--peer-within", type=float, metavar="S", help="give up without a peer")
    parser.add_argument("--save", metavar="FILE", help="keep the result: .json, .csv or .hlog")
    add_engine(parser)
    add_lane(parser)
    parser.set_defaults(run=run_latency_verb)


def add_respond(verbs: Any) -> None:
    """Declare `respond`."""
    parser = verbs.add_parser("respond", help="be the peer that others measure, until Ctrl+C")
    add_device(parser)
    parser.add_argument("--wait", choices=_OWN_WAITS, help="wait so, whatever the other side asks")
    parser.add_argument("--seconds", type=float, default=0.0, help="end after; 0 is never")
    add_engine(parser)
    add_lane(parser)
    parser.set_defaults(run=run_respond)


def hold_of(options: argparse.Namespace, region: Region, sleep: Sleep) -> LaneHold:
    """The lane that the arguments ask for."""
    offset = None if options.offset is None else offset_of(options.offset, region)
    size = None if options.lane_size is None else offset_of(options.lane_size, region)
    return hold_lane(region, offset, size, options.slots, force=options.force, sleep=sleep)


def engine_of(options: argparse.Namespace) -> EngineKind | None:
    """The engine that the arguments ask for; None is the best that is there."""
    wanted = None if options.engine is None else EngineKind(options.engine)
    if wanted is EngineKind.KERNEL and (why := why_absent()):
        raise ScopeError(f"There is no C kernel: {why}.")
    return wanted


# -- ending ---------------------------------------------------------------------------------------


class Ender:
    """Ctrl+C and SIGTERM as a flag, so that everything is put back in order."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises CancelledError when a person ends it meanwhile."""
        if self.asked.wait(seconds):
            raise CancelledError("Stopped.")

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler; a second signal breaks off."""
        if self.asked.is_set():
            raise KeyboardInterrupt
        self.asked.set()


@contextmanager
def ender() -> Iterator[Ender]:
    """Take the signals for a while."""
    made = Ender()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [(number, signal.signal(number, made.handle)) for number in numbers]
    try:
        yield made
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def tell_ending(ending: Ending | None) -> None:
    """Say what became of the bytes under the lane, when that is not what everybody expects."""
    if ending is not None and ending not in _BACK:
        note(f"Of the memory under the lane: {ending.value}.")


# -- latency --------------------------------------------------------------------------------------


def run_latency_verb(options: argparse.Namespace) -> int:
    """Measure, print, keep."""
    plan = LatencyOptions(
        rate_hz=options.rate, duration_s=options.duration, warm_up_s=options.warm_up,
        payload_bytes=options.payload, wait=_WAITS[options.wait],
        poll_ns=int(options.poll * 1000), timeout_s=options.lost_after, engine=engine_of(options),
        core=options.pin, slot=options.slot,
    )  # fmt: skip
    plan.check()
    choose_core(plan.core)
    with ender() as end, opened(options, read_only=False) as region:
        measuring_bell(region, plan.wait)  # before anything is laid
        hold = hold_of(options, region, end.sleep)
        try:
            place = f"{format_size(hold.lane.size)} at {format_short_offset(hold.lane.offset)}"
            note(f"Lane: {place} of {region.info.name}.")
            line = _Live(options.duration)
            watcher = Watcher(line, line.say, end.asked.is_set, end.sleep)
            result = run_latency(region, hold.lane, plan, watcher, give_up_s=options.peer_within)
            line.end()
        finally:
            tell_ending(hold.close())
        _report(options, result)
        if end.asked.is_set():
            return INTERRUPTED
    return OK if result.response.count else FAILED


class _Live:
    """The running figures on a terminal, and sentences wherever standard error goes."""

    def __init__(self, duration_s: float) -> None:
        self._on = sys.stderr.isatty()
        self._open = False
        self._duration_s = duration_s

    def __call__(self, tally: Tally, share: float) -> None:
        if not self._on:
            return
        now = tally.response.summary()
        sys.stderr.write(
            f"\r{min(share, 1) * 100:3.0f} %  p50 {_time(now.p50)}  p99 {_time(now.p99)}  "
            f"max {_time(now.maximum)}  lost {tally.lost}   "
        )
        sys.stderr.flush()
        self._open = True

    def say(self, text: str) -> None:
        """A sentence on a line of its own."""
        self.end()
        note(text)

    def end(self) -> None:
        """Leave the running line."""
        if self._open:
            sys.stderr.write("\n")
            self._open = False


def _report(options: argparse.Namespace, result: LatencyResult) -> None:
    if options.save:
        _save(options.save, result)
    if options.json:
        say_json(result.figures())
        return
    how = f"{result.rate_hz:g}/s" if result.rate_hz else "closed loop"
    say(f"{how}, {result.payload_bytes} B, {result.wait.name.lower()}, "
        f"{result.duration_s:.1f} s with {result.conditions.peer}")  # fmt: skip
    rows = [("response" if result.rate_hz else "round trip", result.response.summary())]
    if result.rate_hz:
        rows.append(("service", result.service.summary()))
    rows.append(("floor", result.floor))
    heads = ("p50", "p90", "p99", "p99.9", "p99.99", "min", "max", "mean")
    say(" " * 11 + "".join(f"{head:>10}" for head in heads))
    for name, row in rows:
        times = (row.p50, row.p90, row.p99, row.p99_9, row.p99_99, row.minimum, row.maximum)
        say(f"{name:<11}" + "".join(f"{_time(value):>10}" for value in (*times, row.mean)))
    stalled = f"stalled {result.stalled_share * 100:.2f} % of the time"
    say(f"{result.response.count} answered, {result.lost} lost, {result.late} sent late, "
        f"{result.strays} strays; {stalled}")  # fmt: skip
    if result.ways is not None:
        say(f"one way (p50): {result.ways}")
    say(f"measured in {engine_word(result.engine)}, answered in "
        f"{engine_word(result.peer_engine)}")  # fmt: skip
    for text in result.notes:
        say(f"note: {text}")


def engine_word(kind: EngineKind) -> str:
    """As people say it."""
    return "C" if kind is EngineKind.KERNEL else "Python"


def _time(ns: float) -> str:
    for limit, unit, factor in ((1e3, "ns", 1.0), (1e6, "µs", 1e3), (1e9, "ms", 1e6)):
        if ns < limit * 0.9995:
            digits = 0 if unit == "ns" or ns / factor >= 100 else 1 if ns / factor >= 10 else 2
            return f"{ns / factor:.{digits}f} {unit}"
    return f"{ns / 1e9:.2f} s"


def _save(path: str, result: LatencyResult) -> None:
    texts = {".csv": result.csv_text, ".hlog": result.hdr_text}
    make = next((made for end, made in texts.items() if path.endswith(end)), result.json_text)
    try:
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - as typed
            file.write(make())
    except OSError as error:
        raise StorageError(f"{path} could not be written ({error.strerror}).") from error


# -- respond --------------------------------------------------------------------------------------


def handlers(options: argparse.Namespace) -> list[Handler]:
    """Every test mode that can be answered without a window."""
    wait = None if options.wait is None else _OWN_WAITS[options.wait]
    wanted, core = engine_of(options), choose_core(options.pin)
    return [
        EchoHandler(wanted=wanted, wait=wait, core=core),
        TransferHandler(wanted=wanted, core=core),
    ]


def run_respond(options: argparse.Namespace) -> int:
    """Answer until told to end."""
    known = handlers(options)
    with ender() as end, opened(options, read_only=False) as region:
        teller = _Teller(options.json)
        responder = Responder(
            region, lambda sleep: hold_of(options, region, sleep), known, teller
        )  # fmt: skip
        responder.start()
        # The main thread only waits: signals arrive here, and the loops never see them.
        while responder.running and not end.asked.wait(0.2):
            if options.seconds and teller.seconds() >= options.seconds:
                break
        state = responder.stop()
        tell_ending(state.ending)
    if state.trouble is not None and state.phase is Phase.ENDED and not end.asked.is_set():
        raise state.trouble
    return OK


class _Teller:
    """Prints the responder's states as they change."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._began = time.monotonic()
        self._said = ""

    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def __call__(self, state: ResponderState) -> None:
        if self._json:
            say_json(_plain(state))
            sys.stdout.flush()
            return
        text = _sentence(state)
        if text and text != self._said:
            self._said = text
            note(text)


def _plain(state: ResponderState) -> dict[str, Any]:
    lane = state.lane
    return {
        "phase": state.phase.name.lower(),
        "lane_offset_bytes": None if lane is None else lane.offset,
        "lane_size_bytes": None if lane is None else lane.size,
        "slot": state.slot,
        "master": None if state.master is None else str(state.master),
        "test": state.command,
        "tests": state.tests,
        "trouble": None if state.trouble is None else str(state.trouble),
        "ending": None if state.ending is None else state.ending.name.lower(),
    }


def _sentence(state: ResponderState) -> str:
    if state.phase is Phase.TROUBLE and state.trouble is not None:
        return f"{state.trouble} Trying again."
    if state.phase is Phase.ANSWERING:
        return f"Answering {state.master} ({state.command})."
    if state.phase is Phase.LISTENING and state.lane is not None:
        at = format_short_offset(state.lane.offset)
        return f"Listening in slot {state.slot} of the lane at {at}."
    return ""
