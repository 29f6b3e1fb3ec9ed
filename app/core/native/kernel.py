"""The C kernel (kernel.c) as ctypes sees it: loaded from this folder, or absent.

ctypes.CDLL releases the GIL for the time of a call. A library of another ABI number, or built from
another kernel.c than the one in this folder, counts as absent: the program works without it.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import zlib
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import ClassVar, Final

ABI: Final = 5
_NAME: Final = "_kernel.dll" if sys.platform == "win32" else "_kernel.so"
_SWITCH: Final = "IVSHMEM_SCOPE_KERNEL"  # 0 turns it off, for tests and comparisons
log = logging.getLogger(__name__)


class Slice(IntEnum):
    """How a slice of a loop ended."""

    AGAIN = 0  # its time is over or its arrays are full: call again
    DONE = 1
    STOPPED = 2
    FAULT = 3  # the memory is gone


class Toward(IntEnum):
    """Where a block is copied: within one kind of memory, or between a mapping and our own."""

    INSIDE = 0
    OUT_OF_MAPPING = 1
    INTO_MAPPING = 2


class Wait(IntEnum):
    """How a loop waits."""

    SPIN = 0
    POLL = 1
    YIELD = 2
    BELL = 3  # doorbell; in Python only


_POINTER: Final = ctypes.c_void_p
_WORD: Final = ctypes.c_uint64
_NUMBER: Final = ctypes.c_int64


class PingState(ctypes.Structure):
    """`struct ping`: the initiator's side of an echo; also the state of its twin in Python."""

    _fields_: ClassVar = [
        ("ping", _POINTER), ("pong", _POINTER), ("out", _POINTER), ("in_", _POINTER),
        ("source", _POINTER), ("sink", _POINTER), ("payload", _WORD), ("stop", _POINTER),
        ("number", _WORD), ("seen", _WORD), ("pending", _NUMBER), ("sent_ns", _NUMBER),
        ("intended_ns", _NUMBER), ("base_ns", _NUMBER), ("index", _NUMBER),
        ("interval_ns", ctypes.c_double), ("end_ns", _NUMBER), ("slice_end_ns", _NUMBER),
        ("timeout_ns", _NUMBER), ("wait", _NUMBER), ("poll_ns", _NUMBER),
        ("capacity", _NUMBER), ("count", _NUMBER), ("intended", _POINTER), ("sent", _POINTER),
        ("received", _POINTER), ("stamps", _POINTER), ("lost", _NUMBER), ("missed", _NUMBER),
        ("skipped", _NUMBER), ("unexpected", _NUMBER), ("turn_ns", _NUMBER),
        ("stall_ns", _NUMBER), ("stood_ns", _NUMBER), ("answered_ns", _NUMBER),
    ]  # fmt: skip


class PongState(ctypes.Structure):
    """`struct pong`: the responder's side of an echo."""

    _fields_: ClassVar = [
        ("ping", _POINTER), ("pong", _POINTER), ("in_", _POINTER), ("out", _POINTER),
        ("scratch", _POINTER), ("payload", _WORD), ("stop", _POINTER), ("last", _WORD),
        ("stamp", _NUMBER), ("wait", _NUMBER), ("poll_ns", _NUMBER), ("slice_end_ns", _NUMBER),
        ("answered", _NUMBER),
    ]  # fmt: skip


class RingState(ctypes.Structure):
    """`struct flow`: one end of a transfer; also the state of its twin in Python."""

    _fields_: ClassVar = [
        ("send", _POINTER), ("take", _POINTER), ("their_send", _POINTER), ("their_take", _POINTER),
        ("out_heads", _POINTER), ("out_cells", _POINTER), ("in_heads", _POINTER),
        ("in_cells", _POINTER), ("source", _POINTER), ("sums", _POINTER), ("scratch", _POINTER),
        ("piece", _WORD), ("step", _WORD), ("cells", _WORD), ("sources", _WORD), ("batch", _WORD),
        ("run", _WORD), ("sending", _NUMBER), ("receiving", _NUMBER), ("stop", _POINTER),
        ("end_ns", _NUMBER), ("slice_end_ns", _NUMBER), ("filled", _WORD), ("confirmed", _WORD),
        ("taken", _WORD), ("good", _NUMBER), ("bad", _NUMBER), ("out_of_order", _NUMBER),
        ("unexpected", _NUMBER), ("unexpected_word", _WORD),
    ]  # fmt: skip


class TouchState(ctypes.Structure):
    """`struct touch`: loads or stores of single words at random places of a block."""

    _fields_: ClassVar = [
        ("words", _POINTER), ("mask", _WORD), ("count", _WORD), ("seed", _WORD), ("zero", _WORD),
        ("storing", _NUMBER), ("took_ns", _NUMBER),
    ]  # fmt: skip


class CopiesState(ctypes.Structure):
    """`struct copies`: the same copy, again and again."""

    _fields_: ClassVar = [
        ("to", _POINTER), ("from_", _POINTER), ("size", _WORD), ("count", _WORD),
        ("direction", _NUMBER), ("streaming", _NUMBER), ("took_ns", _NUMBER),
    ]  # fmt: skip


class DifferState(ctypes.Structure):
    """`struct differ`: pages of a mapping against an older copy of them."""

    _fields_: ClassVar = [
        ("live", _POINTER), ("before", _POINTER), ("into", _POINTER), ("flags", _POINTER),
        ("length", _WORD), ("page", _WORD), ("holes", _NUMBER),
    ]  # fmt: skip


