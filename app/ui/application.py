"""The program with its windows: start-up, theme, devices, demo, orderly end."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEventLoop, QObject, QTimer, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from ..core.discovery.watcher import Watcher
from ..core.engine.pool import EnginePool
from ..core.engine.process import EngineProcess
from ..core.errors import ScopeError, StorageError
from ..core.region.region import RegionSpec
from ..core.storage import crash_reports
from ..core.storage.paths import resource_dir
from ..core.storage.settings import Settings
from ..core.watch.frame import Frame, Level
from ..version import __version__
from .hex import clipboard
from .main_window import MainWindow
from .session.notice import Notice
from .session.session import Session
from .shell.dialogs import write_picture
from .shell.lifecycle import error_report, gc_policy
from .shell.lifecycle.closing_notice import ClosingNotice
from .shell.lifecycle.crash_offer import CrashOffer
from .shell.lifecycle.end_signals import end_signals
from .shell.lifecycle.open_at_start import SETTING as OPEN_AT_START
from .shell.lifecycle.open_at_start import device_at_start
from .shell.lifecycle.settings_saver import SettingsSaver
from .shell.lifecycle.system_events import WindowsEvents
from .style.style_sheet import apply_theme
from .style.theme import DARK, LIGHT, Theme, system_theme

if TYPE_CHECKING:
    from ..core.demo.starter import Demo
    from ..core.discovery.finder import DeviceList

log = logging.getLogger(__name__)
_LOOK_MS: Final = 10  # while the program ends
_BEHIND_A_FRAME_MS: Final = 300  # a region that opens comes first, then the list of devices


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked of the window.

    Attributes:
        spec: Region to open at once.
        demo: Open the demo.
        screenshot: Save a picture of the window here and end.
        after_s: Seconds before the picture is taken.
        size: Window size for the picture, width and height in pixels.
        theme: `dark`, `light`, or empty for what was chosen before.
        workspace: Workspace of the first window, or empty for the one that was on before.
        open_found: Open a healthy device that is found, unless the settings say no.
        read_only: Open that for reading only.
        hz: Looks per second.
    """

    spec: RegionSpec | None = None
    demo: bool = False
    screenshot: Path | None = None
    after_s: float = 2.0
    size: tuple[int, int] | None = None
    theme: str = ""
    workspace: str = ""
    open_found: bool = False
    read_only: bool = False
    hz: float = 60.0


