"""The published interface of virtio-win's ivshmem driver: GUID, codes, structures, meanings.

Only data, the same on every system, so that it can be tested without Windows.
Source: virtio-win/kvm-guest-drivers-windows, ivshmem/Public.h and Queue.c (HEAD of July 2026).
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Final

from ...errors import (
    DriverError,
    HeldByAnotherError,
    NotMappedError,
    ScopeError,
    UnpluggedError,
    UnsuitableError,
)
from ...region.region import CacheMode

INTERFACE_GUID: Final = "{df576976-569d-4672-95a0-f57e4ea0b210}"  # Public.h:3
HARDWARE: Final = "VEN_1AF4&DEV_1110"  # ivshmem.inf:45
DRIVER_HINT: Final = (
    "Install the ivshmem driver from the virtio-win package (virtio-win.iso, folder ivshmem): "
    "in the Device Manager, update the driver of the 'PCI standard RAM Controller' by hand."
)


def _code(function: int) -> int:
    """CTL_CODE(FILE_DEVICE_UNKNOWN, function, METHOD_BUFFERED, FILE_ANY_ACCESS)."""
    return (0x22 << 16) | (function << 2)


REQUEST_PEERID: Final = _code(0x800)
REQUEST_SIZE: Final = _code(0x801)
REQUEST_MMAP: Final = _code(0x802)
RELEASE_MMAP: Final = _code(0x803)
RING_DOORBELL: Final = _code(0x804)
REGISTER_EVENT: Final = _code(0x805)
REQUEST_KMAP: Final = _code(0x806)  # returns a kernel address: not used by this program

EVENT_SLOTS: Final = 32  # Device.h:5
SUSPICIOUS_SIZE: Final = 4096  # the MSI-X table of a doorbell device without vectors (Device.c:164)
_SUSPICION: Final = (
    "The size is 4096 bytes: a doorbell device without MSI vectors shows its vector table in place "
    "of the memory. Give the device vectors=1 or more."
)

CACHE_CODES: Final = {  # Public.h:9-11
    CacheMode.UNCACHED: 0,
    CacheMode.CACHED: 1,
    CacheMode.WRITE_COMBINED: 2,
}
CACHE_WORDS: Final = {
    CacheMode.UNCACHED: "uncached: every access goes out to the device; the slowest",
    CacheMode.CACHED: "cached: fast reads, which a viewer does most; it is the host's RAM",
    CacheMode.WRITE_COMBINED: "write-combined: fast writes, slow reads; Looking Glass's choice",
}  # fmt: skip
DEFAULT_CACHE: Final = CacheMode.CACHED


# -- structures: natural alignment gives the driver's exact sizes -------------------------------


class MmapAnswer64(ctypes.Structure):
    """IVSHMEM_MMAP, for a 64-bit caller: 32 bytes."""

    _fields_ = (
        ("peer", ctypes.c_uint16),
        ("size", ctypes.c_uint64),
        ("pointer", ctypes.c_uint64),
        ("vectors", ctypes.c_uint16),
    )


class MmapAnswer32(ctypes.Structure):
    """IVSHMEM_MMAP32, for a 32-bit caller on any Windows: 24 bytes (Queue.c:9-15)."""

    _fields_ = (  # gaps written out, so that every system lays it out as Windows does
        ("peer", ctypes.c_uint16),
        ("_gap", ctypes.c_uint8 * 6),
        ("size", ctypes.c_uint64),
        ("pointer", ctypes.c_uint32),
        ("vectors", ctypes.c_uint16),
        ("_end", ctypes.c_uint8 * 2),
    )


class Ring(ctypes.Structure):
    """IVSHMEM_RING: 4 bytes, the peer first."""

    _fields_ = (("peer", ctypes.c_uint16), ("vector", ctypes.c_uint16))


class EventRequest64(ctypes.Structure):
    """IVSHMEM_EVENT of a 64-bit Windows, for 32-bit callers too: 24 bytes."""

    _fields_ = (
        ("vector", ctypes.c_uint16),
        ("event", ctypes.c_uint64),
        ("single_shot", ctypes.c_uint8),
    )


class EventRequest32(ctypes.Structure):
    """IVSHMEM_EVENT of a 32-bit Windows: 12 bytes."""

    _fields_ = (
        ("vector", ctypes.c_uint16),
        ("event", ctypes.c_uint32),
        ("single_shot", ctypes.c_uint8),
    )


def mmap_answer(pointer_size: int) -> MmapAnswer64 | MmapAnswer32:
    """An empty answer of the layout that the driver uses for a caller of this pointer size."""
    return MmapAnswer64() if pointer_size == 8 else MmapAnswer32()


def event_request(
    vector: int, event: int, *, single_shot: bool, windows_64: bool
) -> EventRequest64 | EventRequest32:
    """A request of the layout of this Windows; the driver has none for WOW64 callers."""
    kind = EventRequest64 if windows_64 else EventRequest32
    return kind(vector, event, int(single_shot))


# -- errors -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a Win32 error of the driver, for a person."""

    kind: type[ScopeError]
    sentence: str
    hint: str = ""


