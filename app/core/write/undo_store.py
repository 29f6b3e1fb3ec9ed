"""UndoStore: old and new bytes for undo, in memory up to a bound, beyond it on disk.

The file on disk has no name, so that nothing is left behind however the process ends. Bytes are
dropped when a redo is no longer possible or the oldest steps are forgotten; their space is used
again, and free space at the file's end is cut off.
"""

from __future__ import annotations

import bisect
import contextlib
import tempfile
from dataclasses import dataclass
from typing import IO, Final

from ..errors import StorageError
from ..storage.os_errors import lacks_space, meaning
from ..values.units import format_size

# Overhead of Python's objects for one kept string; it counts, as a million typed bytes are many.
OVERHEAD: Final = 160


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """Bytes that are kept, in memory or on disk."""

    store: UndoStore
    data: bytes | None
    at: int
    length: int

    def get(self) -> bytes:
        """The bytes. Raises StorageError when the disk fails."""
        return self.data if self.data is not None else self.store.read(self.at, self.length)


class UndoStore:
    """Keeps byte strings. Not thread-safe: its Journal's lock guards it.

    Args:
        bound: Bytes in memory, with what the objects cost.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self.used = 0
        self._file: IO[bytes] | None = None
        self._end = 0
        self._gaps: list[tuple[int, int]] = []  # free (start, end) before _end, in order, apart

    def put(self, data: bytes) -> StoredBytes:
        """Keep these bytes.

        Raises:
            StorageError: Neither memory nor disk has room; nothing is kept.
        """
        cost = len(data) + OVERHEAD
        if self.used + cost <= self._bound:
            self.used += cost
            return StoredBytes(self, bytes(data), 0, len(data))
        at = self._find(len(data))
        try:
            self._write(at, data)
        except OSError as error:
            self._shrink()
            raise StorageError(
                f"{format_size(len(data))} could not be kept for undo ({meaning(error)}); "
                "nothing more was written.",
                f"Free some space in {tempfile.gettempdir()}, or write less at once."
                if lacks_space(error)
                else f"See to it that {tempfile.gettempdir()} can be written.",
            ) from error
        self._take(at, at + len(data))
        return StoredBytes(self, None, at, len(data))

    def read(self, at: int, length: int) -> bytes:
        """Bytes from the file."""
        assert self._file is not None
        data = bytearray()
        try:
            self._file.seek(at)
            while len(data) < length:
                data += (piece := self._file.read(length - len(data)))
                if not piece:
                    raise OSError(0, "it became shorter")
        except OSError as error:
            raise StorageError(f"Old bytes kept for undo are lost ({meaning(error)}).") from error
        return bytes(data)

    def drop(self, kept: StoredBytes) -> None:
        """Forget these bytes."""
        if kept.data is not None:
            self.used -= kept.length + OVERHEAD
            return
        start, end = kept.at, kept.at + kept.length
        index = bisect.bisect(self._gaps, (start, end))
        if index < len(self._gaps) and self._gaps[index][0] == end:
            end = self._gaps.pop(index)[1]
        if index and self._gaps[index - 1][1] == start:
            index -= 1
            start = self._gaps.pop(index)[0]
        if end == self._end:
            self._end = start
            self._shrink()
        else:
            self._gaps.insert(index, (start, end))

    def close(self) -> None:
        """Free the file. Safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._gaps.clear()
        self._end = self.used = 0

    def _find(self, length: int) -> int:
        """The first place with room."""
        return next((a for a, b in self._gaps if b - a >= length), self._end)

    def _take(self, start: int, end: int) -> None:
        for index, (first, last) in enumerate(self._gaps):
            if first == start:
                self._gaps[index : index + 1] = [(end, last)] if end < last else []
                return
        self._end = end

    def _shrink(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.truncate(self._end)

    def _write(self, at: int, data: bytes) -> None:
        if self._file is None:
            # Unbuffered: bytes that a full disk refuses must not stay in a buffer.
            self._file = tempfile.TemporaryFile(  # noqa: SIM115 - it lives as long as the undo
                prefix="ivshmem-scope-undo-", buffering=0
            )
        self._file.seek(at)
        rest = memoryview(data)
        while rest.nbytes:
            rest = rest[self._file.write(rest) :]
