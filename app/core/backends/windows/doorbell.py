"""The doorbell of a device behind the Windows driver: ring, and be rung.

Interrupts coalesce: the driver sets an event, and an event that is set already stays set
(Device.c:313-375). A wake-up therefore says "at least once", never how often. Whoever must count
writes a sequence number into the shared memory before ringing, and the other side compares it.
"""

from __future__ import annotations

import math
from typing import Final

from ...region.doorbell import BellAddress
from .mapping import DeviceMapping

_MOST_VECTORS: Final = 64  # the driver's bit mask (Device.c:313)


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
