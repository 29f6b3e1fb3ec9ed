"""The ivshmem devices of a Linux guest, by sysfs, without root and without mapping.

A device that vanishes while it is looked at (hot-unplug) is passed over; it never costs the
others their place in the list.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.core.device import GOOD, Access, Device, fault, may_access, warning
from app.core.errors import AccessDeniedError, ScopeError, UnsuitableError
from app.core.health import Health
from app.core.pci import PciAddress
from app.core.region import RegionKind, RegionSpec

_VENDOR: Final = 0x1AF4
_DEVICE: Final = 0x1110
_SHARED: Final = 2  # BAR2, the third line of `resource`
_MSIX: Final = 1
_COMMAND: Final = 4  # offset in the config space; bit 1 switches memory decode on
_DECODE: Final = 2
_NAME: Final = re.compile(r"^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")


@dataclass(frozen=True, slots=True)
class _Looked:
    """What sysfs tells of one device."""

    folder: Path
    address: PciAddress
    size: int
    driver: str
    decodes: bool | None
    doorbell: bool
    readable: bool
    writable: bool

    @property
    def files(self) -> str:
        """The two files of BAR2, for a shell."""
        return f"{self.folder}/resource{_SHARED}*"


def find_pci(sys_folder: Path, access: Access = may_access) -> tuple[list[Device], list[str]]:
    """All ivshmem devices in order of their addresses, and sentences about what failed."""
    folder = sys_folder / "bus" / "pci" / "devices"
    devices: list[Device] = []
    problems: list[str] = []
    for name in _names(folder, problems):
        path = folder / name
        try:
            if _number(path / "vendor") == _VENDOR and _number(path / "device") == _DEVICE:
                devices.append(_device(_look(path, PciAddress.parse(name), access)))
        except (OSError, ValueError, ScopeError) as error:
            # Gone meanwhile is nobody's problem; a device that stays but cannot be read is.
            if path.exists():
                reason = getattr(error, "strerror", None) or error
                problems.append(f"The PCI device {name} cannot be looked at ({reason}).")
    devices.sort(key=lambda device: device.address or PciAddress(0, 0, 0, 0))
    return devices, problems


def _names(folder: Path, problems: list[str]) -> Iterator[str]:
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:  # a machine without PCI, a container
        return
    except OSError as error:
        problems.append(f"{folder} cannot be listed ({error.strerror}).")
        return
    yield from (name for name in names if _NAME.match(name))


def _number(path: Path) -> int:
    return int(path.read_text("utf-8"), 16)


def _bar_size(lines: list[str], number: int) -> int:
    """`start end flags` in hex; an absent BAR is all zeros."""
    fields = lines[number].split() if number < len(lines) else []
    if len(fields) < 2:
        return 0
    start, end = int(fields[0], 16), int(fields[1], 16)
    return end - start + 1 if end > start else 0


def _look(folder: Path, address: PciAddress, access: Access) -> _Looked:
    lines = (folder / "resource").read_text("utf-8").splitlines()
    bars = [folder / f"resource{_SHARED}_wc", folder / f"resource{_SHARED}"]
    there = [str(bar) for bar in bars if bar.exists()]
    return _Looked(
        folder=folder,
        address=address,
        size=_bar_size(lines, _SHARED),
        driver=_driver(folder),
        decodes=_decodes(folder),
        doorbell=_bar_size(lines, _MSIX) > 0,
        readable=any(access(path, os.R_OK) for path in there),
        writable=any(access(path, os.W_OK) for path in there),
    )


def _driver(folder: Path) -> str:
    try:
        return (folder / "driver").readlink().name
    except OSError:
        return ""


def _decodes(folder: Path) -> bool | None:
    try:
        with (folder / "config").open("rb") as file:
            head = file.read(_COMMAND + 2)
    except OSError:
        return None
    return bool(head[_COMMAND] & _DECODE) if len(head) > _COMMAND else None


def _device(looked: _Looked) -> Device:
    location = str(looked.address)
    return Device(
        kind=RegionKind.BAR,
        name=location,
        location=location,
        size=looked.size or None,
        spec=RegionSpec(RegionKind.BAR, location),
        address=looked.address,
        health=_health(looked),
        writable=looked.writable,
        notes=tuple(_notes(looked)),
    )


def _health(looked: _Looked) -> Health:
    if not looked.size:
        return fault(UnsuitableError(
            f"The ivshmem device {looked.address} has no shared memory in BAR2.",
            "Give it a memory backend (memdev=) and start the VM again.",
        ))  # fmt: skip
    if not looked.readable:
        return fault(AccessDeniedError(
            f"You may not map {looked.address}; only root may at first.",
            "Start IVSHMEM Scope as root, or take the device's file.",
            command=f"sudo chown $USER {looked.files}",
        ))  # fmt: skip
    if looked.decodes is False:
        return warning(
            "decode-off",
            f"The device {looked.address} is switched off: its memory reads as ones.",
            "No driver has enabled it; enable it by hand.",
            f"echo 1 | sudo tee {looked.folder}/enable",
        )
    if not looked.writable:
        return warning(
            "read-only",
            f"You may read {looked.address}, but not write to it.",
            "It opens read-only; root can permit more.",
            f"sudo chown $USER {looked.files}",
        )
    return GOOD


def _notes(looked: _Looked) -> Iterator[str]:
    yield "It has a doorbell." if looked.doorbell else "A plain device: no doorbell, no interrupts."
    if looked.driver == "kvmfr":
        yield "The kvmfr driver holds it: its /dev/kvmfrN node is the faster way."
    elif looked.driver:
        yield f"The driver {looked.driver} holds it, and may refuse a second mapping."
