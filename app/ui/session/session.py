"""Session: the window's one bridge to one engine.

It polls the newest Frame and the answers on one timer of the window's thread and turns them
into Qt signals. It never waits. A lost engine is noticed here within a second; the last Frame
stays, and retry() starts another engine on the same region.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, Never, TypeVar, cast

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from ...core.engine import messages as msg
from ...core.engine.client import ENDING_S, EngineClient
from ...core.errors import EngineGoneError, EngineStoppedError, ScopeError
from ...core.health import health_of
from ...core.region.region import RegionInfo, RegionSpec
from ...core.watch.frame import Frame, Health, Level
from ...core.write.journal_file import new_journal, remove_journal
from .notice import Notice, read_only_notice
from .write_requests import Writing

POLL_MS: Final = 4
_END_POLL_MS: Final = 50
_ENDING_KEY: Final = "lane-ending"
_CLOSE_S: Final = ENDING_S + 5.0  # behind the bound of the engine itself
_NOT_RESTORED: Final = (
    "The bytes under the lane were not put back: the engine was ended while it waited. They are "
    "kept on this computer and offered when the region is opened next."
)
_TROUBLE_EVERY_NS: Final = 100_000_000
DEFAULT_HZ: Final = 60.0

R = TypeVar("R")
OnError = Callable[[ScopeError], None]
OnProgress = Callable[[int, int], None]


@dataclass(slots=True)
class _Waiting(Generic[R]):
    done: Callable[[R], object] | None
    error: OnError | None
    progress: OnProgress | None

    def take(self, value: object) -> None:
        """Hand the result over; the engine's command table says that it is of the right type."""
        if self.done is not None:
            self.done(cast("R", value))


