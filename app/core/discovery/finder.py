"""Discovery: everything on this machine that may be memory shared with a guest.

Four sources, each of which may fail without the others: host files, PCI devices of a Linux guest,
kvmfr nodes, devices of a Windows guest. Searching never raises, never maps and never allocates
memory of a file; what went wrong is a sentence in the list.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..errors import ScopeError
from ..region.region import RegionKind, RegionSpec
from .device import Access, Device, DeviceList, SystemPaths, may_access
from .file_contents import FileContents
from .host_file_check import file_device
from .host_files import HostFiles
from .kvmfr_nodes import find_kvmfr
from .pci_devices import find_pci
from .processes import Processes, ProcessScanner
from .setup_help import SetupHelp, setup_help

__all__ = [
    "Device",
    "DeviceFinder",
    "DeviceList",
    "SetupHelp",
    "SystemPaths",
    "examine",
    "find_devices",
    "setup_help",
]
log = logging.getLogger(__name__)
Found = tuple[list[Device], list[str]]
_HERE: Final = SystemPaths()
_ON_WINDOWS: Final[bool] = os.name == "nt"


class DeviceFinder:
    """Searches repeatedly, and keeps what need not be read again.

    Not for several threads at once.

    Args:
        places: Folders to search.
        scanner: Scans processes; None: one that leaves out this process and its children.
        contents: Cache of files' contents.
        access: Whether this process may read or write a path.
    """

    def __init__(
        self,
        places: SystemPaths = _HERE,
        *,
        scanner: ProcessScanner | None = None,
        contents: FileContents | None = None,
        access: Access = may_access,
    ) -> None:
        self._places = places
        self._scanner = scanner or ProcessScanner(places.proc, family_of=os.getpid())
        self._contents = contents or FileContents()
        self._access = access

    def find(self) -> DeviceList:
        """Search once."""
        if _ON_WINDOWS:
            from .windows_devices import find_windows  # ten modules that are of use only there

            return _gathered(("The devices of this guest", find_windows))
        processes, trouble = self._processes()
        found = _gathered(
            ("The host's files", lambda: self._files(processes)),
            ("The PCI devices", lambda: find_pci(self._places.sys, self._access)),
            ("The kvmfr nodes", lambda: find_kvmfr(self._places.dev, processes, self._access)),
        )
        # The users of a file are incomplete only where none was seen, and only root sees more.
        if processes.unreadable and _effective_user() and any(map(_without_user, found.devices)):
            trouble.append(processes.notice())
        return DeviceList(_each_once(found.devices), (*trouble, *found.problems))

    def examine(self, spec: RegionSpec) -> Device | None:
        """The device that a person named; None when it is not there."""
        if spec.kind is RegionKind.FILE and not _ON_WINDOWS:
            path = os.path.abspath(spec.location)  # noqa: PTH100 - symlinks stay as typed
            self._contents.begin()
            gathering = HostFiles(self._places, self._processes()[0])
            return file_device(gathering.candidate(path), self._contents, self._access)
        wanted = spec.location.lower()
        return next((d for d in self.find().devices if d.location.lower() == wanted), None)

    def _processes(self) -> tuple[Processes, list[str]]:
        try:
            return self._scanner.scan(), []
        except Exception as error:
            log.exception("discovery failed: processes")
            return Processes(), [f"The running programs could not be looked at ({error})."]

    def _files(self, processes: Processes) -> Found:
        self._contents.begin()
        gathering = HostFiles(self._places, processes)
        devices = [
            file_device(candidate, self._contents, self._access) for candidate in gathering.gather()
        ]
        devices.sort(key=_files_first)
        return devices, gathering.problems


def find_devices(
    places: SystemPaths = _HERE,
    *,
    scanner: ProcessScanner | None = None,
    contents: FileContents | None = None,
    access: Access = may_access,
) -> DeviceList:
    """Search once. Never raises; see DeviceFinder for the arguments."""
    return DeviceFinder(places, scanner=scanner, contents=contents, access=access).find()


def examine(spec: RegionSpec, places: SystemPaths = _HERE) -> Device | None:
    """The device that a person named, whether it is in the list or not."""
    return DeviceFinder(places).examine(spec)


def _gathered(*sources: tuple[str, Callable[[], Found]]) -> DeviceList:
    devices: list[Device] = []
    problems: list[str] = []
    for what, source in sources:
        found, trouble = _guarded(what, source)
        devices += found
        problems += trouble
    return DeviceList(tuple(devices), tuple(problems))


def _each_once(devices: tuple[Device, ...]) -> tuple[Device, ...]:
    """Without the files that are listed as kvmfr nodes: QEMU makes one where the driver is late."""
    nodes = [device.location for device in devices if device.kind is RegionKind.KVMFR]
    return tuple(
        device
        for device in devices
        if device.kind is not RegionKind.FILE
        or not any(_same_file(device.location, node) for node in nodes)
    )


def _same_file(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return False


def _effective_user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


def _guarded(what: str, source: Callable[[], Found]) -> Found:
    try:
        return source()
    except ScopeError as error:
        return [], [str(error)]
    except Exception as error:  # the other sources go on
        log.exception("discovery failed: %s", what)
        return [], [f"{what} could not be looked at ({error})."]


def _without_user(device: Device) -> bool:
    return device.kind is RegionKind.FILE and device.likely_shared and not device.users


def _files_first(device: Device) -> tuple[bool, bool, str]:
    """Likely ones first, those that a guest uses before the others."""
    return not device.likely_shared, not any(u.is_qemu for u in device.users), device.location
