"""Docks with one good default, remembered."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

_STATE_VERSION = 1


class Docks:
    """The docks of one window, by name."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._docks: dict[str, QDockWidget] = {}
        window.setDockNestingEnabled(True)
        corner, area = Qt.Corner, Qt.DockWidgetArea
        window.setCorner(corner.BottomLeftCorner, area.BottomDockWidgetArea)
        window.setCorner(corner.BottomRightCorner, area.BottomDockWidgetArea)

    def add(self, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        """Put a panel into a dock."""
        dock = QDockWidget(title, self._window)
        dock.setObjectName(f"dock-{name}")
        dock.setWidget(widget)
        self._docks[name] = dock
        self._window.addDockWidget(area, dock)
        return dock

    def tab(self, *names: str) -> None:
        """Lay docks behind one another; the first is in front."""
        first = self._docks[names[0]]
        for name in names[1:]:
            self._window.tabifyDockWidget(first, self._docks[name])
        first.raise_()

    def __getitem__(self, name: str) -> QDockWidget:
        return self._docks[name]

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
        ):
            window.addDockWidget(place, self._docks[name])
        self.tab("activity", "write", "journal")
        docks = self._docks
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        window.resizeDocks([docks["devices"], docks["inspector"]], [232, 280], horizontal)
        window.resizeDocks([docks["activity"]], [max(190, window.height() * 28 // 100)], vertical)

    def state(self) -> str:
        """The layout as text for the settings."""
        return bytes(self._window.saveState(_STATE_VERSION).toBase64().data()).decode("ascii")

    def restore(self, state: str) -> bool:
        """Lay out as remembered; False when the text is not such a state."""
        return self._window.restoreState(
            QByteArray.fromBase64(state.encode("ascii", "replace")), _STATE_VERSION
        )
