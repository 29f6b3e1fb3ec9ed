"""Runs inside the guest: four hold a device open while it is unplugged, and say what they met.

A window's engine in its own process, the verbs `watch` and `latency`, and the library in this
process. A word in the memory tells the host that they are at work; `latency` shows by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

from app.core.engine_process import EngineProcess
from app.core.errors import ScopeError
from app.core.frame import Frame, Level
from app.core.library import Guest
from app.core.open_region import spec_for

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


def verb(*words: str) -> subprocess.Popen[str]:
    """A verb in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "app", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def main(address: str) -> None:
    """Hold, wait, report."""
    engine = EngineProcess()
    engine.open(spec_for(address))
    watch = verb("watch", address, "0", "64", "--quiet")
    latency = verb("latency", address, "--duration", "600", "--rate", "200", "--wait", "poll")
    guest = Guest(address)
    guest.map()
    until(engine, lambda frame: frame.health.level is Level.GOOD)
    assert watch.stdout is not None
    watch.stdout.readline()
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
    _, report["watch_err"] = watch.communicate(timeout=PATIENCE_S)
    report["watch_code"] = watch.returncode
    _, report["latency_err"] = latency.communicate(timeout=PATIENCE_S)
    report["latency_code"] = latency.returncode
    engine.close()
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1])
