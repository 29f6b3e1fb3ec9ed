"""The executable and the Region in the Windows rig: start to first window, copies against memcpy.

Told, not measured, where the rig cannot be built: the rows are left out then, with the reason.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.harness import Row
from tests.rigs.windows.build import PYTHON, CannotBuildError, Layers, build
from tests.rigs.windows.exe import build_exe
from tests.rigs.windows.machine import Device, Machine
from tests.rigs.windows.program import EXE, TITLE
from tests.rigs.windows.screen import Screen

_SOURCE = "import runpy, sys; sys.path.insert(0, r'Z:\\src'); runpy.run_module('app', run_name='__main__')"
_STARTS = {
    "one file": (f"Z:\\out\\{EXE}",),
    "folder": (f"Z:\\out\\ivshmem-scope-folder\\{EXE}",),
    "source": (f"/{PYTHON}/python.exe", "-c", _SOURCE),
}
_MIB = 1 << 20


def rows(*, quick: bool = False) -> list[Row]:
    """All rows."""
    try:
        layers = build()
        built = build_exe(layers)
    except CannotBuildError as error:
        if os.environ.get("CI") == "true":
            raise
        print(f"The Windows rig cannot be built here: {error}", file=sys.stderr)
        return []
    size = (built / EXE).stat().st_size / _MIB
    out = Path(tempfile.mkdtemp(prefix="bench-windows-"))
    try:
        shutil.copytree(built, out, dirs_exist_ok=True)
        found = start_rows(layers, out, rounds=3 if quick else 7)
        found += copy_rows(layers, out, rounds=5 if quick else 15)
    finally:
        shutil.rmtree(out, ignore_errors=True)
    found.append(Row("size of the executable", size, "MiB", "", 46, 42, lower_is_better=True))
    return found


def start_rows(layers: Layers, out: Path, rounds: int) -> list[Row]:
    """From the start of the process to the first window, in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in _STARTS}
    with Screen() as screen, Machine(layers, out, display=screen.display) as machine:
        for number in range(rounds + 1):
            for name, command in _STARTS.items():
                took = _start(machine, screen, command)
                if number:  # the first one warms the caches
                    seconds[name].append(took)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    told = ", ".join(f"{name} {value:.2f} s" for name, value in median.items())

    def against_source(name: str) -> float:
        pairs = zip(seconds[name], seconds["source"], strict=True)
        return statistics.median(own / source for own, source in pairs)

    reference = "the same program from source in the same machine"
    return [
        Row(
            "first window, one-file executable",
            against_source("one file"),
            "x",
            reference,
            2.5,
            1.7,
            told,
            lower_is_better=True,
        ),
        Row(
            "first window, executable in its folder",
            against_source("folder"),
            "x",
            reference,
            1.5,
            1.0,
            told,
            lower_is_better=True,
        ),
        Row(
            "first window, one-file executable",
            median["one file"],
            "s",
            "",
            None,
            3,
            lower_is_better=True,
        ),
    ]


def _start(machine: Machine, screen: Screen, command: tuple[str, ...]) -> float:
    began = time.perf_counter()
    program = machine.start(*command)
    window = screen.wait_window(TITLE)
    took = time.perf_counter() - began
    screen.click(window, 0.5, 0.985)
    screen.key("alt+F4")
    program.communicate(timeout=30)
    return took


def copy_rows(layers: Layers, out: Path, rounds: int) -> list[Row]:
    """Reads and writes through the Region."""
    memory = Path(f"/dev/shm/ivshmem-rig-bench-{os.getpid()}")
    with memory.open("wb") as file:
        file.truncate(64 * _MIB)
    try:
        with Machine(layers, out, [Device(memory, 64 * _MIB, vectors=2)]) as machine:
            script = "Z:\\src\\tests\\rigs\\windows\\inside\\speed.py"
            told = json.loads(machine.python(script, str(rounds)).stdout)
    finally:
        memory.unlink()
    rates = {name: f"{rate / 1e9:.2f}" for name, rate in told["rates"].items()}
    reference = "memcpy over the same mapping"
    return [
        Row(
            "read through a Windows Region, 32 MiB",
            told["read"],
            "x",
            reference,
            0.5,
            0.8,
            f"{rates['read']} against {rates['memcpy out']} GB/s",
        ),
        Row(
            "write through a Windows Region, 32 MiB",
            told["write"],
            "x",
            reference,
            0.5,
            0.8,
            f"{rates['write']} against {rates['memcpy in']} GB/s",
        ),
    ]
