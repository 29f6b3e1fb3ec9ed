"""The shared memory of an ivshmem device in a Linux guest: BAR2, mapped through sysfs.

No driver is needed: `resource2_wc` and `resource2` can be mapped by any process that may open them.
The kernel refuses for one of few reasons (lockdown, a driver that claimed the BAR, no permission,
a device that is gone; docs/platform.md, "A BAR in a Linux guest"). Each becomes an error with the
command that helps.
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
import time
from pathlib import Path
from typing import Final

assert sys.platform != "win32"  # the type checker reads no further there
# ruff: noqa: E402

from ..errors import (
    AccessDeniedError,
    CannotFindError,
    DriverError,
    RegionGoneError,
    ReplacedError,
    ScopeError,
    UnpluggedError,
    UnsuitableError,
)
from ..region.pci_address import PciAddress
from ..region.region import PAGE, CacheMode, Region, RegionInfo, RegionSpec
from ..values.units import format_size
from .file_rules import part_size
from .mapped_region import MappedRegion, map_memory
from .pci_sysfs import SYS, PciFacts, bound_driver, decodes_memory, pci_facts
from .permission import Guarded, may_not_read, may_not_write

_LOOK_NS: Final = 10_000_000
_ASK_NS: Final = 1_000_000_000
_ONES: Final = 0xFF
_HONOURED: Final = "where the host honours that (AMD, or a passed-through GPU)"
_WORDS: Final = {
    CacheMode.WRITE_COMBINED: f"write-combined: writes gather into bursts; reads crawl {_HONOURED}",
    CacheMode.UNCACHED: f"uncached: each access goes out by itself, which crawls {_HONOURED}",
}
_ONLY_READING: Final = "It was opened for reading only."
_COMBINED: Final = "resource2_wc"


def open_bar(spec: RegionSpec, root: Path = SYS) -> Region:
    """Open the shared memory of the device at a PCI address.

    Args:
        spec: What to open.
        root: Where sysfs is.

    Raises:
        CannotFindError: The text is not a PCI address, or there is no such device.
        UnsuitableError: It is not an ivshmem device, has no memory, or is switched off.
        AccessDeniedError: The system refuses, with the reason as far as it is known.
        UnpluggedError: The device was unplugged meanwhile.
        MisalignedError, OutOfRangeError: The wanted part does not fit.
    """
    facts = pci_facts(PciAddress.parse(spec.location), root)
    _refuse_other(facts)
    _refuse_unreachable(facts)
    size = part_size(spec, facts.shared.size)
    file, cache = _choose(spec.cache, facts.folder)
    try:
        status = os.stat(facts.folder)  # noqa: PTH116 - like os.open
        descriptor, writable, reason = _open(file, read_only=spec.read_only)
    except OSError as error:
        raise _refusal(error, file, facts, root) from error
    try:
        memory = map_memory(descriptor, spec, size, writable=writable)
    except (OSError, ValueError) as error:
        raise _refusal(error, file, facts, root) from error
    finally:
        os.close(descriptor)
    info = RegionInfo(
        spec=spec,
        name=str(facts.address),
        system="guest",
        path=str(file),
        size=size,
        writable=writable,
        read_only_reason=reason,
        cache=cache,
        address=facts.address,
        notes=_notes(facts),
        details=_details(facts),
    )
    return BarRegion(info, memory, (status.st_dev, status.st_ino))


def look_at_bar(spec: RegionSpec, root: Path = SYS) -> tuple[str, int]:
    """The file that would be mapped, and its size; needs no root and maps nothing.

    Raises:
        CannotFindError, UnsuitableError, MisalignedError, OutOfRangeError: As `open_bar`.
    """
    facts = pci_facts(PciAddress.parse(spec.location), root)
    _refuse_other(facts)
    file, _ = _choose(spec.cache, facts.folder)
    return str(file), part_size(spec, facts.shared.size)


class BarRegion(MappedRegion):
    """A mapped BAR2.

    A mapping remains after the device is unplugged: reads may give the old bytes for a moment, and
    then 0xFF. So the device's folder in sysfs is checked when the last check is older than 10 ms,
    and always when 0xFF is read or anything is written.
    """

    def __init__(self, info: RegionInfo, memory: mmap.mmap, identity: tuple[int, int]) -> None:
        super().__init__(info, memory, streaming=Path(info.path).name == _COMBINED)
        self._folder = Path(info.path).parent
        self._identity = identity
        self._driver = bound_driver(self._folder)
        self._look_due_ns = 0
        self._ask_due_ns = 0

    def check(self) -> None:
        """Whether the device is there, and once a second whether it decodes memory."""
        self._open()
        now = time.monotonic_ns()
        if now >= self._look_due_ns:
            self._look()
        if now >= self._ask_due_ns:
            self._ask_due_ns = now + _ASK_NS
            self._ask()

    def _look(self) -> None:
        self._look_due_ns = 0  # once it is gone, check every time
        try:
            status = os.stat(self._folder)  # noqa: PTH116 - as often as ticks
        except OSError:
            raise self._unplugged() from None
        if (status.st_dev, status.st_ino) != self._identity:
            raise ReplacedError(
                f"{self.info.name} was removed, and another device has its place.",
                "Try again to open that one.",
            )
        self._look_due_ns = time.monotonic_ns() + _LOOK_NS

    def _ask(self) -> None:
        try:
            answers = decodes_memory(self._folder)
        except CannotFindError:
            raise self._unplugged() from None
        if answers is False:
            off = _switched_off(self.info.name, self._folder)
            raise RegionGoneError(off.message, off.hint, command=off.command)

    def _unplugged(self) -> UnpluggedError:
        return UnpluggedError(
            f"The device {self.info.name} was removed (unplugged) from this guest.",
            "Plug it in again and try again, or choose another device.",
        )

    def _why_gone(self, at: str) -> RegionGoneError:
        try:
            self._look()
            self._ask()
        except RegionGoneError as reason:
            return reason
        driver = bound_driver(self._folder)
        if driver and driver != self._driver:
            return RegionGoneError(
                f"The driver {driver} took {self.info.name} over and ended our mapping.",
                _way_past(driver),
                command=_unbind(self.info.name, driver),
            )
        return RegionGoneError(f"{self.info.name} has no memory at {at} any more.")

    def _raw_read(self, offset: int, buffer: memoryview) -> None:
        super()._raw_read(offset, buffer)
        ones = buffer[0] == _ONES and buffer[-1] == _ONES
        if ones or time.monotonic_ns() >= self._look_due_ns:
            self._look()

    def _raw_write(self, offset: int, data: memoryview) -> None:
        super()._raw_write(offset, data)
        self._look()


# -- before opening -----------------------------------------------------------------------------


def _refuse_other(facts: PciFacts) -> None:
    name = facts.address
    if not facts.is_ivshmem:
        raise UnsuitableError(
            f"{name} is the device {facts.vendor:04x}:{facts.device:04x}, not ivshmem (1af4:1110).",
            "`ivshmem-scope list` shows those that are.",
        )
    if not facts.shared.size:
        raise UnsuitableError(
            f"The ivshmem device {name} has no shared memory (BAR2).",
            "Give it a memory backend (memdev=) and start the VM again.",
        )


def _refuse_unreachable(facts: PciFacts) -> None:
    name = facts.address
    if not facts.shared.placed:
        raise UnsuitableError(
            f"The shared memory of {name} ({format_size(facts.shared.size)}) has no address in "
            "this guest: the firmware found no room for it.",
            "Start the guest's kernel with pci=realloc, or give the VM more room for 64-bit BARs "
            "(OVMF: opt/ovmf/X-PciMmio64Mb).",
        )
    if decodes_memory(facts.folder) is False:
        raise _switched_off(str(name), facts.folder)


def _switched_off(name: str, folder: Path) -> UnsuitableError:
    return UnsuitableError(
        f"The memory of {name} is switched off: it reads as all ones, and writes are lost.",
        "No driver has enabled the device; enable it by hand, then try again.",
        command=f"echo 1 | sudo tee {folder}/enable",
    )


def _choose(wanted: CacheMode, folder: Path) -> tuple[Path, str]:
    """The file to map, and the cache mode in words."""
    combined, plain = folder / _COMBINED, folder / "resource2"
    if wanted is CacheMode.CACHED:
        raise UnsuitableError(
            "A BAR is mapped uncached or write-combined; sysfs has no cached mapping.",
            "Choose another cache mode, or load the kvmfr driver in this guest and open "
            "/dev/kvmfr0, which is cached.",
        )
    if wanted is CacheMode.UNCACHED:
        return plain, f"{_WORDS[CacheMode.UNCACHED]} (resource2, as asked)"
    if combined.exists():
        asked = ", as asked" if wanted is CacheMode.WRITE_COMBINED else ""
        return combined, f"{_WORDS[CacheMode.WRITE_COMBINED]} (resource2_wc{asked})"
    if wanted is CacheMode.WRITE_COMBINED:
        raise UnsuitableError(
            f"This kernel offers no write-combined mapping of {folder.name}.",
            "Open it uncached.",
        )
    return plain, f"{_WORDS[CacheMode.UNCACHED]} (resource2; this kernel has no resource2_wc)"


def _open(file: Path, *, read_only: bool) -> tuple[int, bool, str]:
    if read_only:
        return os.open(file, os.O_RDONLY), False, _ONLY_READING
    try:
        return os.open(file, os.O_RDWR), True, ""
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        descriptor = os.open(file, os.O_RDONLY)
        return descriptor, False, may_not_write(str(file), str(file), Guarded.BAR).reason


def _notes(facts: PciFacts) -> tuple[str, ...]:
    notes = []
    size = facts.shared.size
    if size == PAGE:
        notes.append("4096 bytes are one page; see whether the VM's size= is what you meant.")
    if size & (size - 1):
        notes.append(f"{size} bytes are no power of two, which no real BAR is.")
    return tuple(notes)


def _details(facts: PciFacts) -> tuple[str, ...]:
    details = []
    if facts.doorbell:
        details.append("A doorbell device: it has interrupts, which its memory does not need.")
    if facts.driver:
        details.append(f"The driver {facts.driver} is bound to it. {_way_past(facts.driver)}")
    return tuple(details)


# -- when the kernel refuses ----------------------------------------------------------------------


def _unbind(name: str, driver: str) -> str:
    return f"echo {name} | sudo tee /sys/bus/pci/drivers/{driver}/unbind"


def _way_past(driver: str) -> str:
    if driver == "kvmfr":
        return "Its node /dev/kvmfr0 is the faster way in."
    if "uio" in driver or "vfio" in driver:
        return "Unbind it when the BAR cannot be mapped beside it."
    return "It may refuse a second mapping."


def _refusal(error: OSError | ValueError, file: Path, facts: PciFacts, root: Path) -> ScopeError:
    """The kernel's refusal as an error with a sentence (drivers/pci/pci-sysfs.c)."""
    number = error.errno if isinstance(error, OSError) else None
    name = str(facts.address)
    if number in (errno.ENODEV, errno.ENOENT, errno.ENXIO):
        if file.parent.exists() and not file.exists():
            return UnsuitableError(
                f"The kernel offers no {file.name} for {name}.",
                "A kernel with CONFIG_PCI and sysfs has it; containers may hide it.",
            )
        return UnpluggedError(f"The device {name} was removed.", "Rescan the devices.")
    if number == errno.EACCES:
        return may_not_read(name, str(file), Guarded.BAR).error
    if number == errno.EPERM:
        return _locked_down(name, root)
    if number == errno.EINVAL:
        return _claimed(name, facts.folder)
    if number == errno.EIO:
        return DriverError(
            f"The kernel has no way to map {name} ({os.strerror(errno.EIO)}).",
            "Look into `dmesg`.",
        )
    reason = os.strerror(number) if number else str(error)
    return UnsuitableError(f"{name} cannot be mapped ({reason}).", "Look into `dmesg`.")


