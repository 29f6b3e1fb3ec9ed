"""The one tool bar: which device, is it live, may we write, workspaces, the way to all else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QResizeEvent
from PySide6.QtWidgets import (
    QMenu,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from ...core.measure.bandwidth.mapping_speed import MappingSpeed
from ...core.region.region import RegionInfo, RegionKind
from ...core.values.units import format_size
from ...core.watch.frame import Health, Level
from ..session.state_words import state_word
from ..style.icons import icon
from ..style.outside_text import button_text, printable, tip
from ..style.theme import SYMBOLS, Theme
from .actions import Actions
from .layout.workspaces import WORKSPACES, action_name

if TYPE_CHECKING:
    from ...core.discovery.finder import DeviceList

_LEAST_NAME = 140  # pixels
_SHORTEST_NAME = 32  # with less it is left out
_AIR = 12  # between what stands left and what stands right
RATES: tuple[int, ...] = (1, 2, 5, 10, 20, 30, 60, 120, 240)
# In a narrow window these give way, in this order; each has its key, and stands in the menu.
_GIVE_WAY = ("theme", "goto", "redo", "undo", "step")


class ToolBar(QToolBar):
    """Device, live indicator with rate, pause, step, lock, undo, redo, go to, workspaces, menu.

    It stays: it cannot be moved, floated or switched off, since the only menu is in it.

    Signals:
        open_wanted(RegionSpec): A device of the menu was chosen.
        rate_wanted(float): Looks per second chosen.
        lock_wanted(bool): True to lock.
    """

    open_wanted = Signal(object)
    rate_wanted = Signal(float)
    lock_wanted = Signal(bool)

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__("Main", parent)
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setFloatable(False)
        self.setAllowedAreas(Qt.ToolBarArea.TopToolBarArea)
        self.toggleViewAction().setEnabled(False)
        self.toggleViewAction().setVisible(False)
        self.setIconSize(QSize(16, 16))
        self._actions = actions
        self._theme: Theme | None = None
        self._locked = True
        self._name = self._amount = ""
        self._buttons: dict[str, QWidgetAction] = {}
        self.workspaces: dict[str, QToolButton] = {}
        self._about = ""
        self._rate: tuple[float, bool, Health | None] = (60, False, None)
        self.device = QToolButton(popupMode=QToolButton.ToolButtonPopupMode.InstantPopup)
        self.device.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.device.setText("No region open")
        self.device.setToolTip("Open another region")
        self.live = QToolButton(popupMode=QToolButton.ToolButtonPopupMode.InstantPopup)
        self.live.setToolTip("Looks per second")
        self.lock = QToolButton()
        self.lock.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.lock.clicked.connect(lambda: self.lock_wanted.emit(not self._locked))
        self.menu_button = QToolButton(popupMode=QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setToolTip("All actions (Ctrl+Shift+P searches them)")
        menu = QMenu(self.menu_button)
        actions.fill_menu(menu)
        self.menu_button.setMenu(menu)
        self._fill()
        self.set_rate(60, paused=False)
        self.set_region(None)

    def _fill(self) -> None:
        for widget in (self.device, self.live):
            self.addWidget(widget)
        self._add_buttons("pause", "step")
        self.addSeparator()
        self.addWidget(self.lock)
        self._add_buttons("undo", "redo", "goto")
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._spacer = self.addWidget(spacer)
        self._add_workspaces()
        self.addSeparator()
        self._add_buttons("palette", "theme")
        self.addWidget(self.menu_button)
        self._rates = QActionGroup(self)
        rates = QMenu(self.live)
        for hz in RATES:
            action = rates.addAction(f"{hz} Hz")
            action.setCheckable(True)
            action.setData(hz)
            self._rates.addAction(action)
        self._rates.triggered.connect(lambda action: self.rate_wanted.emit(float(action.data())))
        self.live.setMenu(rates)

    def _add_buttons(self, *names: str) -> None:
        for name in names:
            button = QToolButton()
            button.setDefaultAction(self._actions[name])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            added = self.addWidget(button)
            assert isinstance(added, QWidgetAction)
            self._buttons[name] = added

    def _add_workspaces(self) -> None:
        """Their names, side by side; the one that is on is marked."""
        group = QActionGroup(self)
        for workspace in WORKSPACES:
            action = self._actions[action_name(workspace.name)]
            action.setIconText(workspace.title)
            group.addAction(action)
            button = QToolButton()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setProperty("workspace", True)
            self.addWidget(button)
            self.workspaces[workspace.name] = button

    def show_workspace(self, name: str) -> None:
        """Mark the workspace that is on."""
        self._actions[action_name(name)].setChecked(True)

    def set_theme(self, theme: Theme) -> None:
        """Tint the icons."""
        self._theme = theme
        for entry, action in self._actions.items():
            if entry.icon:
                action.setIcon(icon(entry.icon, theme))
        for button in self.workspaces.values():
            button.setStyleSheet(
                f"QToolButton {{ color: {theme.quiet}; padding: 4px 8px; border-radius: 0;"
                f" border: none; border-bottom: 2px solid transparent; }}"
                f"QToolButton:hover {{ color: {theme.text}; background: {theme.hover}; }}"
                f"QToolButton:checked {{ color: {theme.text}; background: transparent;"
                f" border-bottom-color: {theme.mine}; }}"
            )
        self.menu_button.setIcon(icon("menu", theme))
        self.set_locked(self._locked)
        hz, paused, health = self._rate
        if self._name:
            self.set_rate(hz, paused=paused, health=health)

    def set_devices(self, found: DeviceList) -> None:
        """Offer what was found, and the ways to more."""
        before = self.device.menu()
        if before is not None:
            before.deleteLater()  # devices come and go for weeks
        menu = QMenu(self.device)
        for device in found.devices:
            if device.likely_shared:
                action = menu.addAction(button_text(f"{device.name}   {device.location}"))
                action.triggered.connect(
                    lambda _=False, spec=device.spec: self.open_wanted.emit(spec)
                )
        menu.addSeparator()
        menu.addAction(self._actions["open_file"])
        menu.addAction(self._actions["demo"])
        self.device.setMenu(menu)

    def set_region(self, info: RegionInfo | None) -> None:
        """Name what is open."""
        if info is None:
            self._name = ""
            self.device.setToolTip("Open another region")
            self.live.setText("○ idle")
        else:
            # A Windows interface path is long and tells a person nothing.
            self._name = printable(info.name if info.spec.kind is RegionKind.WINDOWS else info.path)
            self._amount = format_size(info.size)
            self._about = "\n".join(
                printable(part) for part in (info.path, info.cache, *info.details) if part
            )
            self.device.setToolTip(tip(self._about))
        self._fit_name()

    def _fit_name(self) -> None:
        """Elide a long path in its middle, then hide buttons that the menu has too."""
        metrics = self.device.fontMetrics()
        tail = f"{self._amount}  ▾" if self._name else "No region open  ▾"
        least = min(_LEAST_NAME, metrics.horizontalAdvance(f"{self._name} · "))
        for name in _GIVE_WAY:
            self._buttons[name].setVisible(True)
        for name in _GIVE_WAY:
            if self._room(tail) >= least:
                break
            self._buttons[name].setVisible(False)
        middle, room = Qt.TextElideMode.ElideMiddle, self._room(f" · {tail}")
        shown = bool(self._name) and room >= _SHORTEST_NAME
        name = metrics.elidedText(self._name, middle, room) + " · " if shown else ""
        self.device.setText(button_text(name + tail))

    def _room(self, text: str) -> int:
        """Pixels that are left next to this text on the device button and all other parts."""
        self.device.setText(text)
        widths = [
            self.widgetForAction(action).sizeHint().width()
            for action in self.actions()
            if action.isVisible() and action is not self._spacer
        ]
        layout, margins = self.layout(), self.contentsMargins()
        assert layout is not None
        around = layout.contentsMargins()
        taken = sum(widths) + layout.spacing() * len(widths) + around.left() + around.right()
        return self.width() - taken - margins.left() - margins.right() - _AIR

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The name takes what room is left."""
        super().resizeEvent(event)
        self._fit_name()

    def set_speed(self, speed: MappingSpeed) -> None:
        """Show the measured speed of the mapping with its cache mode."""
        self.device.setToolTip(tip(f"{self._about}\n{speed.sentence}"))

    def set_rate(self, hz: float, *, paused: bool, health: Health | None = None) -> None:
        """Show the live indicator."""
        self._rate, before = (hz, paused, health), self.live.text()
        opened = bool(self._name)
        level = health.level if health else Level.GOOD
        if health is not None and level is Level.FAULT:
            self.live.setText(f"{SYMBOLS[level]} {state_word(health, opened=opened)}")
        else:
            self.live.setText("❚❚ paused" if paused else f"● live {hz:g} Hz")
        for action in self._rates.actions():
            action.setChecked(action.data() == hz)
        if self._theme is not None:
            theme = self._theme
            color = theme.warning if paused else theme.level(level).name()
            self.live.setStyleSheet(f"color: {color}")
        if before != self.live.text():
            self._fit_name()

    def set_locked(self, locked: bool) -> None:
        """Show the lock; an open one is emphasised."""
        self._locked = locked
        self._actions["lock"].setText("Unlock writing" if locked else "Lock writing")
        before = self.lock.text()
        self.lock.setText("Writing locked" if locked else "Writing unlocked")
        self.lock.setToolTip(
            "Nothing in this window can change the memory.\n"
            "Click to unlock (Ctrl+L), then type over bytes in the hex view."
            if locked
            else "What you type lands in the memory at once; Ctrl+Z takes it back.\n"
            "Click to lock (Ctrl+L)."
        )
        if self._theme is not None:
            self.lock.setIcon(icon("lock" if locked else "unlock", self._theme))
            color = self._theme.text if locked else self._theme.warning
            self.lock.setStyleSheet(f"color: {color}")
        if before != self.lock.text():
            self._fit_name()
