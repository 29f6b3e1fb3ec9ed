"""Copies from and to a mapping: right for any place and length, never outside it, and alive after.

Each test runs on the C kernel's copies and on those that the system makes without it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.backends.open_region import open_region
from app.core.errors import TruncatedError
from app.core.native.kernel import kernel, why_absent
from app.core.native.safe_copy import FaultError, MappedCopier, load_exact, load_word
from app.core.region.region import RegionKind, RegionSpec
from tests.core.measure.peer_programs import ROOT

PAGE = 4096
PAGES = 6
SIZE = PAGES * PAGE
SWITCH = "IVSHMEM_SCOPE_KERNEL"
ShmFile = Callable[..., Path]
needs_kernel = pytest.mark.skipif(kernel() is None, reason=f"the C kernel is {why_absent()}")
many = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Lengths around the widths and groups of the loops, and any.
lengths = st.one_of(st.integers(0, 300), st.integers(0, SIZE))
places = st.one_of(st.integers(0, 130), st.integers(PAGE - 130, PAGE + 130), st.integers(0, SIZE))


@pytest.fixture(params=["kernel", "system"])
def native(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who copies."""
    if request.param == "kernel" and kernel() is None:
        pytest.skip(f"the C kernel is {why_absent()}")
    if request.param == "system":
        monkeypatch.setenv(SWITCH, "0")
    return str(request.param)


@pytest.fixture
def mapping(shm_file: ShmFile) -> Iterator[mmap.mmap]:
    path = shm_file(SIZE)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as memory:
        yield memory


def bytes_of(seed: int, length: int) -> bytes:
    return np.random.default_rng(seed).bytes(length)


@many
@given(
    offset=places, length=lengths, shift=st.integers(0, 64), start=st.sampled_from([0, PAGE]),
    streaming=st.booleans(),
)  # fmt: skip
def test_reading_gives_the_bytes_and_touches_no_others(
    native: str, mapping: mmap.mmap, offset: int, length: int, shift: int, start: int,
    streaming: bool,
) -> None:  # fmt: skip
    offset = min(offset, SIZE - start)
    length = min(length, SIZE - start - offset)
    content = bytes_of(1, SIZE)
    mapping[:] = content
    own = bytearray(b"\xee" * (shift + length + 64))
    copier = MappedCopier(mapping, start, streaming=streaming)
    copier.read(offset, memoryview(own)[shift : shift + length])
    copier.close()
    assert own[shift : shift + length] == content[start + offset : start + offset + length]
    assert own[:shift] == b"\xee" * shift
    assert own[shift + length :] == b"\xee" * 64
    assert mapping[:] == content


@many
@given(
    offset=places, length=lengths, shift=st.integers(0, 64), start=st.sampled_from([0, PAGE]),
    streaming=st.booleans(), read_only=st.booleans(),
)  # fmt: skip
def test_writing_puts_the_bytes_and_touches_no_others(
    native: str, mapping: mmap.mmap, offset: int, length: int, shift: int, start: int,
    streaming: bool, read_only: bool,
) -> None:  # fmt: skip
    offset = min(offset, SIZE - start)
    length = min(length, SIZE - start - offset)
    expected = bytearray(bytes_of(2, SIZE))
    mapping[:] = bytes(expected)
    data = bytes_of(3, shift + length)
    source = memoryview(data if read_only else bytearray(data))[shift:]
    copier = MappedCopier(mapping, start, streaming=streaming)
    copier.write(offset, source)
    copier.close()
    expected[start + offset : start + offset + length] = data[shift:]
    assert mapping[:] == expected


@pytest.mark.parametrize("length", [5 << 20, (4 << 20) + 77])
def test_large_blocks_go_past_the_cache_and_arrive(
    native: str, shm_file: ShmFile, length: int
) -> None:
    path = shm_file(6 << 20)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 6 << 20) as memory:
        copier = MappedCopier(memory)
        data, own = bytes_of(4, length), bytearray(length)
        copier.write(33, memoryview(data))
        copier.read(33, memoryview(own))
        copier.close()
        assert own == data
        assert memory[33 : 33 + length] == data
        assert not any(memory[:33])
        assert not any(memory[33 + length :])


def test_no_copy_reaches_out_of_the_mapping(native: str, mapping: mmap.mmap) -> None:
    copier = MappedCopier(mapping, PAGE)
    own = memoryview(bytearray(16))
    for offset in (SIZE - PAGE - 15, SIZE, -1):
        with pytest.raises(IndexError):
            copier.read(offset, own)
        with pytest.raises(IndexError):
            copier.write(offset, own)
    copier.close()
    copier.close()
    with pytest.raises(FaultError):
        copier.read(0, own)


# -- pages that are gone ---------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 1, 100, 2 * PAGE - 3])
def test_a_file_that_was_cut_tells_how_far_the_copy_came(
    native: str, shm_file: ShmFile, offset: int
) -> None:
    path = shm_file(SIZE, fill=b"\xaa")
    kept = 4 * PAGE
    with path.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as memory:
        copier = MappedCopier(memory)
        os.truncate(path, kept)
        own = bytearray(SIZE - offset)
        for _ in range(3):
            with pytest.raises(FaultError) as caught:
                copier.read(offset, memoryview(own))
            assert caught.value.done == kept - offset
            if native == "kernel":  # the other way through the scratch file ends before
                assert own[: kept - offset] == b"\xaa" * (kept - offset)
            assert not any(own[kept - offset :])
        with pytest.raises(FaultError) as caught:
            copier.write(offset, memoryview(b"\xbb" * (SIZE - offset)))
        assert caught.value.done == kept - offset
        assert path.stat().st_size == kept, "a write never makes a file longer"
        with pytest.raises(FaultError) as caught:
            copier.read(kept + 8, memoryview(bytearray(8)))
        assert caught.value.done == 0
        os.truncate(path, SIZE)
        copier.read(0, memoryview(own))
        assert own[offset:kept] == b"\xbb" * (kept - offset)
        copier.close()


