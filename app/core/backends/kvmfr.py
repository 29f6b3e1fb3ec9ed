"""A node of Looking Glass's kernel module (/dev/kvmfrN) as a Region, on a host or in a guest.

The node supports only ioctl and mmap: no read(), no size in its inode, no fsync. Its size is the
result of an ioctl (docs/platform.md, "kvmfr").
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import platform
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

assert sys.platform != "win32"  # the type checker reads no further there
# ruff: noqa: E402

from ..errors import (
    AccessDeniedError,
    CannotFindError,
    RegionGoneError,
    ReplacedError,
    ScopeError,
    UnpluggedError,
    UnsuitableError,
)
from ..region.region import Region, RegionInfo, RegionSpec
from .file_rules import part_size
from .mapped_region import MappedRegion, map_memory
from .pci_sysfs import SYS
from .permission import Guarded, may_not_read, may_not_write

GETSIZE: Final = 0x7544  # KVMFR_DMABUF_GETSIZE = _IO('u', 0x44), module/kvmfr.h
_BIG: Final = 1 << 31
_IOCTL: Final = {"x86_64": 16, "aarch64": 29, "riscv64": 29, "loongarch64": 29}
_ONLY_READING: Final = "It was opened for reading only."
_KINDS: Final = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)
AskSize = Callable[[int], int]


def ask_size(descriptor: int) -> int:
    """The node's size.

    The module returns a long. The C library's ioctl() returns it as an int, which is negative from
    2 GiB on (and 0 at 4 GiB), so the system call is made without that function.

    Raises:
        OSError: The module refused, or this is not one of its nodes.
    """
    number = _IOCTL.get(platform.machine())
    if number is None:
        return _ask_as_int(descriptor)
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    call.argtypes = [ctypes.c_long] * 4
    size = int(call(number, descriptor, GETSIZE, 0))
    if size < 0:
        failed = ctypes.get_errno()
        raise OSError(failed, os.strerror(failed))
    return size


def _ask_as_int(descriptor: int) -> int:
    """By fcntl.ioctl, which takes a negative result for an error: not for 2 GiB and more."""
    return int(fcntl.ioctl(descriptor, GETSIZE, 0))


def open_kvmfr(spec: RegionSpec, ask: AskSize = ask_size, sys_root: Path = SYS) -> Region:
    """Open a node.

    Args:
        spec: What to open. Its length is the size when the module does not report one.
        ask: Returns the size of an open node.
        sys_root: Where sysfs is.

    Raises:
        CannotFindError: No such node.
        UnsuitableError: Something else of that name, or the module reports no size.
        AccessDeniedError: The system refuses to open or map it.
        MisalignedError, OutOfRangeError: The wanted part does not fit.
    """
    path = spec.location
    try:
        descriptor, writable, reason = _open(path, read_only=spec.read_only)
    except OSError as error:
        raise _refusal(path, error) from error
    try:
        status = os.fstat(descriptor)
        _refuse_kind(path, status)
        whole, notes = _size(spec, descriptor, ask)
        size = part_size(spec, whole)
        memory = map_memory(descriptor, spec, size, writable=writable)
    except (OSError, ValueError) as error:
        raise _unmappable(path, error) from error
    finally:
        os.close(descriptor)
    info = RegionInfo(
        spec=spec,
        name=Path(path).name,
        system=_system(sys_root),
        path=path,
        size=size,
        writable=writable,
        read_only_reason=reason,
        cache="cached: the kvmfr module maps its memory as ordinary memory",
        notes=notes,
    )
    return KvmfrRegion(info, memory, status.st_rdev)


class KvmfrRegion(MappedRegion):
    """A mapped node. The module cannot be unloaded while it is mapped."""

    def __init__(self, info: RegionInfo, memory: mmap.mmap, device: int) -> None:
        super().__init__(info, memory)
        self._device = device

    def check(self) -> None:
        """Whether the path still names the node that was opened."""
        self._open()
        try:
            now = os.stat(self.info.path)  # noqa: PTH116 - as often as ticks
        except OSError:
            raise UnpluggedError(
                f"{self.info.path} is not there any more; the kvmfr device was removed.",
                "Load the module, then try again.",
            ) from None
        if now.st_rdev != self._device:
            raise ReplacedError(
                f"{self.info.path} is another device now.", "Try again to open that one."
            )

    def _why_gone(self, at: str) -> RegionGoneError:
        try:
            self.check()
        except RegionGoneError as reason:
            return reason
        return RegionGoneError(f"{self.info.path} has no memory at {at} any more.")


def _open(path: str, *, read_only: bool) -> tuple[int, bool, str]:
    # Never O_CREAT; O_NONBLOCK in case it is a pipe.
    flags = os.O_NONBLOCK
    if read_only:
        return os.open(path, os.O_RDONLY | flags), False, _ONLY_READING
    try:
        return os.open(path, os.O_RDWR | flags), True, ""
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM):
            raise
        descriptor = os.open(path, os.O_RDONLY | flags)
        return descriptor, False, may_not_write(path, path, Guarded.NODE).reason


def _refusal(path: str, error: OSError) -> ScopeError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENODEV):
        return CannotFindError(
            f"There is no kvmfr node {path}.",
            "On a host the module makes one for each size that it is given.",
            command="sudo modprobe kvmfr static_size_mb=64",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return may_not_read(path, path, Guarded.NODE).error
    return _another(path)


def _another(path: str) -> UnsuitableError:
    return UnsuitableError(
        f"{path} is no node of the kvmfr module.",
        "Its nodes are /dev/kvmfr0, /dev/kvmfr1 and so on.",
    )


def _refuse_kind(path: str, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        raise UnsuitableError(
            f"{path} is a file, and not the kvmfr module's node: a VM was started before the "
            "module was loaded, and QEMU made it.",
            "Shut the VM down, remove the file, load the module, then start the VM.",
            command=f"sudo rm {path} && sudo modprobe kvmfr",
        )
    for test, what in _KINDS:
        if test(status.st_mode):
            raise UnsuitableError(f"{path} is {what}.", "Choose /dev/kvmfr0.")


def _size(spec: RegionSpec, descriptor: int, ask: AskSize) -> tuple[int, tuple[str, ...]]:
    """The whole node's size, and what is worth knowing about it."""
    try:
        size = ask(descriptor)
    except OSError as error:
        if spec.length is None:
            if error.errno in (errno.ENOTTY, errno.EINVAL):
                raise _another(spec.location) from error
            raise UnsuitableError(
                f"The kvmfr module does not tell the size of {spec.location} ({error.strerror}).",
                "Name the length to open.",
            ) from error
        note = "The module does not tell the size; the length that was named is taken for it."
        return spec.start + spec.length, (note,)
    if size <= 0:
        raise UnsuitableError(
            f"The kvmfr module tells a size of {size} bytes for {spec.location}.",
            "Load it again with the size that you want.",
            command="sudo modprobe -r kvmfr && sudo modprobe kvmfr static_size_mb=64",
        )
    if size >= _BIG:
        note = "From 2 GiB on, programs that take the module's size for an int see a wrong one."
        return size, (note,)
    return size, ()


def _unmappable(path: str, error: OSError | ValueError) -> AccessDeniedError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return AccessDeniedError(
        f"{path} cannot be mapped ({reason}).",
        "The module must be of version 0.0.4 or newer, and the length no more than its size.",
    )


def _system(root: Path) -> str:
    """`guest` if the module serves a PCI device, else `host`, where it has memory of its own."""
    try:
        bound = any(":" in path.name for path in (root / "bus/pci/drivers/kvmfr").iterdir())
    except OSError:
        bound = False
    return "guest" if bound else "host"
