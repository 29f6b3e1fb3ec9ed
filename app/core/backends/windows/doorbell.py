"""The doorbell of a device behind the Windows driver: ring, and be rung.

Interrupts coalesce: the driver sets an event, and an event that is set already stays set
(Device.c:313-375). So a wake-up means "rung at least once". To count rings, write a sequence number
into the shared memory before ringing.
"""

from __future__ import annotations

import math
from typing import Final

from ...region.doorbell import BellAddress
from .mapping import DeviceMapping

_MOST_VECTORS: Final = 64  # the driver's bit mask (Device.c:313)


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