class Application(QObject):
    """Owns what exists as long as the program: settings, theme, windows, watcher, demo.

    Args:
        qt: The QApplication.
        options: From the command line.
        spare: An engine child that was started before Qt was loaded, or None.
    """

    devices_found = Signal(object)

    def __init__(self, qt: QApplication, options: Options, spare: EngineProcess | None) -> None:
        super().__init__()
        self._qt = qt
        self.options = options
        self._engines = EnginePool(spare)
        self.settings = Settings()
        self._saver: SettingsSaver | None = None
        self._front: MainWindow | None = None
        self.windows: list[MainWindow] = []
        self._sessions: list[Session] = []
        self.closing_notice: ClosingNotice | None = None
        self._devices: DeviceList | None = None
        self._fresh: MainWindow | None = None  # in which a found device may be opened
        self._demo: Demo | None = None
        self.exit_code = 0
        self.theme = self._first_theme()
        apply_theme(qt, self.theme)
        qt.setWindowIcon(QIcon(str(resource_dir() / "icons" / "ivshmem-scope.svg")))
        qt.styleHints().colorSchemeChanged.connect(lambda _scheme: self._follow_system())
        self.devices_found.connect(self._show_devices)
        self._watcher = Watcher(self.devices_found.emit)
        self._events = WindowsEvents(self)
        self._events.devices_changed.connect(self._watcher.rescan)
        self._events.resumed.connect(self._watcher.rescan)

    # -- start -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the first window, and in it what was asked for."""
        window = self.new_window(None)
        if self.options.workspace:
            window.workspaces.go(self.options.workspace)
        if self.options.demo:
            self.open_demo(window)
        elif self.options.spec is not None:
            window.open(self.options.spec)
        elif self.options.open_found and self.options.screenshot is None:
            self._fresh = window
        if self.options.screenshot is None:  # a picture is of what everybody would see
            self._saver = SettingsSaver(self.settings, self._remember, self)
            self._saver.failed.connect(self._report_settings)
        if self._fresh is None:  # a region that opens clears the messages
            self._tell_first(window)
        opening = window.session is not None
        QTimer.singleShot(_BEHIND_A_FRAME_MS if opening else 0, self._watcher.start)
        self._events.start()
        if self.options.screenshot is not None:
            ScreenshotJob(self, window, self.options.screenshot, self.options.after_s)

    def new_window(self, spec: RegionSpec | None) -> MainWindow:
        """Another window, with this region when one is given."""
        window = MainWindow(self.make_session, self.settings, self.theme)
        pictured = self.options.screenshot is not None  # where there may be no screen at all
        if self.options.size:
            window.resize(*self.options.size)
        elif not pictured:
            window.fit_to_screen()
        window.new_window_wanted.connect(self.new_window)
        window.demo_wanted.connect(lambda: self.open_demo(window))
        window.theme_wanted.connect(self.swap_theme)
        window.start_open_wanted.connect(self.set_start_open)
        window.region_changed.connect(self._number)
        window.rescan_wanted.connect(self._watcher.rescan)
        window.quit_wanted.connect(self.quit)
        window.closing.connect(self._closing)
        self.windows.append(window)
        if self._devices is not None:
            window.set_devices(self._devices)
        window.show()
        if not self.options.size and not pictured:
            window.fit_to_screen()  # the frame is known now
        if spec is not None:
            window.open(spec)
        return window

    def make_session(self, spec: RegionSpec) -> Session:
        """A session whose engine is a child process; the warm one first."""
        session = Session(
            spec, partial(self._engines.engine_for, spec), hz=self.options.hz, parent=self
        )
        self._sessions.append(session)
        session.ending.connect(partial(self._tell_ending, session))
        session.ended.connect(partial(self._forget, session))
        return session

    def _tell_ending(self, session: Session, waits: str) -> None:
        """A region that is closed waits for something; with Retry its own window says so."""
        if any(window.session is session for window in self.windows):
            return
        if self.closing_notice is None:
            self.closing_notice = ClosingNotice()
        self.closing_notice.tell(session.spec.location, waits)

    def _forget(self, session: Session) -> None:
        """Drop a session that ended: a program may run for weeks."""
        if session.left:
            log.warning("%s: %s", session.spec.location, session.left)
            if self.windows:
                text = f"{session.spec.location}: {session.left}"
                self.windows[0].report(Notice(Level.WARNING, text, key="closed"))
        if session in self._sessions:
            self._sessions.remove(session)
            session.deleteLater()

    def open_demo(self, window: MainWindow) -> None:
        """Start the demo's peer, if it does not run yet, and open its region."""
        from ..core.demo.starter import Demo

        try:
            if self._demo is None or not self._demo.alive:
                self._demo = Demo.start()
        except ScopeError as error:
            window.report(Notice(Level.FAULT, error.message, error.hint, key="demo"))
            return
        window.open(self._demo.spec)

    # -- theme -------------------------------------------------------------------------------------

    def _first_theme(self) -> Theme:
        wanted = self.options.theme or self.settings.get("theme", "")
        return {"dark": DARK, "light": LIGHT}.get(wanted) or system_theme()

    def swap_theme(self) -> None:
        """Light becomes dark, dark becomes light; remembered."""
        self._use_theme(LIGHT if self.theme.dark else DARK)
        self.settings.set("theme", self.theme.name)

    def _follow_system(self) -> None:
        if not self.options.theme and not self.settings.get("theme", ""):
            self._use_theme(system_theme())

    def _use_theme(self, theme: Theme) -> None:
        self.theme = theme
        apply_theme(self._qt, theme)
        for window in self.windows:
            window.set_theme(theme)

    # -- devices ---------------------------------------------------------------------------------

    def _show_devices(self, found: DeviceList) -> None:
        self._devices = found
        for window in self.windows:
            window.set_devices(found)
        self._open_found(found)

    def _open_found(self, found: DeviceList) -> None:
        """Once, with the first list, unless a person was faster; locked, as always."""
        window, self._fresh = self._fresh, None
        if window is None or window not in self.windows:
            return
        if window.session is None and self.settings.get(OPEN_AT_START, True):
            spec = device_at_start(found, self.settings.get("recent", []))
            if spec is not None:
                window.open(replace(spec, read_only=self.options.read_only))
        self._tell_first(window)

    def _tell_first(self, window: MainWindow) -> None:
        """What a person should know after a start."""
        if self.settings.problem:
            self._report_settings(self.settings.problem)
        if self.options.screenshot is None:
            self._offer_crash_report(window)

    def set_start_open(self, on: bool) -> None:
        """Whether a fresh start opens a device; remembered."""
        self.settings.set(OPEN_AT_START, on)
        for window in self.windows:
            window.actions_table["start_open"].setChecked(on)

    def _number(self, window: MainWindow) -> None:
        """Windows on one region are told apart by a number, which each keeps."""
        location = window.location
        taken = {w.number for w in self.windows if w is not window and w.location == location}
        free = (number for number in range(1, len(taken) + 2) if number not in taken)
        window.set_number(next(free) if location else 1)

    # -- settings --------------------------------------------------------------------------------

    def _remember(self) -> None:
        """The layout of the window that was used last: all have the same place in the settings."""
        active = [window for window in self.windows if window.isActiveWindow()]
        left = [window for window in self.windows if window is self._front] or self.windows[-1:]
        for window in active[:1] or left:
            self._front = window
            window.remember()

    def _report_settings(self, problem: str) -> None:
        if self.windows:
            self.windows[0].report(Notice(Level.WARNING, problem, key="settings"))

    def _offer_crash_report(self, window: MainWindow) -> None:
        offer = CrashOffer(window)
        messages = window.view.messages
        offer.notice.connect(window.report)
        offer.withdrawn.connect(messages.clear)
        messages.acted.connect(offer.act)
        # Behind the first Frame: a region that opens clears the messages.
        QTimer.singleShot(_BEHIND_A_FRAME_MS, offer, offer.look)

    # -- end -------------------------------------------------------------------------------------

    def _closing(self, window: MainWindow) -> None:
        if window in self.windows:
            self.windows.remove(window)
            window.deleteLater()

    def quit(self) -> None:
        """Close all windows; the event loop ends with the last."""
        for window in list(self.windows):
            window.close()
        self._qt.exit(self.exit_code)

    def shut_down(self) -> None:
        """After the event loop: stop what was started, each bounded in time."""
        self._events.stop()
        self._watcher.stop()
        for window in list(self.windows):
            window.remember()
            window.close_region()
        sessions = list(self._sessions)
        for session in sessions:
            session.close()
        self._wait_for(sessions)
        if self.closing_notice is not None:
            self.closing_notice.close()
        self._engines.close()
        if self._demo is not None:
            self._demo.stop()
        if self._saver is not None:
            self._saver.stop()

    def _wait_for(self, sessions: list[Session]) -> None:
        """Until their engines have ended, each bounded; what they wait for is shown meanwhile."""
        while any(session.is_ending for session in sessions):
            self._qt.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, _LOOK_MS)
            time.sleep(_LOOK_MS / 1e3)
        for session in sessions:
            session.join()
        self._qt.processEvents()  # their last words

    def end_at_once(self, number: int) -> None:
        """After another signal, from any thread: nothing is put in order, nothing stays behind."""
        for child in multiprocessing.active_children():
            child.kill()
        if self._demo is not None:
            self._demo.path.unlink(missing_ok=True)
        crash_reports.end()
        os._exit(128 + number)


