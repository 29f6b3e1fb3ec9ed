"""A sysfs tree with one or more PCI devices, whose BAR2 is a real file in /dev/shm."""

from __future__ import annotations

import shutil
from pathlib import Path


class FakeSysfs:
    """Lives under a folder in /dev/shm, so that the BARs are real shared memory.

    Attributes:
        root: Stands for /sys.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.devices = root / "bus" / "pci" / "devices"
        self.devices.mkdir(parents=True)

    def add(
        self,
        address: str = "0000:01:00.0",
        size: int = 1 << 20,
        *,
        vendor: int = 0x1AF4,
        device: int = 0x1110,
        command: int = 0x0002,
        combined: bool = True,
        doorbell: bool = False,
        start: int = 0x38_0000_0000,
        flags: int = 0x14220C,
    ) -> Path:
        """A device; its folder."""
        folder = self.devices / address
        folder.mkdir()
        (folder / "vendor").write_text(f"0x{vendor:04x}\n")
        (folder / "device").write_text(f"0x{device:04x}\n")
        bars = [(0xFEBD_1000, 256, 0x40200), (0xFEBD_2000, 4096 * doorbell, 0x40200)]
        bars.append((start, size, flags))
        (folder / "resource").write_text("".join(_line(*bar) for bar in bars) + _line(0, 0, 0) * 4)
        (folder / "config").write_bytes(
            vendor.to_bytes(2, "little")
            + device.to_bytes(2, "little")
            + command.to_bytes(2, "little")
            + bytes(58)
        )
        with (folder / "resource2").open("wb") as file:
            file.truncate(size)
        if combined:
            (folder / "resource2_wc").hardlink_to(folder / "resource2")
        return folder

    def bind(self, folder: Path, driver: str) -> None:
        """Let a driver have the device."""
        place = self.root / "bus" / "pci" / "drivers" / driver
        place.mkdir(parents=True, exist_ok=True)
        (folder / "driver").symlink_to(place)
        (place / folder.name).symlink_to(folder)

    def unplug(self, folder: Path) -> None:
        """Take the device out; a mapping lives on, as on a real machine."""
        shutil.rmtree(folder)


def _line(start: int, size: int, flags: int) -> str:
    if not size:
        start = end = flags = 0
    else:
        end = start + size - 1
    return f"0x{start:016x} 0x{end:016x} 0x{flags:016x}\n"
