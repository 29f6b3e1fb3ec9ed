"""A file as a Region on Windows: the demo, or a saved copy of a memory.

Windows refuses to truncate a file that is mapped, so plain copies, which would be fatal on Linux,
are safe (docs/platform.md, "Windows memory"). The code uses no Windows calls, and is tested on any
system.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from ..errors import (
    AccessDeniedError,
    CannotFindError,
    DeletedError,
    ScopeError,
    TruncatedError,
    UnsuitableError,
)
from ..region.region import Region, RegionInfo, RegionSpec
from ..values.units import exact_size
from .file_rules import part_size, refuse_kind, size_notes
from .permission import Guarded, may_not_read, may_not_write

# Aligned, each is one load or store (docs/measurements.md, "One access or several").
_WORDS: Final = {
    size: struct.Struct(code) for size, code in ((1, "<B"), (2, "<H"), (4, "<I"), (8, "<Q"))
}


def open_windows_file(spec: RegionSpec) -> Region:
    """Open a file as a Region.

    Raises:
        CannotFindError: No such file.
        UnsuitableError: Not a regular file, or an empty one.
        AccessDeniedError: Not even reading is permitted.
        MisalignedError, OutOfRangeError: The wanted part does not fit.
    """
    path = Path(spec.location)
    try:
        refuse_kind(spec.location, path.stat())
        file, reason = _open(path, spec.read_only)
    except (OSError, ValueError) as error:
        raise _refusal(spec.location, error) from error
    try:
        return WindowsFile(spec, file, reason)
    except BaseException:
        file.close()
        raise


def _open(path: Path, read_only: bool) -> tuple[BinaryIO, str]:
    if read_only:
        return path.open("rb"), "It was opened for reading only."
    try:
        return path.open("r+b"), ""
    except PermissionError:
        return path.open("rb"), may_not_write(str(path), str(path), Guarded.WINDOWS_FILE).reason


def _refusal(path: str, error: OSError | ValueError) -> ScopeError:
    if isinstance(error, FileNotFoundError | NotADirectoryError | ValueError):
        return CannotFindError(f"There is no file {path}.")
    if isinstance(error, PermissionError):
        return may_not_read(path, path, Guarded.WINDOWS_FILE).error
    return UnsuitableError(f"{path} cannot be opened ({error.strerror}).")


class WindowsFile(Region):
    """A mapped file."""

    def __init__(self, spec: RegionSpec, file: BinaryIO, reason: str) -> None:
        status = os.fstat(file.fileno())
        size = part_size(spec, status.st_size)
        path = Path(spec.location).absolute()
        super().__init__(
            RegionInfo(
                spec=spec,
                name=path.name,
                system="host",
                path=str(path),
                size=size,
                writable=not reason,
                read_only_reason=reason,
                notes=size_notes(status.st_size),
            )
        )
        self._file = file
        self._end = spec.start + size
        access = mmap.ACCESS_READ if reason else mmap.ACCESS_WRITE
        try:
            self._mapping = mmap.mmap(file.fileno(), self._end, access=access)
        except (OSError, ValueError) as error:
            raise AccessDeniedError(f"{path} cannot be mapped ({error}).") from error
        self._view = memoryview(self._mapping)[spec.start : self._end]

    def check(self) -> None:
        """Compare the size, and whether the path still names a file."""
        with self._using:
            size = os.fstat(self._file.fileno()).st_size
        if size < self._end:
            raise TruncatedError(
                f"{self.info.path} was cut to {exact_size(size)}.",
                "Try again to open it with its new size.",
            )
        if not Path(self.info.path).exists():
            raise DeletedError(f"{self.info.path} was deleted.")

    def _raw_read(self, offset: int, buffer: memoryview) -> None:
        buffer[:] = self._view[offset : offset + buffer.nbytes]

    def _raw_write(self, offset: int, data: memoryview) -> None:
        self._view[offset : offset + data.nbytes] = data

    def _raw_load(self, offset: int, width: int) -> int:
        return int(_WORDS[width].unpack_from(self._view, offset)[0])

    def _raw_store(self, offset: int, width: int, value: int) -> None:
        _WORDS[width].pack_into(self._view, offset, value)

    @contextmanager
    def _raw_window(self, offset: int, length: int) -> Iterator[memoryview[int]]:
        with self._view[offset : offset + length] as part:
            yield part

    def _raw_close(self) -> None:
        self._view.release()
        with contextlib.suppress(BufferError):  # a window that is still open keeps it
            self._mapping.close()
        self._file.close()
