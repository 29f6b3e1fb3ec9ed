"""How a window talks to an engine, wherever it runs: ask, fetch answers, fetch the newest Frame.

`LocalEngine` is the engine in this process (library, tests, command line with a window);
engine_process.py has the same face over a child process.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from ..errors import EngineGoneError, ScopeError
from ..region.region import RegionSpec
from ..watch.frame import Frame
from . import messages as msg
from .command_table import TABLE

if TYPE_CHECKING:
    from .engine import Engine


class EngineClient(Protocol):
    """What a Session needs of an engine. No method waits, but `close`, which is bounded."""

    def open(self, spec: RegionSpec) -> None:
        """Begin to open; Opened or OpenFailed follows among the answers."""

    def ask(self, command: msg.Command[object]) -> int:
        """Send a command; the number comes back in its answer, Failed when the engine is gone."""

    def answers(self) -> list[msg.Answer]:
        """What came back since the last call, oldest first."""

    def frame(self) -> Frame | None:
        """The newest Frame, if there is one that was not fetched before."""

    def trouble(self) -> ScopeError | None:
        """Why the engine cannot be relied on right now (it ended, it does not answer)."""

    def close(self, timeout_s: float = 2.0) -> None:
        """End it in order, by force after the timeout. Safe to call twice."""


class LocalEngine:
    """The engine in the caller's process. Opening runs on a thread of its own."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._answers: deque[msg.Answer] = deque()
        self._frame: Frame | None = None
        self._fetched = -1
        self._engine: Engine | None = None
        self._early: list[tuple[int, msg.Command[object]]] = []
        self._lock = threading.Lock()
        self._closed = False

    def open(self, spec: RegionSpec) -> None:
        """Begin to open; the answer follows."""
        threading.Thread(target=self._open, args=(spec,), name="engine-open", daemon=True).start()

    def _open(self, spec: RegionSpec) -> None:
        from .engine import Engine  # here: windows have theirs in a child

        try:
            engine = Engine(spec, self._answers.append, self._publish)
        except ScopeError as error:
            self._refuse(spec, error)
            return
        except Exception as error:  # noqa: BLE001 - whoever waits for the answer must get one
            text = f"{type(error).__name__} while opening: {error}"
            self._refuse(spec, ScopeError(text, "This is a bug; report it."))
            return
        with self._lock:
            if self._closed:
                engine.close()
                return
            self._engine = engine
            engine.start()
            for request, command in self._early:
                engine.handle(request, command)
            self._early.clear()

    def _refuse(self, spec: RegionSpec, error: ScopeError) -> None:
        self._answers.append(msg.OpenFailed(spec, error))
        with self._lock:
            self._closed = True
            for request, command in self._early:
                self._fail(request, command)
            self._early.clear()

    def _fail(self, request: int, command: msg.Command[object]) -> None:
        if TABLE.answered(command):
            gone = EngineGoneError("The engine of this region has ended.")
            self._answers.append(msg.Failed(request, gone))

    def _publish(self, frame: Frame) -> None:
        self._frame = frame

    def ask(self, command: msg.Command[object]) -> int:
        """Send a command; those sent before the region is open wait for it."""
        number = next(self._numbers)
        with self._lock:
            if self._closed:
                self._fail(number, command)
            elif self._engine is None:
                self._early.append((number, command))
            else:
                self._engine.handle(number, command)
        return number

    def answers(self) -> list[msg.Answer]:
        """What came back since the last call."""
        found = []
        while self._answers:
            found.append(self._answers.popleft())
        return found

    def frame(self) -> Frame | None:
        """The newest Frame, once."""
        frame = self._frame
        if frame is None or frame.number == self._fetched:
            return None
        self._fetched = frame.number
        return frame

    def trouble(self) -> ScopeError | None:
        """Never: an engine in this process shares its fate."""
        return None

    def close(self, timeout_s: float = 2.0) -> None:
        """End it in order."""
        with self._lock:
            self._closed = True
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close(timeout_s)
