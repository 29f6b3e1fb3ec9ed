"""The process that matches regular expressions, since one that explodes cannot be interrupted.

Python's matcher holds the interpreter's lock until it is done. So it runs here, and is ended from
outside: by a kill, or by faulthandler's watchdog, which is a thread without the lock and ends
this process also when nobody is left who could kill it.
"""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import sys
from array import array
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any, Final

from .regex_text import LONGEST_MATCH, compiled

WATCHDOG_S: Final = 10.0  # behind the time that is allowed outside


def serve(pipe: Connection, text: str, ignore_case: bool) -> None:
    """Say that it is ready, then answer (first, last) and bytes with starts and ends of matches."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for who started us
    if sys.platform == "linux":
        _die_with_parent()
    pattern = compiled(text, ignore_case=ignore_case)
    pipe.send_bytes(b"ready")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - no path
        try:
            while True:
                first, last = pipe.recv()
                data = pipe.recv_bytes()
                faulthandler.dump_traceback_later(WATCHDOG_S, exit=True, file=nowhere)
                found = array("q")
                for one in matches(pattern, data, first, last):
                    found.extend(one)
                faulthandler.cancel_dump_traceback_later()
                pipe.send_bytes(found.tobytes())
        except (EOFError, OSError):
            return


def matches(
    pattern: re.Pattern[bytes], data: bytes, first: int, last: int
) -> Iterator[tuple[int, int]]:
    """Matches that begin in [first, last), one behind the other; none is empty.

    One that is longer than LONGEST_MATCH is matched again within that length, so that it does not
    depend on how much of the memory was at hand.
    """
    at = first
    while at < last:
        found = pattern.search(data, at)
        if found is None or found.start() >= last:
            return
        start = found.start()
        if found.end() - start > LONGEST_MATCH:
            found = pattern.match(data, start, start + LONGEST_MATCH)
        if found is None or found.end() == start:
            at = start + 1
            continue
        yield start, found.end()
        at = found.end()


def _die_with_parent() -> None:
    import ctypes

    libc: Any = ctypes.CDLL(None)
    libc.prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
