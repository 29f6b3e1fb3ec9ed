"""The C kernel: loaded only when it fits, same structs, and a fault is an answer."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import TruncatedError
from app.core.measure.lane.peer_card import EngineKind
from app.core.measure.lane.placement import default_lane
from app.core.measure.latency.echo import EchoLoop
from app.core.native import kernel as module
from app.core.native.kernel import (
    CopiesState,
    DifferState,
    PingState,
    PongState,
    Slice,
    TouchState,
    kernel,
    why_absent,
)
from tests.core.measure.peer_programs import ROOT, opened

MakeFile = Callable[..., Path]
needs_kernel = pytest.mark.skipif(kernel() is None, reason=f"the C kernel is {why_absent()}")


def test_the_kernel_is_there_when_a_compiler_is() -> None:
    """make builds it; a test run without would prove nothing about it."""
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        pytest.skip("no C compiler here")
    assert kernel() is not None, why_absent()


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVSHMEM_SCOPE_KERNEL", "0")
    assert kernel() is None
    assert "switched off" in why_absent()


@needs_kernel
@pytest.mark.parametrize("change", ["no file", "other source", "no library", "other version"])
def test_what_does_not_fit_counts_as_absent(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Path(module.__file__).parent
    for name in ("kernel.c", module._NAME):
        shutil.copy(place / name, tmp_path / name)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "kernel.py"))
    module._load.cache_clear()
    try:
        if change != "no library":  # the loader opens a path once
            assert module._load() is not None
            module._load.cache_clear()
        if change == "no file":
            (tmp_path / module._NAME).unlink()
        elif change == "other source":
            (tmp_path / "kernel.c").write_text("int x;")
        elif change == "no library":
            (tmp_path / module._NAME).unlink()
            (tmp_path / module._NAME).write_bytes(b"no library at all")
        else:
            monkeypatch.setattr(module, "ABI", module.ABI + 1)
        assert module._load() is None
    finally:
        module._load.cache_clear()


@needs_kernel
def test_the_structs_are_the_same_on_both_sides(tmp_path: Path) -> None:
    """A C program that includes the source prints sizes and offsets."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler here")
    source = ROOT / "app" / "core" / "native" / "kernel.c"
    pairs = [
        ("ping", PingState), ("pong", PongState), ("differ", DifferState),
        ("copies", CopiesState), ("touch", TouchState),
    ]  # fmt: skip
    prints = "".join(
        f'printf("%zu ", sizeof(struct {name}));'
        + "".join(
            f'printf("%zu ", offsetof(struct {name}, {field[0].rstrip("_")}));'
            for field in kind._fields_
        )
        for name, kind in pairs
    )
    program = tmp_path / "offsets.c"
    program.write_text(
        f'#include "{source}"\n#include <stdio.h>\n#include <stddef.h>\nint main(void) {{{prints}}}'
    )
    subprocess.run([compiler, "-o", tmp_path / "offsets", program], check=True)
    told = subprocess.run([tmp_path / "offsets"], check=True, capture_output=True, text=True)
    ours = []
    for _, kind in pairs:
        ours.append(ctypes.sizeof(kind))
        ours += [getattr(kind, field[0]).offset for field in kind._fields_]
    assert [int(number) for number in told.stdout.split()] == ours


@needs_kernel
def test_its_clock_is_pythons() -> None:
    native = kernel()
    assert native is not None
    before = time.perf_counter_ns()
    there = native.now_ns()
    assert before <= there <= time.perf_counter_ns()


@pytest.mark.parametrize("engine", [EngineKind.KERNEL, EngineKind.PYTHON])
@pytest.mark.parametrize("payload", [8, 64, 4096])
def test_the_floor_is_measured_alone(shm_file: MakeFile, engine: EngineKind, payload: int) -> None:
    with opened(shm_file(1 << 20)) as region:
        lane = default_lane(region.size)
        with region.window(lane.offset, lane.size) as window:
            loop = EchoLoop(window, lane.slot(0), payload=payload, wanted=engine)
            times = loop.floor(500)
            loop.close()
    assert times.size == 500
    assert (times >= 0).all()
    assert (times > 0).any()


