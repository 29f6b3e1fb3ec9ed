"""Regions behind the ivshmem driver of a Windows guest: list, diagnose and open them.

Can be imported on every system; on Linux the list is empty and opening raises UnsuitableError.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from ...errors import CannotFindError, DriverMissingError, OutOfRangeError, ScopeError
from ...region.doorbell import DeviceBell
from ...region.pci_address import PciAddress
from ...region.region import PAGE, CacheMode, Region, RegionInfo, RegionSpec
from ...values.units import format_offset, format_size
from .abi import (
    CACHE_WORDS,
    DRIVER_HINT,
    check_size,
    driver_error,
    size_notes,
)
from .api import ON_WINDOWS, Win32, Win32Error, win32
from .doorbell import WindowsBell
from .mapping import DeviceMapping
from .requests import ask_peer, ask_size
from .setup import FoundDevice, SetupApi, setup_api, undriven
from .sharing import give_back, share

_PLAIN_NAME: Final = "IVSHMEM device"


@dataclass(frozen=True, slots=True)
class WindowsBar:
    """One ivshmem device of this Windows guest.

    Attributes:
        path: Interface path, which is the location of its RegionSpec; empty without driver.
        name: Short name for people: the PCI address where it is known.
        description: What the Device Manager calls it.
        instance: Device instance id.
        address: PCI address; None when Windows does not report it.
        size: Bytes; 0 when the driver did not report it.
        peer: Our own peer number; None when the driver did not report it.
        trouble: Why it cannot be opened; None when no reason is known. Whether another program
            has the mapping is known only after trying to open.
        notes: Sentences worth knowing.
    """

    path: str
    name: str
    description: str
    instance: str
    address: PciAddress | None
    size: int = 0
    peer: int | None = None
    trouble: ScopeError | None = None
    notes: tuple[str, ...] = ()

    @property
    def driver(self) -> bool:
        """Whether the driver serves it."""
        return bool(self.path)


class WindowsRegion(Region):
    """A part or the whole of a device's memory; several share the process's one mapping."""

    def __init__(self, info: RegionInfo, mapping: DeviceMapping) -> None:
        super().__init__(info)
        self.mapping = mapping
        self._start = info.spec.start

    def check(self) -> None:
        """Raise when the device is gone or released; asks the driver twice a second."""
        self._open()
        self.mapping.check()

    def bell(self, waiter: int) -> DeviceBell | None:
        """The doorbell; None on a plain device, which has none."""
        return WindowsBell(self.mapping, waiter) if self.mapping.vectors else None

    def _raw_read(self, offset: int, buffer: memoryview) -> None:
        self.mapping.read_into(self._start + offset, buffer)

    def _raw_write(self, offset: int, data: memoryview) -> None:
        self.mapping.write(self._start + offset, data)

    def _raw_load(self, offset: int, width: int) -> int:
        return self.mapping.load(self._start + offset, width)

    def _raw_store(self, offset: int, width: int, value: int) -> None:
        self.mapping.store(self._start + offset, width, value)

    def _raw_window(self, offset: int, length: int) -> AbstractContextManager[memoryview[int]]:
        return self.mapping.window(self._start + offset, length)

    def _raw_close(self) -> None:
        give_back(self.mapping)


# -- finding ------------------------------------------------------------------------------------


def list_windows_bars(setup: SetupApi | None = None, api: Win32 | None = None) -> list[WindowsBar]:
    """Every ivshmem device, in Looking Glass's order; those without a driver come last.

    Asks for size and peer number, which needs no mapping. Empty outside Windows.
    """
    if setup is None:
        if not ON_WINDOWS:
            return []
        setup = setup_api()
    driven = setup.driven()
    bars = [_look_at(found, api or win32()) for found in driven]
    return bars + [_without_driver(found) for found in undriven(driven, setup.on_pci())]


def find_windows_bar(
    location: str, setup: SetupApi | None = None, api: Win32 | None = None
) -> WindowsBar:
    """The device that a location names (see open_windows_bar), without mapping it.

    Raises:
        CannotFindError: No such device.
        DriverMissingError: The device is there and its driver is not.
    """
    return _look_at(_find(location, setup or setup_api()), api or win32())


def _name(found: FoundDevice) -> str:
    address = found.place
    return str(address) if address else found.description or _PLAIN_NAME


def _look_at(found: FoundDevice, api: Win32) -> WindowsBar:
    size, peer, trouble = 0, None, None
    name = _name(found)
    try:
        handle = api.open_device(found.path)
    except Win32Error as error:
        trouble = driver_error(error.number, "open the device", name)
    else:
        try:
            peer = ask_peer(api, handle, name)
            size = ask_size(api, handle, name)
            check_size(size, name)
        except ScopeError as error:
            trouble = error
            size = 0
        finally:
            api.close(handle)
    return WindowsBar(
        found.path,
        name,
        found.description,
        found.instance,
        found.place,
        size,
        peer,
        trouble,
        size_notes(size),
    )


def _without_driver(found: FoundDevice) -> WindowsBar:
    name = _name(found)
    trouble = DriverMissingError(
        f"The ivshmem device {name} has no driver that offers its memory.", DRIVER_HINT
    )
    return WindowsBar("", name, found.description, found.instance, found.place, trouble=trouble)


# -- opening ------------------------------------------------------------------------------------


def open_windows_bar(
    spec: RegionSpec, setup: SetupApi | None = None, api: Win32 | None = None
) -> Region:
    """Open a device, or a part of it.

    Args:
        spec: Its location is an interface path, a PCI address (`0000:0c:1f.0`, `0c:1f.0`), or
            the device's number in the list.
        setup: SetupAPI; that of this process when None.
        api: kernel32; that of this process when None.

    Raises:
        CannotFindError: No such device.
        DriverMissingError: The device is there and its driver is not.
        HeldByAnotherError: Another program holds the mapping.
        DriverError: The driver refused, or gave an impossible answer.
        OutOfRangeError: The wanted part is not inside the device.
        UnsuitableError: The device has no memory, or this is not Windows.
    """
    setup = setup or setup_api()
    found = _find(spec.location, setup)
    mapping = share(found.path, _name(found), spec.cache, api)
    try:
        return WindowsRegion(_info(spec, found, mapping), mapping)
    except BaseException:
        give_back(mapping)
        raise


def interface_path(location: str, setup: SetupApi | None = None) -> str:
    """The interface path of a device that may be named in other ways; unknown names unchanged."""
    if location.startswith("\\\\?\\") or not (setup or ON_WINDOWS):
        return location
    found = _named(location, (setup or setup_api()).driven())
    return found.path if found else location


def _named(location: str, driven: list[FoundDevice]) -> FoundDevice | None:
    wanted = location.strip().lower()
    for number, found in enumerate(driven):
        address = str(found.place or "")
        names = (found.path.lower(), found.instance.lower(), str(number), address, address[5:])
        if wanted in names:
            return found
    return None


def _find(location: str, setup: SetupApi) -> FoundDevice:
    driven = setup.driven()
    known = _named(location, driven)
    if known is not None:
        return known
    wanted = location.strip().lower()
    bare = undriven(driven, setup.on_pci())
    for found in bare:
        address = str(found.place or "")
        if wanted in (found.instance.lower(), address, address[5:]):
            raise DriverMissingError(
                f"The ivshmem device {_name(found)} has no driver that offers its memory.",
                DRIVER_HINT,
            )
    if bare and not driven:
        raise DriverMissingError(
            "No ivshmem device here has a driver that offers its memory.", DRIVER_HINT
        )
    raise CannotFindError(
        f"There is no ivshmem device {location}."
        if driven
        else "This guest has no ivshmem device.",
        "Rescan the devices."
        if driven
        else "Add an ivshmem-plain device to the VM and start it again.",
    )


def _info(spec: RegionSpec, found: FoundDevice, mapping: DeviceMapping) -> RegionInfo:
    length = mapping.size - spec.start if spec.length is None else spec.length
    if spec.start % PAGE or length <= 0 or spec.start < 0 or spec.start + length > mapping.size:
        raise OutOfRangeError(
            f"{length} bytes at {format_offset(spec.start)} are no part of {mapping.name}, "
            f"which has {format_size(mapping.size)}.",
            f"Start at a multiple of {PAGE} inside the device.",
        )
    return RegionInfo(
        spec=spec,
        name=mapping.name,
        system="guest",
        path=found.path,
        size=length,
        writable=not spec.read_only,
        read_only_reason="It was opened for reading only." if spec.read_only else "",
        cache=CACHE_WORDS[mapping.cache],
        address=found.place,
        details=_connection(mapping),
        notes=(
            *_cache_notes(spec.cache, mapping.cache),
            *size_notes(mapping.size),
        ),
    )


def _connection(mapping: DeviceMapping) -> tuple[str, ...]:
    if not mapping.vectors:
        return ("A plain device: it has no doorbell and no interrupts.",)
    plural = "s" if mapping.vectors > 1 else ""
    return (f"Peer {mapping.peer}, {mapping.vectors} interrupt vector{plural}.",)


def _cache_notes(wanted: CacheMode, got: CacheMode) -> tuple[str, ...]:
    if wanted in (CacheMode.DEFAULT, got):
        return ()
    note = f"Asked for {wanted.value}, but this program has it mapped as {got.value} already."
    return (f"{note} Close its other views first.",)
