"""Device: one piece of shared memory that was found, before it is opened.

It has only what can be known without mapping anything: the list must be cheap, and searching must
not disturb the guest.
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

# path, os.R_OK or os.W_OK -> whether that is permitted
Access = Callable[[str, int], bool]
GOOD: Final = Health()


@dataclass(frozen=True, slots=True)
class SystemPaths:
    """Folders to search; tests use their own trees."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    dev: Path = Path("/dev")
    shm: tuple[Path, ...] = (Path("/dev/shm"),)  # noqa: S108 - it is the place


@dataclass(frozen=True, slots=True)
class Device:
    """A device or file that can be opened, or the reason why not.

    Attributes:
        kind: Which backend opens it.
        name: Short name for people.
        location: The text for `spec_for`: path, PCI address, node, Windows interface path.
        size: Bytes; None when unknown.
        spec: What to open.
        address: PCI address of a guest's device.
        users: Processes that map it, without this program's own.
        content: Its recognised content; None when unknown.
        health: Whether it can be opened and will show the guest's bytes; else what to do.
        likely_shared: Whether a guest probably shares it; the others are hidden at first.
        writable: Whether the system permits this process to write; None when unknown.
        share: Whether the guest's writes reach it (`share=on`); None without a QEMU that uses it.
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
    """The result of one search.

    Attributes:
        devices: What was found, in the order to show.
        problems: Sentences about what could not be searched.
    """

    devices: tuple[Device, ...] = ()
    problems: tuple[str, ...] = field(default=())


def may_access(path: str, mode: int) -> bool:
    """Whether this process may access the path, by its effective user id."""
    if os.access in os.supports_effective_ids:
        return os.access(path, mode, effective_ids=True)
    return os.access(path, mode)


def warning(code: str, text: str, hint: str = "", command: str = "") -> Health:
    """It can be opened, but not everything is as it should be."""
    return Health(Level.WARNING, code, text, hint, command)
