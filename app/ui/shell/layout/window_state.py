"""What a window remembers from one start to the next: its place, its layouts, its views."""

from __future__ import annotations

from typing import Any, Protocol

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow

from ....core.storage.settings import Settings
from .workspaces import FIRST, Workspaces


class Remembered(Protocol):
    """A view whose settings are saved."""

    def state(self) -> dict[str, Any]:
        """As plain values."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take them back; what makes no sense is left out."""


class WindowState:
    """Between one window and the settings.

    Args:
        settings: Where it is kept.
        window: Whose place is remembered.
        workspaces: Its workspaces.
        views: Its views, by the name in the settings.
    """

    def __init__(
        self,
        settings: Settings,
        window: QMainWindow,
        workspaces: Workspaces,
        views: dict[str, Remembered],
    ) -> None:
        self._settings = settings
        self._window = window
        self._workspaces = workspaces
        self._views = views

    def restore(self) -> None:
        """Set all as it was, or by default."""
        geometry = self._settings.get("window.geometry", "")
        if geometry:
            self._window.restoreGeometry(QByteArray.fromBase64(geometry.encode("ascii", "replace")))
        for name, view in self._views.items():
            view.restore(self._settings.get(name, {}))
        layouts = dict(self._settings.get("window.layouts", {}))
        before = self._settings.get("window.docks", "")  # the one layout of older versions
        if before and FIRST not in layouts:
            size = self._window.size()
            layouts[FIRST] = {"docks": before, "size": [size.width(), size.height()]}
        self._workspaces.restore(layouts, self._settings.get("window.workspace", FIRST))

    def save(self) -> None:
        """Put it into the settings."""
        geometry = bytes(self._window.saveGeometry().toBase64().data()).decode("ascii")
        self._settings.set("window.geometry", geometry)
        self._settings.set("window.layouts", self._workspaces.state())
        self._settings.set("window.workspace", self._workspaces.current)
        for name, view in self._views.items():
            self._settings.set(name, view.state())
