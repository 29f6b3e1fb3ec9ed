"""Ctrl+C, SIGTERM and SIGHUP as a question, for verbs that put something in order before they end.

The first signal asks, the second breaks off (KeyboardInterrupt), a third ends the process at
once: what stands in the way of the second, stands in the way of a person. Verbs that need no
order have Python's own handler, and end by the first.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, Self

from ..core.errors import CancelledError

INTERRUPTED: Final = 130
_STEP_S: Final = 0.02


class InterruptGuard:
    """Takes the signals while it is entered.

    A handler may only set a flag: threading.Event takes a lock to do that, and hangs for ever
    where the handler interrupts a wait that holds it.
    """

    def __init__(self) -> None:
        self._signals = 0
        self._before: list[tuple[int, Any]] = []

    def cancelled(self) -> bool:
        """Whether Ctrl+C was pressed or SIGTERM came."""
        return self._signals > 0

    def wait(self, seconds: float) -> bool:
        """Wait for that; whether it came."""
        until = time.monotonic() + seconds
        while not self._signals and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _STEP_S))
        return self.cancelled()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            CancelledError: A person ends it meanwhile.
        """
        if self.wait(seconds):
            raise CancelledError("Stopped.")

    def from_now(self) -> Callable[[], None]:
        """A check for what a signal from now on ends: the saving of what was measured so far.

        The check raises CancelledError.
        """
        before = self._signals

        def check() -> None:
            if self._signals > before:
                raise CancelledError("Saving was stopped.")

        return check

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        self._signals += 1
        if self._signals == 2:
            raise KeyboardInterrupt
        if self._signals > 2:
            os._exit(INTERRUPTED)

    def __enter__(self) -> Self:
        numbers = [signal.SIGINT, signal.SIGTERM]
        hangup = getattr(signal, "SIGHUP", None)  # not on Windows
        if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:  # nohup
            numbers.append(hangup)
        self._before = [(number, signal.signal(number, self.handle)) for number in numbers]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)
