"""What tool bar and status bar show of a session: name, rate, lock, health, how fresh it is."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from ...core.region.region import RegionInfo
from ...core.values.byte_block import ByteBlock
from ...core.watch.frame import Health, Level
from ..session.session import Session
from .actions import Actions
from .status_bar import StatusBar
from .toolbar import ToolBar

_SLOW_MS = 250


class Indicators(QObject):
    """Follows one session at a time."""

    def __init__(
        self, actions: Actions, toolbar: ToolBar, status: StatusBar, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._toolbar = toolbar
        self._status = status
        self._session: Session | None = None
        self._slow = QTimer(self)
        self._slow.setInterval(_SLOW_MS)
        self._slow.timeout.connect(self._show_frame)
        self._enable()

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        if self._session is not None:
            self._session.disconnect(self)
        self._session = session
        self._enable()
        if session is None:
            self._slow.stop()
            return
        self._status.set_device(f"opening {session.spec.location}")
        self._toolbar.set_locked(session.locked)
        session.opened.connect(self._opened)
        session.health_changed.connect(self._health)
        session.lock_changed.connect(self._lock)
        session.paused_changed.connect(self._rate)
        session.rate_changed.connect(self._rate)
        self._slow.start()

    def _enable(self) -> None:
        on = self._session is not None
        self._actions.set_session(on)
        self._toolbar.lock.setEnabled(on)
        self._toolbar.live.setEnabled(on)
        if not on:
            self._toolbar.set_locked(True)
            self._toolbar.set_region(None)
            self._status.clear_region()

    def _opened(self, info: RegionInfo) -> None:
        session = self._session
        if session is not None:
            self._toolbar.set_region(info)
            self._status.set_region(info)
            self._status.set_selection(ByteBlock(0, 0))
            self._lock(session.locked)
            self._rate()

    def _show_frame(self) -> None:
        if self._session is not None and self._session.frame is not None:
            self._status.set_frame(self._session.frame)

    def _health(self, health: Health) -> None:
        session = self._session
        self._status.set_health(health, opened=session is not None and session.info is not None)
        if session is not None:
            self._toolbar.set_rate(session.hz, paused=session.paused, health=health)
            if session.info is None and health.level is Level.FAULT:
                self._status.set_device(f"not opened: {session.spec.location}")

    def _lock(self, locked: bool) -> None:
        self._toolbar.set_locked(locked)
        self._status.set_locked(locked)

    def _rate(self, _changed: object = None) -> None:
        session = self._session
        if session is not None:
            self._actions["pause"].setChecked(session.paused)
            self._toolbar.set_rate(session.hz, paused=session.paused, health=session.health)
            self._status.set_rate(session.hz, paused=session.paused)
