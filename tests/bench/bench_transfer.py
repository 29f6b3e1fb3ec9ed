"""Verified transfer between two processes, against the same ring in plain C.

The reference is a program of two processes on a file of its own: memcpy into the ring, memcpy out
of it, memcmp with what should have come; cells, messages and batches are those of the measured
ring, and so are the cores. All three run one after the other in each round.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.core.backends.open_region import open_region, spec_for
from app.core.measure.lane.hold import acquire_lane
from app.core.measure.lane.layout import Lane, Side
from app.core.measure.lane.peer_card import Capability, EngineKind
from app.core.measure.lane.slots import wait_for_peer
from app.core.measure.transfer.ring import Layout
from app.core.measure.transfer.transfer import TransferOptions, run_transfer
from app.core.native.kernel import kernel
from app.core.region.region import Region
from tests.bench.harness import Row, shared_file

KIB, MIB = 1 << 10, 1 << 20
LANE_BYTES = 16 * MIB
# (bytes, floor and goal of the kernel, of Python); None is only told
SIZES = (
    (64, (0.25, 0.5), (None, None)),
    (4 * KIB, (0.4, None), (None, None)),
    (64 * KIB, (0.5, 0.95), (0.4, 0.8)),
    (1 * MIB, (0.5, 0.95), (0.4, 0.8)),
)
REFERENCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
struct line { uint64_t count; char pad[120]; };
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}
static void pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
}
static void idle(uint32_t turns)
{
    if (turns < 256) __builtin_ia32_pause(); else sched_yield();
}
int main(int argc, char **argv)
{
    uint64_t size = atoll(argv[2]), cells = atoll(argv[3]), sources = atoll(argv[4]);
    uint64_t batch = atoll(argv[5]);
    double seconds = atof(argv[6]);
    int cores[2] = {atoi(argv[7]), atoi(argv[8])};
    (void)argc;
    int fd = open(argv[1], O_RDWR);
    char *map = mmap(0, 4096 + cells * size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct line *line = (struct line *)map; /* 0 filled, 1 taken, 2 bad, 3 end */
    char *ring = map + 4096;
    /* At a page's start: a copy to a place a few bytes off takes ten times as long on some. */
    char *source = aligned_alloc(4096, (sources * size + 4095) & ~4095ULL);
    char *scratch = aligned_alloc(4096, (size + 4095) & ~4095ULL);
    for (uint64_t i = 0; i < sources * size; i++) source[i] = (char)(i * 2654435761u >> 13);
    memset(line, 0, 4096);
    if (!fork()) {
        pin(cores[1]);
        uint64_t taken = 0, at = 0, from = 0, bad = 0;
        for (uint32_t turns = 0;;) {
            uint64_t there = __atomic_load_n(&line[0].count, __ATOMIC_ACQUIRE) - taken;
            if (!there) {
                if (__atomic_load_n(&line[3].count, __ATOMIC_ACQUIRE)) break;
                idle(turns++);
                continue;
            }
            turns = 0;
            if (there > batch) there = batch;
            for (uint64_t i = 0; i < there; i++) {
                memcpy(scratch, ring + at * size, size);
                bad += memcmp(scratch, source + from * size, size) != 0;
                if (++at == cells) at = 0;
                if (++from == sources) from = 0;
            }
            taken += there;
            __atomic_store_n(&line[1].count, taken, __ATOMIC_RELEASE);
        }
        line[2].count = bad;
        _exit(0);
    }
    pin(cores[0]);
    uint64_t filled = 0, at = 0, from = 0, before = 0;
    double start = now(), warm = start + 0.1, end = warm + seconds, began = 0, t;
    for (uint32_t turns = 0; (t = now()) < end;) {
        uint64_t taken = __atomic_load_n(&line[1].count, __ATOMIC_ACQUIRE);
        if (!began && t >= warm) { began = t; before = taken; }
        if (cells - (filled - taken) < batch) { idle(turns++); continue; }
        turns = 0;
        for (uint64_t i = 0; i < batch; i++) {
            memcpy(ring + at * size, source + from * size, size);
            if (++at == cells) at = 0;
            if (++from == sources) from = 0;
        }
        filled += batch;
        __atomic_store_n(&line[0].count, filled, __ATOMIC_RELEASE);
    }
    uint64_t last = __atomic_load_n(&line[1].count, __ATOMIC_ACQUIRE);
    double took = now() - began;
    __atomic_store_n(&line[3].count, 1, __ATOMIC_RELEASE);
    wait(0);
    printf("%.0f %llu\n", (last - before) * size / took, (unsigned long long)line[2].count);
    return 0;
}
"""


