"""Counts the running accesses to a mapping, which is released when the last one has ended.

A mapping must not be unmapped during another thread's copy. Nor may a descriptor be closed during
it: its number might be used for another file in the next moment.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from ..errors import ClosedError

_CLOSE_WAIT_S: Final = 2.0  # a loop in a window calls check() at least every 0.1 s
log = logging.getLogger(__name__)


class InUse:
    """Counts the users: `with in_use:` around each access. Raises ClosedError once closed.

    Args:
        name: Name of what is used, for people.
        release: Releases it; called once, with the lock held.
    """

    def __init__(self, name: str, release: Callable[[], None]) -> None:
        self._name = name
        self._release = release
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._closed = False
        self._released = False
        self._users = 0

    def __enter__(self) -> None:
        with self._lock:
            self.need_open()
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            self._release_if_idle()

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._closed

    def need_open(self) -> None:
        """Raises ClosedError after `close`."""
        if self._closed:
            raise ClosedError(f"{self._name} is closed.", "Open it again.")

    def close(self) -> None:
        """Refuse new accesses, and wait until the running ones have ended. Safe to call twice."""
        with self._lock:
            self._closed = True
            self._release_if_idle()
            if not self._changed.wait_for(lambda: self._released, _CLOSE_WAIT_S):
                log.warning("%s is closed while in use; the last user frees it.", self._name)

    def _release_if_idle(self) -> None:
        if self._closed and not self._users and not self._released:
            self._released = True
            try:
                self._release()
            finally:
                self._changed.notify_all()
