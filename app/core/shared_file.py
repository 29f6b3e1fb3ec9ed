"""A shared file as a Region: /dev/shm, hugetlbfs, or any file at all.

Reads go through the file's own descriptor, so that a look never allocates a hole; writes and
single stores go into the mapping by a copy that the kernel makes, so that a file truncated by
its owner is an error here and never grows again by us.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.core.errors import (
    AccessDeniedError,
    CannotFindError,
    DeletedError,
    MisalignedError,
    OutOfRangeError,
    RegionGoneError,
    ReplacedError,
    ScopeError,
    TruncatedError,
    UnsuitableError,
)
from app.core.region import PAGE, Extent, Region, RegionInfo, RegionSpec
from app.core.safe_copy import FaultError, MappedCopier, read_file
from app.core.units import format_short_offset, format_size

_PATH_CHECK_NS: Final = 100_000_000
_MAX_EXTENTS: Final = 4096
# linux/fcntl.h: F_LINUX_SPECIFIC_BASE + 10, and F_SEAL_SHRINK.
_F_GET_SEALS: Final = 1034
_F_SEAL_SHRINK: Final = 2
_KINDS: Final = (
    (stat.S_ISDIR, "is a directory", "Choose a file inside it."),
    (stat.S_ISFIFO, "is a pipe", "Choose a regular file."),
    (stat.S_ISSOCK, "is a socket", "A doorbell server's socket is not the memory itself."),
    (stat.S_ISBLK, "is a block device", "Choose a regular file."),
    (stat.S_ISCHR, "is a character device", "Only /dev/kvmfrN nodes hold shared memory."),
)


def open_shared_file(spec: RegionSpec) -> Region:
    """Open a file as a Region.

    Raises:
        CannotFindError: No such file.
        UnsuitableError: Not a regular file, or an empty one.
        AccessDeniedError: Not even reading is permitted.
        MisalignedError, OutOfRangeError: The wanted part does not fit.
    """
    path = spec.location
    fd, writable, reason = _open(path, spec.read_only)
    try:
        return SharedFile(spec, fd, writable, reason)
    except BaseException:
        os.close(fd)
        raise


def _open(path: str, read_only: bool) -> tuple[int, bool, str]:
    # O_NONBLOCK: opening a pipe must not wait. Never O_CREAT: a typing error makes no file.
    flags = os.O_CLOEXEC | os.O_NONBLOCK
    try:
        if read_only:
            return os.open(path, os.O_RDONLY | flags), False, "It was opened for reading only."
        try:
            return os.open(path, os.O_RDWR | flags), True, ""
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            fd = os.open(path, os.O_RDONLY | flags)
            return fd, False, f"The system permits reading only; mend it with: {_mend(path)}"
    except OSError as error:
        raise _refusal(path, error) from error


def _mend(path: str) -> str:
    return f"sudo setfacl -m u:$USER:rw {path}"


def _refusal(path: str, error: OSError) -> ScopeError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
        return CannotFindError(f"There is no file {path}.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return AccessDeniedError(
            f"You may not read {path}.", "Its owner or root can permit it.", command=_mend(path)
        )
    if error.errno == errno.EISDIR:
        return UnsuitableError(f"{path} is a directory.", "Choose a file inside it.")
    if error.errno in (errno.ENXIO, errno.ENODEV):
        return UnsuitableError(f"{path} is no regular file.", "Choose a regular file.")
    return UnsuitableError(f"{path} cannot be opened ({error.strerror}).")


class SharedFile(Region):
    """A mapped file. See the module for how it reads and writes."""

    def __init__(self, spec: RegionSpec, fd: int, writable: bool, reason: str) -> None:
        status = os.fstat(fd)
        self._refuse_kind(spec.location, status)
        size = _part_size(spec, status.st_size)
        path = os.path.abspath(spec.location)  # noqa: PTH100 - symlinks stay as typed
        super().__init__(
            RegionInfo(
                spec=spec, name=Path(path).name, system="host", path=path, size=size,
                writable=writable, read_only_reason=reason,
                notes=_notes(status.st_size),
            )
        )  # fmt: skip
        self._fd = fd
        self._start = spec.start
        self._identity = (status.st_dev, status.st_ino)
        self._named = not path.startswith("/proc/")
        self._path_due_ns = 0
        self._mapping: mmap.mmap | None = None
        self._copier: MappedCopier | None = None
        if writable:
            self._map(status.st_size)

    def _refuse_kind(self, path: str, status: os.stat_result) -> None:
        for test, what, hint in _KINDS:
            if test(status.st_mode):
                raise UnsuitableError(f"{path} {what}.", hint)
        if status.st_size == 0:
            raise UnsuitableError(
                f"{path} is empty.",
                "QEMU gives it its size when the guest starts; or use truncate -s 64M.",
            )

    def _map(self, file_size: int) -> None:
        length = min(self._start + self.size, file_size)
        try:
            self._mapping = mmap.mmap(self._fd, length)
        except (OSError, ValueError) as error:
            raise AccessDeniedError(f"{self.info.path} cannot be mapped ({error}).") from error
        self._copier = MappedCopier(self._mapping, self._start)

    @property
    def sealed(self) -> bool:
        """Whether it can never shrink (a memfd with F_SEAL_SHRINK)."""
        if sys.platform == "win32":
            return False
        import fcntl

        try:
            return bool(fcntl.fcntl(self._fd, _F_GET_SEALS) & _F_SEAL_SHRINK)
        except OSError:
            return False

    @property
    def grown_to(self) -> int | None:
        """The file's size now, when it is larger than at opening."""
        size = os.fstat(self._fd).st_size - self._start
        return size if size > self.size and self.info.spec.length is None else None

    def check(self) -> None:
        """Compare size, link count, and (every 100 ms) what the path names now."""
        self._open()
        status = os.fstat(self._fd)
        if status.st_size < self._start + self.size:
            raise self._truncated(status.st_size)
        if not self._named:
            return
        if status.st_nlink == 0:
            self._look_at_path()
            raise DeletedError(
                f"{self.info.path} was deleted; the bytes here are only ours now.",
                "A restarted VM makes a new file: press Retry.",
            )
        now = time.monotonic_ns()
        if now >= self._path_due_ns:
            self._path_due_ns = now + _PATH_CHECK_NS
            self._look_at_path()

    def _look_at_path(self) -> None:
        try:
            named = os.stat(self.info.path)
        except OSError:
            return
        if (named.st_dev, named.st_ino) != self._identity:
            raise ReplacedError(
                f"{self.info.path} is another file now (a VM restart makes a new one).",
                "Press Retry to open the new one.",
            )

    def _truncated(self, size: int) -> TruncatedError:
        return TruncatedError(
            f"{self.info.path} was cut to {format_size(size)}; "
            f"it had {format_size(self._start + self.size)}.",
            "Press Retry to open it with its new size.",
        )

    def _gone(self, offset: int, fault: FaultError) -> RegionGoneError:
        if self._closed:
            return RegionGoneError(f"{self.info.name} is closed.")
        size = os.fstat(self._fd).st_size
        if size < self._start + self.size:
            return self._truncated(size)
        at = format_short_offset(offset + fault.done)
        return TruncatedError(
            f"{self.info.path} had no memory at {at}.",
            "It was cut for a moment, or its file system is full.",
        )

    def extents(self, start: int, end: int) -> list[Extent]:
        """Allocated ranges by SEEK_DATA and SEEK_HOLE (lseek(2)); at most 4096, gaps merged."""
        self._bounds(start, max(0, end - start))
        self._open()
        found: list[Extent] = []
        at, last = start + self._start, end + self._start
        while at < last:
            try:
                data = os.lseek(self._fd, at, os.SEEK_DATA)
                hole = os.lseek(self._fd, data, os.SEEK_HOLE)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    break
                return [(start, end)]
            if data >= last:
                break
            piece = (data - self._start, min(hole, last) - self._start)
            if len(found) >= _MAX_EXTENTS:
                found[-1] = (found[-1][0], piece[1])
            else:
                found.append(piece)
            at = hole
        return found

    # -- what Region asks of a maker ----------------------------------------------------------

    def _raw_read(self, offset: int, buffer: memoryview) -> None:
        try:
            read_file(self._fd, self._start + offset, buffer)
        except FaultError as fault:
            raise self._gone(offset, fault) from None

    def _raw_write(self, offset: int, data: memoryview) -> None:
        if self._copier is None:
            raise RegionGoneError(f"{self.info.name} is not mapped for writing.")
        try:
            self._copier.write(offset, data)
        except FaultError as fault:
            raise self._gone(offset, fault) from None

    def _raw_load(self, offset: int, width: int) -> int:
        # The kernel copies 8 aligned bytes untorn on x86 (perf.md 1, Tearing).
        buffer = bytearray(width)
        self._raw_read(offset, memoryview(buffer))
        return int.from_bytes(buffer, "little")

    def _raw_store(self, offset: int, width: int, value: int) -> None:
        self._raw_write(offset, memoryview(value.to_bytes(width, "little")))

    @contextmanager
    def _raw_window(self, offset: int, length: int) -> Iterator[memoryview[int]]:
        if self._mapping is None:
            raise RegionGoneError(f"{self.info.name} is not mapped for writing.")
        start = self._start + offset
        with memoryview(self._mapping) as whole, whole[start : start + length] as part:
            yield part

    def _raw_close(self) -> None:
        if self._copier is not None:
            self._copier.close()
        if self._mapping is not None:
            self._mapping.close()
        os.close(self._fd)


def _part_size(spec: RegionSpec, file_size: int) -> int:
    if spec.start % PAGE:
        raise MisalignedError(
            f"{format_short_offset(spec.start)} is no multiple of the page size.",
            f"A part begins at a multiple of {PAGE}.",
        )
    rest = file_size - spec.start
    size = rest if spec.length is None else spec.length
    if spec.start < 0 or rest <= 0 or size > rest or size <= 0:
        raise OutOfRangeError(
            f"The part at {format_short_offset(spec.start)} is not inside the file, "
            f"which has {format_size(file_size)}."
        )
    return size


def _notes(size: int) -> tuple[str, ...]:
    if size % PAGE:
        return (f"{size} bytes are no whole number of pages; no ivshmem device has such a size.",)
    return ()
