"""The driver's requests: one function each, which checks lengths and raises errors with sentences.

They work on handles and structures; mapping.py and sharing.py care for shared mappings.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from ...errors import DriverError
from ...region.region import CacheMode
from ...values.units import format_size
from .abi import (
    CACHE_CODES,
    DEFAULT_CACHE,
    REGISTER_EVENT,
    RELEASE_MMAP,
    REQUEST_MMAP,
    REQUEST_PEERID,
    REQUEST_SIZE,
    RING_DOORBELL,
    Ring,
    check_answered,
    check_size,
    driver_error,
    event_request,
    mmap_answer,
)
from .api import Win32, Win32Error

_FALLBACKS: Final = (DEFAULT_CACHE, CacheMode.WRITE_COMBINED, CacheMode.UNCACHED)
_CANNOT_CACHE: Final = (87, 1117)  # the driver refused the mode, or could not map with it
_NOTE_VERSION: Final = "Try again; if it stays, note the driver's version."


def ask_size(api: Win32, handle: int, name: str) -> int:
    """REQUEST_SIZE; works without a mapping, also while another program has it."""
    size = ctypes.c_uint64(0)
    _ask(api, handle, REQUEST_SIZE, size, "read the size", name)
    return size.value


def ask_peer(api: Win32, handle: int, name: str) -> int:
    """REQUEST_PEERID: our own peer number; 0 also when the device has no interrupts."""
    peer = ctypes.c_uint16(0)
    _ask(api, handle, REQUEST_PEERID, peer, "read the peer id", name)
    return peer.value


def _ask(
    api: Win32, handle: int, code: int, answer: Any, doing: str, name: str, request: bytes = b""
) -> None:
    try:
        answered = api.control(handle, code, request, answer)
    except Win32Error as error:
        raise driver_error(error.number, doing, name) from error
    check_answered(answered, ctypes.sizeof(answer), doing, name)


def request_map(api: Win32, handle: int, name: str, cache: CacheMode) -> tuple[CacheMode, Any]:
    """REQUEST_MMAP: the mode in force, and the driver's answer, checked.

    Raises:
        ScopeError: The driver refused, or its answer is impossible.
    """
    told = ask_size(api, handle, name)
    check_size(told, name)
    answer = mmap_answer(ctypes.sizeof(ctypes.c_void_p))
    mode = _try_modes(api, handle, name, cache, answer)
    _accept(api, answer, told, name)
    return mode, answer


def _try_modes(api: Win32, handle: int, name: str, cache: CacheMode, answer: Any) -> CacheMode:
    modes = _FALLBACKS if cache is CacheMode.DEFAULT else (cache,)
    for mode in modes[:-1]:
        try:
            _request_mode(api, handle, name, mode, answer)
        except Win32Error as error:
            if error.number not in _CANNOT_CACHE:
                raise driver_error(error.number, "map the memory", name) from error
        else:
            return mode
    try:
        _request_mode(api, handle, name, modes[-1], answer)
    except Win32Error as error:
        raise driver_error(error.number, "map the memory", name) from error
    return modes[-1]


def _request_mode(api: Win32, handle: int, name: str, mode: CacheMode, answer: Any) -> None:
    answered = api.control(handle, REQUEST_MMAP, bytes([CACHE_CODES[mode]]), answer)
    check_answered(answered, ctypes.sizeof(answer), "map the memory", name)


def _accept(api: Win32, answer: Any, told: int, name: str) -> None:
    if not answer.pointer:
        raise DriverError(f"The driver mapped {name} and told no address.", _NOTE_VERSION)
    if answer.size != told:
        raise DriverError(
            f"The driver tells two sizes for {name}: {told} bytes, and {answer.size} when mapping.",
            _NOTE_VERSION,
        )
    last = ctypes.create_string_buffer(1)
    try:
        api.read_memory(answer.pointer + told - 1, ctypes.addressof(last), 1)
    except Win32Error as error:
        raise DriverError(
            f"The driver mapped less of {name} than the {format_size(told)} that it tells.",
            _NOTE_VERSION,
        ) from error


def release_map(api: Win32, handle: int) -> None:
    """RELEASE_MMAP; raises Win32Error, as its caller mostly closes the handle anyway."""
    api.control(handle, RELEASE_MMAP, b"", None)


def ring(api: Win32, handle: int, name: str, peer: int, vector: int) -> None:
    """RING_DOORBELL; no error when there is no such peer."""
    _tell(api, handle, RING_DOORBELL, bytes(Ring(peer, vector)), "ring the doorbell", name)


def register_event(
    api: Win32, handle: int, name: str, vector: int, event: int, *, single_shot: bool = False
) -> None:
    """REGISTER_EVENT: the driver sets `event` when `vector` of our device is rung."""
    request = event_request(
        vector, event, single_shot=single_shot, windows_64=api.windows_is_64bit()
    )
    _tell(api, handle, REGISTER_EVENT, bytes(request), "register an event", name)


def _tell(api: Win32, handle: int, code: int, request: bytes, doing: str, name: str) -> None:
    try:
        api.control(handle, code, request, None)
    except Win32Error as error:
        raise driver_error(error.number, doing, name) from error
