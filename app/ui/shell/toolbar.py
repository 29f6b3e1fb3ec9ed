"""The one tool bar: which device, is it live, may we write, and the way to everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from ...core.measure.bandwidth.mapping_speed import MappingSpeed
from ...core.region.region import RegionInfo, RegionKind
from ...core.values.units import format_size
from ...core.watch.frame import Health, Level
from ..style.icons import icon
from ..style.theme import SYMBOLS, Theme
from .actions import Actions

if TYPE_CHECKING:
    from ...core.discovery.finder import DeviceList

_OTHERS = 720  # what everything but the name takes, generously
_LEAST_NAME = 140
RATES: tuple[int, ...] = (1, 2, 5, 10, 20, 30, 60, 120, 240)
_ICONS = {
    "pause": "pause",
    "step": "step",
    "undo": "undo",
    "redo": "redo",
    "goto": "goto",
    "theme": "theme",
    "retry": "refresh",
    "palette": "search",
}


class ToolBar(QToolBar):
    """Device, live indicator with rate, pause, step, lock, undo, redo, go to, menu.

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
        self.setIconSize(QSize(16, 16))
        self._actions = actions
        self._theme: Theme | None = None
        self._locked = True
        self._name = self._amount = ""
        self._about = ""
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
        for name in ("pause", "step"):
            self.addAction(self._actions[name])
        self.addSeparator()
        self.addWidget(self.lock)
        for name in ("undo", "redo"):
            self.addAction(self._actions[name])
        self.addSeparator()
        self.addAction(self._actions["goto"])
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spacer)
        self.addAction(self._actions["palette"])
        self.addAction(self._actions["theme"])
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

    def set_theme(self, theme: Theme) -> None:
        """Tint the icons."""
        self._theme = theme
        for name, picture in _ICONS.items():
            self._actions[name].setIcon(icon(picture, theme))
        self.menu_button.setIcon(icon("menu", theme))
        self.set_locked(self._locked)

    def set_devices(self, found: DeviceList) -> None:
        """Offer what was found, and the ways to more."""
        menu = QMenu(self.device)
        for device in found.devices:
            if device.likely_shared:
                action = menu.addAction(f"{device.name}   {device.location}")
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
            self._name = info.name if info.spec.kind is RegionKind.WINDOWS else info.path
            self._amount = format_size(info.size)
            self._about = "\n".join(part for part in (info.path, info.cache, *info.details) if part)
            self.device.setToolTip(self._about)
        self._fit_name()

    def _fit_name(self) -> None:
        """A long path gives way in its middle before any button does."""
        if not self._name:
            self.device.setText("No region open  ▾")
            return
        room = max(_LEAST_NAME, self.width() - _OTHERS)
        metrics = self.device.fontMetrics()
        name = metrics.elidedText(self._name, Qt.TextElideMode.ElideMiddle, room)
        self.device.setText(f"{name} · {self._amount}  ▾")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The name takes what room is left."""
        super().resizeEvent(event)
        self._fit_name()

    def set_speed(self, speed: MappingSpeed) -> None:
        """Tell how fast the mapping was measured to be, beside its cache mode."""
        self.device.setToolTip(f"{self._about}\n{speed.sentence}")

    def set_rate(self, hz: float, *, paused: bool, health: Health | None = None) -> None:
        """Show the live indicator."""
        level = health.level if health else Level.GOOD
        if level is Level.FAULT:
            self.live.setText(f"{SYMBOLS[level]} lost")
        else:
            self.live.setText("❚❚ paused" if paused else f"● live {hz:g} Hz")
        for action in self._rates.actions():
            action.setChecked(action.data() == hz)
        if self._theme is not None:
            theme = self._theme
            color = theme.warning if paused else theme.level(level).name()
            self.live.setStyleSheet(f"color: {color}")

    def set_locked(self, locked: bool) -> None:
        """Show the lock; an open one is loud."""
        self._locked = locked
        self._actions["lock"].setText("Unlock writing" if locked else "Lock writing")
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
