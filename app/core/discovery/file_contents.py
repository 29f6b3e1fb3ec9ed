"""The recognised contents of files, cached for a while, so that a new search is cheap."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from ..protocols.known_content import Content, identify_file

# The first MiB suffices for LGMP, KVMFR, Scream and our demo; an opened region is read further.
LIMIT: Final = 1 << 20
# A protocol rarely changes; zeros become something else as soon as a guest starts.
_KEEP_NS: Final = 30_000_000_000
_KEEP_UNKNOWN_NS: Final = 2_000_000_000
_LOOKS: Final = 64
_MOST: Final = 4096


class FileContents:
    """Contents by device number, inode and size of the file.

    Writes through a mapping of a file on tmpfs do not change its modification time, so an entry
    expires after a few seconds instead. The bytes read in one search are limited: files beyond the
    limit keep their old entry until the next search.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._known: dict[tuple[int, int, int], tuple[int, Content | None]] = {}
        self._left = _LOOKS

    def begin(self) -> None:
        """Begin a new search."""
        self._left = _LOOKS
        if len(self._known) > _MOST:
            self._known.clear()

    def of(self, path: str, status: os.stat_result) -> Content | None:
        """A file's content; None when it is unknown, or was not read yet."""
        key = (status.st_dev, status.st_ino, status.st_size)
        now = self._clock()
        then, content = self._known.get(key, (None, None))
        keep = _KEEP_NS if content is not None and content.protocol else _KEEP_UNKNOWN_NS
        if (then is not None and now - then < keep) or self._left <= 0:
            return content
        self._left -= 1
        content = identify_file(path, LIMIT)
        self._known[key] = (now, content)
        return content