def _locked_down(name: str, root: Path) -> AccessDeniedError:
    try:
        state = (root / "kernel" / "security" / "lockdown").read_text("ascii")
    except (OSError, ValueError):
        state = ""
    mode = state[state.find("[") + 1 : state.find("]")] if "[" in state else ""
    which = f" (lockdown={mode})" if mode and mode != "none" else ""
    return AccessDeniedError(
        f"The guest's kernel is locked down{which} and maps no PCI memory for programs.",
        "Switch Secure Boot off in the VM, or use a driver for the device (kvmfr).",
        command="cat /sys/kernel/security/lockdown",
    )


def _claimed(name: str, folder: Path) -> AccessDeniedError:
    driver = bound_driver(folder)
    if driver:
        return AccessDeniedError(
            f"The driver {driver} holds the memory of {name}, and the kernel gives it to nobody "
            "else (strict devmem).",
            "Open /dev/kvmfr0 instead."
            if driver == "kvmfr"
            else "Unbind the driver, or start the guest's kernel with iomem=relaxed.",
            command=_unbind(name, driver),
        )
    return AccessDeniedError(
        f"The kernel does not give the memory of {name} away, though no driver is bound to it.",
        "Look into /proc/iomem for who claims it, or start the guest's kernel with iomem=relaxed.",
        command="sudo cat /proc/iomem",
    )
