"""What sysfs says of a PCI device of this machine, without root and without mapping.

It reads text files and a few bytes of `config`; linux_bar.py opens the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import CannotFindError
from ..region.pci_address import PciAddress

SYS: Final = Path("/sys")
VENDOR: Final = 0x1AF4
DEVICE: Final = 0x1110
SHARED_BAR: Final = 2
MSIX_BAR: Final = 1
NOBODY: Final = 0xFFFF  # a device that is gone answers all ones
_COMMAND: Final = 4
_DECODE: Final = 2
# include/linux/ioport.h: the firmware and the kernel found no address for it.
_UNSET: Final = 0x2000_0000


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of `resource`.

    Attributes:
        start: Physical address.
        size: Bytes; 0 when the device has no such BAR.
        flags: The kernel's resource flags.
    """

    start: int = 0
    size: int = 0
    flags: int = 0

    @property
    def placed(self) -> bool:
        """Whether it has an address; one without cannot be mapped."""
        return self.size > 0 and self.start > 0 and not self.flags & _UNSET


@dataclass(frozen=True, slots=True)
class PciFacts:
    """The contents of a device's folder.

    Attributes:
        address: Where it is.
        folder: Its folder in sysfs.
        vendor: PCI vendor.
        device: PCI device.
        bars: The lines of `resource`.
        driver: Name of the driver that is bound; empty when none is.
    """

    address: PciAddress
    folder: Path
    vendor: int
    device: int
    bars: tuple[Bar, ...]
    driver: str

    @property
    def is_ivshmem(self) -> bool:
        """Whether it is an ivshmem device."""
        return (self.vendor, self.device) == (VENDOR, DEVICE)

    @property
    def shared(self) -> Bar:
        """The shared memory."""
        return self.bars[SHARED_BAR] if len(self.bars) > SHARED_BAR else Bar()

    @property
    def doorbell(self) -> bool:
        """Whether it has interrupts, whose table is in BAR1."""
        return len(self.bars) > MSIX_BAR and self.bars[MSIX_BAR].size > 0


def device_folder(address: PciAddress, root: Path = SYS) -> Path:
    """A device's folder in sysfs."""
    return root / "bus" / "pci" / "devices" / str(address)


def pci_facts(address: PciAddress, root: Path = SYS) -> PciFacts:
    """Read a device's folder in sysfs.

    Raises:
        CannotFindError: There is no such device, or it was unplugged meanwhile.
    """
    try:
        return read_facts(address, root)
    except (OSError, ValueError):
        raise CannotFindError(f"There is no PCI device {address}.", _what_there_is(root)) from None


def read_facts(address: PciAddress, root: Path = SYS) -> PciFacts:
    """As `pci_facts`, with the system's own errors.

    Raises:
        OSError, ValueError: A file cannot be read, or has another form.
    """
    folder = device_folder(address, root)
    return PciFacts(
        address=address,
        folder=folder,
        vendor=int((folder / "vendor").read_text("utf-8"), 16),
        device=int((folder / "device").read_text("utf-8"), 16),
        bars=tuple(parse_resource((folder / "resource").read_text("utf-8"))),
        driver=bound_driver(folder),
    )


def parse_resource(text: str) -> list[Bar]:
    """The lines `start end flags` of a `resource` file; an absent BAR is all zeros.

    Raises:
        ValueError: The text is no such file.
    """
    bars = []
    for line in text.splitlines():
        start, end, flags = (int(field, 16) for field in line.split())
        bars.append(Bar(start, end - start + 1, flags) if end > start else Bar())
    return bars


def bound_driver(folder: Path) -> str:
    """Name of the driver that holds the device; empty when none does."""
    try:
        return (folder / "driver").readlink().name
    except OSError:
        return ""


def decodes_memory(folder: Path) -> bool | None:
    """Whether the device decodes accesses to its memory; None when unknown.

    Off, its memory reads as 0xFF and writes are lost. Every user may read the first 64 bytes of
    `config`.

    Raises:
        CannotFindError: The device does not answer any more.
    """
    try:
        with (folder / "config").open("rb", buffering=0) as file:
            head = file.read(_COMMAND + 2)
    except OSError:
        return None
    if len(head) < _COMMAND + 2:
        return None
    if int.from_bytes(head[:2], "little") == NOBODY:
        raise CannotFindError(f"The PCI device {folder.name} does not answer any more.")
    return bool(int.from_bytes(head[_COMMAND:], "little") & _DECODE)


def ivshmem_addresses(root: Path = SYS) -> list[PciAddress]:
    """Addresses of all ivshmem devices, in order; one that is unplugged meanwhile is left out."""
    try:
        names = [path.name for path in (root / "bus" / "pci" / "devices").iterdir()]
    except OSError:
        return []
    found = []
    for name in names:
        try:
            facts = read_facts(PciAddress.parse(name), root)
        except (OSError, ValueError, CannotFindError):
            continue
        if facts.is_ivshmem:
            found.append(facts.address)
    return sorted(found)


def _what_there_is(root: Path) -> str:
    found = ivshmem_addresses(root)
    if not found:
        return "This machine has no ivshmem device; add one to the VM and start it again."
    return f"There is {', '.join(str(address) for address in found)}."