class ScreenshotJob(QObject):
    """Waits until the window shows Frames, waits `after_s`, saves a picture, ends the program."""

    _GIVE_UP_S = 15.0

    def __init__(self, owner: Application, window: MainWindow, path: Path, after_s: float) -> None:
        super().__init__(owner)
        self._owner = owner
        self._window = window
        self._path = path
        self._after_s = after_s
        if window.session is None:
            QTimer.singleShot(int(after_s * 1000), self._shoot)
            return
        window.session.frame_arrived.connect(self._alive)
        QTimer.singleShot(int((after_s + self._GIVE_UP_S) * 1000), self._shoot)

    def _alive(self, _frame: Frame) -> None:
        if self._window.session is not None:
            self._window.session.frame_arrived.disconnect(self._alive)
        QTimer.singleShot(int(self._after_s * 1000), self._shoot)

    def _shoot(self) -> None:
        self._window.panels.build()  # a picture shows all of the window, however early
        try:
            write_picture(self._window, str(self._path))
        except StorageError as error:
            log.error("the picture was not saved: %s", error)
            sys.stderr.write(f"ivshmem-scope: {error}\n")
            self._owner.exit_code = 1
        self._owner.quit()


def run(options: Options, spare: EngineProcess | None = None) -> int:
    """Open the window and serve it until it is closed; the process's exit code."""
    qt = QApplication.instance()
    if not isinstance(qt, QApplication):
        qt = QApplication(sys.argv[:1])
    qt.setApplicationName("ivshmem-scope")
    qt.setApplicationDisplayName("IVSHMEM Scope")
    qt.setApplicationVersion(__version__)
    qt.setDesktopFileName("ivshmem-scope")
    with gc_policy.on_window_thread(qt), error_report.reported():
        application = Application(qt, options, spare)
        with end_signals(application.quit, application.end_at_once):
            application.start()
            try:
                code = qt.exec()
            finally:
                application.shut_down()
                clipboard.leave_text()
    return code or application.exit_code
