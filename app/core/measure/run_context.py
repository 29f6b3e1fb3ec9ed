"""What a test gets from its caller: where to report, how to wait, whether to end.

All tests take one, and so does whatever waits inside of them; the window's engine, the command
line and programs each make theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Sleep = Callable[[float], None]


def _nobody(_text: Any) -> None:
    return


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class RunContext:
    """How a test talks with its starter.

    Attributes:
        progress: Called about ten times a second with the test's own figures so far
            (LatencyLive, TransferLive, BandwidthLive, FlashLive).
        report: Called with sentences for a person (nobody answers yet, the peer restarted).
        cancelled: Asked about ten times a second whether to end and hand over what there is.
        sleep: Waits for some seconds; it may raise (CancelledError) to end a wait.
    """

    progress: Callable[[Any], None] = _nobody
    report: Callable[[str], None] = _nobody
    cancelled: Callable[[], bool] = _never
    sleep: Sleep = time.sleep
