"""FifoLock: a lock that is given to who waits longest."""

from __future__ import annotations

import threading
from collections import deque


class FifoLock:
    """A mutex with a queue.

    A plain lock that a loop releases and takes again is mostly taken by that loop, so that a
    fill in a thousand chunks would hold up a typed byte to its end. Not reentrant.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()  # released by who hands the lock over; it stays held meanwhile

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
