"""What a measuring loop runs on: the C kernel or Python, and a core of its own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from ..native.kernel import Kernel, kernel
from .lane.peer_card import EngineKind


def pick_engine(wanted: EngineKind | None) -> Kernel | None:
    """The C kernel, unless Python is wanted or it is not built."""
    return None if wanted is EngineKind.PYTHON else kernel()


@contextlib.contextmanager
def on_core(core: int | None, engine: Kernel | None, *, short_sleeps: bool) -> Iterator[bool]:
    """Keep this thread on a core for a while; whether that worked (True when none is wanted)."""
    if short_sleeps and (native := kernel()) is not None:
        native.short_sleeps()
    if core is None:
        yield True
        return
    before = _affinity()
    try:
        yield _stay_on({core}, engine)
    finally:
        if before:
            _stay_on(before, engine)


def _affinity() -> set[int]:
    """The cores of this thread; empty where the system cannot tell."""
    cores: set[int] = set()
    if sys.platform != "win32":
        cores = os.sched_getaffinity(0)
    return cores


def _stay_on(cores: set[int], engine: Kernel | None) -> bool:
    done = engine is not None and engine.pin(min(cores))
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, cores)
        done = os.sched_getaffinity(0) == cores
    return done
