"""The child's side of an engine process: clients, one for each window that it serves.

A client is a pipe, a board for its Frames and an Engine of its own, so that two windows on one
device scroll, pause and lock independently; they share the process, and with it the only mapping
that the Windows driver gives. The process ends with its last client.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ScopeError
from ..region.region import RegionSpec
from ..storage import crash_reports, logs
from . import messages as msg
from .frame_board import FrameBoard

if TYPE_CHECKING:
    from .engine import Engine

BEAT_S: Final = 0.1
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Join:
    """Asks the child to serve another client; sent through the pipe of an existing one."""

    pipe: Connection
    board: FrameBoard


@dataclass(frozen=True, slots=True)
class Open:
    """Open this region; its journal is kept there, and continued."""

    spec: RegionSpec
    journal: Path | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """The window has done with its client: end the engine, in order."""


def run(pipe: Connection, board: FrameBoard, verbose: bool = False) -> None:
    """Main function of the child: serve until the last client has left or ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's business
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with crash_reports.recorded("engine"):
        logs.start("engine", verbose=verbose)
        clients = Clients()
        clients.add(pipe, board)
        clients.wait()
        log.info("the last window has left")


class Clients:
    """The windows that this process serves."""

    def __init__(self) -> None:
        self._taken = 0
        self._change = threading.Condition()

    def add(self, pipe: Connection, board: FrameBoard) -> None:
        """Serve one more, on a thread of its own."""
        with self._change:
            self._taken += 1
        threading.Thread(
            target=self._serve, args=(pipe, board), name="engine-client", daemon=True
        ).start()

    def wait(self) -> None:
        """Until all have left."""
        with self._change:
            while not self._change.wait_for(lambda: not self._taken, 1.0):
                pass  # in slices, so that Windows lets the main thread be interrupted

    def _serve(self, pipe: Connection, board: FrameBoard) -> None:
        try:
            _Client(pipe, board, self).serve()
        finally:
            pipe.close()  # the window sees that this client has ended
            with self._change:
                self._taken -= 1
                self._change.notify_all()


class _Client:
    def __init__(self, pipe: Connection, board: FrameBoard, clients: Clients) -> None:
        self._pipe = pipe
        self._board = board
        self._clients = clients
        self._speaking = threading.Lock()
        self._stop = threading.Event()
        self._left = False  # in order; otherwise the window is gone

    def serve(self) -> None:
        beat = threading.Thread(target=self._beat, name="engine-beat", daemon=True)
        beat.start()
        try:
            self._open_and_serve()
        finally:
            self._stop.set()
            beat.join(1.0)

    def _open_and_serve(self) -> None:
        # numpy and xxhash load while the window builds itself
        from ..write.journal_file import remove_journal, remove_stale
        from .engine import Engine

        wanted = self._first_wish()
        if wanted is None:
            return
        spec = wanted.spec
        try:
            engine = Engine(spec, self._report, self._board.publish, journal=wanted.journal)
        except ScopeError as error:
            log.warning("%s was not opened: %s", spec.location, error)
            self._report(msg.OpenFailed(spec, error))
            return
        except Exception as error:  # noqa: BLE001 - other clients go on; the window shows it
            crash_reports.record(error, seen=True)
            text = f"{type(error).__name__} while opening: {error}"
            self._report(msg.OpenFailed(spec, ScopeError(text, "This is a bug; report it.")))
            return
        log.info("%s is open for process %d", spec.location, os.getppid())
        engine.start()
        remove_stale()
        try:
            self._commands(engine)
        finally:
            engine.close()
            if wanted.journal is not None and not self._left:
                remove_journal(wanted.journal)  # the window that could go on with it is gone

    def _first_wish(self) -> Open | None:
        while (item := self._next()) is not None:
            if isinstance(item[1], Open):
                return item[1]
        return None

    def _commands(self, engine: Engine) -> None:
        while (item := self._next()) is not None:
            request, command = item
            if isinstance(command, msg.Command):
                engine.handle(request, command)

    def _next(self) -> tuple[int, msg.Command[object] | Open] | None:
        """What the window sent next; None when it leaves or is gone. Serves new clients."""
        try:
            while True:
                request, item = self._pipe.recv()
                if isinstance(item, Join):
                    self._clients.add(item.pipe, item.board)
                elif isinstance(item, Leave):
                    self._left = True
                    return None
                else:
                    return request, item
        except (EOFError, OSError):
            return None

    def _report(self, answer: msg.Answer) -> None:
        with self._speaking:
            try:
                self._pipe.send(answer)
            except OSError:  # the window is gone; _next sees it too
                self._stop.set()

    def _beat(self) -> None:
        self._board.beat()
        while not self._stop.wait(BEAT_S):
            self._board.beat()