@needs_kernel
def test_a_file_cut_under_the_kernel_is_an_error_with_a_name(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20)
    with opened(path) as region:
        lane = default_lane(region.size)
        with region.window(lane.offset, lane.size) as window:
            loop = EchoLoop(window, lane.slot(0), wanted=EngineKind.KERNEL)
            assert loop.engine is EngineKind.KERNEL
            cutter = threading.Timer(0.1, lambda: os.truncate(path, 4096))
            cutter.start()
            with pytest.raises(TruncatedError):
                loop.run(time.perf_counter_ns() + 10 * 10**9)
            cutter.join()
            loop.close()


@needs_kernel
def test_the_guard_works_again_and_leaves_other_faults_alone(shm_file: MakeFile) -> None:
    """In a child: three faults in the kernel are answers, one outside it kills as it should."""
    path = shm_file(1 << 20)
    code = f"""
import ctypes, faulthandler, mmap, os
from app.core.native.kernel import PongState, Slice, kernel
faulthandler.enable()
file = open({str(path)!r}, "r+b")
memory = mmap.mmap(file.fileno(), 8192)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
stop = ctypes.c_int32(0)
os.truncate({str(path)!r}, 0)
for _ in range(3):
    state = PongState(ping=address, pong=address + 1024, stop=ctypes.addressof(stop),
                      slice_end_ns=1 << 62)
    assert kernel().pong(state) is Slice.FAULT
print("three", flush=True)
memory[0]
print("not reached", flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "three\n"
    assert done.returncode < 0
    assert "Bus error" in done.stderr


@pytest.mark.parametrize("engine", [EngineKind.KERNEL, EngineKind.PYTHON])
def test_our_own_pause_is_taken_out_of_the_schedule_and_the_peers_is_not(
    shm_file: MakeFile, engine: EngineKind
) -> None:
    with opened(shm_file(1 << 20)) as region:
        lane = default_lane(region.size)
        with region.window(lane.offset, lane.size) as window:
            loop = EchoLoop(window, lane.slot(0), wanted=engine)
            loop.schedule(1000, 5_000_000)  # due at 5 ms, then each ms
            assert loop.shift(1_000_000, 4_000_000) == 0  # nothing was due in the pause
            assert loop.shift(4_900_000, 5_300_000) == 300_000  # the first became due in it
            assert loop.state.base_ns == 5_300_000
            assert loop.shift(8_300_000, 8_400_000) == 100_000  # 3 ms behind before the pause
            assert loop.state.base_ns == 5_400_000
            loop.close()


@pytest.mark.parametrize("engine", [EngineKind.KERNEL, EngineKind.PYTHON])
def test_without_any_answer_all_that_was_due_is_lost(
    shm_file: MakeFile, engine: EngineKind
) -> None:
    """Both engines count alike: one in flight at a time, the rest missed, none forgotten."""
    with opened(shm_file(1 << 20)) as region:
        lane = default_lane(region.size)
        with region.window(lane.offset, lane.size) as window:
            loop = EchoLoop(window, lane.slot(0), wanted=engine)
            start = time.perf_counter_ns()
            loop.schedule(1000, start)
            loop.state.end_ns = start + 200_000_000
            loop.state.timeout_ns = 30_000_000
            result = Slice.AGAIN
            while result is Slice.AGAIN:
                result = loop.run(time.perf_counter_ns() + 50_000_000)
                assert not loop.batch().sent.size
            loop.close()
    state = loop.state
    assert result is Slice.DONE
    assert state.lost + state.missed == 200
    assert 1 <= state.lost <= 7


def test_wild_numbers_from_the_peer_are_strays(shm_file: MakeFile) -> None:
    """Both engines see a number that nobody waits for, count it, and go on waiting."""
    for engine in (EngineKind.KERNEL, EngineKind.PYTHON):
        with opened(shm_file(1 << 20)) as region:
            lane = default_lane(region.size)
            with region.window(lane.offset, lane.size) as window:
                loop = EchoLoop(window, lane.slot(0), wanted=engine)
                loop.schedule(0, time.perf_counter_ns())
                loop.state.timeout_ns = 10**10
                loop.run(time.perf_counter_ns() + 10**6)  # one goes out, and nobody answers
                pong = loop._memory.pong
                for wild in (5, 6):
                    window.words[pong] = wild
                    loop.run(time.perf_counter_ns() - 10**8)
                assert loop.state.unexpected == 2
                assert loop.state.pending
                window.words[pong + 1] = np.uint64(2**64 - 1)
                window.words[pong] = loop.state.number
                loop.run(time.perf_counter_ns() - 10**8)
                assert loop.state.count == 1
                assert not loop.state.pending
                loop.close()
