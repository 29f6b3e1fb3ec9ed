"""A shared file as a Region: /dev/shm, hugetlbfs, or any file at all. Windows: windows_file.py.

Reads use the file's own descriptor, so that reading never allocates a hole. Writes and single
stores are copied into the mapping by the kernel, so that a file which another process truncated
is an error, and is not extended again.
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

assert sys.platform != "win32"  # the type checker reads no further there
# ruff: noqa: E402

from ..errors import (
    CannotFindError,
    DeletedError,
    RegionGoneError,
    ReplacedError,
    ScopeError,
    StorageError,
    TruncatedError,
    UnsuitableError,
)
from ..native.page_compare import address_of, copy_differing
from ..native.safe_copy import FaultError, MappedCopier, load_word, read_file
from ..region.region import PAGE, Extent, Region, RegionInfo, RegionSpec
from ..values.units import exact_size, format_short_offset
from .file_rules import part_size, refuse_kind, size_notes
from .permission import kind_of_file, may_not_read, may_not_write

T = TypeVar("T")
_PATH_CHECK_NS: Final = 100_000_000
_BLOCK: Final = 512  # bytes that stat counts in, whatever the file system
_MAX_EXTENTS: Final = 4096
_NO_SUCH: Final = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM)
_READ_ONLY: Final = {
    errno.EROFS: "It lies on a file system that is mounted read-only.",
    errno.ETXTBSY: "It is a program that runs.",
}


def open_shared_file(spec: RegionSpec) -> Region:
    """Open a file as a Region.

    Raises:
        CannotFindError: No such file.
        UnsuitableError: Not a regular file, or an empty one.
        AccessDeniedError: Not even reading is permitted.
        MisalignedError, OutOfRangeError: The wanted part does not fit.
    """
    path = spec.location
    try:
        # Before opening, which has effects on some devices, and on a pipe that waits for a reader.
        refuse_kind(path, Path(path).stat())
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from error
    fd, reason = _open(path, spec.read_only)
    try:
        return SharedFile(spec, fd, reason)
    except BaseException:
        os.close(fd)
        raise


def _open(path: str, read_only: bool) -> tuple[int, str]:
    """The descriptor, and the reason why it is read-only; empty when it is not."""
    # O_NONBLOCK: opening a pipe must not wait. No O_CREAT: a misspelled path must not make a file.
    flags = os.O_CLOEXEC | os.O_NONBLOCK
    try:
        if read_only:
            return os.open(path, os.O_RDONLY | flags), "It was opened for reading only."
        try:
            return os.open(path, os.O_RDWR | flags), ""
        except OSError as error:
            if error.errno in _FORBIDDEN:
                reason = may_not_write(path, path, kind_of_file(path)).reason
            elif error.errno in _READ_ONLY:
                reason = _READ_ONLY[error.errno]
            else:
                raise
            return os.open(path, os.O_RDONLY | flags), reason
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(path: str, error: OSError | ValueError) -> ScopeError:
    if isinstance(error, ValueError) or error.errno in _NO_SUCH:
        odd = path != path.strip()  # a blank at its end would not be seen
        return CannotFindError(f"There is no file {repr(path) if odd else path}.")
    if error.errno in _FORBIDDEN:
        return may_not_read(path, path, kind_of_file(path)).error
    if error.errno == errno.EISDIR:
        return UnsuitableError(f"{path} is a directory.", "Choose a file inside it.")
    if error.errno in (errno.ENXIO, errno.ENODEV):
        return UnsuitableError(f"{path} is no regular file.", "Choose a regular file.")
    return UnsuitableError(f"{path} cannot be opened ({error.strerror}).")


class SharedFile(Region):
    """A mapped file. See the module for how it reads and writes."""

    def __init__(self, spec: RegionSpec, fd: int, reason: str) -> None:
        status = os.fstat(fd)
        refuse_kind(spec.location, status)
        size = part_size(spec, status.st_size)
        mapping = None
        if not reason:
            mapping, reason = _map(fd, spec.start + size, status)
        path = os.path.abspath(spec.location)  # noqa: PTH100 - symlinks stay as typed
        super().__init__(
            RegionInfo(
                spec=spec,
                name=Path(path).name,
                system="host",
                path=path,
                size=size,
                writable=mapping is not None,
                read_only_reason=reason,
                notes=size_notes(status.st_size),
            )
        )
        self._fd = fd
        self._start = spec.start
        self._identity = (status.st_dev, status.st_ino)
        self._named = not path.startswith("/proc/")
        self._path_due_ns = 0
        self._mapping = mapping
        self._mark = _mark(fd, status) if mapping is None else None
        self._copier = MappedCopier(mapping, self._start) if mapping is not None else None

    def remark(self) -> tuple[str, str]:
        """A remark when the file grew: only the old part is shown until it is opened again."""
        grown = self.grown_to
        if grown is None:
            return "", ""
        return (
            f"{self.info.path} grew to {exact_size(grown)}; "
            f"the first {exact_size(self.size)} are shown.",
            "Try again to open all of it.",
        )

    @property
    def grown_to(self) -> int | None:
        """The file's size now, when it is larger than at opening."""
        with self._using:
            size = os.fstat(self._fd).st_size - self._start
        return size if size > self.size and self.info.spec.length is None else None

    def check(self) -> None:
        """Compare size, link count, and (every 100 ms) what the path names now."""
        with self._using:
            status = os.fstat(self._fd)
        if status.st_size < self._start + self.size:
            raise self._truncated(status.st_size)
        if not self._named:
            return
        if status.st_nlink == 0:
            self._look_at_path()
            raise DeletedError(
                f"{self.info.path} was deleted; whoever opens that path from now on shares "
                "nothing with these bytes.",
                "A restarted VM makes a new file: try again.",
            )
        now = time.monotonic_ns()
        if now >= self._path_due_ns:
            self._path_due_ns = now + _PATH_CHECK_NS
            self._look_at_path()

    def _look_at_path(self) -> None:
        try:
            named = Path(self.info.path).stat()
        except OSError:
            return
        if (named.st_dev, named.st_ino) != self._identity:
            raise ReplacedError(
                f"{self.info.path} is another file now (a VM restart makes a new one).",
                "Try again to open the new one.",
            )

    def _truncated(self, size: int) -> TruncatedError:
        return TruncatedError(
            f"{self.info.path} was cut to {exact_size(size)}; "
            f"it had {exact_size(self._start + self.size)}.",
            "Try again to open it with its new size.",
        )

    def _gone(self, offset: int, fault: FaultError) -> ScopeError:
        size = os.fstat(self._fd).st_size
        if size < self._start + self.size:
            return self._truncated(size)
        at = format_short_offset(offset + fault.done)
        space = os.fstatvfs(self._fd)
        if space.f_blocks and not space.f_bavail:
            return StorageError(
                f"The file system of {self.info.path} is full; {at} was never written before and "
                "has no memory yet.",
                f"Free some space in {Path(self.info.path).parent}.",
            )
        return TruncatedError(
            f"{self.info.path} had no memory at {at}.", "It was cut for a moment."
        )

    def _failed(self, verb: str, error: OSError) -> RegionGoneError:
        return RegionGoneError(f"{self.info.path} cannot be {verb} ({error.strerror}).")

    def extents(self, start: int, end: int) -> list[Extent]:
        """Allocated ranges by SEEK_DATA and SEEK_HOLE (lseek(2)); at most 4096, gaps merged."""
        self._bounds(start, max(0, end - start))
        with self._using:
            return self._extents(start, end)

    def _extents(self, start: int, end: int) -> list[Extent]:
        status = os.fstat(self._fd)
        if status.st_blocks * _BLOCK >= status.st_size >= end + self._start:
            return [(start, end)] if end > start else []  # no hole to look for, page by page
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
        except OSError as error:
            raise self._failed("read", error) from error

    def _raw_write(self, offset: int, data: memoryview) -> None:
        if self._copier is None:
            raise RegionGoneError(f"{self.info.name} is not mapped for writing.")
        try:
            self._copier.write(offset, data)
        except FaultError as fault:
            raise self._gone(offset, fault) from None
        except OSError as error:
            raise self._failed("written", error) from error

    def _raw_load(self, offset: int, width: int) -> int:
        return load_word(self._raw_read, offset, width, self.size)

    def _raw_store(self, offset: int, width: int, value: int) -> None:
        self._raw_write(offset, memoryview(value.to_bytes(width, "little")))

    @contextmanager
    def _raw_window(self, offset: int, length: int) -> Iterator[memoryview[int]]:
        if self._mapping is None:
            raise RegionGoneError(f"{self.info.name} is not mapped for writing.")
        start = self._start + offset
        with memoryview(self._mapping) as whole, whole[start : start + length] as part:
            yield part

    def _raw_differing(
        self, offset: int, buffer: memoryview, before: memoryview
    ) -> bytearray | None:
        if self._mapping is None:
            return None
        start = self._start + offset
        return copy_differing(self._mapping, start, buffer, before, holes=True)

    def _raw_in_place(self, offset: int, loop: Callable[[int], T]) -> T | None:
        if self._mapping is None:
            return None
        return loop(address_of(self._mapping) + self._start + offset)

    def _raw_close(self) -> None:
        if self._copier is not None:
            self._copier.close()
        for mapping in (self._mapping, self._mark):
            if mapping is not None:
                mapping.close()
        os.close(self._fd)


def _mark(fd: int, status: os.stat_result) -> mmap.mmap | None:
    """A mapping that is never accessed: it shows others that a file that is only read is in use."""
    if status.st_blksize > PAGE or status.st_size < PAGE:  # hugetlbfs would reserve a page
        return None
    try:
        return mmap.mmap(fd, PAGE, prot=mmap.PROT_READ)
    except (OSError, ValueError):  # older kernels map nothing shared that is sealed
        return None


def _map(fd: int, end: int, status: os.stat_result) -> tuple[mmap.mmap | None, str]:
    """The mapping for writing, or None and the reason."""
    # Whole blocks: on hugetlbfs a mapping that ends inside a huge page could not be unmapped.
    block = max(1, status.st_blksize)
    length = min(-(-end // block) * block, status.st_size)
    try:
        return mmap.mmap(fd, length), ""
    except (OSError, ValueError) as error:
        if isinstance(error, PermissionError):
            return None, "It is sealed against writing."
        return None, f"It cannot be mapped for writing ({error})."
