"""Doorbells: being woken by a peer instead of polling the memory.

A wake-up means "rung at least once", and ringing a peer that does not exist is not an error. So a
side that wakes must read the memory, and no side may sleep without a time limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

ANSWERS: Final = 0  # the waiters; each has an event of its own, as an event wakes one waiter only
MEASURES: Final = 1


class Bell(Protocol):
    """A doorbell between two peers, as the loops use it."""

    def ring(self) -> None:
        """Wake the peer."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Sleep until the peer rings; whether it did."""
        ...


@dataclass(frozen=True, slots=True)
class BellAddress:
    """The doorbell address of a peer.

    Attributes:
        peer: Its number among the peers of the device, 0 to 65535.
        vector: The interrupt vector that it listens to.
    """

    peer: int
    vector: int


class DeviceBell(Protocol):
    """The doorbell of an open region (Region.bell); use it inside a window of that region."""

    @property
    def address(self) -> BellAddress:
        """The address that peers ring."""
        ...

    def ring(self, to: BellAddress) -> None:
        """Ring a peer. Raises RegionGoneError when the device is gone."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Sleep until a peer rings; whether one did."""
        ...


@dataclass(slots=True)
class PeerBell:
    """A device's doorbell, set to one peer: a Bell.

    Attributes:
        device: Our own side.
        to: The peer's address; it may change when the peer restarts. None: there is no peer.
    """

    device: DeviceBell
    to: BellAddress | None

    def ring(self) -> None:
        """Wake the peer."""
        if self.to is not None:
            self.device.ring(self.to)

    def wait(self, timeout_s: float) -> bool:
        """Sleep until the peer rings; whether it did."""
        return self.device.wait(timeout_s)
