"""Doorbells: being woken by a peer in place of looking at the memory again and again.

A wake-up says "at least once", never how often, and one that is meant for a peer that is not there
is silence. So whoever is woken looks at the memory, and nobody sleeps without a limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

ANSWERS: Final = 0  # who waits; each has an event of its own, as an event wakes one waiter only
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
    """Where a peer is rung.

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
        """Where others ring us."""
        ...

    def ring(self, to: BellAddress) -> None:
        """Ring a peer. Raises RegionGoneError when the device is gone."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Sleep until somebody rings us; whether somebody did."""
        ...


@dataclass(slots=True)
class PeerBell:
    """A device's doorbell, set to one peer: a Bell.

    Attributes:
        device: Our own side.
        to: The peer; it may change when the peer restarts, and None is nobody.
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
