"""The ivshmem devices of a Windows guest as Devices of the list."""

from __future__ import annotations

from ..backends.windows.bar import WindowsBar, list_windows_bars
from ..health import health_of
from ..region.region import RegionKind, RegionSpec
from .device import GOOD, Device


def find_windows() -> tuple[list[Device], list[str]]:
    """All devices, those without a driver too; empty outside Windows."""
    return [from_bar(bar) for bar in list_windows_bars()], []


def from_bar(bar: WindowsBar) -> Device:
    """One device; the reason why it cannot be opened is its health."""
    # The address is easier to read and type; the path is used where Windows reports no address.
    location = str(bar.address) if bar.address else bar.path or bar.instance
    peer = (f"Peer {bar.peer}.",) if bar.peer else ()
    return Device(
        kind=RegionKind.WINDOWS,
        name=bar.name,
        location=location,
        size=bar.size or None,
        spec=RegionSpec(RegionKind.WINDOWS, location),
        address=bar.address,
        health=health_of(bar.trouble) if bar.trouble is not None else GOOD,
        # The driver gives a mapping that can be written, or none.
        writable=bar.trouble is None,
        notes=(*peer, *bar.notes),
    )
