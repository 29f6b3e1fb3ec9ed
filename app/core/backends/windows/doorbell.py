"""The doorbell of a device behind the Windows driver: who we are, ring, and be rung.

Interrupts coalesce: the driver sets an event, and an event that is set already stays set
(Device.c:313-375). A wake-up therefore says "at least once", never how often. Whoever must count
writes a sequence number into the shared memory before ringing, and the other side compares it.
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
    """Being rung on one vector; one waiter, as the event resets with the first that wakes."""

    def __init__(self, handle: int, api: Win32) -> None:
        self._handle = handle
        self._api = api

    def wait(self, timeout_ms: int) -> bool:
        """Whether it rang at least once since the last wait, or does within the time."""
        return self._api.wait(self._handle, timeout_ms)


class Doorbell:
    """The doorbell of an open region; it lives as long as the region's mapping."""

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
        """Vectors of our own device; 0 is a plain device, on which nobody can ring us."""
        return self._mapping.vectors

    def ring(self, peer: int, vector: int) -> None:
        """Ring a peer. An absent peer or vector is silence; the hardware tells nobody.

        Raises:
            OutOfRangeError: A number that the register has no room for.
        """
        if not (0 <= peer <= _MOST and 0 <= vector <= _MOST):
            raise OutOfRangeError(f"Peer {peer}, vector {vector}: both go from 0 to {_MOST}.")
        self._mapping.ring(peer, vector)

    def listen(self, vector: int) -> DoorbellEvent:
        """The event of one of our vectors, registered at its first use and kept.

        Raises:
            OutOfRangeError: The device has no such vector; the driver would not notice.
            DriverError: The driver's places are all taken.
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
    """The doorbell of an open device as one waiter of this process uses it: a DeviceBell.

    Its event belongs to the mapping, which lives as long as a window of the region: so leave the
    window when no more waits are wanted, and the event is closed after them.
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
        """Where others ring us."""
        return BellAddress(self._mapping.peer, self._vector)

    def ring(self, to: BellAddress) -> None:
        """Ring a peer."""
        self._mapping.ring(to.peer, to.vector)

    def wait(self, timeout_s: float) -> bool:
        """Sleep until somebody rings us; whether somebody did."""
        return self._mapping.api.wait(self._event, math.ceil(timeout_s * 1000))
