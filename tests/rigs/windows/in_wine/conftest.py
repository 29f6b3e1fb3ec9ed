"""Fixtures of the tests that run inside the Windows machine: two devices, set up anew for each test."""

from __future__ import annotations

import winreg
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.backends.windows import sharing as windows_sharing
from app.core.backends.windows.api import Win32, win32
from app.core.backends.windows.setup import FoundDevice, setup_api

ENUM = r"System\CurrentControlSet\Enum\ROOT\IVSHMEM"
SETTINGS = ("PerHandle", "NotReady", "Misbehave")
(SHORT_ANSWER, SIZE_ZERO, SIZE_GARBAGE, NULL_POINTER, SIZE_DIFFERS, MAPPING_FAILS, SHORT_SIZE) = (
    range(1, 8)
)


class Rig:
    """The driver's settings of each device, and the file behind it."""

    def key(self, number: int, access: int) -> winreg.HKEYType:
        """The device's own key."""
        path = rf"{ENUM}\{number:04}\Device Parameters"
        return winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path, 0, access)

    def set(self, number: int, **values: int) -> None:
        """Change how the driver behaves from its next request on."""
        with self.key(number, winreg.KEY_SET_VALUE) as key:
            for name, value in values.items():
                winreg.SetValueEx(key, name, 0, winreg.REG_DWORD, value)

    def resize(self, number: int, size: int) -> None:
        """Let the driver tell another size."""
        with self.key(number, winreg.KEY_SET_VALUE) as key:
            winreg.SetValueEx(key, "Size", 0, winreg.REG_QWORD, size)

    def size(self, number: int) -> int:
        """The size in force."""
        with self.key(number, winreg.KEY_READ) as key:
            return int(winreg.QueryValueEx(key, "Size")[0])

    def file(self, number: int) -> Path:
        """The memory as a file of the Linux side."""
        with self.key(number, winreg.KEY_READ) as key:
            return Path(winreg.QueryValueEx(key, "File")[0].removeprefix("\\??\\"))

    def put(self, number: int, offset: int, data: bytes) -> None:
        """Write as the Linux side does."""
        with self.file(number).open("r+b", buffering=0) as file:
            file.seek(offset)
            file.write(data)

    def get(self, number: int, offset: int, length: int) -> bytes:
        """Read as the Linux side does."""
        with self.file(number).open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(length)


@pytest.fixture
def rig() -> Iterator[Rig]:
    """The rig, put back as it was afterwards."""
    rig = Rig()
    sizes = [rig.size(number) for number in (0, 1)]
    yield rig
    for mapping in windows_sharing.mappings():
        mapping.forget()
    windows_sharing._shared.clear()
    for number in (0, 1):
        rig.set(number, **dict.fromkeys(SETTINGS, 0))
        rig.resize(number, sizes[number])


@pytest.fixture
def api() -> Win32:
    """This process's Windows calls."""
    return win32()


@pytest.fixture
def found() -> list[FoundDevice]:
    """The driven devices, sorted."""
    return setup_api().driven()


@pytest.fixture
def handles(api: Win32, found: list[FoundDevice]) -> Iterator[list[int]]:
    """Two handles to the first device and one to the second, closed afterwards."""
    opened = [api.open_device(found[number].path) for number in (0, 0, 1)]
    yield opened
    for handle in opened:
        api.close(handle)
