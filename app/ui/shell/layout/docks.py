"""The docks of a window: one per panel, named once, each to be had back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QTabBar, QTabWidget, QWidget

from ...panel import Panel

_STATE_VERSION = 1
_FIELDS = 200  # more than a window has


class Docks:
    """The docks of one window, by the name of their panel.

    Attributes:
        panels: What stands in them, in the catalogue's order.
        beside_bytes: Whether they stand around the hex view, or are all there is.

    Args:
        window: Whose docks.
    """

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._docks: dict[str, QDockWidget] = {}
        self.panels: list[Panel] = []
        self.beside_bytes = True
        window.setDockNestingEnabled(True)
        corner, area = Qt.Corner, Qt.DockWidgetArea
        window.setCorner(corner.BottomLeftCorner, area.BottomDockWidgetArea)
        window.setCorner(corner.BottomRightCorner, area.BottomDockWidgetArea)
        window.setTabPosition(area.BottomDockWidgetArea, QTabWidget.TabPosition.North)

    def add(self, panel: Panel) -> None:
        """Put a panel into a dock."""
        about = panel.about
        dock = QDockWidget(about.title, self._window)
        dock.setObjectName(f"dock-{about.name}")
        dock.setWidget(panel)
        self.panels.append(panel)
        self._docks[about.name] = dock
        self._window.addDockWidget(about.area, dock)
        dock.topLevelChanged.connect(lambda _floats: self.fit_titles())
        dock.dockLocationChanged.connect(lambda _area: self.fit_titles())
        dock.toggleViewAction().triggered.connect(lambda _on: self.fit_titles())
        dock.visibilityChanged.connect(panel.shown)

    def __getitem__(self, name: str) -> QDockWidget:
        return self._docks[name]

    def __iter__(self) -> Iterator[QDockWidget]:
        return iter(self._docks.values())

    def name_of(self, dock: QDockWidget) -> str:
        """The name of the panel in a dock."""
        return next(name for name, one in self._docks.items() if one is dock)

    def in_window(self) -> list[QDockWidget]:
        """Those that are shown and part of the window, also behind another's tab."""
        return [dock for dock in self if not dock.isHidden() and not dock.isFloating()]

    def fit_titles(self) -> None:
        """A dock among tabs is named by its tab, one that is all there is by its workspace.

        A title above it would say the same again.
        """
        shown = self.in_window()
        alone = len(shown) == 1 and not self.beside_bytes
        for dock in self:
            named = [other for other in self._window.tabifiedDockWidgets(dock) if other in shown]
            needless = dock in shown and (bool(named) or alone)
            bare = dock.titleBarWidget() is not None
            if needless and not bare:
                dock.setTitleBarWidget(QWidget(dock))
            elif bare and not needless:
                dock.setTitleBarWidget(None)  # type: ignore[arg-type]  # None gives Qt's own back
        for bar in self._window.findChildren(QTabBar):
            if bar.parent() is self._window and not bar.property("docks"):
                bar.setProperty("docks", True)
                bar.setDrawBase(False)
                bar.setToolTip("Double click to let a panel float")
                bar.tabBarDoubleClicked.connect(lambda at, bar=bar: self._float(bar.tabText(at)))

    def _tabs(self, dock: QDockWidget) -> QTabBar | None:
        """The tabs that a dock stands among; None when it stands alone."""
        for bar in self._window.findChildren(QTabBar):
            titles = [bar.tabText(at) for at in range(bar.count())]
            if bar.parent() is self._window and bar.isVisible() and dock.windowTitle() in titles:
                return bar
        return None

    def tab_height(self, dock: QDockWidget) -> int:
        """What the tabs above or below a dock take of its place; 0 without any."""
        bar = self._tabs(dock)
        return bar.height() if bar is not None else 0

    def in_front(self) -> list[QDockWidget]:
        """Those of the window that are not behind another's tab; only these have a true size."""
        found = ((dock, self._tabs(dock)) for dock in self.in_window())
        return [
            dock
            for dock, bar in found
            if bar is None or bar.tabText(bar.currentIndex()) == dock.windowTitle()
        ]

    def _float(self, title: str) -> None:
        for dock in self:
            if dock.windowTitle() == title and not dock.isFloating():
                dock.setFloating(True)

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
        """Bring a panel to the front where it stands, and give it the focus."""
        dock = self._docks[name]
        dock.show()
        dock.raise_()
        self.fit_titles()
        widget = dock.widget()
        if widget is not None:
            widget.setFocus()

    def menu(self, parent: QWidget) -> QMenu:
        """Which panels are shown, to switch them on and off."""
        menu = QMenu(parent)
        for dock in self:
            menu.addAction(dock.toggleViewAction())
        menu.addSeparator()
        return menu

    def state(self) -> str:
        """The layout as text for the settings."""
        return bytes(self._window.saveState(_STATE_VERSION).toBase64().data()).decode("ascii")

    def restore(self, state: str) -> bool:
        """Lay out as remembered; False when the text is not such a state."""
        done = self._window.restoreState(
            QByteArray.fromBase64(state.encode("ascii", "replace")), _STATE_VERSION
        )
        self.fit_titles()
        return done
