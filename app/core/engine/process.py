"""The engine in a child process of its own, behind a pipe.

Why a child: a fault in a mapping kills the child and not the window; a busy Python loop in the
window's process makes its timers late (docs/measurements.md, "The interpreter lock"); and the
Windows driver gives one mapping per device, so that one process must own it for all windows.

Commands and answers are pickled through a duplex pipe by two daemon threads, so that a child
that is stopped or dead never makes the window wait. Frames come through FrameBoard. The child
sends a heartbeat every BEAT_S. Several windows may be clients of one child (child.py); pool.py
decides which windows share one.
"""

from __future__ import annotations

import itertools
import multiprocessing
import multiprocessing.process
import signal
import threading
import time
from collections import deque
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Self

from ..errors import EngineGoneError, EngineStoppedError, ScopeError
from ..region.region import RegionSpec
from ..storage import crash_reports, logs
from ..watch.frame import Frame
from . import child
from . import messages as msg
from .client import ENDING_S
from .command_table import TABLE
from .frame_board import FrameBoard

SILENCE_NS: Final = 900_000_000
_START_ALLOWANCE_NS: Final = 15_000_000_000
_DYING_NS: Final = 300_000_000
_STEP_S: Final = 0.05
Item = tuple[int, msg.Command[object] | child.Open | child.Leave] | bytes  # bytes: pickled already


