"""What watching costs: processor time at 60 Hz on 64 MiB, and memory, of an engine's parts.

Each is measured in a process of its own, which holds a Region and a Sampler and nothing else
(no window), so that the figures are not those of the benchmark.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.bench.harness import Row, shared_file

MIB = 1 << 20

# The watcher: opens, watches, tells what it used; memory is read after whole turns.
_WATCH = """
import json, sys, time
import psutil
import numpy, xxhash
from app.core.backends.open_region import open_region
from app.core.region.region import RegionKind, RegionSpec
from app.core.watch.sampler import Sampler

path, seconds, share = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
region = open_region(RegionSpec(RegionKind.FILE, path))
me = psutil.Process()
bare = me.memory_full_info().uss
frames = []
sampler = Sampler(region, publish=lambda frame: frames.append(frame.time_ns))
sampler.set_budget(share)
sampler.start()
end = time.monotonic() + 60
while sampler.sweep.turns < 2 and time.monotonic() < end:
    time.sleep(0.05)
turns, count = sampler.sweep.turns, len(frames)
wall, spent = time.monotonic(), time.process_time()
time.sleep(seconds)
wall, spent = time.monotonic() - wall, time.process_time() - spent
gaps = numpy.diff(frames[count:]) / 1e6
print(json.dumps({
    "core": spent / wall, "hz": (len(frames) - count) / wall,
    "late_p99_ms": float(numpy.percentile(gaps, 99)), "turns_per_s": (sampler.sweep.turns - turns) / wall,
    "bare": bare, "uss": me.memory_full_info().uss, "rss": me.memory_info().rss,
}))
sampler.stop()
"""


def watch(size: int, filled: int, seconds: float, share: float) -> dict[str, float]:
    """Watch a file of `size` of which `filled` bytes are touched, in a process of its own."""
    with shared_file(size) as path:
        with open(path, "r+b") as file:
            file.writelines(os.urandom(MIB) for _ in range(filled // MIB))
        arguments = [sys.executable, "-c", _WATCH, str(path), str(seconds), str(share)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        told: dict[str, float] = json.loads(done.stdout)
        return told


def rows(*, quick: bool = False) -> list[Row]:
    """All rows."""
    seconds = 1.5 if quick else 4.0
    dense = watch(64 * MIB, 64 * MIB, seconds, 0.25)
    big = watch(1024 * MIB, 1024 * MIB, 0.5, 1.0)
    sparse = watch(1024 * MIB, 64 * MIB, 0.5, 1.0)
    told = (
        f"{dense['hz']:.1f} frames/s, 99 % of gaps under {dense['late_p99_ms']:.1f} ms, "
        f"{dense['turns_per_s']:.1f} turns/s"
    )
    return [
        Row(
            "processor time, engine, 60 Hz on 64 MiB",
            dense["core"],
            "core",
            "the default budget of 0.25",
            0.40,
            0.30,
            told,
            lower_is_better=True,
        ),
        Row(
            "frames per second at 60 Hz",
            dense["hz"],
            "Hz",
            "60 asked for",
            50,
            59,
            told,
        ),
        _memory("64 MiB, all touched", dense, 64),
        _memory("1 GiB, all touched", big, 1024),
        _memory("1 GiB, 64 MiB touched", sparse, 64),
    ]


def _memory(what: str, told: dict[str, float], touched_mib: int) -> Row:
    """Goal: 250 MB and twice the touched bytes, of which the region itself is one."""
    goal = 250 + touched_mib
    return Row(
        f"memory of its own, engine on {what}",
        told["uss"] / MIB,
        "MiB",
        f"250 + {touched_mib} MiB touched",
        goal * 1.2,
        goal,
        f"before watching {told['bare'] / MIB:.0f} MiB, resident {told['rss'] / MIB:.0f} MiB",
        lower_is_better=True,
    )
