"""`watch`: print what changes, as it is seen to change."""

from __future__ import annotations

import argparse
import sys
import time
from queue import Empty, SimpleQueue
from typing import Any, Final

import numpy as np

from ..core.engine.frame_board import MAX_SPAN
from ..core.errors import OutOfRangeError, RegionGoneError
from ..core.values.units import format_offset, format_rate, format_size
from ..core.watch.frame import Frame, Level
from ..core.watch.sampler import Sampler
from .common import OK, add_device, opened, positive, range_of, say, say_json

MAX_HZ: Final = 240.0
_WATCHED: Final = 4096


def add_watch(verbs: Any) -> None:
    """Declare `watch`."""
    parser = verbs.add_parser("watch", help="print changed bytes and the observed change rate")
    add_device(parser)
    parser.add_argument("start", nargs="?", default="0", help="offset of the span to watch")
    parser.add_argument("length", nargs="?", default=None, help="bytes; default 4 KiB")
    rate = positive(float, "rate in Hz", MAX_HZ)
    parser.add_argument("--rate", type=rate, default=10.0, metavar="HZ", help="looks per second")
    parser.add_argument(
        "--seconds",
        type=positive(float, "time"),
        default=None,
        metavar="S",
        help="stop after; default never",
    )
    parser.add_argument(
        "--count",
        type=positive(int, "whole number"),
        default=None,
        metavar="N",
        help="stop after so many looks that saw a change",
    )
    parser.add_argument("--quiet", action="store_true", help="only the rates, each second")
    parser.set_defaults(run=run_watch)


def run_watch(options: argparse.Namespace) -> int:
    """Watch until Ctrl+C, or until the wanted number of changes was seen."""
    with opened(options) as region:
        start, length = range_of(region, options.start, options.length, _WATCHED)
        if not length:
            raise OutOfRangeError("There is nothing to watch: the length is 0.")
        if length > MAX_SPAN and not options.quiet:
            raise OutOfRangeError(
                f"{format_size(length)} at {format_offset(start)} cannot be watched byte by byte.",
                f"At most {format_size(MAX_SPAN)}; --quiet shows the whole region's rate.",
            )
        frames: SimpleQueue[Frame] = SimpleQueue()
        sampler = Sampler(region, status=lambda: (0, True), publish=frames.put)
        sampler.set_rate(options.rate)
        sampler.watch_range(start, min(length, MAX_SPAN))
        sampler.start()
        try:
            _follow(options, frames)
        finally:
            sampler.stop()
    return OK


def _follow(options: argparse.Namespace, frames: SimpleQueue[Frame]) -> None:
    end = time.monotonic() + options.seconds if options.seconds else None
    printer = _Printer(options)
    while True:
        if end is not None and time.monotonic() >= end:
            return
        try:
            frame = frames.get(timeout=0.1)
        except Empty:
            continue
        if frame.health.level is Level.FAULT:
            raise RegionGoneError(frame.health.text, frame.health.hint)
        looks = printer.take(frame)
        sys.stdout.flush()  # a reader of the pipe needs it now
        if options.count is not None and looks >= options.count:
            return


class _Printer:
    """Prints runs of changed bytes, or rates."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._json = options.json
        self._quiet = options.quiet
        self._old: Frame | None = None
        self._looks = 0
        self._said_ns = 0

    def take(self, frame: Frame) -> int:
        """Print one Frame; returns how many with changes there were."""
        old, self._old = self._old, frame
        if frame.time_ns - self._said_ns >= 1_000_000_000:
            self._said_ns = frame.time_ns
            if self._quiet:
                self._rates(frame)
        if old is None or old.start != frame.start or not frame.sample.changed.any():
            return self._looks
        self._looks += 1
        if not self._quiet:
            for first, last in _runs(frame.sample.changed):
                self._change(frame, old, first, last)
        return self._looks

    def _rates(self, frame: Frame) -> None:
        rate = frame.traffic.observed_bytes_per_s
        if self._json:
            say_json(
                {
                    "time_ns": frame.time_ns,
                    "observed_bytes_per_s": rate,
                    "over_ns": frame.traffic.over_ns,
                }
            )
        else:
            over = frame.traffic.over_ns / 1e6
            say(f"observed change rate {format_rate(rate)} (over {over:.0f} ms)")

    def _change(self, frame: Frame, old: Frame, first: int, last: int) -> None:
        before, now = bytes(old.data[first:last]), bytes(frame.data[first:last])
        if self._json:
            say_json(
                {
                    "time_ns": frame.time_ns,
                    "offset_bytes": frame.start + first,
                    "old": before,
                    "new": now,
                }
            )
        else:
            say(f"{format_offset(frame.start + first)}  {_cut(before)} -> {_cut(now)}")


def _cut(data: bytes) -> str:
    return data[:16].hex(" ") + (f" ... ({len(data)} bytes)" if len(data) > 16 else "")


def _runs(changed: np.ndarray[Any, np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], changed, [False]))))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
