"""The search of a whole region, against glibc's memmem and numpy over the same bytes.

memmem and numpy run in the mapping itself; the search makes a safe copy of each slice first, as it
has to. What each finds is checked: a fast wrong answer fails the run.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.backends.open_region import open_region
from app.core.region.region import Region, RegionKind, RegionSpec
from app.core.search.find import find_all
from app.core.search.needle import Needle, NeedleKind
from app.core.search.patterns import Found, Slice
from tests.bench.bench_window import environment_of
from tests.bench.harness import Case, Row, interleaved, shared_file

MIB = 1 << 20
SIZE = 64 * MIB
TEXT = b"Needle in a haystack"
AT = SIZE - 4099

_LIBC = ctypes.CDLL(None)
_LIBC.memmem.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)
_LIBC.memmem.restype = ctypes.c_void_p


def memmem(data: npt.NDArray[np.uint8], needle: bytes) -> int:
    """Offset of the first hit; -1 when there is none."""
    found = _LIBC.memmem(data.ctypes.data, data.size, needle, len(needle))
    return int(found) - data.ctypes.data if found else -1


def search(region: Region, needle: Needle) -> list[int]:
    """Offsets of all hits."""
    starts: list[int] = []

    def take(found: Found, _part: Slice) -> bool:
        starts.extend(found.starts.tolist())
        return True

    find_all(region, needle, [(0, region.size)], take)
    return starts


def checked(call: Callable[[], object], wanted: object) -> Callable[[], None]:
    """A call whose answer has to be this one."""

    def run() -> None:
        found = call()
        if found != wanted:
            raise AssertionError(f"found {found}, expected {wanted}")

    return run


NEEDLES = {
    "plain needle": (Needle(NeedleKind.TEXT, TEXT.decode()), 0.6, 1.0),
    "wildcards": (Needle(NeedleKind.BYTES, "4E ?? 65 6? 6C 65 20 ?? 6E"), 0.3, 0.5),
    "without case": (Needle(NeedleKind.TEXT, "nEEDLE IN A", ignore_case=True), 0.3, 0.5),
}


def needle_rows(region: Region, data: npt.NDArray[np.uint8], rounds: int) -> list[Row]:
    """Each kind of needle against memmem of the plain one."""
    cases = [Case("memmem", checked(lambda: memmem(data, TEXT), AT))]
    for name, (needle, _, _) in NEEDLES.items():
        cases.append(Case(name, checked(lambda one=needle: search(region, one), [AT])))
    times = interleaved(cases, rounds, warm_up=2)
    return [
        Row(
            f"search, 64 MiB, {name}",
            times.speed(name, "memmem"),
            "x",
            "memmem's rate",
            floor,
            goal,
            f"{SIZE / times.median(name) / 1e9:.2f} against "
            f"{SIZE / times.median('memmem') / 1e9:.2f} GB/s",
        )
        for name, (_, floor, goal) in NEEDLES.items()
    ]


def range_rows(region: Region, data: npt.NDArray[np.uint8], rounds: int) -> list[Row]:
    """Words of 32 bits at any alignment in a range, against one compare of the aligned ones."""
    words = data.view("<u4")
    low = 0xFFFF_FF00
    at = [place for place in range(AT - 64, AT - 32) if place % 4 == 1][:1]
    data[at[0] : at[0] + 4] = np.frombuffer(np.uint32(low + 5).tobytes(), np.uint8)
    wanted = naive_range(data, low)
    needle = Needle(NeedleKind.VALUE, f"{low}..{0xFFFF_FFFF}", type_name="u32")
    result = np.empty(len(words), np.bool_)
    cases = [
        Case("compare", lambda: np.greater_equal(words, np.uint32(low), out=result)),
        Case("range", checked(lambda: search(region, needle), wanted)),
    ]
    times = interleaved(cases, rounds, warm_up=2)
    detail = (
        f"{SIZE / times.median('range') / 1e9:.2f} against "
        f"{SIZE / times.median('compare') / 1e9:.2f} GB/s, {len(wanted)} hits"
    )
    name = "search, 64 MiB, u32 in a range, any alignment"
    return [
        Row(name, times.speed("range", "compare"), "x", "one compare of numpy", 0.3, 0.5, detail)
    ]


def naive_range(data: npt.NDArray[np.uint8], low: int) -> list[int]:
    """Where the value is at least `low`, at any alignment."""
    found: list[int] = []
    for phase in range(4):
        words = data[phase : phase + (len(data) - phase) // 4 * 4].view("<u4")
        found += (np.flatnonzero(words >= np.uint32(low)) * 4 + phase).tolist()
    return sorted(found)


def fill(path: Path, data: npt.NDArray[np.uint8]) -> None:
    """Random bytes, with the needle near the end."""
    data[:] = np.frombuffer(np.random.default_rng(3).bytes(SIZE), np.uint8)
    data[AT : AT + len(TEXT)] = np.frombuffer(TEXT, np.uint8)


def window_rows() -> list[Row]:
    """A million hits in the real window, over 256 MiB: its event loop must not stand."""
    with shared_file(4 * SIZE) as path, tempfile.TemporaryDirectory() as home:
        data = np.memmap(path, np.uint8, "r+")
        noise = np.random.default_rng(4).integers(0, 255, 1 << 20, np.uint8)  # no 0xFF
        data[:] = np.tile(noise, len(data) >> 20)
        data[::256] = 0xFF
        del data
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.in_search", str(path), "FF"],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env=environment_of(home),
        )
    if done.returncode or not done.stdout.strip():
        raise RuntimeError(done.stderr or f"ended with {done.returncode} and said nothing")
    told = json.loads(done.stdout.splitlines()[-1])
    if told["hits"] != 1 << 20:
        raise AssertionError(f"{told['hits']} hits")
    gaps = told["gaps_ms"]
    detail = (
        f"{told['hits']} hits listed and marked in {told['seconds']:.1f} s; "
        f"99.9 % of {len(gaps)} gaps below {gaps[int(len(gaps) * 0.999)]:.0f} ms; "
        f"worst before it {told['idle_ms']:.0f} ms"
    )
    name = "find all, 1 M hits in 256 MiB: worst gap of the window"
    return [Row(name, gaps[-1], "ms", "", 250, 100, detail, lower_is_better=True)]


def rows(*, quick: bool = False) -> list[Row]:
    """All rows."""
    rounds = 5 if quick else 15
    with shared_file(SIZE) as path:
        with path.open("r+b") as file:
            data = np.frombuffer(mmap.mmap(file.fileno(), SIZE), np.uint8)
        fill(path, data)
        with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
            found = needle_rows(region, data, rounds) + range_rows(region, data, rounds)
    return found + window_rows()
