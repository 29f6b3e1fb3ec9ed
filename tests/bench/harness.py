"""How a speed is measured here: interleaved rounds, medians, ratios to a reference.

Absolute figures are the machine's and the moment's; what travels is the ratio to a reference
that ran in the same round on the same bytes. A row has a goal, which is what we want, and a
floor, which is looser, so that noise does not break it; a row below its floor fails the run.
"""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        name: What was measured.
        ratio: The figure; a ratio to `reference` wherever one exists.
        unit: `x` for a ratio, else what the figure is in.
        reference: What it is a ratio to, or what it is counted against.
        floor: Missing this fails the run; None is no floor.
        goal: What we want; None is none.
        detail: Absolute figures and circumstances, for the reader.
        lower_is_better: The goal is an upper limit.
    """

    name: str
    ratio: float
    unit: str
    reference: str
    floor: float | None
    goal: float | None
    detail: str = ""
    lower_is_better: bool = False

    def meets(self, limit: float | None) -> bool:
        """Whether the figure is on the right side of a limit."""
        if limit is None:
            return True
        return self.ratio <= limit if self.lower_is_better else self.ratio >= limit

    @property
    def verdict(self) -> str:
        """`goal met`, `floor met` or `BELOW FLOOR`, `-` for a figure that is only told."""
        if not self.meets(self.floor):
            return "BELOW FLOOR"
        if self.goal is None:
            return "-"
        return "goal met" if self.meets(self.goal) else "floor met"

    def as_json(self) -> dict[str, Any]:
        """All fields and the verdict."""
        return {**asdict(self), "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Case:
    """One contender: `prepare` runs before each round and is not timed."""

    name: str
    run: Callable[[], object]
    prepare: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds per round of each case."""

    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """Median seconds of a case."""
        return statistics.median(self.seconds[name])

    def speed(self, name: str, reference: str) -> float:
        """How many times as fast as the reference: the median of the rounds' ratios."""
        pairs = zip(self.seconds[reference], self.seconds[name], strict=True)
        return statistics.median(ref / own for ref, own in pairs)


def interleaved(cases: Sequence[Case], rounds: int, *, warm_up: int = 1) -> Times:
    """Run all cases once per round, so that a slow moment of the machine hits all of them."""
    seconds: dict[str, list[float]] = {case.name: [] for case in cases}
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds + warm_up):
            for case in cases:
                if case.prepare is not None:
                    case.prepare()
                began = time.perf_counter()
                case.run()
                took = time.perf_counter() - began
                if number >= warm_up:
                    seconds[case.name].append(took)
    finally:
        gc.enable()
    return Times(seconds)


# --- references in C, from the C library that is there anyway ----------------------------------

_LIBC = ctypes.CDLL(None) if os.name == "posix" else ctypes.CDLL("msvcrt")
_LIBC.memcmp.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_LIBC.memcpy.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_LIBC.memcpy.restype = ctypes.c_void_p


def c_memcmp(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> int:
    """The C library's memcmp over two whole arrays; 0 when they are equal."""
    return int(_LIBC.memcmp(one.ctypes.data, other.ctypes.data, min(one.size, other.size)))


def c_memcpy(to: npt.NDArray[np.uint8], source: npt.NDArray[np.uint8]) -> None:
    """The C library's memcpy of the whole source."""
    _LIBC.memcpy(to.ctypes.data, source.ctypes.data, min(to.size, source.size))


def c_compiler() -> str:
    """The compiler that is there."""
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), "")
    if not compiler:
        raise RuntimeError("a C compiler (cc) is needed for the references of this benchmark")
    return compiler


@contextmanager
def c_library(source: str) -> Iterator[ctypes.CDLL]:
    """A reference in C, compiled now by the compiler that is there, gone afterwards."""
    compiler = c_compiler()
    with tempfile.TemporaryDirectory(prefix="ivshmem-scope-bench-") as folder:
        code, library = Path(folder) / "reference.c", Path(folder) / "reference.so"
        code.write_text(source, encoding="utf-8")
        command = [compiler, "-O2", "-march=native", "-shared", "-fPIC", "-o", library, code]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        yield ctypes.CDLL(str(library))


@contextmanager
def shared_file(size: int) -> Iterator[Path]:
    """An empty (sparse) file in shared memory, gone afterwards."""
    folder = "/dev/shm" if os.path.isdir("/dev/shm") else None
    handle, name = tempfile.mkstemp(prefix="ivshmem-scope-bench-", dir=folder)
    try:
        os.ftruncate(handle, size)
        os.close(handle)
        yield Path(name)
    finally:
        os.unlink(name)


# --- telling ---------------------------------------------------------------------------------------


def table(rows: Sequence[Row]) -> str:
    """The rows for a terminal."""
    lines = [("what", "figure", "goal", "floor", "verdict", "against; detail")]
    for row in rows:
        sign = "<=" if row.lower_is_better else ">="
        lines.append(
            (
                row.name,
                f"{row.ratio:.3g} {row.unit}",
                "-" if row.goal is None else f"{sign} {row.goal:g}",
                "-" if row.floor is None else f"{sign} {row.floor:g}",
                row.verdict,
                "; ".join(part for part in (row.reference, row.detail) if part),
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[5]]
        )
        for line in lines
    )
