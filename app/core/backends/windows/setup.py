"""Finds devices with SetupAPI: those with the driver's interface, and those that lack the driver.

All calls are made with their full argument lists, and sizes by value where the API wants them so.
A device whose properties cannot be read is listed all the same.
"""

from __future__ import annotations

import ctypes
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ctypes import POINTER, byref, c_int, c_size_t, c_uint8, c_uint16, c_uint32, c_void_p, c_wchar_p
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from ...errors import CannotFindError
from ...region.pci_address import PciAddress
from .abi import HARDWARE, INTERFACE_GUID, split_address
from .api import INVALID_HANDLE, Win32Error, declare, last_error, library

_PRESENT: Final = 0x02  # DIGCF_PRESENT
_ALL_CLASSES: Final = 0x04  # DIGCF_ALLCLASSES
_INTERFACES: Final = 0x10  # DIGCF_DEVICEINTERFACE
_DESCRIPTION: Final = 0x00  # SPDRP_DEVICEDESC
_HARDWARE_ID: Final = 0x01  # SPDRP_HARDWAREID
_LOCATION: Final = 0x0D  # SPDRP_LOCATION_INFORMATION
_BUS: Final = 0x15  # SPDRP_BUSNUMBER
_ADDRESS: Final = 0x1C  # SPDRP_ADDRESS
_NO_MORE: Final = 259  # ERROR_NO_MORE_ITEMS
_PATH_AT: Final = 4  # offset of DevicePath in SP_DEVICE_INTERFACE_DETAIL_DATA_W
_NOBODY: Final = 1 << 62  # sorts a device without an address behind the others
_MOST: Final = 1024  # stop at so many: a list without an end must not hang the program


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """One device as Windows lists it.

    Attributes:
        path: Interface path for CreateFile; empty when no driver offers the interface.
        instance: Device instance id, as the Device Manager shows it.
        bus: Bus number from the property; None when the bus driver does not report it.
        address: device << 16 | function from the property; None as above.
        location: Location text in the person's language; may be empty.
    """

    path: str
    instance: str
    description: str = ""
    bus: int | None = None
    address: int | None = None
    location: str = ""

    @property
    def place(self) -> PciAddress | None:
        """From the properties, else from the location text; None where neither has it."""
        if self.bus is not None and self.address is not None:
            with suppress(CannotFindError):
                return PciAddress.from_windows(self.bus, *split_address(self.address))
        with suppress(CannotFindError):
            return PciAddress.from_windows_location(self.location)
        return None

    @property
    def order(self) -> int:
        """Looking Glass sorts by bus << 32 | address, and its index counts in that order."""
        if self.place is None:
            return _NOBODY
        place = self.place
        return (place.domain << 8 | place.bus) << 32 | place.device << 16 | place.function


class Guid(ctypes.Structure):
    """GUID of the Windows API."""

    _fields_ = (
        ("data1", c_uint32),
        ("data2", c_uint16),
        ("data3", c_uint16),
        ("data4", c_uint8 * 8),
    )

    @classmethod
    def from_text(cls, text: str) -> Guid:
        """From the usual braces and hyphens."""
        return cls.from_buffer_copy(uuid.UUID(text).bytes_le)


class DeviceData(ctypes.Structure):
    """SP_DEVINFO_DATA; 32 bytes on 64-bit Windows, 28 on 32-bit."""

    _fields_ = (
        ("size", c_uint32),
        ("kind", Guid),
        ("instance", c_uint32),
        ("reserved", c_size_t),
    )


class InterfaceData(ctypes.Structure):
    """SP_DEVICE_INTERFACE_DATA; 32 bytes on 64-bit Windows, 28 on 32-bit."""

    _fields_ = (
        ("size", c_uint32),
        ("kind", Guid),
        ("flags", c_uint32),
        ("reserved", c_size_t),
    )


Item = TypeVar("Item", DeviceData, InterfaceData)


def detail_size(pointer_size: int) -> int:
    """sizeof(SP_DEVICE_INTERFACE_DETAIL_DATA_W): 8 on 64-bit, 6 on 32-bit, where it is packed."""
    return 8 if pointer_size == 8 else 6


