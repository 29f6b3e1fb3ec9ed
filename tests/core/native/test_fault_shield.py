"""The shield: real files cut under real loads and stores, with and without the kernel's handler."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.core.backends.open_region import open_region, spec_for
from app.core.errors import RegionGoneError, TruncatedError
from app.core.native.kernel import kernel

MakeFile = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[3]
SIZE = 1 << 20


@pytest.fixture(params=["kernel", "python"], autouse=True)
def handler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "python":
        monkeypatch.setenv("IVSHMEM_SCOPE_KERNEL", "0")
    elif kernel() is None:
        pytest.skip("no kernel was built")
    return str(request.param)


def test_a_page_that_vanishes_is_empty_and_told(shm_file: MakeFile) -> None:
    path = shm_file(SIZE, fill=b"\x11")
    with open_region(spec_for(str(path))) as region, region.window(0, SIZE) as window:
        assert not window.torn
        os.truncate(path, 4096)
        assert window.words[0] == 0x1111111111111111
        assert not window.torn
        assert window.words[SIZE // 16] == 0
        window.words[SIZE // 8 - 1] = 5
        assert window.torn
        with pytest.raises(TruncatedError, match="cut to 4 KiB"):
            window.lost()
        os.truncate(path, SIZE)
        with pytest.raises(RegionGoneError):
            window.check()  # our view of it stays torn
    assert path.stat().st_size == SIZE
    assert path.read_bytes()[-8:] == bytes(8), "what was stored in the torn page stays with us"


def test_whole_blocks_go_through_numpy_too(shm_file: MakeFile) -> None:
    path = shm_file(SIZE, fill=b"\x22")
    with open_region(spec_for(str(path))) as region, region.window(4096, SIZE - 4096) as window:
        with window.part(4096, SIZE - 4096) as part:
            os.truncate(path, 8192)
            block = np.frombuffer(part, np.uint8)
            own = block.copy()
            block[:] = 7
            assert set(own[:4096]) == {0x22}
            assert not own[4096:].any()
            del block
        assert window.torn


def test_only_the_window_that_lost_its_memory_is_torn(shm_file: MakeFile) -> None:
    paths = [shm_file(SIZE, fill=b"\x33") for _ in range(2)]
    with (
        open_region(spec_for(str(paths[0]))) as one,
        open_region(spec_for(str(paths[1]))) as other,
        one.window(0, SIZE) as cut,
        other.window(0, SIZE) as whole,
    ):
        os.truncate(paths[0], 0)
        assert cut.words[5] == 0
        assert whole.words[5] == 0x3333333333333333
        assert (cut.torn, whole.torn) == (True, False)
        whole.check()


def test_cut_and_grown_under_a_running_loop_again_and_again(shm_file: MakeFile) -> None:
    for _ in range(60):
        path = shm_file(SIZE, fill=b"\x44")
        with open_region(spec_for(str(path))) as region, region.window(0, SIZE) as window:
            started = threading.Event()

            def cut() -> None:
                started.wait()
                os.truncate(path, 4096)
                os.truncate(path, SIZE)

            thread = threading.Thread(target=cut)
            thread.start()
            words = window.words
            for turn in range(20_000):
                words[(turn * 4099) % (SIZE // 8)] = turn
                if turn == 100:
                    started.set()
            thread.join()
        path.unlink()


def test_a_handler_that_was_taken_away_is_put_back(shm_file: MakeFile) -> None:
    """What ends faulthandler, say, brings back what was there before it."""
    for _ in range(2):
        path = shm_file(SIZE)
        before = signal.signal(signal.SIGBUS, signal.SIG_DFL)
        try:
            with open_region(spec_for(str(path))) as region, region.window(0, SIZE) as window:
                os.truncate(path, 0)
                assert window.words[1] == 0
                assert window.torn
        finally:
            if before is not None:
                signal.signal(signal.SIGBUS, before)


PROGRAM = """
import faulthandler, mmap, os, sys
faulthandler.enable()
from app.core.backends.open_region import open_region, spec_for
shielded, bare = sys.argv[1:]
with open(bare, "r+b") as file, open_region(spec_for(shielded)) as region:
    memory = memoryview(mmap.mmap(file.fileno(), 0))
    for _ in range(3):
        with region.window(0, region.size) as window:
            window.words[0] = 1
    os.truncate(bare, 0)
    memory[0]
"""


def test_a_fault_elsewhere_stays_a_fault_and_is_told(shm_file: MakeFile) -> None:
    """No handler may turn a bug of somebody else's into an endless loop."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(shm_file(SIZE)), str(shm_file(SIZE))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGBUS
    assert "Bus error" in ended.stderr
