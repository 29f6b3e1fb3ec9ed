"""Regular expressions, matched by a process that can be ended (regex_worker.py)."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

import numpy as np

from ..errors import CancelledError, ScopeError, ValueFormatError
from ..region.region import Region
from ..values.units import format_short_offset
from .patterns import Found, Slice
from .regex_text import LONGEST_MATCH, compiled
from .regex_worker import serve

ALLOWED_S: Final = 4.0  # for one slice
_START_S: Final = 20.0  # for a process that starts on a busy machine
_LOOK_S: Final = 0.02
_starting = threading.Lock()


def regex_pattern(text: str, align: int = 1, *, ignore_case: bool = False) -> RegexPattern:
    """An expression.

    Raises:
        ValueFormatError: It is none, or matches nothing at all.
    """
    compiled(text, ignore_case=ignore_case)
    return RegexPattern(text, align, ignore_case=ignore_case)


class RegexPattern:
    """Matches of an expression, one behind the other.

    Attributes:
        cancelled: Asked again and again while the process works; the search sets it.
        allowed_s: How long one slice may take.
    """

    lead = LONGEST_MATCH
    reach = 2 * LONGEST_MATCH
    chained = True

    def __init__(self, text: str, align: int, *, ignore_case: bool) -> None:
        self.cancelled: Callable[[], bool] = lambda: False
        self.allowed_s = ALLOWED_S
        self._text, self._align, self._ignore_case = text, align, ignore_case
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._closed = False

    def find(self, part: Slice) -> Found:
        """The hits of a slice.

        Raises:
            ValueFormatError: It took too long; the process was ended.
            CancelledError: `cancelled` said so; the process was ended.
        """
        ends = np.frombuffer(self._ask(part), np.int64).reshape(-1, 2)
        starts, lengths = ends[:, 0] + part.base, (ends[:, 1] - ends[:, 0]).astype(np.int32)
        found = Found(starts, lengths)
        return found.part(starts % self._align == 0) if self._align > 1 else found

    def glimpse(self, _region: Region, _first: int, _last: int) -> None:
        """That cannot be told without a copy."""

    def close(self) -> None:
        """End the process; nothing is found any more. Safe to call twice."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.kill()
            process.join()
            process.close()

    def _ask(self, part: Slice) -> bytes:
        """Starts and ends in the slice, as 64-bit numbers."""
        if self._closed:
            raise CancelledError("The search was stopped.")
        try:
            pipe = self._pipe or self._started(part)
            pipe.send((part.first - part.base, part.last - part.base))
            pipe.send_bytes(part.data.data)
            self._wait(pipe, part, self.allowed_s)
            answer = pipe.recv_bytes()
        except (EOFError, OSError) as error:
            self._end()
            raise ScopeError(
                "The process that matches expressions has ended.", "Search again."
            ) from error
        except BaseException:
            self._end()
            raise
        return answer

    def _wait(self, pipe: Connection, part: Slice, allowed_s: float) -> None:
        until = time.monotonic() + allowed_s
        while not pipe.poll(_LOOK_S):
            if self.cancelled():
                raise CancelledError("The search was stopped.")
            if time.monotonic() >= until:
                raise self._too_long(part)

    def _too_long(self, part: Slice) -> ValueFormatError:
        return ValueFormatError(
            f"The expression takes too long on the bytes from {format_short_offset(part.first)} "
            "on; the search was ended there.",
            "Repeats inside of repeats, such as (a+)+, try too many ways: take one away.",
        )

    def _started(self, part: Slice) -> Connection:
        pipe = self._start()
        self._wait(pipe, part, _START_S)
        pipe.recv_bytes()
        return pipe

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        ends: tuple[Any, Any] = context.Pipe()
        ours, theirs = ends
        process = context.Process(
            target=serve,
            args=(theirs, self._text, self._ignore_case),
            name="ivshmem-scope-regex",
            daemon=True,
        )
        with _starting:
            # An engine's process is a daemon, which may have no children unless it says so.
            me: Any = multiprocessing.current_process()
            was = me.daemon
            if was:
                me.daemon = False
            try:
                process.start()
            finally:
                if was:
                    me.daemon = True
        theirs.close()
        self._process, self._pipe = process, ours
        return self._pipe