_OURS = "This is our mistake or another driver's: report it with the driver's version."
_GONE = "Plug it in or enable it in the Device Manager, then try again."
MEANINGS: Final = {  # docs/platform.md, "Windows driver errors"
    1: Meaning(NotMappedError, "The driver knows no mapping of ours, or not this request",
               "Open the device again; an older driver may lack the request."),
    2: Meaning(UnpluggedError, "The device is not there any more", _GONE),
    5: Meaning(DriverError, "Windows does not permit this program to open the device",
               "Ask the administrator: the device's access list was narrowed."),
    6: Meaning(DriverError, "The mapping is another handle's, or the event is not valid",
               "Open the device again and repeat."),
    21: Meaning(DriverError, "The device waits for its memory (revision 0, no server)",
                "Start the ivshmem server on the host, then try again."),
    31: Meaning(UnpluggedError, "The device does not work at the moment", _GONE),
    55: Meaning(UnpluggedError, "The device is not available any more", _GONE),
    87: Meaning(DriverError, "The driver does not accept this cache mode",
               "Choose another cache mode."),
    433: Meaning(UnpluggedError, "The device does not exist any more", _GONE),
    548: Meaning(HeldByAnotherError, "Another program holds this device's mapping",
                 "The driver gives one mapping per device. Close Looking Glass, Scream or another "
                 "window of IVSHMEM Scope, whichever has it, and try again."),
    995: Meaning(UnpluggedError, "The request was broken off because the device went away", _GONE),
    1117: Meaning(DriverError, "The driver could not map the memory",
                  "Free some memory or open a smaller device, then try again."),
    1167: Meaning(UnpluggedError, "The device is not connected", _GONE),
    1450: Meaning(DriverError, f"All {EVENT_SLOTS} event places of the device are taken",
                  "Unregister events by closing the handles that hold them."),
    1617: Meaning(UnpluggedError, "The device was removed", _GONE),
    1784: Meaning(DriverError, "The driver expects another structure size", _OURS),
}  # fmt: skip


def driver_error(number: int, doing: str, device: str) -> ScopeError:
    """The error for a Win32 number that the driver returned.

    Args:
        number: GetLastError().
        doing: What was tried, as in "map the memory".
        device: The device's name for people.
    """
    meaning = MEANINGS.get(number)
    if meaning is None:
        return DriverError(
            f"Windows refused to {doing} of {device} with error {number}.",
            "Try again; if it stays, note the number and the driver's version.",
        )
    return meaning.kind(f"{meaning.sentence} ({device}, error {number}).", meaning.hint)


def check_answered(answered: int, expected: int, doing: str, device: str) -> None:
    """The driver must answer exactly the structure's length.

    Raises:
        DriverError: It did not.
    """
    if answered != expected:
        raise DriverError(
            f"The driver answered {answered} bytes where {expected} are due, "
            f"when asked to {doing} of {device}.",
            _OURS,
        )


def check_size(size: int, device: str) -> None:
    """Check that a size which the driver reports is possible.

    Raises:
        UnsuitableError: It is 0.
        DriverError: It is more than an address space has.
    """
    if size == 0:
        raise UnsuitableError(
            f"{device} has no shared memory: the driver tells a size of 0.",
            "Give the device a memory-backend in the VM's configuration.",
        )
    if size >= 1 << 47:  # the user half of a 64-bit Windows address space
        raise DriverError(
            f"The driver tells an impossible size of {size} bytes for {device}.", _OURS
        )


def size_notes(size: int) -> tuple[str, ...]:
    """Sentences worth knowing about a size that is possible."""
    if size == SUSPICIOUS_SIZE:
        return (_SUSPICION,)
    return ()


# -- location -----------------------------------------------------------------------------------


def split_address(address: int) -> tuple[int, int]:
    """Device and function of SPDRP_ADDRESS: device << 16 | function."""
    return address >> 16, address & 0xFFFF
