"""The ivshmem devices of a Linux guest, by sysfs, without root and without mapping.

A device that is unplugged during the search is left out; the others are listed all the same.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ..backends.pci_sysfs import PciFacts, decodes_memory, device_folder, read_facts
from ..backends.permission import Guarded, may_not_read, may_not_write
from ..errors import CannotFindError, ScopeError, UnsuitableError
from ..health import Health, health_of
from ..region.pci_address import PciAddress
from ..region.region import RegionKind, RegionSpec
from .device import GOOD, Access, Device, may_access, warning


def find_pci(sys_folder: Path, access: Access = may_access) -> tuple[list[Device], list[str]]:
    """All ivshmem devices in order of their addresses, and sentences about what failed."""
    devices: list[Device] = []
    problems: list[str] = []
    for address in sorted(_addresses(sys_folder / "bus" / "pci" / "devices", problems)):
        try:
            facts = read_facts(address, sys_folder)
            if facts.is_ivshmem:
                devices.append(_device(facts, access))
        except (OSError, ValueError, ScopeError) as error:
            # Unplugged meanwhile is no problem; a device that is there and cannot be read is one.
            if device_folder(address, sys_folder).exists():
                reason = getattr(error, "strerror", None) or error
                problems.append(f"The PCI device {address} cannot be looked at ({reason}).")
    return devices, problems


def _addresses(folder: Path, problems: list[str]) -> Iterator[PciAddress]:
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:  # a machine without PCI, a container
        return
    except OSError as error:
        problems.append(f"{folder} cannot be listed ({error.strerror}).")
        return
    for name in names:
        with contextlib.suppress(CannotFindError):
            yield PciAddress.parse(name)


def _device(facts: PciFacts, access: Access) -> Device:
    location = str(facts.address)
    bars = [facts.folder / name for name in ("resource2_wc", "resource2")]
    there = [str(bar) for bar in bars if bar.exists()]
    readable = any(access(path, os.R_OK) for path in there)
    writable = any(access(path, os.W_OK) for path in there)
    return Device(
        kind=RegionKind.BAR,
        name=location,
        location=location,
        size=facts.shared.size or None,
        spec=RegionSpec(RegionKind.BAR, location),
        address=facts.address,
        health=_health(facts, readable=readable, writable=writable),
        writable=writable,
        notes=tuple(_notes(facts)),
    )


def _health(facts: PciFacts, *, readable: bool, writable: bool) -> Health:
    name, files = str(facts.address), f"{facts.folder}/resource2*"
    if not facts.shared.size:
        return health_of(
            UnsuitableError(
                f"The ivshmem device {facts.address} has no shared memory in BAR2.",
                "Give it a memory backend (memdev=) and start the VM again.",
            )
        )
    if not readable:
        return health_of(may_not_read(name, files, Guarded.BAR).error)
    if decodes_memory(facts.folder) is False:
        return warning(
            "decode-off",
            f"The device {facts.address} is switched off: its memory reads as ones.",
            "No driver has enabled it; enable it by hand.",
            f"echo 1 | sudo tee {facts.folder}/enable",
        )
    if not writable:
        advice = may_not_write(name, files, Guarded.BAR)
        return warning("read-only", advice.text, advice.hint, advice.command)
    return GOOD


def _notes(facts: PciFacts) -> Iterator[str]:
    yield "It has a doorbell." if facts.doorbell else "A plain device: no doorbell, no interrupts."
    if facts.driver == "kvmfr":
        yield "The kvmfr driver holds it: its /dev/kvmfrN node is the faster way."
    elif facts.driver:
        yield f"The driver {facts.driver} holds it, and may refuse a second mapping."
