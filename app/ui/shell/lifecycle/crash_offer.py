"""After a crash, the next start offers what the last one left."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from ....core.storage import crash_reports
from ....core.storage.crash_reports import CrashReport
from ....core.watch.frame import Level
from ...session.notice import Notice
from .error_report import ErrorReport

SHOW: Final = "Show report"
COPY: Final = "Copy"
FORGET: Final = "Forget"
KEY: Final = "crash-report"


class CrashOffer(QObject):
    """A line for the message bar; it comes at each start until the report is forgotten.

    Args:
        window: What the report's window belongs to.

    Signals:
        notice(Notice): For the message bar.
        withdrawn(str): The notice with this key is settled.
    """

    notice = Signal(object)
    withdrawn = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._reports: list[CrashReport] = []

    def look(self) -> None:
        """Offer the newest report, if there is one; delete reports without a trace."""
        crash_reports.tidy()
        self._reports = crash_reports.left_behind("window")
        if self._reports:
            text = f"IVSHMEM Scope ended unexpectedly on {self._date()}."
            self.notice.emit(Notice(Level.WARNING, text, actions=(SHOW, COPY, FORGET), key=KEY))

    def _date(self) -> str:
        return time.strftime("%Y-%m-%d at %H:%M", time.localtime(self._reports[-1].ended_s))

    def act(self, word: str) -> None:
        """A button of the message bar was pressed."""
        if not self._reports:
            return
        if word == SHOW:
            self._show(self._reports[-1])
        elif word == COPY:
            QGuiApplication.clipboard().setText(self._reports[-1].text)
        elif word == FORGET:
            for report in self._reports:
                report.forget()
            self._reports = []
            self.withdrawn.emit(KEY)

    def _show(self, report: CrashReport) -> None:
        head = f"IVSHMEM Scope ended unexpectedly on {self._date()}. The report: {report.path}"
        title = "IVSHMEM Scope: crash report"
        dialog = ErrorReport(report.text, title, head, parent=self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