class SetupApi:
    """setupapi, as far as finding devices needs it."""

    def __init__(self) -> None:
        s = library("setupapi")
        handle, flag, number = c_void_p, c_int, c_uint32
        data, interface = POINTER(DeviceData), POINTER(InterfaceData)
        self._get_set = declare(
            s.SetupDiGetClassDevsW, handle, POINTER(Guid), c_wchar_p, handle, number
        )
        self._end_set = declare(s.SetupDiDestroyDeviceInfoList, flag, handle)
        self._device = declare(s.SetupDiEnumDeviceInfo, flag, handle, number, data)
        self._interface = declare(
            s.SetupDiEnumDeviceInterfaces, flag, handle, data, POINTER(Guid), number, interface
        )
        self._detail = declare(
            s.SetupDiGetDeviceInterfaceDetailW,
            flag,
            handle,
            interface,
            c_void_p,
            number,
            POINTER(number),
            data,
        )
        self._property = declare(
            s.SetupDiGetDeviceRegistryPropertyW,
            flag,
            handle,
            data,
            number,
            POINTER(number),
            c_void_p,
            number,
            POINTER(number),
        )
        self._instance = declare(
            s.SetupDiGetDeviceInstanceIdW, flag, handle, data, c_wchar_p, number, POINTER(number)
        )

    def driven(self) -> list[FoundDevice]:
        """Devices that offer the driver's interface, in Looking Glass's order."""
        guid = Guid.from_text(INTERFACE_GUID)
        with self._set(guid, None, _PRESENT | _INTERFACES) as devices:
            found = [
                self._found(devices, data, path)
                for data in self._devices(devices)
                for path in self._paths(devices, data, guid)
            ]
        return sorted(found, key=lambda device: device.order)

    def on_pci(self) -> list[FoundDevice]:
        """Every ivshmem device that the PCI bus shows, with or without a driver."""
        with self._set(None, "PCI", _PRESENT | _ALL_CLASSES) as devices:
            found = [
                self._found(devices, data, "")
                for data in self._devices(devices)
                if HARDWARE in self._instance_id(devices, data).upper()
                or HARDWARE in self._text(devices, data, _HARDWARE_ID).upper()
            ]
        return sorted(found, key=lambda device: device.order)

    # -- sets and their items --------------------------------------------------------------------

    @contextmanager
    def _set(self, guid: Guid | None, enumerator: str | None, flags: int) -> Iterator[int]:
        devices = self._get_set(byref(guid) if guid else None, enumerator, None, flags)
        if devices in (INVALID_HANDLE, None):
            raise Win32Error(last_error(), "SetupDiGetClassDevsW")
        try:
            yield devices
        finally:
            self._end_set(devices)

    def _devices(self, devices: int) -> Iterator[DeviceData]:
        def get(index: int, data: DeviceData) -> Any:
            return self._device(devices, index, byref(data))

        return _items(get, DeviceData, "SetupDiEnumDeviceInfo")

    def _paths(self, devices: int, data: DeviceData, guid: Guid) -> Iterator[str]:
        def get(index: int, interface: InterfaceData) -> Any:
            return self._interface(devices, byref(data), byref(guid), index, byref(interface))

        for interface in _items(get, InterfaceData, "SetupDiEnumDeviceInterfaces"):
            path = self._path(devices, interface)
            if path:
                yield path

    def _path(self, devices: int, interface: InterfaceData) -> str:
        needed = c_uint32(0)
        self._detail(
            devices, byref(interface), None, 0, byref(needed), None
        )  # fails with error 122, and returns the length
        if needed.value <= _PATH_AT:
            return ""
        room = ctypes.create_string_buffer(needed.value + 2)
        c_uint32.from_buffer(room).value = detail_size(ctypes.sizeof(c_void_p))
        if not self._detail(devices, byref(interface), room, needed.value, byref(needed), None):
            return ""
        return ctypes.wstring_at(ctypes.addressof(room) + _PATH_AT)

    # -- properties: each may fail alone ---------------------------------------------------------

    def _found(self, devices: int, data: DeviceData, path: str) -> FoundDevice:
        return FoundDevice(
            path=path,
            instance=self._instance_id(devices, data),
            description=self._text(devices, data, _DESCRIPTION),
            bus=self._number(devices, data, _BUS),
            address=self._number(devices, data, _ADDRESS),
            location=self._text(devices, data, _LOCATION),
        )

    def _number(self, devices: int, data: DeviceData, which: int) -> int | None:
        value, needed = c_uint32(0), c_uint32(0)
        got = self._property(devices, byref(data), which, None, byref(value), 4, byref(needed))
        return value.value if got and value.value != 0xFFFFFFFF else None

    def _text(self, devices: int, data: DeviceData, which: int) -> str:
        room, needed = ctypes.create_unicode_buffer(2048), c_uint32(0)
        size = ctypes.sizeof(room) - 2
        got = self._property(devices, byref(data), which, None, room, size, byref(needed))
        return room.value if got else ""

    def _instance_id(self, devices: int, data: DeviceData) -> str:
        room = ctypes.create_unicode_buffer(512)
        return room.value if self._instance(devices, byref(data), room, 511, None) else ""


def _items(get: Callable[[int, Item], Any], kind: type[Item], call: str) -> Iterator[Item]:
    for index in range(_MOST):
        item = kind()
        item.size = ctypes.sizeof(kind)
        if get(index, item):
            yield item
            continue
        if last_error() != _NO_MORE:
            raise Win32Error(last_error(), call)
        return


@cache
def setup_api() -> SetupApi:
    """The calls of this process.

    Raises:
        UnsuitableError: This system is not Windows.
    """
    return SetupApi()


def undriven(driven: list[FoundDevice], on_pci: list[FoundDevice]) -> list[FoundDevice]:
    """The devices on the bus that no driver serves."""
    served = {device.instance.upper() for device in driven}
    return [device for device in on_pci if device.instance.upper() not in served]
