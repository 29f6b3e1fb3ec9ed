"""What a window remembers from one start to the next: its place, its docks, its views' settings."""

from __future__ import annotations

from typing import Any, Protocol

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow

from ...core.storage.settings import Settings
from .docks import Docks


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
        docks: Its docks.
        views: Its views, by the name in the settings.
    """

    def __init__(
        self, settings: Settings, window: QMainWindow, docks: Docks, views: dict[str, Remembered]
    ) -> None:
        self._settings = settings
        self._window = window
        self._docks = docks
        self._views = views

    def restore(self) -> bool:
        """Set all as it was; False where the docks got the default layout."""
        geometry = self._settings.get("window.geometry", "")
        if geometry:
            self._window.restoreGeometry(QByteArray.fromBase64(geometry.encode("ascii", "replace")))
        docks = self._settings.get("window.docks", "")
        laid_out = bool(docks) and self._docks.restore(docks)
        if not laid_out:
            self._docks.default()
        for name, view in self._views.items():
            view.restore(self._settings.get(name, {}))
        return laid_out

    def save(self) -> None:
        """Put it into the settings."""
        geometry = bytes(self._window.saveGeometry().toBase64().data()).decode("ascii")
        self._settings.set("window.geometry", geometry)
        self._settings.set("window.docks", self._docks.state())
        for name, view in self._views.items():
            self._settings.set(name, view.state())
