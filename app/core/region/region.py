"""Region: the only code that touches mapped memory.

A Region gives out copies, never views, so that no pointer into a mapping outlives it, and access to
a page that is gone is an error with a name; region_window.py is the only exception. The backends
for shared files, Linux BARs, the Windows driver and kvmfr nodes are subclasses of Region.

Subclasses provide the four `_raw_*` methods and `check()`; bounds, alignment, state and the
read-only rule are kept here, in one place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, Self, TypeVar

from ..errors import (
    MisalignedError,
    OutOfRangeError,
    ReadOnlyError,
    UnsuitableError,
    ValueFormatError,
)
from ..native.fault_shield import shielded
from ..values.units import exact_size, format_offset
from .doorbell import DeviceBell
from .region_window import RegionWindow
from .use_count import InUse

if TYPE_CHECKING:
    from .pci_address import PciAddress

PAGE: Final = 4096
WIDTHS: Final = (1, 2, 4, 8)
Extent = tuple[int, int]
T = TypeVar("T")


class RegionKind(Enum):
    """How the memory is reached."""

    FILE = "file"
    BAR = "bar"
    KVMFR = "kvmfr"
    WINDOWS = "windows"


class CacheMode(Enum):
    """How the processor may cache the mapping. DEFAULT lets the backend choose."""

    DEFAULT = "default"
    UNCACHED = "uncached"
    CACHED = "cached"
    WRITE_COMBINED = "write-combined"


@dataclass(frozen=True, slots=True)
class RegionSpec:
    """What to open; small, picklable, and enough to open it again in another process.

    Attributes:
        kind: Which backend opens it.
        location: Path, PCI address text, kvmfr node or Windows interface path.
        read_only: Refuse every write, even where the system would permit it.
        cache: Wanted cache mode; only BARs have a choice.
        start: First byte of the part to open, a multiple of the page size.
        length: Bytes to open; None is everything from `start`.
    """

    kind: RegionKind
    location: str
    read_only: bool = False
    cache: CacheMode = CacheMode.DEFAULT
    start: int = 0
    length: int | None = None


MEND: Final = "; mend it with: "  # before the command at the end of a reason


@dataclass(frozen=True, slots=True)
class RegionInfo:
    """What was opened.

    Attributes:
        spec: What it was opened from.
        name: Short name for people (`looking-glass`, `0000:08:01.0`).
        system: `host` or `guest`.
        path: The file or node that is mapped; the interface path on Windows.
        size: Bytes.
        writable: Whether it can be written.
        read_only_reason: Why not, as a sentence, which may end with MEND and a command; empty
            when writable.
        cache: Cache mode in force and why, as a short sentence; empty for files.
        address: PCI address of a BAR.
        notes: Sentences worth a warning (4096-byte size, not a power of two, ...).
        details: Sentences that are only good to know (peer number, interrupt vectors, ...).
    """

    spec: RegionSpec
    name: str
    system: str
    path: str
    size: int
    writable: bool
    read_only_reason: str = ""
    cache: str = ""
    address: PciAddress | None = None
    notes: tuple[str, ...] = field(default=())
    details: tuple[str, ...] = ()

    @property
    def read_only_command(self) -> str:
        """The command that its reason names; empty when there is none."""
        return self.read_only_reason.partition(MEND)[2]

    def need_writable(self) -> None:
        """Raise ReadOnlyError, with the reason as its hint, unless it can be written."""
        if not self.writable:
            reason = self.read_only_reason or "It was opened for reading only."
            command = self.read_only_command
            raise ReadOnlyError(f"{self.name} is read-only.", reason, command=command)


class Region(ABC):
    """One mapped piece of shared memory, from offset 0 to `size`.

    All methods may be called from any thread. After `close()` every access raises ClosedError.
    """

    def __init__(self, info: RegionInfo) -> None:
        self.info = info
        self.size: Final = info.size
        self._using: Final = InUse(info.name, self._raw_close)

    # -- reading ---------------------------------------------------------------------------

    def read(self, offset: int, length: int) -> bytes:
        """Copy `length` bytes out.

        Raises:
            OutOfRangeError: The range is not inside the region.
            RegionGoneError: The memory behind it is gone (truncated, unplugged, closed).
        """
        self._bounds(offset, length)  # before the memory for it is taken
        buffer = bytearray(length)
        self.read_into(offset, memoryview(buffer))
        return bytes(buffer)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill `buffer` (writable, contiguous bytes) from `offset`. Raises as `read`."""
        self._bounds(offset, buffer.nbytes)
        with self._using:
            if buffer.nbytes:
                self._raw_read(offset, buffer)

    def read_differing(
        self, offset: int, buffer: memoryview, before: memoryview
    ) -> bytearray | None:
        """Fill only the pages of `buffer` that differ from `before`, an older copy.

        Not for holes: reading one may allocate it.

        Returns:
            A byte for each page, 1 where it differs and was filled. None when this backend cannot
            compare without copying everything, or a page is gone: use `read_into` then.

        Raises:
            OutOfRangeError, ClosedError: As for `read`.
        """
        self._bounds(offset, buffer.nbytes)
        with self._using:
            return self._raw_differing(offset, buffer, before)

    def run_in_place(self, offset: int, length: int, loop: Callable[[int], T]) -> T | None:
        """Call a loop of the C kernel with the address of a range of the mapping itself.

        The loop has the kernel's guard around all of its accesses, reads only, and does not keep
        the address. It must not read holes: reading one may allocate it.

        Returns:
            What the loop returns; None when this backend has no mapping for it: make a copy then.

        Raises:
            OutOfRangeError, ClosedError: As for `read`.
        """
        self._bounds(offset, length)
        with self._using:
            return self._raw_in_place(offset, loop)

    def load(self, offset: int, width: int) -> int:
        """One aligned load of 1, 2, 4 or 8 bytes, little endian, unsigned.

        Raises:
            MisalignedError: `offset` is not a multiple of `width`, or the width is another.
            OutOfRangeError: Not inside the region.
            RegionGoneError: As for `read`.
        """
        self._aligned(offset, width)
        with self._using:
            return self._raw_load(offset, width)

    # -- writing ---------------------------------------------------------------------------

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Copy `data` in. Not atomic; a peer may see it half done.

        Raises:
            ReadOnlyError: The region is read-only.
            OutOfRangeError: The range is not inside the region; nothing was written.
            RegionGoneError: The memory behind it is gone; part may have been written.
        """
        view = memoryview(data).cast("B")
        self._bounds(offset, view.nbytes)
        self.info.need_writable()
        with self._using:
            if view.nbytes:
                self._raw_write(offset, view)

    def store(self, offset: int, width: int, value: int) -> None:
        """One aligned store of 1, 2, 4 or 8 bytes, little endian; negative is two's complement.

        Raises:
            ValueFormatError: The value needs more bytes than `width`; nothing was written.
            Others as `load` and `write`.
        """
        self._aligned(offset, width)
        if not -(1 << (8 * width - 1)) <= value < 1 << (8 * width):
            raise ValueFormatError(
                f"{value} does not fit into a store of {width} byte{'s' if width > 1 else ''}."
            )
        self.info.need_writable()
        with self._using:
            self._raw_store(offset, width, value & ((1 << (8 * width)) - 1))

    def sync(self) -> None:
        """Order our writes before what follows.

        Shared memory needs no flush: msync does nothing on tmpfs and sysfs (docs/platform.md,
        "Memory of a file"), and copies by the kernel are ordered. A backend may override this.
        """
        self._open()

    # -- measuring --------------------------------------------------------------------------

    @contextmanager
    def window(self, offset: int, length: int) -> Iterator[RegionWindow]:
        """Direct access to a range, for the loops of a measurement and nothing else.

        A page that vanishes under it is a fault, not an error: see region_window.py. `close()`
        waits for the window, so leave it when its `check()` raises.

        Raises:
            ReadOnlyError, OutOfRangeError, MisalignedError, ClosedError: As for `store`.
            UnsuitableError: This kind of region has no mapping of its own.
        """
        self._bounds(offset, length)
        if offset % 8 or length % 8:
            raise MisalignedError(f"A window at {format_offset(offset)} is not aligned.")
        self.info.need_writable()
        with (
            self._using,
            self._raw_window(offset, length) as memory,
            shielded(memory) as shield,
        ):
            window = RegionWindow(memory, offset, self.check, shield)
            try:
                yield window
            finally:
                window.close()

    def bell(self, waiter: int) -> DeviceBell | None:
        """The device's doorbell; None where it has none.

        Args:
            waiter: The waiter in this process (doorbell.ANSWERS, doorbell.MEASURES).

        Raises:
            DriverError, RegionGoneError: The driver refused to register the event.
        """
        return None

    # -- life -------------------------------------------------------------------------------

    @abstractmethod
    def check(self) -> None:
        """Check that the backing is still what was opened; cheap enough for each tick.

        Raises:
            RegionGoneError: One of its kinds, with the reason.
        """

    def remark(self) -> tuple[str, str]:
        """A remark on the backing's present state, and what to do about it; else empty."""
        return "", ""

    def extents(self, start: int, end: int) -> list[Extent]:
        """Ranges inside [start, end) that hold data; the rest was never written (holes).

        Reading holes through a mapping would allocate them (docs/platform.md, "Memory of a
        file"), so the sweep skips them. Backends that cannot tell return the whole range.
        """
        self._bounds(start, max(0, end - start))
        return [(start, end)] if end > start else []

    def close(self) -> None:
        """Unmap, after the last running access has ended. Safe to call twice."""
        self._using.close()

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._using.closed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what a maker provides ----------------------------------------------------------------

    @abstractmethod
    def _raw_read(self, offset: int, buffer: memoryview) -> None:
        """Fill the buffer by a guarded copy; a fault is a RegionGoneError."""

    @abstractmethod
    def _raw_write(self, offset: int, data: memoryview) -> None:
        """Copy data in; never re-extend a truncated file."""

    @abstractmethod
    def _raw_load(self, offset: int, width: int) -> int:
        """Load `width` bytes in one access."""

    @abstractmethod
    def _raw_store(self, offset: int, width: int, value: int) -> None:
        """Store `width` bytes in one access."""

    def _raw_window(self, offset: int, length: int) -> AbstractContextManager[memoryview[int]]:
        """The mapping's own memory; for backends that have one."""
        raise UnsuitableError(f"{self.info.name} has no mapping that can be measured directly.")

    def _raw_differing(
        self, offset: int, buffer: memoryview, before: memoryview
    ) -> bytearray | None:
        """Compare in the mapping; for backends with a guarded mapping."""
        return None

    def _raw_in_place(self, offset: int, loop: Callable[[int], T]) -> T | None:
        """Call a loop with an address; for backends with a guarded mapping of cached memory."""
        return None

    @abstractmethod
    def _raw_close(self) -> None:
        """Release everything; called once, with the lock held."""

    # -- the rules, in one place ----------------------------------------------------------------

    def _open(self) -> None:
        self._using.need_open()

    def _bounds(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise OutOfRangeError(
                f"{length} bytes at {format_offset(offset)} are not inside {self.info.name}, "
                f"which has {exact_size(self.size)}.",
                f"The last offset is {format_offset(max(0, self.size - 1))}.",
            )

    def _aligned(self, offset: int, width: int) -> None:
        if width not in WIDTHS or offset % width:
            raise MisalignedError(
                f"A single access of {width} bytes at {format_offset(offset)} is not aligned."
            )
        self._bounds(offset, width)
