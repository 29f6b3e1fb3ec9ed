"""Runs inside the guest: two hold a device open while it is unplugged, and say what they met.

A window's engine in its own process, and the library in this process. A word in the memory tells
the host that both are at work.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

from app.core.backends.open_region import spec_for
from app.core.engine.process import EngineProcess
from app.core.errors import ScopeError
from app.core.library import Guest
from app.core.watch.frame import Frame, Level

READY_AT = 0x8000
PATIENCE_S = 120.0


def until(engine: EngineProcess, fact: Callable[[Frame], bool]) -> Frame:
    """The first frame of which the fact is true."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        frame = engine.frame()
        if frame is not None and fact(frame):
            return frame
        time.sleep(0.01)
    raise SystemExit(f"no such frame; trouble: {engine.trouble()}; answers: {engine.answers()}")


def refused(call: Callable[[], object]) -> str:
    """The code of the error that a call raises."""
    try:
        return f"answered {call()!r}"
    except ScopeError as error:
        return error.code


def main(address: str) -> None:
    """Hold, wait, report."""
    engine = EngineProcess()
    engine.open(spec_for(address))
    guest = Guest(address)
    guest.map()
    until(engine, lambda frame: frame.health.level is Level.GOOD)
    guest.store(READY_AT, 8, 1)

    frame = until(engine, lambda frame: frame.health.level is Level.FAULT)
    pid = engine.pid
    report = {
        "health": frame.health.code,
        "health_text": frame.health.text,
        "shown_bytes": len(frame.data),
        "engine_lives": engine.trouble() is None and os.path.exists(f"/proc/{pid}"),
        "read": refused(lambda: guest.read(0, 64)),
        "load": refused(lambda: guest.load(READY_AT, 8)),
        "write": refused(lambda: guest.write(0, b"lost")),
        "unmap": guest.unmap(),
        "map_again": refused(guest.map),
        "find_again": refused(lambda: Guest(address)),
    }
    engine.close()
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1])
