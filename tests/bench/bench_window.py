"""The whole window on 64 MiB: from a peer's write to the painted pixel, start, cost, memory.

The window is the program itself (in_window.py), drawn offscreen: what a compositor and a screen
add is theirs. The peer is a process of its own that stores the time at jittered intervals, so
that it cannot fall into step with the window's frames. All 64 MiB are being scanned meanwhile.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.bench.harness import Row, shared_file

MIB = 1 << 20
SIZE = 64 * MIB
FRAME_MS = 1000 / 60
# Writes the time at 4 to 60 ms, each interval another.
_PEER = """
import mmap, random, sys, time
with open(sys.argv[1], "r+b") as file:
    word = memoryview(mmap.mmap(file.fileno(), 4096)).cast("Q")
while True:
    time.sleep(random.uniform(0.004, 0.060))
    word[0] = time.monotonic_ns()
"""
# The least that any Qt program does before its first window is painted.
_BARE = """
import os, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
class Window(QWidget):
    def paintEvent(self, event):
        QTimer.singleShot(0, self.close)
application = QApplication([])
window = Window()
window.show()
application.exec()
print((time.monotonic_ns() - int(os.environ["BENCH_BEGAN_NS"])) / 1e9)
"""


def environment_of(home: str) -> dict[str, str]:
    """For a window that is drawn offscreen and keeps its files in a folder."""
    return {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "BENCH_BEGAN_NS": str(time.monotonic_ns()),
        **{f"XDG_{name}_HOME": home for name in ("CONFIG", "STATE", "DATA", "CACHE")},
    }


def _run(arguments: list[str], home: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env=environment_of(home),
    )
    if done.returncode or not done.stdout.strip():
        raise RuntimeError(done.stderr or f"ended with {done.returncode} and said nothing")
    return done.stdout.splitlines()[-1]


@contextmanager
def stamping_peer(path: Path) -> Iterator[None]:
    """Somebody else who keeps storing the time at the file's start."""
    peer = subprocess.Popen([sys.executable, "-c", _PEER, str(path)])
    try:
        yield
    finally:
        peer.kill()
        peer.wait()


def _living(path: Path, home: str, seconds: float) -> list[Row]:
    told = json.loads(_run(["-m", "tests.bench.in_window", str(path), str(seconds)], home))
    late_ms = np.array(told["late_ns"]) / 1e6
    if len(late_ms) < 20 * seconds / 2:
        raise AssertionError(f"only {len(late_ms)} of the peer's writes were painted")
    median, high = np.percentile(late_ms, (50, 99))
    core = told["window_core"] + told["engine_core"]
    memory = told["pss"] / MIB
    goal = 250 + 2 * SIZE / MIB
    count = f"{len(late_ms)} writes painted, 64 MiB being scanned"
    shares = f"window {told['window_core']:.2f}, engine {told['engine_core']:.2f}"
    resident = " + ".join(f"{part / MIB:.0f}" for part in told["rss"])
    return [
        Row(
            "peer's write to painted pixel, median",
            float(median / FRAME_MS),
            "frames",
            "a frame of 60 Hz",
            2,
            1,
            f"{median:.1f} ms; {count}",
            lower_is_better=True,
        ),
        Row(
            "the same, 99th percentile",
            float(high / FRAME_MS),
            "frames",
            "a frame of 60 Hz",
            4,
            2,
            f"{high:.1f} ms",
            lower_is_better=True,
        ),
        Row(
            "processor time at 60 Hz on 64 MiB, window and engine",
            core,
            "core",
            "budget of the scan 0.25",
            0.9,
            0.5,
            shares,
            lower_is_better=True,
        ),
        Row(
            "memory of window and engine, 64 MiB touched",
            memory,
            "MiB",
            "250 MB and twice the touched bytes",
            goal * 1.2,
            goal,
            f"proportional; resident {resident} MiB",
            lower_is_better=True,
        ),
    ]


def _start(path: Path, home: str, rounds: int) -> Row:
    ours, bare = [], []
    for _ in range(rounds):
        bare.append(float(_run(["-c", _BARE], home)))
        arguments = ["-m", "tests.bench.in_window", str(path), "0"]
        ours.append(float(json.loads(_run(arguments, home))["first_s"]))
    ratio = statistics.median(own / least for own, least in zip(ours, bare, strict=True))
    detail = f"{statistics.median(ours):.2f} against {statistics.median(bare):.2f} s"
    return Row(
        "from the command to the first painted Frame",
        ratio,
        "x",
        "a bare window of Qt",
        12,
        5,
        detail,
        lower_is_better=True,
    )


def rows(*, quick: bool = False) -> list[Row]:
    """All rows."""
    with shared_file(SIZE) as path, tempfile.TemporaryDirectory(prefix="ivshmem-scope-") as home:
        with open(path, "r+b") as file:
            file.writelines(os.urandom(MIB) for _ in range(SIZE // MIB))
        started = _start(path, home, 3 if quick else 7)
        with stamping_peer(path):
            return [*_living(path, home, 5 if quick else 20), started]
