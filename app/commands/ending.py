"""Ctrl+C and SIGTERM as a question, for verbs that have something to put back in order first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from app.core.errors import CancelledError


class Ender:
    """Ctrl+C and SIGTERM as a flag, so that everything is put back in order."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises CancelledError when a person ends it meanwhile."""
        if self.asked.wait(seconds):
            raise CancelledError("Stopped.")

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler; a second signal breaks off."""
        if self.asked.is_set():
            raise KeyboardInterrupt
        self.asked.set()


@contextmanager
def ender() -> Iterator[Ender]:
    """Take the signals for a while."""
    made = Ender()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [(number, signal.signal(number, made.handle)) for number in numbers]
    try:
        yield made
    finally:
        for number, handler in before:
            signal.signal(number, handler)
