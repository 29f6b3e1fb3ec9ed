"""The doorbell of a device behind the Windows driver: our peer number, ringing, and waiting.

Interrupts coalesce: the driver sets an event, and an event that is set already stays set
(Device.c:313-375). So a wake-up means "rung at least once". To count rings, write a sequence number
into the shared memory before ringing.
"""

from __future__ import annotations

import math
from typing import Final

from ...errors import OutOfRangeError, UnsuitableError
from ...region.doorbell import BellAddress
from ...region.region import Region
from .api import Win32, win32
from .mapping import DeviceMapping

_MOST_VECTORS: Final = 64  # the driver's bit mask (Device.c:313)
_MOST: Final = 0xFFFF


class DoorbellEvent:
    """The event of one vector, for one waiter: it is reset when the first waiter wakes."""

    def __init__(self, handle: int, api: Win32) -> None:
        self._handle = handle
        self._api = api

    def wait(self, timeout_ms: int) -> bool:
        """Whether it rang at least once since the last wait, or does within the time."""
        return self._api.wait(self._handle, timeout_ms)


class Doorbell:
    """The doorbell of an open region; valid as long as the region's mapping."""

    def __init__(self, region: Region, api: Win32 | None = None) -> None:
        mapping = getattr(region, "mapping", None)
        if not isinstance(mapping, DeviceMapping):
            raise UnsuitableError("Only a device behind the Windows driver rings through it.")
        self._mapping = mapping
        self._api = api or win32()

    @property
    def peer(self) -> int:
        """Our own peer number, which others ring; 0 is ambiguous on a plain device."""
        return self._mapping.peer

    @property
    def vectors(self) -> int:
        """Vectors of our own device; 0 is a plain device, which cannot be rung."""
        return self._mapping.vectors

    def ring(self, peer: int, vector: int) -> None:
        """Ring a peer. The hardware reports no error when there is no such peer or vector.

        Raises:
            OutOfRangeError: A number that does not fit into the register.
        """
        if not (0 <= peer <= _MOST and 0 <= vector <= _MOST):
            raise OutOfRangeError(f"Peer {peer}, vector {vector}: both go from 0 to {_MOST}.")
        self._mapping.ring(peer, vector)

    def listen(self, vector: int) -> DoorbellEvent:
        """The event of one of our vectors, registered at its first use and kept.

        Raises:
            OutOfRangeError: The device has no such vector; the driver does not check it.
            DriverError: All 32 events of the driver are in use.
        """
        self._own(vector)
        return DoorbellEvent(self._mapping.event(vector), self._api)

    def _own(self, vector: int) -> None:
        most = min(self.vectors, _MOST_VECTORS)
        if not 0 <= vector < most:
            raise OutOfRangeError(
                f"Vector {vector} is none of this device's {most}.",
                "Give the device vectors=N in the VM's configuration." if not most else "",
            )


class WindowsBell:
    """The doorbell of an open device for one waiter of this process: a DeviceBell.

    Its event belongs to the mapping, which is kept as long as a window of the region is open. So
    close the window only when nothing waits any more.
    """

    def __init__(self, mapping: DeviceMapping, waiter: int) -> None:
        """Listen.

        Raises:
            DriverError: The driver's places are all taken.
        """
        self._mapping = mapping
        self._vector = waiter % min(mapping.vectors, _MOST_VECTORS)
        self._event = mapping.event(self._vector, waiter)

    @property
    def address(self) -> BellAddress:
        """The address that peers ring."""
        return BellAddress(self._mapping.peer, self._vector)

    def ring(self, to: BellAddress) -> None:
        """Ring a peer."""
        self._mapping.ring(to.peer, to.vector)

    def wait(self, timeout_s: float) -> bool:
        """Sleep until a peer rings; whether one did."""
        return self._mapping.api.wait(self._event, math.ceil(timeout_s * 1000))
