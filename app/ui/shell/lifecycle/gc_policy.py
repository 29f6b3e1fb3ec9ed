"""Python's cyclic collector runs on the window's thread only.

A collection on a worker thread may destroy widgets there, which ends the program within a
fraction of a second (docs/platform.md, "Python, Qt and their versions"). So the automatic
collector is off while windows exist, and timers of the window's thread collect in its place.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import QObject, QTimer

_YOUNG_MS: Final = 1000
_FULL_MS: Final = 20000


@contextmanager
def on_window_thread(parent: QObject) -> Iterator[None]:
    """Collect by timers while the context lasts."""
    was_on = gc.isenabled()
    gc.disable()
    timers = []
    for period, generation in ((_YOUNG_MS, 1), (_FULL_MS, 2)):
        timer = QTimer(parent)
        timer.timeout.connect(lambda generation=generation: gc.collect(generation))
        timer.start(period)
        timers.append(timer)
    try:
        yield
    finally:
        for timer in timers:
            timer.stop()
            timer.deleteLater()
        if was_on:
            gc.enable()
