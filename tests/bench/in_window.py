"""The real window with a look inside: when each stamp of a peer was painted, and what it cost.

`python -m tests.bench.in_window FILE SECONDS` is the program itself on FILE (its own start, its
engine child, its timers), but tells JSON at the end. A peer stores the time into the file's
first word; a stamp counts as seen when paintEvent has returned and the canvas holds its bytes.
SECONDS of 0 ends with the first painted Frame.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

BEGAN_NS = int(os.environ.get("BENCH_BEGAN_NS", "0")) or time.monotonic_ns()
WARM_UP_S = 3.0
STAMP_BYTES = 8


class Look:
    """Stands around paintEvent."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = b""
        self.first_ns = 0
        self.late_ns: list[int] = []
        self.frames = 0
        self._measuring = False
        self._used_at_start = (0.0, 0.0, 0.0)
        self.told: dict[str, Any] = {}

    def painted(self, surface: Any) -> None:
        """After a paintEvent: what is on the screen now?"""
        now_ns = time.monotonic_ns()
        frame = surface.cells.frame
        if frame is None or frame.start or len(frame.data) < STAMP_BYTES or not frame.activity:
            return
        canvas = surface._canvas
        shown = (canvas._hex.painted[0, :STAMP_BYTES] & 0xFF).astype("uint8").tobytes()
        if not self.first_ns:
            self.first_ns = now_ns
            self._begin()
        if shown == self._last:
            return
        self._last = shown
        if self._measuring:
            self.frames += 1
            self.late_ns.append(now_ns - int.from_bytes(shown, "little"))

    def _begin(self) -> None:
        from PySide6.QtCore import QTimer

        if not self._seconds:
            QTimer.singleShot(0, self._end)
            return
        QTimer.singleShot(int(WARM_UP_S * 1000), self._measure)
        QTimer.singleShot(int((WARM_UP_S + self._seconds) * 1000), self._end)

    def _measure(self) -> None:
        self._measuring = True
        self._used_at_start = self._used()

    @staticmethod
    def _used() -> tuple[float, float, float]:
        """Now, and processor seconds of the window and of its engine."""
        import psutil

        me = psutil.Process()
        times = [sum(each.cpu_times()[:2]) for each in (me, *me.children(recursive=True))]
        return time.monotonic(), times[0], sum(times[1:])

    def _end(self) -> None:
        import psutil
        from PySide6.QtWidgets import QApplication

        me = psutil.Process()
        parts = [each.memory_full_info() for each in (me, *me.children(recursive=True))]
        wall, window, engine = (
            now - then for now, then in zip(self._used(), self._used_at_start, strict=True)
        )
        self.told = {
            "first_s": (self.first_ns - BEGAN_NS) / 1e9,
            "late_ns": self.late_ns,
            "window_core": window / wall,
            "engine_core": engine / wall,
            "pss": sum(part.pss for part in parts),
            "rss": [part.rss for part in parts],
        }
        for widget in QApplication.topLevelWidgets():
            widget.close()


def main() -> int:
    """Start the program."""
    path, seconds = sys.argv[1], float(sys.argv[2])
    look = Look(seconds)
    from app import cli
    from app.core.engine import process

    engine = process.EngineProcess

    def started() -> process.EngineProcess:
        spare = engine()  # before Qt is loaded, as in the program
        from app.ui.hex import screen

        painter = screen.HexScreen.paintEvent

        def watched(self: Any, event: Any) -> None:
            painter(self, event)
            if self.surface.size:
                look.painted(self.surface)

        screen.HexScreen.paintEvent = watched
        process.EngineProcess = engine
        return spare

    process.EngineProcess = started
    code = cli.run([path, "--size", "1280x800"])
    sys.stdout.write(json.dumps(look.told) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
