"""The engine in a child process of its own, behind a pipe.

Why a child: a fault in a mapping kills the child and not the window; a busy Python loop in
the window's process makes its timers late (perf.md 1); and the Windows driver gives one
mapping per device, so that one process must own it for everybody.

Commands and answers are pickled through a duplex pipe by two daemon threads, so that a child
that is stopped or dead never makes the window wait. Frames come through FrameBoard. The child
says every BEAT_S that it lives.
"""

from __future__ import annotations

import itertools
import multiprocessing
import signal
import sys
import threading
import time
from collections import deque
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Final

from app.core import messages as msg
from app.core.errors import EngineGoneError, ScopeError
from app.core.frame import Frame
from app.core.frame_board import FrameBoard
from app.core.region import RegionSpec

BEAT_S: Final = 0.1
SILENCE_NS: Final = 900_000_000
_START_ALLOWANCE_NS: Final = 15_000_000_000
_DYING_NS: Final = 300_000_000


class EngineProcess:
    """One child with one engine. Started when made, so that it warms up early; opened later.

    Attributes:
        pid: The child's process id.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._board = FrameBoard()
        ours, theirs = context.Pipe()
        self._pipe = ours
        self._process = context.Process(
            target=_child,
            args=(theirs, self._board),
            name="ivshmem-scope-engine",
            daemon=True,
        )
        self._started_ns = time.monotonic_ns()
        self._process.start()
        self.pid = self._process.pid
        theirs.close()
        self._numbers = itertools.count(1)
        self._answers: deque[msg.Answer] = deque()
        self._outbox: SimpleQueue[tuple[int, msg.Command | RegionSpec] | None] = SimpleQueue()
        self._ended_ns = 0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._receive, name="engine-receive", daemon=True),
            threading.Thread(target=self._send, name="engine-send", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def open(self, spec: RegionSpec) -> None:
        """Begin to open; Opened or OpenFailed follows among the answers."""
        self._outbox.put((0, spec))

    def ask(self, command: msg.Command) -> int:
        """Send a command; the number comes back in its answer."""
        number = next(self._numbers)
        self._outbox.put((number, command))
        return number

    def answers(self) -> list[msg.Answer]:
        """What came back since the last call, oldest first."""
        found = []
        while self._answers:
            found.append(self._answers.popleft())
        return found

    def frame(self) -> Frame | None:
        """The newest Frame, once; also the last one of a child that died."""
        return None if self._closed else self._board.fetch()

    def trouble(self) -> ScopeError | None:
        """Why the engine cannot be relied on right now."""
        if self._closed:
            return None
        if self._ended_ns and self._process.is_alive():
            if time.monotonic_ns() - self._ended_ns < _DYING_NS:
                return None  # its exit code comes in a moment and says why
        if self._ended_ns or not self._process.is_alive():
            return EngineGoneError(f"The engine of this region ended ({self._exit_reason()}).")
        last = self._board.last_beat_ns
        quiet = time.monotonic_ns() - (last or self._started_ns)
        if quiet > (SILENCE_NS if last else _START_ALLOWANCE_NS):
            return EngineGoneError(
                f"The engine of this region has not answered for {quiet / 1e9:.1f} s.",
                "Wait, or press Retry to end it and start another.",
            )
        return None

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
        """Ask it to end, then end it by force. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._outbox.put((0, msg.Close()))
        self._process.join(timeout_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(1.0)
        self._outbox.put(None)
        for thread in self._threads:
            thread.join(1.0)
        self._pipe.close()
        self._board.close()
        if not self._process.is_alive():
            self._process.close()

    # -- threads -----------------------------------------------------------------------------------

    def _receive(self) -> None:
        try:
            while True:
                self._answers.append(self._pipe.recv())
        except (EOFError, OSError):
            self._ended_ns = time.monotonic_ns()

    def _send(self) -> None:
        while (item := self._outbox.get()) is not None:
            try:
                self._pipe.send(item)
            except (OSError, ValueError):
                return


# -- the child -------------------------------------------------------------------------------------


def _child(pipe: Connection, board: FrameBoard) -> None:
    """Main function of the child: wait for what to open, then serve until told or orphaned."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's business
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    from app.core.engine import (
        Engine,
    )  # numpy and xxhash load while the window builds itself

    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(board, stop), name="engine-beat", daemon=True)
    beat.start()
    lock = threading.Lock()

    def say(answer: msg.Answer) -> None:
        with lock:
            try:
                pipe.send(answer)
            except OSError:  # the window is gone; _serve sees it too
                stop.set()

    spec = _first_spec(pipe)
    if spec is None:
        return
    try:
        engine = Engine(spec, say, board.publish)
    except ScopeError as error:
        say(msg.OpenFailed(spec, error))
        return
    engine.start()
    try:
        _serve(pipe, engine)
    finally:
        engine.close()
        stop.set()
        beat.join(1.0)


def _first_spec(pipe: Connection) -> RegionSpec | None:
    try:
        while True:
            _, item = pipe.recv()
            if isinstance(item, msg.Close):
                return None
            if isinstance(item, RegionSpec):
                return item
    except (EOFError, OSError):
        return None


def _serve(pipe: Connection, engine: object) -> None:
    from app.core.engine import Engine

    assert isinstance(engine, Engine)
    try:
        while True:
            request, command = pipe.recv()
            if isinstance(command, msg.Close):
                return
            engine.handle(request, command)
    except (EOFError, OSError):
        return


def _beat(board: FrameBoard, stop: threading.Event) -> None:
    board.beat()
    while not stop.wait(BEAT_S):
        board.beat()