@contextmanager
def _reference() -> Iterator[Path]:
    """The C program, compiled now."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise RuntimeError("a C compiler (cc) is needed for the reference of this benchmark")
    with tempfile.TemporaryDirectory(prefix="ivshmem-scope-bench-") as folder:
        code, program = Path(folder) / "ring.c", Path(folder) / "ring"
        code.write_text(REFERENCE, encoding="utf-8")
        command = [compiler, "-O2", "-o", program, code]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        yield program


@contextmanager
def _peer(path: Path, engine: EngineKind, home: str, core: int) -> Iterator[None]:
    command = [
        sys.executable,
        "-m",
        "app",
        "respond",
        str(path),
        "--engine",
        engine.value,
        "--pin",
        str(core),
        "--seconds",
        "600",
    ]
    environment = {**os.environ, "XDG_STATE_HOME": home}
    peer = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
    try:
        yield
    finally:
        peer.terminate()
        peer.wait(20)


def _slot_of(region: Region, lane: Lane, engine: EngineKind, slot: int) -> int:
    """Wait for the responder of an engine; they are started one after the other."""
    seats = wait_for_peer(region, lane, Capability.TRANSFER, slot=slot, give_up_s=20)
    card = seats.responder.card
    native = card is not None and Capability.KERNEL in card.capabilities
    if engine is EngineKind.KERNEL and not native:
        raise RuntimeError("the responder has no kernel")
    return seats.slot.index


class Bench:
    """A region with a lane and its peers, and the reference beside it."""

    def __init__(self, region: Region, lane: Lane, program: Path, own: Path) -> None:
        self.region, self.lane, self.program, self.own = region, lane, program, own
        self.slots: dict[EngineKind, int] = {}
        cores = sorted(os.sched_getaffinity(0))
        self.cores = (cores[0], cores[-1])

    def ours(self, engine: EngineKind, message: int, seconds: float) -> float:
        """Verified bytes per second."""
        options = TransferOptions(
            (message,),
            duration_s=seconds,
            engine=engine,
            core=str(self.cores[0]),
            slot=self.slots[engine],
        )
        result = run_transfer(self.region, self.lane, options, give_up_s=10)
        if not result.clean:
            raise AssertionError(f"the transfer was not clean: {result.as_dict()}")
        return result.sizes[0].bytes_per_s

    def reference(self, layout: Layout, seconds: float) -> float:
        """The same in C."""
        numbers = (layout.piece, layout.cells, layout.sources, layout.batch)
        told = subprocess.run(
            [self.program, self.own, *map(str, (*numbers, seconds, *self.cores))],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.split()
        if told[1] != "0":
            raise AssertionError(f"the reference found {told[1]} bad messages")
        return float(told[0])


def _name(size: int) -> str:
    for unit, word in ((MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size // unit} {word}"
    return f"{size} B"


def measure(bench: Bench, rounds: int, seconds: float) -> list[Row]:
    """All sizes, both engines."""
    rows = []
    half = bench.lane.slot(0).data(Side.INITIATOR).length
    for message, *limits in SIZES:
        layout = Layout.of(message, half)
        engines = dict(zip((EngineKind.KERNEL, EngineKind.PYTHON), limits, strict=True))
        rates: dict[EngineKind, list[float]] = {engine: [] for engine in bench.slots}
        references = []
        for _ in range(rounds):
            references.append(bench.reference(layout, seconds))
            for engine, found in rates.items():
                found.append(bench.ours(engine, message, seconds))
        for engine, found in rates.items():
            floor, goal = engines[engine]
            ratio = statistics.median(
                own / reference for own, reference in zip(found, references, strict=True)
            )
            told = statistics.median(found)
            detail = (
                f"{told / 1e9:.2f} against {statistics.median(references) / 1e9:.2f} GB/s, "
                f"{told * 8 / 2.4e9:.0f} times 2.4 Gbit/s"
            )
            name = f"verified transfer of {_name(message)} messages, {engine.value}"
            rows.append(Row(name, ratio, "x", "C memcpy and memcmp", floor, goal, detail))
    return rows


def rows(*, quick: bool = False) -> list[Row]:
    """All rows; without the kernel only Python's."""
    wanted = [EngineKind.PYTHON] if kernel() is None else [EngineKind.KERNEL, EngineKind.PYTHON]
    with ExitStack() as stack:
        program = stack.enter_context(_reference())
        path = stack.enter_context(shared_file(32 * MIB))
        own = stack.enter_context(shared_file(32 * MIB))
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="ivshmem-scope-"))
        region = stack.enter_context(open_region(spec_for(str(path))))
        hold = stack.enter_context(
            acquire_lane(region, size=LANE_BYTES, slots=2, folder=Path(home) / "saved")
        )
        bench = Bench(region, hold.lane, program, own)
        for slot, engine in enumerate(wanted):
            stack.enter_context(_peer(path, engine, home, bench.cores[1]))
            bench.slots[engine] = _slot_of(region, hold.lane, engine, slot)
        return measure(bench, 3 if quick else 7, 0.3 if quick else 0.5)