class Session(QObject):
    """One region in the window.

    Attributes:
        writing: Through which all of the window's writes go.

    Signals:
        frame_arrived(Frame): A newer Frame; on the window's thread, newest only.
        opened(RegionInfo): The region is open (also after a retry).
        health_changed(Health): The region's or its engine's health.
        writes_changed(): The journal grew.
        lock_changed(bool): True = writing is locked.
        paused_changed(bool): The picture is frozen.
        rate_changed(float): Ticks per second.
        notice(Notice): A sentence for the message bar.
        unasked(Answer): An answer without a request: progress of a test, its responder's state.
        ending(str): Closing waits for this; empty when it goes on.
        ended(): The engine is gone; nothing follows. `left` says what it could not put in order.
    """

    frame_arrived = Signal(object)
    opened = Signal(object)
    health_changed = Signal(object)
    writes_changed = Signal()
    lock_changed = Signal(bool)
    paused_changed = Signal(bool)
    rate_changed = Signal(float)
    notice = Signal(object)
    unasked = Signal(object)
    ending = Signal(str)
    ended = Signal()
    _retired = Signal()

    def __init__(
        self,
        spec: RegionSpec,
        make_client: Callable[[], EngineClient],
        *,
        hz: float = DEFAULT_HZ,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.spec = spec
        self.info: RegionInfo | None = None
        self.frame: Frame | None = None
        self.locked = True
        self._was_unlocked = False  # before what befell the engine
        self.paused = False
        self.hz = hz
        self.health = Health(Level.WARNING, "opening", "Opening")
        self.lost = False
        self._make_client = make_client
        self._journal = new_journal()  # survives the engine, and goes with the session
        self._was_unlocked = False  # when the engine was lost, or ended to start another
        self._client: EngineClient | None = None
        self._waiting: dict[int, _Waiting[Any]] = {}
        self._span = (0, 4096)
        self._writes = 0
        self._trouble_due_ns = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)
        self.left = ""
        self._retiring: threading.Thread | None = None
        self._leaving: EngineClient | None = None
        self._waits = ""  # what its end waits for
        self._end_timer = QTimer(self, interval=_END_POLL_MS)
        self._end_timer.timeout.connect(self._watch_end)
        self._restart = False
        self._retired.connect(self._on_retired)
        self.writing = Writing(self, self)

    # -- life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start an engine and open the region; what was chosen before holds again."""
        self._client = self._make_client()
        self.lost = False
        self._trouble_due_ns = 0
        self._client.open(self.spec, self._journal)
        self._client.ask(msg.WatchRange(*self._span))
        self._client.ask(msg.SetRate(self.hz))
        if self.paused:
            self._client.ask(msg.SetPaused(paused=True))
        self._timer.start()

    def retry(self) -> None:
        """End the engine, whatever its state, then start another on the same region."""
        if self._restart:
            return
        self._restart = True
        self._set_health(Health(Level.WARNING, "opening", "Opening again"))
        self._writes = 0
        self.writes_changed.emit()
        self._retire()

    def close(self) -> None:
        """End in order, in the background; join() waits. Safe to call twice."""
        self._restart = False
        if self._client is None and not self._timer.isActive():
            return
        self._retire()

    @property
    def is_ending(self) -> bool:
        """Whether a closed engine is not gone yet."""
        return self._retiring is not None and self._retiring.is_alive()

    def join(self, timeout_s: float = _CLOSE_S) -> bool:
        """Wait until the closed engine is gone; for the end of the program and for tests."""
        if self._retiring is not None:
            self._retiring.join(timeout_s)
            return not self._retiring.is_alive()
        return True

    def _retire(self) -> None:
        """Close the engine on a thread, since that may take seconds.

        A new one starts only after that: a Windows device has one mapping for all.
        """
        self._timer.stop()
        client, self._client = self._client, None
        self._leaving = client
        self._end_timer.start()
        self._fail_all(EngineGoneError("The engine ended before it answered."))
        self._shut()

        def end() -> None:
            if client is not None:
                client.close()
            if not self._restart:
                remove_journal(self._journal)
            self._retired.emit()

        self._retiring = threading.Thread(target=end, name="engine-close", daemon=True)
        self._retiring.start()

    def _watch_end(self) -> None:
        """What keeps a closing engine from ending; the other answers have no taker any more."""
        for answer in self._leaving.answers() if self._leaving is not None else []:
            if isinstance(answer, msg.Ending):
                self._take_ending(answer)

    def _take_ending(self, answer: msg.Ending) -> None:
        if answer.left:
            self.left = answer.left
        if answer.waits != self._waits:
            self._waits = answer.waits
            if self._restart and answer.waits:
                self._set_health(Health(Level.WARNING, "opening", answer.waits))
            self.ending.emit(answer.waits)

    def _on_retired(self) -> None:
        self._end_timer.stop()
        self._watch_end()
        self._leaving = None
        if self._waits:  # and nothing followed
            self._take_ending(msg.Ending(left=_NOT_RESTORED))
        if self._restart:
            self._restart = False
            left, self.left = self.left, ""
            if left:
                self._tell_ending("", left)
            self.start()
        elif self._client is None:
            remove_journal(self._journal)  # closed while it was about to open again
            self.ended.emit()

    # -- asking ------------------------------------------------------------------------------------

    def ask(
        self,
        command: msg.Command[R],
        on_done: Callable[[R], object] | None = None,
        on_error: OnError | None = None,
        on_progress: OnProgress | None = None,
    ) -> int:
        """Send a command; `on_done` gets its result. The callbacks run on the window's thread.

        Without `on_error`, an error becomes a notice.
        """
        if self._client is None or self.lost:
            stopped = self.health.code == EngineStoppedError.code
            kind = EngineStoppedError if stopped else EngineGoneError
            error = kind(f"The engine of this region {'has stopped' if stopped else 'has ended'}.")
            (on_error or self._tell)(error)
            return 0
        request = self._client.ask(command)
        self._waiting[request] = _Waiting(on_done, on_error, on_progress)
        return request

    def cancel(self, request: int) -> None:
        """Stop a running command; its on_error gets CancelledError."""
        if self._client is not None:
            self._client.ask(msg.Cancel(request))

    def watch_range(self, start: int, length: int) -> None:
        """Show this span from the next tick on."""
        if (start, length) != self._span:
            self._span = (start, length)
            self._send(msg.WatchRange(start, length))

    def set_rate(self, hz: float) -> None:
        """Ticks per second, 1 to 240."""
        self.hz = hz
        self._send(msg.SetRate(hz))
        self.rate_changed.emit(hz)

    def set_paused(self, paused: bool) -> None:
        """Freeze the picture, or let it live."""
        if paused != self.paused:
            self.paused = paused
            self._send(msg.SetPaused(paused))
            self.paused_changed.emit(paused)

    def step(self) -> None:
        """Freeze, and look once."""
        self.set_paused(True)
        self._send(msg.Step())

    def set_locked(self, locked: bool) -> None:
        """Lock or unlock writing."""
        if not locked and self.info is not None and not self.info.writable:
            self.notice.emit(read_only_notice(self.info))
            return
        if locked != self.locked and not self.lost:
            self.locked = locked
            self._was_unlocked = False
            self._send(msg.SetLocked(locked))
            self.lock_changed.emit(locked)

    def _send(self, command: msg.Command[Never]) -> None:
        if self._client is not None and not self.lost:
            self._client.ask(command)

    # -- the timer -------------------------------------------------------------------------------

    def poll(self) -> None:
        """Fetch answers and the newest Frame; called by the timer, may be called by hand."""
        client = self._client
        if client is None:
            return
        frame = client.frame()  # before the answers: Opened was said before the first Frame
        for answer in client.answers():
            self._take(answer)
        if client is not self._client:
            return
        if frame is not None:
            self._take_frame(frame)
        now = time.monotonic_ns()
        if now >= self._trouble_due_ns:
            self._trouble_due_ns = now + _TROUBLE_EVERY_NS
            self._look_after(client)

    def _take_frame(self, frame: Frame) -> None:
        self.frame = frame
        if not self.lost:
            self._set_health(frame.health)
        if frame.writes != self._writes:
            self._writes = frame.writes
            self.writes_changed.emit()
        self.frame_arrived.emit(frame)

    def _take(self, answer: msg.Answer) -> None:
        match answer:
            case msg.Opened(info):
                self.info = info
                self._set_health(Health())
                self.opened.emit(info)
                self._tell_locked("The engine was started anew; writing is locked.")
            case msg.OpenFailed(_, error):
                self._lose(error)
            case msg.Progress(request, done, total):
                waiting = self._waiting.get(request)
                if waiting and waiting.progress:
                    waiting.progress(done, total)
            case msg.Done(request, value):
                waiting = self._waiting.pop(request, None)
                if waiting:
                    waiting.take(value)
            case msg.Failed(request, error):
                waiting = self._waiting.pop(request, None)
                if waiting and waiting.error:
                    waiting.error(error)
                elif not isinstance(error, EngineGoneError):  # the health says that
                    self._tell(error)
            case msg.Ending(waits, left):
                self._tell_ending(waits, left)
            case _:
                self.unasked.emit(answer)

    def _look_after(self, client: EngineClient) -> None:
        trouble = client.trouble()
        if trouble is not None and not self.lost:
            self._lose(trouble)
        elif trouble is None and self.lost and self.health.code == EngineStoppedError.code:
            self.lost = False  # it goes on
            self._send(msg.SetLocked(locked=True))
            self._set_health(self.frame.health if self.frame else Health())
            self._tell_locked("The engine answers again; writing was locked meanwhile.")

    def _tell_ending(self, waits: str, left: str) -> None:
        """Something that owes bytes ends in an engine that goes on: a responder switched off."""
        waited, self._waits = self._waits, waits
        if waits or left:
            hint = "They are kept on this computer; nothing is lost." if left else ""
            self.notice.emit(Notice(Level.WARNING, left or waits, hint, key=_ENDING_KEY))
        elif waited:
            text = "The bytes under the lane are as they were before."
            self.notice.emit(Notice(Level.GOOD, text, key=_ENDING_KEY))

    def _shut(self) -> None:
        """Writing has to be unlocked anew after whatever befell the engine."""
        if not self.locked:
            self.locked = True
            self._was_unlocked = True
            self.lock_changed.emit(True)

    def _tell_locked(self, text: str) -> None:
        """After the engine is back: writing was unlocked before, and is not any more."""
        if self._was_unlocked:
            self._was_unlocked = False
            hint = "Ctrl+L unlocks it; what was written before can be undone then."
            self.notice.emit(Notice(Level.WARNING, text, hint, ("Unlock",), key="locked"))

    def _lose(self, error: ScopeError) -> None:
        self.lost = True
        self._shut()
        self._fail_all(error)
        self._set_health(health_of(error))

    def _fail_all(self, error: ScopeError) -> None:
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            if one.error:
                one.error(error)

    def _set_health(self, health: Health) -> None:
        if health != self.health:
            self.health = health
            self.health_changed.emit(health)

    def _tell(self, error: ScopeError) -> None:
        self.notice.emit(
            Notice(
                Level.WARNING,
                error.message,
                error.hint,
                key=error.code,
                command=error.command,
            )
        )
