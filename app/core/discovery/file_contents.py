"""What is in the files of a list, remembered for a while, so that a new look costs little."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from ..protocols.known_content import Content, identify_file

# The first MiB tells LGMP, KVMFR, Scream and our demo; an opened region is looked at longer.
LIMIT: Final = 1 << 20
# A protocol stays; zeros become something as soon as a guest starts.
_KEEP_NS: Final = 30_000_000_000
_KEEP_UNKNOWN_NS: Final = 2_000_000_000
_LOOKS: Final = 64
_MOST: Final = 4096


class FileContents:
    """Identified files by device number, inode and size; modification times say nothing here.

    Writes through a mapping of a file on tmpfs leave no trace in its times, so what is known
    is forgotten after a few seconds instead. One round of looks is bounded: what is over the
    bound keeps its old answer until the next round.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._known: dict[tuple[int, int, int], tuple[int, Content | None]] = {}
        self._left = _LOOKS

    def begin(self) -> None:
        """A new round."""
        self._left = _LOOKS
        if len(self._known) > _MOST:
            self._known.clear()

    def of(self, path: str, status: os.stat_result) -> Content | None:
        """What is in a file; None when nobody knows it, or it was not its turn yet."""
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
