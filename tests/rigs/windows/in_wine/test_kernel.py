"""The C kernel under Windows: it loads, tells the same time, and a page that goes is an answer."""

from __future__ import annotations

import ctypes
import threading
import time

import pytest

from app.core.native.kernel import PongState, Slice, kernel, why_absent

_RESERVE_AND_COMMIT, _READ_WRITE, _RELEASE = 0x3000, 4, 0x8000


@pytest.fixture
def native():
    found = kernel()
    assert found is not None, why_absent()
    return found


def pages() -> int:
    api = ctypes.WinDLL("kernel32", use_last_error=True)
    api.VirtualAlloc.restype = ctypes.c_void_p
    api.VirtualAlloc.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_uint)
    at = api.VirtualAlloc(None, 8192, _RESERVE_AND_COMMIT, _READ_WRITE)
    assert at
    return at


def free(at: int) -> None:
    api = ctypes.WinDLL("kernel32", use_last_error=True)
    api.VirtualFree.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint)
    assert api.VirtualFree(at, 0, _RELEASE)


def test_its_clock_is_pythons(native):
    before = time.perf_counter_ns()
    there = native.now_ns()
    assert before - 1000 <= there <= time.perf_counter_ns() + 1000


def test_a_page_that_goes_is_an_answer_every_time(native):
    stop = ctypes.c_int32(0)
    for _ in range(3):
        at = pages()
        state = PongState(ping=at, pong=at + 1024, stop=ctypes.addressof(stop), slice_end_ns=0)
        assert native.pong(state) is Slice.AGAIN
        cutter = threading.Timer(0.05, free, (at,))
        cutter.start()
        state.slice_end_ns = native.now_ns() + 60 * 10**9
        assert native.pong(state) is Slice.FAULT
        cutter.join()


def test_a_thread_can_be_kept_on_a_core(native):
    pinned = []
    thread = threading.Thread(target=lambda: pinned.append(native.pin(0)))
    thread.start()
    thread.join()
    assert pinned == [True]


def test_a_page_that_goes_behind_a_shield_is_empty_and_told(native):
    """The page is our own then; what is beyond the shield stays as it is."""
    for _ in range(3):
        at, beside, hit = pages(), pages(), ctypes.c_int32(0)
        number = native.shield(at, 8192, hit)
        assert number >= 0
        words = [ctypes.c_uint64.from_address(place + 4096) for place in (at, beside)]
        for word in words:
            word.value = 7
        free(at)
        assert not hit.value
        assert [word.value for word in words] == [0, 7]
        assert hit.value == 1
        words[0].value = 8
        assert words[0].value == 8
        native.unshield(number)
        free(beside)
