"""Round trips through a shared file: our two engines against the smallest loop in C.

Two processes, each pinned to a core of its own where there are two; the same words of the same
file, the same moment: one round runs every contender once. Compared is the median round trip.

What Python adds to a round trip is the same on every machine that runs it as fast, so its ratio to
C is as good as the machine's caches are slow. Beside it stands the ratio to the smallest pair of
loops in Python: what our engine adds to what nobody can avoid.
"""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from app.core.backends.open_region import open_region
from app.core.measure.conditions import usable_cores
from app.core.measure.histogram import Histogram
from app.core.measure.lane.layout import Lane, Line, Side
from app.core.measure.lane.peer_card import EngineKind
from app.core.measure.latency import echo_python
from app.core.measure.latency.echo import EchoLoop
from app.core.measure.latency.echo_python import Memory
from app.core.native.kernel import PongState, kernel, why_absent
from app.core.region.region import Region, RegionKind, RegionSpec
from tests.bench.bench_window import environment_of, stamping_peer
from tests.bench.harness import Row, c_library, shared_file
from tests.bench.in_window import WARM_UP_S

SIZE = 1 << 20
LANE = Lane(SIZE - 65536, 65536, 1, 1)
SAMPLES = 50_000
_CORES_WANTED = 4
_LANGUAGES = {"C": "C", "smallest": "Python"}
REFERENCE = """
#define _GNU_SOURCE
#include <stdint.h>
#include <time.h>
#define GET(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define SET(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}
void reference_pong(uint64_t *ping, uint64_t *pong, int64_t until) {
    uint64_t last = GET(ping), turn = 0;
    for (;;) {
        uint64_t there = GET(ping);
        if (there != last) { SET(pong, there); last = there; }
        else __builtin_ia32_pause();
        if (!(++turn & 1023) && now() > until) return;
    }
}
int64_t reference_ping(uint64_t *ping, uint64_t *pong, int64_t *times, int64_t count,
                       int64_t until) {
    uint64_t number = GET(pong);
    for (int64_t at = 0; at < count; at++) {
        int64_t sent = now();
        SET(ping, ++number);
        while (GET(pong) != number) __builtin_ia32_pause();
        int64_t back = now();
        times[at] = back - sent;
        if (back > until) return at + 1;
    }
    return count;
}
"""


def _region(path: Path) -> Region:
    return open_region(RegionSpec(RegionKind.FILE, str(path)))