def test_a_region_that_is_cut_under_its_copies_is_an_error_with_a_name(
    native: str, shm_file: ShmFile
) -> None:
    path = shm_file(8 << 20, fill=b"\xaa")
    with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
        cutter = threading.Timer(0.05, os.truncate, (path, PAGE))
        cutter.start()
        data = bytes(8 << 20)

        def write_on() -> None:
            while True:
                region.write(0, data)

        with pytest.raises(TruncatedError, match="was cut"):
            write_on()
        cutter.join()
    assert path.stat().st_size == PAGE


def test_the_last_words_before_a_page_that_is_gone_can_be_had(
    native: str, shm_file: ShmFile
) -> None:
    """An access that was widened would reach over the edge."""
    path = shm_file(2 * PAGE, fill=bytes(range(256)))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 2 * PAGE) as memory:
        copier = MappedCopier(memory)
        os.truncate(path, PAGE)
        for length in range(1, 64):
            own = bytearray(length)
            copier.read(PAGE - length, memoryview(own))
            assert own == bytes(range(256 - length, 256))
            copier.write(PAGE - length, memoryview(own))
        copier.close()


@needs_kernel
def test_an_instruction_that_is_refused_inside_is_an_answer_and_outside_it_kills(
    shm_file: ShmFile,
) -> None:
    """KVM answers a vector access to a device whose memory is switched off by SIGILL."""
    code = f"""
import ctypes, faulthandler, mmap, signal, threading
from app.core.native.kernel import PongState, Slice, kernel
faulthandler.enable()
file = open({str(shm_file(8192))!r}, "r+b")
memory = mmap.mmap(file.fileno(), 8192)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
stop = ctypes.c_int32(0)
state = PongState(ping=address, pong=address + 1024, stop=ctypes.addressof(stop),
                  slice_end_ns=1 << 62, stamp=0)
results = []
def loop():
    results.append(kernel().pong(state))
thread = threading.Thread(target=loop)
thread.start()
words = memoryview(memory).cast("Q")
words[0] = 7
while words[128] != 7:  # it is inside
    pass
signal.pthread_kill(thread.ident, signal.SIGILL)
thread.join()
print(results[0].name, flush=True)
signal.raise_signal(signal.SIGILL)
print("not reached", flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "FAULT\n", done.stderr
    assert done.returncode < 0
    assert "Illegal instruction" in done.stderr


# -- single words ----------------------------------------------------------------------------------


@needs_kernel
@pytest.mark.parametrize("width", [2, 4, 8])
def test_an_aligned_word_is_never_torn(mapping: mmap.mmap, width: int) -> None:
    """One stores two values in turn, the other sees nothing but these."""
    copier = MappedCopier(mapping)
    assert copier.exact
    at = 3 * PAGE + 16 + width
    values = [bytes([pattern]) * width for pattern in (0x11, 0xEE)]
    copier.write(at, memoryview(values[0]))
    over = threading.Event()

    def store() -> None:
        for number in range(30_000):
            copier.write(at, memoryview(values[number % 2]))
        over.set()

    thread = threading.Thread(target=store)
    thread.start()
    known = {int.from_bytes(value, "little") for value in values}
    seen = set()
    while not over.is_set():
        seen.add(load_exact(copier.read, at, width))
    thread.join()
    copier.close()
    assert seen <= known
    assert mapping[at - 16 : at] == bytes(16)
    assert mapping[at + width : at + width + 16] == bytes(16)


@needs_kernel
@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_narrow_store_leaves_its_neighbours_to_the_peer(mapping: mmap.mmap, width: int) -> None:
    """The peer counts the bytes beside it up; a store that was widened would turn them back."""
    copier = MappedCopier(mapping)
    at = PAGE + 8 + width
    beside = (ctypes.c_uint8 * SIZE).from_buffer(mapping)
    over = threading.Event()

    def store() -> None:
        while not over.is_set():
            copier.write(at, memoryview(b"\xff" * width))

    thread = threading.Thread(target=store)
    thread.start()
    try:
        for number in range(60_000):
            value = number & 0x7F
            beside[at - 1] = value
            beside[at + width] = value
            assert beside[at - 1] == beside[at + width] == value
    finally:
        over.set()
        thread.join()
        del beside
        copier.close()


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_loads_of_any_width(native: str, mapping: mmap.mmap, width: int) -> None:
    content = bytes_of(9, SIZE)
    mapping[:] = content
    copier = MappedCopier(mapping)
    for offset in (0, 8 - width, PAGE - width, SIZE - width):
        expected = int.from_bytes(content[offset : offset + width], "little")
        assert load_exact(copier.read, offset, width) == expected
        assert load_word(copier.read, offset, width, SIZE) == expected
    copier.close()