class ChildProcess:
    """The process, and how many clients it serves."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self.process = process
        self._seats = 1
        self._lock = threading.Lock()

    def join(self) -> bool:
        """Count one more client; False when the last one left meanwhile."""
        with self._lock:
            if not self._seats:
                return False
            self._seats += 1
            return True

    def leave(self) -> bool:
        """Whether this was the last client."""
        with self._lock:
            self._seats -= 1
            return not self._seats


def _pipe() -> tuple[Connection, Connection]:
    """Both ends; on Windows they are PipeConnections, which do the same."""
    ends: tuple[Any, Any] = multiprocessing.get_context("spawn").Pipe()
    return ends


class EngineProcess:
    """A client of a child process, which starts at once and opens a region later.

    Attributes:
        pid: The child's process id.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        board = FrameBoard()
        ours, theirs = _pipe()
        process = context.Process(
            target=child.run,
            args=(theirs, board, logs.is_verbose()),
            name="ivshmem-scope-engine",
            daemon=True,
        )
        started = ChildProcess(process)
        process.start()
        theirs.close()
        self._join(started, ours, board)

    @classmethod
    def share_process(cls, other: EngineProcess) -> Self | None:
        """Another client of the same child, and so of its mapping; None when it has ended."""
        if not other.serves or not other._child.join():
            return None
        client = cls.__new__(cls)
        board = FrameBoard()
        ours, theirs = _pipe()
        # Pickled here: what was pickled carries its own duplicate of the pipe's handle.
        other._outbox.put(bytes(ForkingPickler.dumps((0, child.Join(theirs, board)))))
        theirs.close()
        client._join(other._child, ours, board)
        return client

    def _join(self, child: ChildProcess, pipe: Connection, board: FrameBoard) -> None:
        self._child = child
        self._process = child.process
        self.pid = child.process.pid
        self._pipe = pipe
        self._board = board
        self._since_ns = time.monotonic_ns()
        self._numbers = itertools.count(1)
        self._answers: deque[msg.Answer] = deque()
        self._unanswered: set[int] = set()
        self._ending = threading.Lock()
        self._outbox: SimpleQueue[Item | None] = SimpleQueue()
        self._ended_ns = 0
        self._gone: EngineGoneError | None = None
        self._closed = False
        self._receiver = threading.Thread(target=self._receive, name="engine-receive", daemon=True)
        self._sender = threading.Thread(target=self._send, name="engine-send", daemon=True)
        self._receiver.start()
        self._sender.start()

    def open(self, spec: RegionSpec, journal: Path | None = None) -> None:
        """Begin to open; Opened or OpenFailed follows among the answers."""
        self._outbox.put((0, child.Open(spec, journal)))

    def ask(self, command: msg.Command[object]) -> int:
        """Send a command; the number comes back in its answer, Failed when the engine is gone."""
        number = next(self._numbers)
        with self._ending:
            if TABLE.answered(command):
                self._unanswered.add(number)
            if not self._ended_ns:
                self._outbox.put((number, command))
                return number
        self._fail_unanswered()
        return number

    def answers(self) -> list[msg.Answer]:
        """What came back since the last call, oldest first."""
        found = []
        while self._answers:
            found.append(self._answers.popleft())
        return found

    def frame(self) -> Frame | None:
        """The newest Frame, once; also the last one of a child that ended."""
        return None if self._closed else self._board.fetch()

    @property
    def serves(self) -> bool:
        """Whether the child runs and can serve another client."""
        return not (self._closed or self._ended_ns) and self.trouble() is None

    def trouble(self) -> ScopeError | None:
        """Why the engine cannot be relied on right now."""
        if self._closed:
            return None
        alive = self._process.is_alive()
        if self._ended_ns and alive and time.monotonic_ns() - self._ended_ns < _DYING_NS:
            return None  # its exit code, which comes in a moment, is the reason
        if self._ended_ns or not alive:
            return self._ended_error()
        last = self._board.last_beat_ns
        quiet = time.monotonic_ns() - (last or self._since_ns)
        if quiet > (SILENCE_NS if last else _START_ALLOWANCE_NS):
            return EngineStoppedError(
                f"The engine of this region has stopped: no answer for {quiet / 1e9:.1f} s."
            )
        return None

    def _ended_error(self) -> EngineGoneError:
        """What is known of its end; the same each time once the exit code is there."""
        if self._gone is not None:
            return self._gone
        text = f"The engine of this region ended ({self._exit_reason()})."
        if self._process.exitcode is None:
            return EngineGoneError(text)
        report = crash_reports.of_process(self.pid)
        hint = EngineGoneError.default_hint
        self._gone = EngineGoneError(text, f"{hint} Crash report: {report.path}" if report else "")
        return self._gone

    def _exit_reason(self) -> str:
        code = self._process.exitcode
        if code is None:
            return "its pipe is closed"
        if code < 0:
            try:
                return f"killed by {signal.Signals(-code).name}"
            except ValueError:
                return f"killed by signal {-code}"
        return f"exit code {code}"

    def close(self, timeout_s: float = 2.0) -> None:
        """Leave; the last one ends the child. Safe to call twice.

        As long as the child sends heartbeats it puts things in order, and is waited for up to
        ENDING_S; one that has been silent for the timeout is ended by force.
        """
        if self._closed:
            return
        silent = self.trouble() is not None
        self._closed = True
        self._outbox.put((0, child.Leave()))
        last = self._child.leave()
        self._wait_for_end(timeout_s, self._process if last else self._receiver)
        if self._process.is_alive() and (last or (silent and self._receiver.is_alive())):
            self._process.kill()  # its other clients see that it ended, and may start another
            self._process.join(1.0)
        self._outbox.put(None)
        for thread in (self._receiver, self._sender):
            thread.join(1.0)
        self._pipe.close()
        self._board.close()
        if last and not self._process.is_alive():
            self._process.close()

    def _wait_for_end(
        self, timeout_s: float, ends: multiprocessing.process.BaseProcess | threading.Thread
    ) -> None:
        """Until the child has ended, or our part of it where it has other clients."""
        begun = time.monotonic_ns()
        while ends.is_alive():
            now = time.monotonic_ns()
            quiet = now - max(begun, self._board.last_beat_ns)
            if quiet > timeout_s * 1e9 or now - begun > ENDING_S * 1e9:
                return
            ends.join(_STEP_S)  # the child closes its end of the pipe when this client has ended

    # -- threads -----------------------------------------------------------------------------------

    def _receive(self) -> None:
        try:
            while True:
                answer = self._pipe.recv()
                if isinstance(answer, msg.Done | msg.Failed):
                    self._unanswered.discard(answer.request)
                self._answers.append(answer)
        except (EOFError, OSError):
            with self._ending:
                self._ended_ns = time.monotonic_ns()
            self._fail_unanswered()

    def _fail_unanswered(self) -> None:
        with self._ending:
            for number in sorted(self._unanswered):
                gone = EngineGoneError("The engine of this region ended before it answered.")
                self._answers.append(msg.Failed(number, gone))
            self._unanswered.clear()

    def _send(self) -> None:
        while (item := self._outbox.get()) is not None:
            try:
                if isinstance(item, bytes):
                    self._pipe.send_bytes(item)
                else:
                    self._pipe.send(item)
            except (OSError, ValueError):
                return
