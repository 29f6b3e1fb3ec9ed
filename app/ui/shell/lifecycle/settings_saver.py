"""Settings are written soon after they change, off the window's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from ....core.storage.settings import Settings

SOON_MS: Final = 500
# Sizes of docks and columns have no signal each; they are compared now and then.
COMPARE_MS: Final = 5000


class SettingsSaver(QObject):
    """Writes the settings while the program runs, so that a crash costs the last moments only.

    Args:
        settings: What to write.
        remember: Puts what has no signal of its own (layouts) into the settings.

    Signals:
        failed(str): They cannot be written; each reason is reported once.
    """

    failed = Signal(str)

    def __init__(
        self, settings: Settings, remember: Callable[[], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._remember = remember
        self._reported = settings.problem
        self._thread: threading.Thread | None = None
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS)
        self._soon.timeout.connect(self._save_in_background)
        self._compare = QTimer(self, interval=COMPARE_MS)
        self._compare.timeout.connect(remember)
        self._compare.start()
        settings.on_change = self._save_soon

    def _save_soon(self) -> None:
        if not self._soon.isActive():  # a change that follows does not put it off
            self._soon.start()

    def _save_in_background(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self._soon.start()
            return
        self._thread = threading.Thread(target=self._save, name="settings-save", daemon=True)
        self._thread.start()

    def _save(self) -> None:
        self._settings.save()
        problem = self._settings.problem
        if problem != self._reported:
            self._reported = problem
            self.failed.emit(problem)

    def stop(self) -> None:
        """Write what is left. Safe to call twice."""
        self._compare.stop()
        self._soon.stop()
        self._settings.on_change = lambda: None
        self._remember()
        if self._thread is not None:
            self._thread.join(2.0)
        self._settings.save()
