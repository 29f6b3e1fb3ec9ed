"""Docks with one good default, remembered."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QTabWidget, QWidget

_STATE_VERSION = 1
_BYTES_IN_A_ROW = (16, 8)
_MINIMAP = 36
_BESIDE = 52  # the minimap, what divides the docks, and some air
_FIELDS = 200  # more than a window has


class Docks:
    """The docks of one window, by name.

    Args:
        window: Whose docks.
        room_for: What the hex view takes for so many bytes in a row.
    """

    def __init__(self, window: QMainWindow, room_for: Callable[[int], int]) -> None:
        self._window = window
        self._room_for = room_for
        self._docks: dict[str, QDockWidget] = {}
        window.setDockNestingEnabled(True)
        corner, area = Qt.Corner, Qt.DockWidgetArea
        window.setCorner(corner.BottomLeftCorner, area.BottomDockWidgetArea)
        window.setCorner(corner.BottomRightCorner, area.BottomDockWidgetArea)
        window.setTabPosition(area.BottomDockWidgetArea, QTabWidget.TabPosition.North)

    def add(self, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        """Put a panel into a dock."""
        dock = QDockWidget(title, self._window)
        dock.setObjectName(f"dock-{name}")
        dock.setWidget(widget)
        self._docks[name] = dock
        self._window.addDockWidget(area, dock)
        dock.topLevelChanged.connect(lambda _floats: self._fit_titles())
        dock.dockLocationChanged.connect(lambda _area: self._fit_titles())
        return dock

    def _fit_titles(self) -> None:
        """A dock among tabs is named by its tab; a title above it would say the same again."""
        for dock in self._docks.values():
            tabbed = bool(self._window.tabifiedDockWidgets(dock)) and not dock.isFloating()
            bare = dock.titleBarWidget() is not None
            if tabbed and not bare:
                dock.setTitleBarWidget(QWidget(dock))
            elif bare and not tabbed:
                dock.setTitleBarWidget(None)  # type: ignore[arg-type]  # None gives Qt's own back
        for bar in self._window.findChildren(QTabBar):
            if not bar.property("docks"):
                bar.setProperty("docks", True)
                bar.setToolTip("Double click to let a panel float")
                bar.tabBarDoubleClicked.connect(lambda at, bar=bar: self._float(bar.tabText(at)))

    def _float(self, title: str) -> None:
        for dock in self._docks.values():
            if dock.windowTitle() == title and not dock.isFloating():
                dock.setFloating(True)

    def tab(self, *names: str) -> None:
        """Lay docks behind one another; the first is in front."""
        first = self._docks[names[0]]
        for name in names[1:]:
            self._window.tabifyDockWidget(first, self._docks[name])
        first.raise_()

    def __getitem__(self, name: str) -> QDockWidget:
        return self._docks[name]

    def behind(self, widget: QWidget | None) -> bool:
        """Whether a widget is in a dock behind another's tab, which Qt does not call hidden."""
        while widget is not None and not isinstance(widget, QDockWidget):
            widget = widget.parentWidget()
        return widget is not None and widget.visibleRegion().isEmpty()

    def until_seen(self, move: Callable[[], bool]) -> bool:
        """Move the focus on until it is not behind a tab; False where it cannot be moved."""
        found = move()
        for _ in range(_FIELDS):
            if not found or not self.behind(self._window.focusWidget()):
                break
            found = move()
        return found

    def show(self, name: str) -> None:
        """Bring a panel to the front and give it the focus."""
        dock = self._docks[name]
        dock.show()
        dock.raise_()
        widget = dock.widget()
        if widget is not None:
            widget.setFocus()

    def default(self) -> None:
        """The layout of the first start."""
        window, area = self._window, Qt.DockWidgetArea
        for dock in self._docks.values():
            dock.setFloating(False)
            dock.show()
        for name, place in (
            ("devices", area.LeftDockWidgetArea),
            ("inspector", area.RightDockWidgetArea),
            ("activity", area.BottomDockWidgetArea),
            ("write", area.BottomDockWidgetArea),
            ("journal", area.BottomDockWidgetArea),
            ("measure", area.BottomDockWidgetArea),
        ):
            window.addDockWidget(place, self._docks[name])
        self.tab("activity", "write", "measure", "journal")
        self._fit_titles()
        self.resize()

    def resize(self) -> None:
        """Sizes that suit the window: whole rows of bytes first, then what reads well."""
        window, docks = self._window, self._docks
        width, height = window.width(), window.height()
        left = 200 if width < 1100 else 232
        rooms = [self._room_for(columns) + _BESIDE for columns in _BYTES_IN_A_ROW]
        hexes = next((room for room in rooms if width - left - room >= 240), 300)
        right = min(456, max(240, width - left - hexes))
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        window.resizeDocks([docks["devices"], docks["inspector"]], [left, right], horizontal)
        window.resizeDocks([docks["activity"]], [min(420, max(196, height * 27 // 100))], vertical)

    def keep_room(self) -> None:
        """Where the window is made narrow, docks give way before a row of bytes does."""
        central = self._window.centralWidget()
        if central is not None:
            central.setMinimumWidth(self._room_for(_BYTES_IN_A_ROW[-1]) + _MINIMAP)

    def state(self) -> str:
        """The layout as text for the settings."""
        return bytes(self._window.saveState(_STATE_VERSION).toBase64().data()).decode("ascii")

    def restore(self, state: str) -> bool:
        """Lay out as remembered; False when the text is not such a state."""
        done = self._window.restoreState(
            QByteArray.fromBase64(state.encode("ascii", "replace")), _STATE_VERSION
        )
        self._fit_titles()
        return done
