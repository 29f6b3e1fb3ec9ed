"""`watch`: print what changes, as it is seen to change."""

from __future__ import annotations

import argparse
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from app.commands.common import OK, add_device, length_of, offset_of, opened, say, say_json
from app.core.errors import OutOfRangeError, RegionGoneError
from app.core.frame import Frame, Level
from app.core.frame_board import MAX_SPAN
from app.core.sampler import Sampler
from app.core.units import format_offset, format_rate, format_size


def add_watch(verbs: Any) -> None:
    """Declare `watch`."""
    parser = verbs.add_parser("watch", help="print changed bytes and the observed change rate")
    add_device(parser)
    parser.add_argument("start", nargs="?", default="0", help="offset of the span to watch")
    parser.add_argument("length", nargs="?", default=None, help="bytes; default 4 KiB")
    parser.add_argument("--rate", type=float, default=10.0, metavar="HZ", help="looks per second")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after; 0 is never")
    parser.add_argument("--count", type=int, default=0, help="stop after so many changed looks")
    parser.add_argument("--quiet", action="store_true", help="only the rates, each second")
    parser.set_defaults(run=run_watch)


def run_watch(options: argparse.Namespace) -> int:
    """Watch until told to stop."""
    with opened(options) as region:
        start = offset_of(options.start, region)
        default = str(max(0, min(4096, region.size - start)))
        length = length_of(options.length or default, region, start)
        region.read(start, 0)
        if length > MAX_SPAN or start + length > region.size:
            raise OutOfRangeError(
                f"{format_size(length)} at {format_offset(start)} cannot be watched byte by byte.",
                f"At most {format_size(MAX_SPAN)}, inside the region; --quiet shows rates.",
            )
        frames: SimpleQueue[Frame] = SimpleQueue()
        sampler = Sampler(region, status=lambda: (0, True), publish=frames.put)
        sampler.set_rate(options.rate)
        sampler.look(start, length)
        sampler.start()
        try:
            _follow(options, frames)
        finally:
            sampler.stop()
    return OK


def _follow(options: argparse.Namespace, frames: SimpleQueue[Frame]) -> None:
    end = time.monotonic() + options.seconds if options.seconds else None
    printer = _Printer(options)
    stop = threading.Event()
    while not stop.is_set():
        if end is not None and time.monotonic() >= end:
            return
        try:
            frame = frames.get(timeout=0.1)
        except Empty:
            continue
        if frame.health.level is Level.FAULT:
            raise RegionGoneError(frame.health.text, frame.health.hint)
        if printer.take(frame) >= options.count > 0:
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
        """One look; how many with changes there were."""
        old, self._old = self._old, frame
        if frame.time_ns - self._said_ns >= 1_000_000_000:
            self._said_ns = frame.time_ns
            if self._quiet:
                self._rates(frame)
        if old is None or old.start != frame.start or not frame.changed.any():
            return self._looks
        self._looks += 1
        if not self._quiet:
            for first, last in _runs(frame.changed):
                self._change(frame, old, first, last)
        return self._looks

    def _rates(self, frame: Frame) -> None:
        rate = frame.traffic.observed_bytes_per_s
        if self._json:
            say_json({"time_ns": frame.time_ns, "observed_bytes_per_s": rate,
                      "over_ns": frame.traffic.over_ns})  # fmt: skip
        else:
            over = frame.traffic.over_ns / 1e6
            say(f"observed change rate {format_rate(rate)} (over {over:.0f} ms)")

    def _change(self, frame: Frame, old: Frame, first: int, last: int) -> None:
        before, now = bytes(old.data[first:last]), bytes(frame.data[first:last])
        if self._json:
            say_json({"time_ns": frame.time_ns, "offset_bytes": frame.start + first,
                      "old": before, "new": now})  # fmt: skip
        else:
            say(f"{format_offset(frame.start + first)}  {_cut(before)} -> {_cut(now)}")


def _cut(data: bytes) -> str:
    return data[:16].hex(" ") + (f" ... ({len(data)} bytes)" if len(data) > 16 else "")


def _runs(changed: np.ndarray[Any, np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], changed, [False]))))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