def _answerer(pipe: Connection, path: Path, core: int | None) -> None:
    """The other process: answers in the way that is asked, as long as it is asked."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    native = kernel()
    ping = LANE.slot(0).line(Side.INITIATOR, Line.ECHO)
    pong = LANE.slot(0).line(Side.RESPONDER, Line.ECHO)
    stop = ctypes.c_int32(0)
    with (
        c_library(REFERENCE) as reference,
        _region(path) as region,
        region.window(LANE.offset, LANE.size) as window,
    ):
        words, empty = window.words, window.part(LANE.offset, 0)
        while (asked := pipe.recv()) is not None:
            how, seconds = asked
            until = time.perf_counter_ns() + int(seconds * 1e9)
            words[window.index(pong)] = words[window.index(ping)]
            state = PongState(
                ping=window.address(ping),
                pong=window.address(pong),
                stop=ctypes.addressof(stop),
                last=words[window.index(ping)],
                slice_end_ns=until,
            )
            pipe.send("ready")
            if how == "C":
                places = (ctypes.c_void_p(window.address(at)) for at in (ping, pong))
                reference.reference_pong(*places, ctypes.c_int64(until))
            elif how == "kernel" and native is not None:
                native.pong(state)
            elif how == "smallest":
                _smallest_pong(words, window.index(ping), window.index(pong), until)
            else:
                memory = Memory(
                    words, window.index(ping), window.index(pong), empty, empty, bytearray()
                )
                echo_python.run_pong(state, memory, lambda: False)
            pipe.send("done")
        empty.release()


def _ping_reference(library: ctypes.CDLL, window: Any, seconds: float) -> np.ndarray:
    times = np.zeros(SAMPLES, np.int64)
    ping = window.address(LANE.slot(0).line(Side.INITIATOR, Line.ECHO))
    pong = window.address(LANE.slot(0).line(Side.RESPONDER, Line.ECHO))
    until = time.perf_counter_ns() + int(seconds * 1e9)
    count = library.reference_ping(
        ctypes.c_void_p(ping),
        ctypes.c_void_p(pong),
        ctypes.c_void_p(times.ctypes.data),
        ctypes.c_int64(SAMPLES),
        ctypes.c_int64(until),
    )
    return times[:count]


def _smallest_pong(words: memoryview, ping: int, pong: int, until: int) -> None:
    last, clock = words[ping], time.perf_counter_ns
    while clock() < until:
        for _ in range(1024):
            there = words[ping]
            if there != last:
                words[pong] = last = there


def _ping_smallest(window: Any, seconds: float) -> np.ndarray:
    words, clock = window.words, time.perf_counter_ns
    ping = window.index(LANE.slot(0).line(Side.INITIATOR, Line.ECHO))
    pong = window.index(LANE.slot(0).line(Side.RESPONDER, Line.ECHO))
    number, times, back = words[pong], [], 0
    until = clock() + int(seconds * 1e9)
    while back < until:
        number += 1
        sent = clock()
        words[ping] = number
        while words[pong] != number:
            pass
        back = clock()
        times.append(back - sent)
    return np.array(times, np.int64)


def _ping_ours(window: Any, wanted: EngineKind, seconds: float) -> np.ndarray:
    loop = EchoLoop(window, LANE.slot(0), wanted=wanted)
    loop.state.number = window.words[loop._memory.pong]
    loop.schedule(0, 0)
    now = time.perf_counter_ns()
    loop.state.end_ns = now + int(seconds * 1e9)
    loop.run(loop.state.end_ns)
    times = loop.batch().service
    loop.close()
    return times


def _round(
    pipe: Connection, how: str, seconds: float, measure: Callable[[float], np.ndarray]
) -> np.ndarray:
    pipe.send((how, seconds + 0.1))
    assert pipe.recv() == "ready"
    times = measure(seconds)
    assert pipe.recv() == "done"
    return times


def round_trips(path: Path, rounds: int, seconds: float) -> dict[str, list[np.ndarray]]:
    """Samples of each contender, round by round."""
    cores = usable_cores()
    pin = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    before = os.sched_getaffinity(0)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_answerer, args=(theirs, path, pin[1]), daemon=True
    )
    process.start()
    theirs.close()  # so that its end is an end of the pipe
    kinds = [kind for kind in EngineKind if kind is EngineKind.PYTHON or kernel() is not None]
    found: dict[str, list[np.ndarray]] = {"C": [], "kernel": [], "python": [], "smallest": []}
    try:
        if pin[0] is not None:
            os.sched_setaffinity(0, {pin[0]})
        with (
            c_library(REFERENCE) as library,
            _region(path) as region,
            region.window(LANE.offset, LANE.size) as window,
        ):
            for _ in range(rounds + 1):
                found["C"].append(
                    _round(ours, "C", seconds, lambda s: _ping_reference(library, window, s))
                )
                for kind in kinds:
                    ping = partial(_ping_ours, window, kind)
                    found[kind.value].append(_round(ours, kind.value, seconds, ping))
                ping = partial(_ping_smallest, window)
                found["smallest"].append(_round(ours, "smallest", seconds, ping))
        ours.send(None)
        process.join(10)
    finally:
        process.kill()
        os.sched_setaffinity(0, before)
    return {name: batches[1:] for name, batches in found.items()}


def _row(
    name: str,
    title: str,
    found: dict[str, list[np.ndarray]],
    goal: float,
    floor: float,
    against: str = "C",
) -> Row:
    medians = {key: [float(np.median(b)) for b in batches] for key, batches in found.items()}
    ratio = statistics.median(
        own / ref for own, ref in zip(medians[name], medians[against], strict=True)
    )
    p99 = statistics.median(float(np.percentile(batch, 99)) for batch in found[name])
    detail = (
        f"p50 {statistics.median(medians[name]):.0f} ns, "
        f"{'C' if against == 'C' else 'it'} {statistics.median(medians[against]):.0f} ns;"
        f" p99 {p99:.0f} ns; {len(usable_cores())} cores"
    )
    return Row(
        title,
        ratio,
        "x",
        f"p50 of the smallest {_LANGUAGES[against]} loop",
        floor,
        goal,
        detail,
        lower_is_better=True,
    )


def _fixed_rate_p99(path: Path, seconds: float) -> float:
    """Response p99 at 10 000/s with a responder of the program, in ns."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "app",
            "latency",
            str(path),
            "--rate",
            "10000",
            "--warm-up",
            "0.2",
            "--duration",
            str(seconds),
            "--json",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout)["p99_ns"])