class FindState(ctypes.Structure):
    """`struct find`: bytes under a mask."""

    _fields_: ClassVar = [
        ("data", _POINTER), ("value", _POINTER), ("mask", _POINTER), ("size", _WORD),
        ("first", _WORD), ("second", _WORD), ("at", _WORD), ("end", _WORD), ("step", _WORD),
        ("phase", _WORD), ("hits", _POINTER), ("capacity", _WORD), ("count", _WORD),
        ("holes", _NUMBER),
    ]  # fmt: skip


class RangeState(ctypes.Structure):
    """`struct range`: words whose value lies in a range."""

    _fields_: ClassVar = [
        ("data", _POINTER), ("width", _WORD), ("big", _NUMBER), ("low", _WORD), ("span", _WORD),
        ("at", _WORD), ("end", _WORD), ("step", _WORD), ("phase", _WORD), ("hits", _POINTER),
        ("capacity", _WORD), ("count", _WORD), ("holes", _NUMBER),
    ]  # fmt: skip


class Kernel:
    """The loaded library; its functions return a Slice."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library
        library.scope_now_ns.restype = ctypes.c_int64
        for name in (
            "scope_ping", "scope_floor", "scope_pong", "scope_flow", "scope_touch", "scope_copies",
            "scope_differ", "scope_find", "scope_range",
        ):  # fmt: skip
            getattr(library, name).argtypes = (ctypes.c_void_p,)
        for copy in (library.scope_copy_out, library.scope_copy_in):
            copy.argtypes = (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
            copy.restype = ctypes.c_size_t
        library.scope_pin.argtypes = (ctypes.c_int,)
        library.scope_shield.argtypes = (ctypes.c_size_t, ctypes.c_uint64, ctypes.c_void_p)
        library.scope_unshield.argtypes = (ctypes.c_int,)

    def ping(self, state: PingState) -> Slice:
        """One slice of the initiator's echo loop."""
        return Slice(self.library.scope_ping(ctypes.addressof(state)))

    def floor(self, state: PingState) -> Slice:
        """The initiator's loop against itself, until the arrays are full."""
        return Slice(self.library.scope_floor(ctypes.addressof(state)))

    def pong(self, state: PongState) -> Slice:
        """One slice of the responder's echo loop."""
        return Slice(self.library.scope_pong(ctypes.addressof(state)))

    def ring_transfer(self, state: RingState) -> Slice:
        """One slice of a transfer."""
        return Slice(self.library.scope_flow(ctypes.addressof(state)))

    def touch(self, state: TouchState) -> Slice:
        """Single loads or stores, `count` of them."""
        return Slice(self.library.scope_touch(ctypes.addressof(state)))

    def copies(self, state: CopiesState) -> Slice:
        """One block copied `count` times."""
        return Slice(self.library.scope_copies(ctypes.addressof(state)))

    def copy_out(self, own: int, mapped: int, length: int, *, streaming: bool) -> int:
        """A mapping's bytes into our own memory; fewer than `length` when the memory went."""
        return int(self.library.scope_copy_out(own, mapped, length, streaming))

    def copy_in(self, mapped: int, own: int, length: int, *, streaming: bool) -> int:
        """Our own bytes into a mapping; fewer than `length` when the memory went."""
        return int(self.library.scope_copy_in(mapped, own, length, streaming))

    def differ(self, state: DifferState) -> Slice:
        """Pages that differ, flagged and copied; STOPPED before pages without memory."""
        return Slice(self.library.scope_differ(ctypes.addressof(state)))

    def find(self, state: FindState) -> Slice:
        """Starts of a pattern; AGAIN: no room for more, STOPPED: before pages without memory."""
        return Slice(self.library.scope_find(ctypes.addressof(state)))

    def find_range(self, state: RangeState) -> Slice:
        """Starts of words in a range of values; as find."""
        return Slice(self.library.scope_range(ctypes.addressof(state)))

    def now_ns(self) -> int:
        """The kernel's clock, which is time.perf_counter_ns's."""
        return int(self.library.scope_now_ns())

    def pin(self, core: int) -> bool:
        """Keep this thread on one core."""
        return int(self.library.scope_pin(core)) == 0

    def shield(self, address: int, length: int, hit: ctypes.c_int32) -> int:
        """Replace pages that vanish there, and set `hit` then; its number, negative for none."""
        return int(self.library.scope_shield(address, length, ctypes.addressof(hit)))

    def unshield(self, number: int) -> None:
        """End a shield."""
        self.library.scope_unshield(number)

    def short_sleeps(self) -> None:
        """Let this thread's short sleeps be short."""
        self.library.scope_short_sleeps()


def kernel() -> Kernel | None:
    """The kernel, loaded at the first call; None when there is none for this system."""
    if os.environ.get(_SWITCH) == "0":
        return None
    return _load()


def why_absent() -> str:
    """A sentence why there is no kernel; empty when there is one."""
    if kernel() is not None:
        return ""
    if os.environ.get(_SWITCH) == "0":
        return f"switched off by {_SWITCH}=0"
    stale = Path(__file__).with_name(_NAME).is_file()
    state = "of another version, or spoiled" if stale else "not built"
    return f"{state}: python scripts/build_kernel.py makes it where a C compiler is"


@cache
def _load() -> Kernel | None:
    path = Path(__file__).with_name(_NAME)
    if not path.is_file():
        return None
    try:
        library = ctypes.CDLL(str(path))
        library.scope_source.restype = ctypes.c_uint32
        if library.scope_abi() != ABI or not _fits(library.scope_source()):
            log.warning("%s is of another version; measuring in Python.", path)
            return None
        return Kernel(library)
    except (OSError, AttributeError) as error:
        log.warning("%s cannot be loaded (%s); measuring in Python.", path, error)
        return None


def _fits(source: int) -> bool:
    try:
        return zlib.crc32(Path(__file__).with_name("kernel.c").read_bytes()) == source
    except OSError:
        return True  # installed without its source
