"""The main window: puts toolbar, docks, region view and status bar together; decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QMenu

from ..core.backends.open_region import spec_for
from ..core.errors import ScopeError
from ..core.region.region import RegionInfo, RegionSpec
from ..core.storage.settings import Settings
from ..core.watch.frame import Level
from .action import WINDOW, Action
from .catalogue import Panels
from .hex.keys import GESTURES, SCOPE
from .panel import PanelHost
from .session.notice import Notice
from .session.session import Session
from .shell import dialogs
from .shell.actions import Actions
from .shell.command_palette import CommandPalette
from .shell.indicators import Indicators
from .shell.layout import screen_fit
from .shell.layout.docks import Docks
from .shell.layout.window_state import Remembered, WindowState
from .shell.layout.workspaces import Workspaces
from .shell.lifecycle.open_at_start import SETTING as OPEN_AT_START
from .shell.session_actions import SessionActions
from .shell.status_bar import StatusBar
from .shell.toolbar import ToolBar
from .shell.welcome import Welcome
from .style.outside_text import printable
from .style.theme import Theme
from .viewer.region_view import RegionView

if TYPE_CHECKING:
    from ..core.discovery.finder import DeviceList


class MainWindow(QMainWindow):
    """One window, one region at a time.

    Signals:
        new_window_wanted(RegionSpec | None): Another window, with this region.
        demo_wanted(): Open the demo here.
        theme_wanted(): Swap light and dark.
        rescan_wanted(): Look for devices now.
        quit_wanted(): End the program.
        start_open_wanted(bool): Whether a fresh start opens a device.
        region_changed(MainWindow): Another region, or none, is open here.
        closing(MainWindow): It closes now.
    """

    new_window_wanted = Signal(object)
    demo_wanted = Signal()
    theme_wanted = Signal()
    rescan_wanted = Signal()
    quit_wanted = Signal()
    start_open_wanted = Signal(bool)
    region_changed = Signal(object)
    closing = Signal(object)

    def __init__(
        self, make_session: Callable[[RegionSpec], Session], settings: Settings, theme: Theme
    ) -> None:
        super().__init__()
        self._make_session = make_session
        self._settings = settings
        self._theme = theme
        self.session: Session | None = None
        self.number = 1
        self._show_name("")
        self.setAcceptDrops(True)
        self.setMinimumSize(screen_fit.LEAST)
        self.resize(screen_fit.WANTED)
        self.view = RegionView(self)
        self.setCentralWidget(self.view)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        self._host = PanelHost(self.view.hex.viewport(), self.view.decorations, self)
        self.view.hex.offers = self._host.byte_offers
        self.panels = Panels(self._host)
        self.docks = Docks(self)
        for panel in self.panels:
            self.docks.add(panel)
        self.workspaces = Workspaces(
            self,
            self.docks,
            show_bytes=self.view.show_body,
            focus_bytes=self.view.hex.setFocus,
            room_for=self.view.hex.room_for,
        )
        self.actions_table = Actions(self)
        self._fill_table()
        self.actions_table["start_open"].setChecked(settings.get(OPEN_AT_START, True))
        self.toolbar = ToolBar(self.actions_table, self)
        self.addToolBar(self.toolbar)
        self.actions_table["reset_layout"].triggered.connect(self.toolbar.show)
        self.indicators = Indicators(self.actions_table, self.toolbar, self.status, self)
        self._welcome = Welcome(self.view.hex, self.actions_table)
        self._connect_view()
        self._connect_panels()
        self.set_theme(theme)
        views: dict[str, Remembered] = {panel.about.name: panel for panel in self.panels}
        views |= {"hex": self.view.hex, "pointers": self.view.following}
        self._state = WindowState(settings, self, self.workspaces, views)
        self._state.restore()
        self.toolbar.show()  # whatever an older version remembered
        self._seen = False
        self._host.recent_changed.emit(settings.get("recent", []))

    # -- putting together -----------------------------------------------------------------------

    def _fill_table(self) -> None:
        table, view = self.actions_table, self.view
        table.add(self._own_actions())
        table.add(SessionActions(lambda: self.session).own_actions())
        table.add_view(SCOPE, view, view.own_actions(), GESTURES)
        table.add(self.workspaces.own_actions())
        for panel in self.panels:
            entries, gestures = panel.own_actions(), panel.own_gestures()
            table.add_view(panel.about.title, panel, entries, gestures)

    def _own_actions(self) -> tuple[Action, ...]:
        def act(
            name: str,
            text: str,
            key: str,
            call: Callable[..., object],
            group: str,
            section: int,
            hint: str = "",
            icon: str = "",
            *,
            region: bool = False,
            checkable: bool = False,
        ) -> Action:
            keys = (key,) if key else ()
            return Action(
                name,
                text,
                keys,
                call,
                WINDOW,
                group,
                section,
                hint,
                icon,
                checkable=checkable,
                needs_session=region,
            )

        def new_window() -> None:
            self.new_window_wanted.emit(None)

        other, any_file = "Open this region in another window", "Any file as shared memory"
        start, choose = "Open a device at start", self._set_start_open
        onset = "The only healthy one, or the one that was open last"
        demo, picture = "A live region with a peer that plays", "Save a picture of the window…"
        return (
            act("open_file", "Open file…", "Ctrl+O", self.choose_file, "File", 0, any_file),
            act("new_window", "New window", "Ctrl+N", new_window, "File", 0),
            act("duplicate", other, "Ctrl+Shift+N", self._duplicate, "File", 0, region=True),
            act("demo", "Open the demo", "", self.demo_wanted.emit, "File", 0, demo),
            act("start_open", start, "", choose, "File", 0, onset, checkable=True),
            act("screenshot", picture, "", self.choose_screenshot, "File", 2),
            act("close", "Close window", "Ctrl+W", self.close, "File", 3),
            act("quit", "Quit", "Ctrl+Q", self.quit_wanted.emit, "File", 3),
            act("rescan", "Rescan devices", "Ctrl+F5", self.rescan_wanted.emit, "View", 2),
            act(
                "theme",
                "Light or dark",
                "Ctrl+Shift+L",
                self.theme_wanted.emit,
                "View",
                3,
                "",
                "theme",
            ),
            act(
                "palette",
                "All actions…",
                "Ctrl+Shift+P",
                self._show_palette,
                "Help",
                0,
                "",
                "search",
            ),
            act("keys", "Keys of this view", "F1", self._show_keys, "Help", 0),
            act("about", "About IVSHMEM Scope", "", self._show_about, "Help", 1),
        )

    def _connect_view(self) -> None:
        view, host = self.view, self._host
        view.cursor_moved.connect(self.status.set_cursor)
        view.cursor_moved.connect(host.cursor_moved)
        view.selection_changed.connect(host.selection_changed)
        view.block_selected.connect(self.status.set_selection)
        view.block_selected.connect(host.block_selected)
        view.fill_wanted.connect(lambda: host.tool_wanted.emit("fill"))
        view.load_wanted.connect(host.file_dropped)
        view.sight_wanted.connect(self.workspaces.call_bytes)
        view.speed_measured.connect(self.toolbar.set_speed)
        view.list_wanted.connect(host.list_wanted)
        view.messages.acted.connect(host.answered)
        self.toolbar.open_wanted.connect(self.open)
        self.toolbar.rate_wanted.connect(lambda hz: self._on_session(Session.set_rate, hz))
        self.toolbar.lock_wanted.connect(self._set_locked)
        self.workspaces.changed.connect(self.toolbar.show_workspace)

    def _connect_panels(self) -> None:
        host, view = self._host, self.view
        host.notice.connect(view.messages.show_notice)
        host.goto_wanted.connect(view.go_to)
        host.places_named.connect(view.following.set_places)
        host.hit_wanted.connect(view.show_hit)
        host.sight_wanted.connect(self._bring_to_sight)
        host.write_wanted.connect(view.write)
        host.unlock_wanted.connect(view.say_locked)
        host.open_wanted.connect(self.open)
        host.action_wanted.connect(lambda name: self.actions_table[name].trigger())

    def _bring_to_sight(self, offset: int) -> None:
        """Show the 8 bytes at an offset, without a jump where they are on the screen."""
        if self.view.body.isHidden():
            self.workspaces.call_bytes()
        start, length = self.view.hex.surface.visible_span()
        if not start <= offset <= start + length - 8:
            self.view.go_to(offset)

    # -- the region ------------------------------------------------------------------------------

    def _on_session(self, act: Callable[..., object], *values: object) -> None:
        """Call a method of the session, if there is one."""
        if self.session is not None:
            act(self.session, *values)

    def _set_locked(self, locked: bool) -> None:
        """Lock or unlock; where that is refused, menu and tool bar show the present state."""
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
        session.opened.connect(self._opened)
        self.view.set_session(session)
        self._welcome.set_session(session)
        self.panels.set_session(session)
        self._show_name(Path(spec.location).name)
        self.region_changed.emit(self)
        session.start()
        if self.view.hex.isVisible():
            self.view.hex.setFocus()
        return session

    @property
    def location(self) -> str:
        """Where the open region is; empty when none is open."""
        return self.session.spec.location if self.session is not None else ""

    def set_number(self, number: int) -> None:
        """Which one of the windows on this region it is."""
        self.number = number
        self._show_name(self._name)

    def _show_name(self, name: str) -> None:
        """The title: `name (2) - IVSHMEM Scope`."""
        self._name = name
        which = f" ({self.number})" if self.number > 1 else ""
        self.setWindowTitle(
            f"{printable(name)}{which} - IVSHMEM Scope" if name else "IVSHMEM Scope"
        )

    def close_region(self) -> None:
        """Let go of the region, if one is open."""
        session, self.session = self.session, None
        if session is None:
            return
        self.indicators.set_session(None)
        self.view.set_session(None)
        self._welcome.set_session(None)
        self.panels.set_session(None)
        session.close()
        self._host.region_opened.emit("")
        self._show_name("")
        self.region_changed.emit(self)

    def _opened(self, info: RegionInfo) -> None:
        self.view.cursor_moved.emit(self.view.hex.cursor())
        self._show_name(info.name)
        self._host.region_opened.emit(info.spec.location)
        self._settings.remember("recent", f"{info.spec.kind.value}:{info.spec.location}")
        self._host.recent_changed.emit(self._settings.get("recent", []))

    # -- around it -------------------------------------------------------------------------------

    def set_devices(self, found: DeviceList) -> None:
        """Show what was found."""
        self._host.devices_found.emit(found)
        self.toolbar.set_devices(found)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        for part in (self.toolbar, self.status, self.view, self.panels):
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
        dialogs.show_keys(self.actions_table, self)

    def _set_start_open(self, on: bool) -> None:
        self.start_open_wanted.emit(on)

    def _show_about(self) -> None:
        dialogs.show_about(self)

    # -- layout and closing ----------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """The first time, the layout takes the size that the window really has."""
        super().showEvent(event)
        self.workspaces.layouts.keep_room()
        if not self._seen:
            self._seen = True
            self.workspaces.fit()

    def fit_to_screen(self) -> None:
        """Come onto the screen with all of the window."""
        screen_fit.fit_to_screen(self)

    def createPopupMenu(self) -> QMenu:
        """What a right click on a dock's title or the tool bar offers."""
        menu = self.docks.menu(self)
        menu.addAction(self.actions_table["reset_layout"])
        return menu

    def remember(self) -> None:
        """Put the layout into the settings."""
        self._state.save()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab skips what is hidden behind another tab."""
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