@contextmanager
def _busy_window(path: Path, home: str, seconds: float) -> Iterator[dict[str, Any]]:
    """The program's window on a file that a peer keeps changing; what it tells once it ended."""
    told: dict[str, Any] = {}
    with stamping_peer(path):
        window = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.in_window", str(path), str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment_of(home),
        )
        try:
            time.sleep(WARM_UP_S + 2.0)
            yield told
            told.update(json.loads(window.communicate(timeout=60)[0].splitlines()[-1]))
        finally:
            window.kill()
            window.wait()


def beside_a_window(rounds: int, seconds: float) -> Row:
    """The fixed rate with a busy window on the machine against the same without one.

    Two loops that spin, a window and its engine want four cores; with fewer they take turns, and
    the figure is told without a goal.
    """
    ratios, painted = [], []
    with ExitStack() as stack:
        path, shown = (stack.enter_context(shared_file(64 << 20)) for _ in range(2))
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="ivshmem-scope-"))
        responder = subprocess.Popen(
            [sys.executable, "-m", "app", "respond", str(path)], stderr=subprocess.DEVNULL
        )
        stack.callback(responder.wait)
        stack.callback(responder.terminate)
        time.sleep(1.0)
        for _ in range(rounds):
            alone = _fixed_rate_p99(path, seconds)
            with _busy_window(shown, home, seconds + 3.0) as told:
                ratios.append(_fixed_rate_p99(path, seconds) / alone)
            painted.append(len(told["late_ns"]) / (seconds + 3.0))
    enough = len(usable_cores()) >= _CORES_WANTED
    detail = (
        f"{statistics.median(painted):.0f} of the peer's stamps painted a second; "
        f"{len(usable_cores())} cores"
    )
    return Row(
        "fixed-rate p99 beside a busy window",
        statistics.median(ratios),
        "x",
        "the same without a window",
        2.0 if enough else None,
        1.2 if enough else None,
        detail,
        lower_is_better=True,
    )


def recording(rounds: int) -> Row:
    """What counting costs per value: 605 ns with HdrHistogram for Python, 9 with numpy alone."""
    values = np.random.default_rng(1).lognormal(6, 1, 100_000).astype(np.int64)
    histogram = Histogram()
    took = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        histogram.record(values)
        took.append((time.perf_counter_ns() - began) / values.size)
    return Row(
        "recording a sample",
        statistics.median(took),
        "ns",
        "one value, 100 000 at a time",
        200.0,
        30.0,
        lower_is_better=True,
    )


def rows(*, quick: bool = False) -> list[Row]:
    """All rows; without the kernel only Python's."""
    rounds, seconds = (5, 0.05) if quick else (21, 0.1)
    with shared_file(SIZE) as path:
        found = round_trips(path, rounds, seconds)
    made = []
    if found["kernel"]:
        made.append(_row("kernel", "round trip, C kernel", found, goal=1.05, floor=1.5))
    else:
        print(f"no row for the C kernel: {why_absent()}", file=sys.stderr)
    made.append(_row("python", "round trip, Python", found, goal=1.5, floor=5.0))
    made.append(_row("python", "its part of that", found, goal=1.1, floor=2.0, against="smallest"))
    made.append(recording(5 if quick else 21))
    made.append(beside_a_window(2 if quick else 5, 2.0))
    return made
