"""How a write goes while its tool is not in sight: told below the bytes, as an undo is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.watch.frame import Level
from ...session.notice import Notice
from ...session.write_requests import Working

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from ...session.session import Session

_KEY = "write tool"


class OutOfSight:
    """Shows in the region's view what the panel shows, while nobody can see the panel.

    Args:
        panel: The panel; behind another tab it is not in sight either.
    """

    def __init__(self, panel: QWidget) -> None:
        self._panel = panel
        self._shown = False

    @property
    def _hidden(self) -> bool:
        return self._panel.visibleRegion().isEmpty()

    def progress(self, session: Session | None, work: Working) -> None:
        """How far it is."""
        if session is not None and (self._hidden or self._shown):
            self._shown = self._hidden
            session.writing.working.emit(work if self._shown else None)

    def ended(self, session: Session | None, text: str, *, bad: bool) -> None:
        """It is over, with these words."""
        if session is None:
            return
        if self._shown:
            self._shown = False
            session.writing.working.emit(None)
        if self._hidden and text:
            level = Level.WARNING if bad else Level.GOOD
            session.writing.notice.emit(Notice(level, text, key=_KEY))
