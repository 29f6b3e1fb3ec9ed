"""The library's interface: find shared memory, map it, read and write it, without window or engine.

    with Host("/dev/shm/my-shared-memory") as host:
        host.write(0, b"Hello")

    for device in list_devices():
        print(device)

`Host` is for the file that QEMU shares, `Guest` for the device inside the VM (a BAR on Linux, the
driver's device on Windows). Both copy bytes in and out and never give a pointer, so that none is
left dangling after `unmap()`.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from .backends.open_region import open_region, spec_for
from .errors import (
    AlreadyMappedError,
    AlreadyUnmappedError,
    CannotFindError,
    ClosedError,
    NotMappedError,
    UnsuitableError,
)
from .region.pci_address import PciAddress
from .region.region import CacheMode, Region, RegionInfo, RegionKind, RegionSpec

if TYPE_CHECKING:
    from .discovery.device import Device

__all__ = ["Guest", "Host", "list_devices"]


def list_devices() -> list[Device]:
    """Everything on this machine that may be memory shared with a guest, or is.

    Host files, PCI devices of a Linux guest, kvmfr nodes, devices of a Windows guest. Maps
    nothing and prints nothing; a device that is unplugged meanwhile is left out.
    """
    from .discovery.finder import find_devices

    return list(find_devices().devices)


class _Mapped:
    """What Host and Guest have in common. May be used from any thread."""

    def __init__(self, spec: RegionSpec, path: str, size: int) -> None:
        self._spec = spec
        self._path = path
        self._size = size
        self._region: Region | None = None
        self._lock = threading.Lock()

    # -- life ------------------------------------------------------------------------------------

    def map(self) -> None:
        """Map the memory. After `unmap()` it may be mapped again; the path is then resolved anew.

        Raises:
            AlreadyMappedError: It is mapped.
            CannotFindError: It is not there any more.
            ScopeError: Another kind (errors.py): no permission, held by another program, ...
        """
        with self._lock:
            if self._region is not None:
                raise AlreadyMappedError(f"{self._path} is mapped already.")
            region = self._region = open_region(self._spec)
            self._path, self._size = region.info.path, region.size

    def unmap(self) -> None:
        """Give the mapping back.

        Raises:
            AlreadyUnmappedError: It is not mapped.
        """
        with self._lock:
            region, self._region = self._region, None
            if region is None:
                raise AlreadyUnmappedError(f"{self._path} is not mapped.")
            region.close()

    @property
    def mapped(self) -> bool:
        """Whether it is mapped."""
        return self._region is not None

    def __enter__(self) -> Self:
        if self._region is None:
            self.map()
        return self

    def __exit__(self, *_: object) -> None:
        if self._region is not None:
            self.unmap()

    def __repr__(self) -> str:
        state = "mapped" if self.mapped else "not mapped"
        return f"<{type(self).__name__} {self.location}, {self._size} bytes, {state}>"

    # -- what it is --------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Bytes: of the mapping, else as many as there were when last checked."""
        return self._size

    @property
    def path(self) -> str:
        """The file or node that is mapped; the interface path on Windows."""
        return self._path

    @property
    def system(self) -> str:
        """`Linux` or `Windows`."""
        windows = sys.platform == "win32" or self._spec.kind is RegionKind.WINDOWS
        return "Windows" if windows else "Linux"

    @property
    def location(self) -> str:
        """What it was named: the path of a file, the address of a device."""
        return self._spec.location

    @property
    def info(self) -> RegionInfo:
        """Everything that is known of the mapping. Raises NotMappedError."""
        with self._use("asked about") as region:
            return region.info

    # -- bytes ------------------------------------------------------------------------------------

    def read(self, offset: int = 0, length: int | None = None) -> bytes:
        """Copy bytes out; without a length, all from `offset`.

        Raises:
            NotMappedError: It is not mapped.
            OutOfRangeError: Not inside.
            RegionGoneError: The memory is gone: file cut, device unplugged.
        """
        with self._use("read") as region:
            rest = max(0, region.size - offset)
            return region.read(offset, rest if length is None else length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Copy bytes in. Raises as `read`, and ReadOnlyError."""
        with self._use("written") as region:
            region.write(offset, data)

    def load(self, offset: int, width: int) -> int:
        """One aligned little-endian load of 1, 2, 4 or 8 bytes, for counters and flags.

        Raises:
            MisalignedError: `offset` is no multiple of `width`.
            ScopeError: As `read`.
        """
        with self._use("read") as region:
            return region.load(offset, width)

    def store(self, offset: int, width: int, value: int) -> None:
        """One aligned little-endian store of 1, 2, 4 or 8 bytes. Raises as `load`."""
        with self._use("written") as region:
            region.store(offset, width, value)

    def sync(self) -> None:
        """Order what was written before what is written next. Raises NotMappedError.

        Memory that is shared needs no flush; what was written is seen without it.
        """
        with self._use("synced") as region:
            region.sync()

    @contextmanager
    def _use(self, doing: str) -> Iterator[Region]:
        region = self._region
        if region is None:
            raise NotMappedError(f"{self._path} cannot be {doing}: it is not mapped.")
        try:
            yield region
        except ClosedError:
            # Another thread unmapped it between the two lines above.
            raise NotMappedError(f"{self._path} cannot be {doing}: it was unmapped.") from None


class Host(_Mapped):
    """The host's side: the file that QEMU shares with the guest, or a kvmfr node.

    Args:
        path: `/dev/shm/NAME`, any other file, `/dev/kvmfrN`, or a Device of the list.
        read_only: Refuse every write, whatever the system would permit.

    Raises:
        CannotFindError: No such file.
        UnsuitableError: A directory, a character device, or the like.
    """

    def __init__(self, path: str | os.PathLike[str] | Device, *, read_only: bool = False) -> None:
        spec = replace(_file_spec(path), read_only=read_only)
        try:
            status = os.stat(spec.location)  # noqa: PTH116 - with stat's tests
        except OSError as error:
            raise CannotFindError(f"There is no file {spec.location} ({error.strerror}).") from None
        size = status.st_size
        if spec.kind is RegionKind.KVMFR or not stat.S_ISREG(status.st_mode):
            # Anything but a file is refused here and not at map(); a kvmfr node reports its size.
            with open_region(spec) as region:
                size = region.size
        super().__init__(spec, spec.location, size)


class Guest(_Mapped):
    """The guest's side: an ivshmem device of this VM.

    Args:
        location: PCI address (`0000:00:03.0`, `00:03.0`, `PCI bus 0, device 3, function 0`), a
            Device of the list, a kvmfr node, or an interface path of Windows.
        read_only: Refuse every write.
        cache: How the processor may cache it; the default explains itself in `info.cache`.

    Raises:
        CannotFindError: No such device, or a text that is no address.
        UnsuitableError: A device of another kind, or a host's file.
        DriverMissingError: A Windows guest without the driver.
    """

    def __init__(
        self,
        location: str | PciAddress | Device,
        *,
        read_only: bool = False,
        cache: CacheMode = CacheMode.DEFAULT,
    ) -> None:
        spec = replace(_device_spec(location), read_only=read_only, cache=cache)
        path, size = _look(spec)
        super().__init__(spec, path, size)


def _file_spec(path: str | os.PathLike[str] | Device) -> RegionSpec:
    if isinstance(path, str | os.PathLike):
        text = os.fspath(path)
        if not text:
            raise CannotFindError("Nothing was named.", "Give the path of a file.")
        # A file may be called anything, also as a PCI address: only kvmfr nodes are no files.
        spec = spec_for(text)
        return spec if spec.kind is RegionKind.KVMFR else RegionSpec(RegionKind.FILE, text)
    if path.kind in (RegionKind.FILE, RegionKind.KVMFR):
        return path.spec
    raise UnsuitableError(f"{path.location} is a guest's device.", "Use Guest() for it.")


def _device_spec(location: str | PciAddress | Device) -> RegionSpec:
    if isinstance(location, PciAddress):
        spec = spec_for(str(location))
    elif isinstance(location, str):
        spec = _named_device(location)
    else:
        spec = location.spec
    if spec.kind is RegionKind.FILE:
        raise UnsuitableError(f"{spec.location} is a host's file.", "Use Host() for it.")
    return spec


def _named_device(text: str) -> RegionSpec:
    spec = spec_for(text)
    if spec.kind is not RegionKind.FILE:
        return spec
    try:
        address = PciAddress.parse(text)
    except CannotFindError:
        if os.path.exists(text):  # noqa: PTH110 - any text
            return spec
        if sys.platform == "win32":  # the driver's devices have further names
            return RegionSpec(RegionKind.WINDOWS, text.strip())
        raise
    # A file of that name in the working directory is not what is meant here.
    kind = RegionKind.WINDOWS if sys.platform == "win32" else RegionKind.BAR
    return RegionSpec(kind, str(address))


def _look(spec: RegionSpec) -> tuple[str, int]:
    """Path and size without mapping."""
    if spec.kind is RegionKind.WINDOWS:
        from .backends.windows.bar import find_windows_bar

        bar = find_windows_bar(spec.location)
        return bar.path, bar.size
    if sys.platform != "win32" and spec.kind is RegionKind.BAR:
        from .backends.linux_bar import look_at_bar

        return look_at_bar(spec)
    with open_region(spec) as region:
        return region.info.path, region.size
