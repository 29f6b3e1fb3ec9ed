"""Device: one piece of shared memory that was found, before anybody opens it.

What is told here is what can be known without mapping anything: the list must stay cheap, and
looking must not disturb the guest.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..health import Health, Level

if TYPE_CHECKING:
    from ..protocols.known_content import Content
    from ..region.pci_address import PciAddress
    from ..region.region import RegionKind, RegionSpec
    from .processes import User

# path, os.R_OK or os.W_OK -> may we?
Access = Callable[[str, int], bool]
GOOD: Final = Health()


@dataclass(frozen=True, slots=True)
class SystemPaths:
    """Where to look; tests bring their own trees."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    dev: Path = Path("/dev")
    shm: tuple[Path, ...] = (Path("/dev/shm"),)  # noqa: S108 - it is the place


@dataclass(frozen=True, slots=True)
class Device:
    """One thing that can be opened, or that says why it cannot.

    Attributes:
        kind: Which maker opens it.
        name: Short name for people.
        location: What `spec_for` takes: path, PCI address text, node, Windows interface path.
        size: Bytes; None when it cannot be known.
        spec: What to open.
        address: PCI address of a guest's device.
        users: Processes that map it; ourselves left out.
        content: What is in it, when somebody knows it.
        health: Whether it can be opened and will show the guest's bytes; else how to mend it.
        likely_shared: Whether a guest probably shares it; the others are hidden at first.
        writable: Whether the system permits us to write; None when it cannot be known.
        share: Whether the guest's writes reach it (`share=on`); None when no QEMU tells.
        notes: Sentences worth knowing.
    """

    kind: RegionKind
    name: str
    location: str
    size: int | None
    spec: RegionSpec
    address: PciAddress | None = None
    users: tuple[User, ...] = ()
    content: Content | None = None
    health: Health = GOOD
    likely_shared: bool = True
    writable: bool | None = None
    share: bool | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceList:
    """One look at everything.

    Attributes:
        devices: What was found, in the order to show.
        problems: Sentences about what could not be looked at.
    """

    devices: tuple[Device, ...] = ()
    problems: tuple[str, ...] = field(default=())


def may_access(path: str, mode: int) -> bool:
    """Whether this process may, by its effective user (a set-user-id start counts)."""
    if os.access in os.supports_effective_ids:
        return os.access(path, mode, effective_ids=True)
    return os.access(path, mode)


def warning(code: str, text: str, hint: str = "", command: str = "") -> Health:
    """It can be opened, but not everything is as it should be."""
    return Health(Level.WARNING, code, text, hint, command)
