"""Ctrl+C, SIGTERM and SIGHUP as a flag, for verbs that must restore something before they end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from ..core.errors import CancelledError

_STEP_S: Final = 0.02


class SignalFlag:
    """An event that a signal handler may set.

    threading.Event takes a lock for that, and would wait for ever if the handler interrupted a
    `wait` that holds it.
    """

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        """From now on it is set."""
        self._set = True

    def is_set(self) -> bool:
        """Whether it is."""
        return self._set

    def wait(self, seconds: float) -> bool:
        """Wait for it; whether it is set."""
        until = time.monotonic() + seconds
        while not self._set and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _STEP_S))
        return self._set


class InterruptGuard:
    """Turns the signals into a flag, so that a verb can end in order."""

    def __init__(self) -> None:
        self.asked = SignalFlag()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises CancelledError when a person ends it meanwhile."""
        if self.asked.wait(seconds):
            raise CancelledError("Stopped.")

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler; a second signal raises KeyboardInterrupt."""
        if self.asked.is_set():
            raise KeyboardInterrupt
        self.asked.set()


@contextmanager
def interrupt_guard() -> Iterator[InterruptGuard]:
    """Handle the signals for a while; SIGHUP too, unless it is ignored (nohup)."""
    made = InterruptGuard()
    numbers = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        numbers.append(hangup)
    before = [(number, signal.signal(number, made.handle)) for number in numbers]
    try:
        yield made
    finally:
        for number, handler in before:
            signal.signal(number, handler)
