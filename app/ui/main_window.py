"""The main window: puts toolbar, docks, region view and status bar together; decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow

from ..core.backends.open_region import spec_for
from ..core.errors import ScopeError
from ..core.region.region import RegionInfo, RegionSpec
from ..core.storage.settings import Settings
from ..core.watch.frame import Frame, Level
from .measure.hex_flash import HexFlash
from .measure.lazy_panel import LazyMeasurePanel
from .panels.activity.panel import ActivityPanel
from .panels.devices.panel import DevicesPanel
from .panels.inspector.panel import InspectorPanel
from .panels.journal import JournalPanel
from .panels.write.panel import WritePanel
from .session.notice import Notice
from .session.session import Session
from .shell import dialogs
from .shell.actions import Actions
from .shell.command_palette import CommandPalette
from .shell.docks import Docks
from .shell.indicators import Indicators
from .shell.status_bar import StatusBar
from .shell.toolbar import ToolBar
from .shell.welcome import Welcome
from .shell.window_state import Remembered, WindowState
from .style.theme import Theme
from .viewer.region_view import RegionView

if TYPE_CHECKING:
    from ..core.discovery.finder import DeviceList
    from ..core.measure.flash.flash import Flip


class MainWindow(QMainWindow):
    """One window, one region at a time.

    Signals:
        new_window_wanted(RegionSpec | None): Another window, with this region.
        demo_wanted(): Open the demo here.
        theme_wanted(): Swap light and dark.
        rescan_wanted(): Look for devices now.
        quit_wanted(): End the program.
        closing(MainWindow): It closes now.
    """

    new_window_wanted = Signal(object)
    demo_wanted = Signal()
    theme_wanted = Signal()
    rescan_wanted = Signal()
    quit_wanted = Signal()
    closing = Signal(object)

    def __init__(
        self, make_session: Callable[[RegionSpec], Session], settings: Settings, theme: Theme
    ) -> None:
        super().__init__()
        self._make_session = make_session
        self._settings = settings
        self._theme = theme
        self.session: Session | None = None
        self.setWindowTitle("IVSHMEM Scope")
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 600)
        self.resize(1280, 800)
        self.actions_table = Actions(self)
        self.toolbar = ToolBar(self.actions_table, self)
        self.addToolBar(self.toolbar)
        self.view = RegionView(self)
        self.setCentralWidget(self.view)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        self.indicators = Indicators(self.actions_table, self.toolbar, self.status, self)
        self.devices = DevicesPanel()
        self.inspector = InspectorPanel()
        self.activity = ActivityPanel()
        self.write = WritePanel()
        self.journal = JournalPanel()
        self.measure = LazyMeasurePanel()
        self.hex_flash = HexFlash(self.view.hex.viewport(), self)
        welcome = Welcome(self.view.hex, self.actions_table)
        self._panels = (
            self.inspector,
            self.activity,
            self.write,
            self.journal,
            self.measure,
            welcome,
        )
        self.docks = Docks(self, self.view.hex.room_for)
        self._add_docks()
        self._connect_actions()
        self._connect_panels()
        self._connect_measure()
        self.set_theme(theme)
        views: dict[str, Remembered] = {"inspector": self.inspector, "hex": self.view.hex}
        self._state = WindowState(settings, self, self.docks, views)
        self._laid_out = self._state.restore()
        self.devices.set_recent(settings.get("recent", []))

    # -- putting together -----------------------------------------------------------------------

    def _add_docks(self) -> None:
        areas = Qt.DockWidgetArea
        bottom = areas.BottomDockWidgetArea
        for name, title, panel, area in (
            ("devices", "Devices", self.devices, areas.LeftDockWidgetArea),
            ("inspector", "Inspector", self.inspector, areas.RightDockWidgetArea),
            ("activity", "Activity", self.activity, bottom),
            ("write", "Write tools", self.write, bottom),
            ("measure", "Measure", self.measure, bottom),
            ("journal", "Journal", self.journal, bottom),
        ):
            self.docks.add(name, title, panel, area)
        self.docks["measure"].visibilityChanged.connect(self.measure.shown)

    def _connect_actions(self) -> None:
        on, view = self.actions_table.on, self.view
        on("open_file", self.choose_file)
        on("new_window", lambda: self.new_window_wanted.emit(None))
        on("duplicate", self._duplicate)
        on("demo", self.demo_wanted.emit)
        on("save_range", lambda: self._write_tool("save"))
        on("load_file", lambda: self._write_tool("load"))
        on("fill", lambda: self._write_tool("fill"))
        on("screenshot", self.choose_screenshot)
        on("close", self.close)
        on("quit", self.quit_wanted.emit)
        on("lock", lambda: self._on_session(lambda session: self._set_locked(not session.locked)))
        on("undo", view.undo)
        on("redo", view.redo)
        on("copy", view.hex.copy)
        on("paste", view.hex.paste)
        on("select_all", view.hex.select_all)
        on("select_range", view.open_range)
        on("goto", view.open_goto)
        on("next_change", lambda: view.find_change(False))
        on("previous_change", lambda: view.find_change(True))
        on("back", view.go_back)
        on("forward", view.go_forward)
        on("pause", lambda paused: self._on_session(Session.set_paused, paused))
        on("step", lambda: self._on_session(Session.step))
        on("retry", lambda: self._on_session(Session.retry))
        on("speed", view.measure_speed)
        on("rescan", self.rescan_wanted.emit)
        on("zoom_in", view.hex.zoom_in)
        on("zoom_out", view.hex.zoom_out)
        on("zoom_reset", view.hex.zoom_reset)
        on("theme", self.theme_wanted.emit)
        on("reset_layout", self.docks.default)
        for name in ("devices", "inspector", "activity", "write", "journal", "measure"):
            on(f"show_{name}", lambda name=name: self.docks.show(name))
        on("show_hex", view.hex.setFocus)
        on("palette", self._show_palette)
        on("keys", self._show_keys)
        on("about", lambda: dialogs.show_about(self))

    def _connect_panels(self) -> None:
        view = self.view
        self.devices.open_wanted.connect(self.open)
        self.devices.open_file_wanted.connect(self.choose_file)
        self.devices.demo_wanted.connect(self.demo_wanted)
        self.devices.rescan_wanted.connect(self.rescan_wanted)
        view.cursor_moved.connect(self._cursor)
        view.selection_changed.connect(self._selection)
        view.fill_wanted.connect(lambda: self._write_tool("fill"))
        view.load_wanted.connect(self._load_dropped)
        view.speed_measured.connect(self.toolbar.set_speed)
        for part in (self.devices, self.activity, self.write, self.measure):
            part.set_decorations(view.decorations)
        self.inspector.write_wanted.connect(view._write)
        self.inspector.unlock_wanted.connect(view._say_locked)
        self.activity.goto_wanted.connect(view.go_to)
        self.journal.goto_wanted.connect(view.go_to)
        self.journal.undo_wanted.connect(self.actions_table["undo"].trigger)
        self.journal.redo_wanted.connect(self.actions_table["redo"].trigger)
        self.toolbar.open_wanted.connect(self.open)
        self.toolbar.rate_wanted.connect(lambda hz: self._on_session(Session.set_rate, hz))
        self.toolbar.lock_wanted.connect(self._set_locked)

    def _connect_measure(self) -> None:
        self.measure.notice.connect(self.view.messages.show_notice)
        self.view.messages.acted.connect(self.measure.restore_offer.act)
        self.measure.front_wanted.connect(lambda: self.docks.show("measure"))
        self.measure.hex_flash_wanted.connect(self._flash_in_hex)
        self.hex_flash.painted.connect(self.measure.painted)

    def _flash_in_hex(self, flip: Flip) -> None:
        """A flash that the hex view shows: bring its bytes into sight, answer when painted."""
        start, length = self.view.hex.surface.visible_span()
        if not start <= flip.offset <= start + length - 8:
            self.view.go_to(flip.offset)
        self.hex_flash.await_flip(flip)

    # -- the region ------------------------------------------------------------------------------

    def _on_session(self, act: Callable[..., object], *values: object) -> None:
        """Call a method of the session, if there is one."""
        if self.session is not None:
            act(self.session, *values)

    def _set_locked(self, locked: bool) -> None:
        """Lock or unlock; where that is refused, menu and tool bar go on to say what is so."""
        if self.session is not None:
            self.session.set_locked(locked)
            self.toolbar.set_locked(self.session.locked)

    def _duplicate(self) -> None:
        if self.session is not None:
            self.new_window_wanted.emit(self.session.spec)

    def open(self, spec: RegionSpec) -> Session:
        """Open a region here, in place of the one that is open."""
        self.close_region()
        session = self._make_session(spec)
        self.session = session
        self.indicators.set_session(session)
        session.frame_arrived.connect(self._frame)
        session.opened.connect(self._opened)
        self.view.set_session(session)
        for panel in self._panels:
            panel.set_session(session)
        self.setWindowTitle(f"{Path(spec.location).name} - IVSHMEM Scope")
        session.start()
        self.view.hex.setFocus()
        return session

    def close_region(self) -> None:
        """Let go of the region, if one is open."""
        session, self.session = self.session, None
        if session is None:
            return
        self.indicators.set_session(None)
        self.view.set_session(None)
        for panel in self._panels:
            panel.set_session(None)
        session.close()
        self.devices.set_open("")
        self.setWindowTitle("IVSHMEM Scope")

    def _opened(self, info: RegionInfo) -> None:
        self._cursor(self.view.hex.cursor())
        self.setWindowTitle(f"{info.name} - IVSHMEM Scope")
        self.devices.set_open(info.spec.location)
        self._settings.remember("recent", f"{info.spec.kind.value}:{info.spec.location}")
        self.devices.set_recent(self._settings.get("recent", []))

    def _frame(self, frame: Frame) -> None:
        self.inspector.set_frame(frame)
        self.activity.set_frame(frame)
        self.hex_flash.set_frame(frame)

    def _cursor(self, offset: int) -> None:
        self.status.set_cursor(offset)
        self.inspector.set_cursor(offset)
        self.write.set_cursor(offset)

    def _selection(self, start: int, length: int) -> None:
        self.status.set_selection(length)
        self.write.set_selection(start, length)

    def _write_tool(self, tool: str) -> None:
        self.docks.show("write")
        self.write.show_tool(tool)

    def _load_dropped(self, path: str, offset: int) -> None:
        self._write_tool("load")
        self.write.set_load(path, offset)

    # -- around it -------------------------------------------------------------------------------

    def set_devices(self, found: DeviceList) -> None:
        """Show what was found."""
        self.devices.set_devices(found)
        self.toolbar.set_devices(found)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        for part in (self.toolbar, self.status, self.view, self.devices, *self._panels):
            part.set_theme(theme)

    def report(self, notice: Notice) -> None:
        """A sentence in the message bar."""
        self.view.messages.show_notice(notice)

    def choose_file(self) -> None:
        """Ask for a file and open it as shared memory."""
        path = dialogs.ask_for_region(self)
        if path:
            self.open_path(path)

    def open_path(self, path: str) -> None:
        """Open whatever this text names."""
        try:
            spec = spec_for(path)
        except ScopeError as error:
            self.report(Notice(Level.WARNING, error.message, error.hint, key="open"))
            return
        self.open(spec)

    def choose_screenshot(self) -> None:
        """Save what the window shows, and say so."""
        notice = dialogs.save_picture(self)
        if notice is not None:
            self.report(notice)

    def _show_palette(self) -> None:
        palette = CommandPalette(self.actions_table, self)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)  # each call makes another
        palette.popup()

    def _show_keys(self) -> None:
        views = {
            "Hex view": self.view,
            "Inspector": self.inspector,
            "Devices": self.devices,
            "Measure": self.measure,
        }
        dialogs.show_keys(self.actions_table, views, self)

    # -- layout and closing ----------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """The first time, the default layout takes the size that the window really has."""
        super().showEvent(event)
        self.docks.keep_room()
        if not self._laid_out:
            self._laid_out = True
            self.docks.resize()

    def remember(self) -> None:
        """Put the layout into the settings."""
        self._state.save()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes on until it is somewhere that a person can see."""
        move = super().focusNextPrevChild
        return self.docks.until_seen(lambda: move(forward))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the layout, close the region, emit `closing`."""
        self.remember()
        self.close_region()
        self.closing.emit(self)
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A file dropped on the window is opened."""
        if event.mimeData().hasUrls() and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open it."""
        self.open_path(event.mimeData().urls()[0].toLocalFile())
