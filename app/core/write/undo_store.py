"""UndoStore: old and new bytes for undo, in memory up to a bound, beyond it on disk.

A store with a path keeps all in that file, so that its journal can be continued by another process
(journal_file.py), and in memory only what the disk refuses. Without one the file has no name, so
that nothing is left behind however the process ends. Bytes are dropped when a redo is no longer
possible or the oldest steps are forgotten; their space is used again, and free space at the file's
end is cut off.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from ..errors import StorageError
from ..storage.os_errors import lacks_space, meaning
from ..values.units import format_size

# Overhead of Python's objects for one kept string; it counts, as a million typed bytes are many.
OVERHEAD: Final = 160
_UNIFORM: Final = 64  # bytes from which on it is looked whether they are all the same


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """Bytes that are kept, in memory or on disk.

    Attributes:
        store: Which keeps them.
        data: The bytes; None when they are not in memory.
        at: Where they are in the file; below 0 they are all the same byte, -1 - at.
        length: How many.
    """

    store: UndoStore
    data: bytes | None
    at: int
    length: int

    def get(self) -> bytes:
        """The bytes. Raises StorageError when the disk fails."""
        if self.data is not None:
            return self.data
        if self.at < 0:
            return bytes([-1 - self.at]) * self.length
        return self.store.read(self.at, self.length)


class UndoStore:
    """Keeps byte strings. Not thread-safe: its Journal's lock guards it.

    Args:
        bound: Bytes in memory, with what the objects cost.
        path: Where all bytes are kept, to be read by the next process.
    """

    def __init__(self, bound: int, path: Path | None = None) -> None:
        self._bound = bound
        self._path = path
        self.used = 0
        self._file: IO[bytes] | None = None
        self._end = 0
        self._gaps: list[tuple[int, int]] = []  # free (start, end) before _end, in order, apart

    def put(self, data: bytes) -> StoredBytes:
        """Keep these bytes.

        Raises:
            StorageError: Neither memory nor disk has room; nothing is kept.
        """
        if self._path is None and (kept := self._in_memory(data)) is not None:
            return kept
        if (
            self._path is not None and len(data) >= _UNIFORM and data == data[:1] * len(data)
        ):  # as of holes, and fills
            return StoredBytes(self, None, -1 - data[0], len(data))
        at = self._find(len(data))
        try:
            self._write(at, data)
        except OSError as error:
            self._shrink()
            if (kept := self._in_memory(data)) is not None:
                return kept
            raise StorageError(
                f"{format_size(len(data))} could not be kept for undo ({meaning(error)}); "
                "nothing more was written.",
                f"Free some space in {self._place}, or write less at once."
                if lacks_space(error)
                else f"See to it that {self._place} can be written.",
            ) from error
        self._take(at, at + len(data))
        return StoredBytes(self, None, at, len(data))

    def adopt(self, spans: Iterable[tuple[int, int]]) -> None:
        """Of an existing file these (start, end) are in use, the rest is free."""
        self._end = 0
        self._gaps.clear()
        for start, end in sorted(spans):
            if start > self._end:
                self._gaps.append((self._end, start))
            self._end = max(self._end, end)

    def read(self, at: int, length: int) -> bytes:
        """Bytes from the file."""
        data = bytearray()
        try:
            file = self._open()
            file.seek(at)
            while len(data) < length:
                data += (piece := file.read(length - len(data)))
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
        if kept.at < 0:
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
        """Free the file; one with a path stays. Safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._gaps.clear()
        self._end = self.used = 0

    @property
    def _place(self) -> str:
        return str(self._path.parent) if self._path is not None else tempfile.gettempdir()

    def _in_memory(self, data: bytes) -> StoredBytes | None:
        cost = len(data) + OVERHEAD
        if self.used + cost > self._bound:
            return None
        self.used += cost
        return StoredBytes(self, bytes(data), 0, len(data))

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
        file = self._open()
        file.seek(at)
        rest = memoryview(data)
        while rest.nbytes:
            rest = rest[file.write(rest) :]

    def _open(self) -> IO[bytes]:
        """The file. Unbuffered: bytes that a full disk refuses must not stay in a buffer."""
        if self._file is None and self._path is not None:
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._file = os.fdopen(os.open(self._path, flags, 0o600), "r+b", buffering=0)
        elif self._file is None:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115 - it lives as long as the undo
                prefix="ivshmem-scope-undo-", buffering=0
            )
        return self._file
