"""Unexpected errors: logged, and shown once as a report that can be copied."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final

from PySide6.QtCore import (
    QMessageLogContext,
    QObject,
    Qt,
    QtMsgType,
    Signal,
    qInstallMessageHandler,
)
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from ....core.storage import crash_reports
from ....core.storage.logs import describe_system
from ....version import __version__
from ...style.outside_text import PlainLabel
from ...style.theme import mono_font

_GOES_ON: Final = (
    "Something unexpected happened. The program goes on; the memory is untouched "
    "by this. The report below is also in the log."
)
_QT_LEVELS: Final = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
# The offscreen plugin's own remarks; nothing that a person could mend.
_NOISE: Final = ("This plugin does not support",)


class _Reporter(QObject):
    """Carries a report from any thread to the window's."""

    report = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown = False
        self.report.connect(self._show)

    def _show(self, text: str) -> None:
        if self._shown:
            return
        self._shown = True
        ErrorReport(text).exec()
        self._shown = False


class ErrorReport(QDialog):
    """What went wrong, to copy.

    Args:
        text: The report.
        title: What the window is called.
        head_text: A sentence above the report.
        parent: The window that it belongs to.
    """

    def __init__(
        self,
        text: str,
        title: str = "IVSHMEM Scope: unexpected error",
        head_text: str = _GOES_ON,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        head = PlainLabel(head_text)
        head.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head.setWordWrap(True)
        body = QPlainTextEdit(text)
        body.setReadOnly(True)
        body.setFont(mono_font())
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = box.addButton("Copy report", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(text))
        box.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for part in (head, body, box):
            layout.addWidget(part)
        self.resize(720, 420)


@contextmanager
def reported() -> Iterator[None]:
    """Report uncaught exceptions of every thread, and Qt's own messages, to the log."""
    reporter = _Reporter()

    def on_error(
        _kind: type[BaseException], error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, KeyboardInterrupt):
            return
        stack = crash_reports.record(error, seen=True)
        reporter.report.emit(f"IVSHMEM Scope {__version__}\n{describe_system()}\n\n{stack}")

    def on_thread_error(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit:
            on_error(args.exc_type, args.exc_value, args.exc_traceback)

    def on_qt(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        if not text.startswith(_NOISE):
            logging.getLogger("qt").log(_QT_LEVELS.get(kind, logging.WARNING), "%s", text)

    old_error, old_thread = sys.excepthook, threading.excepthook
    sys.excepthook = on_error
    threading.excepthook = on_thread_error
    old_qt = qInstallMessageHandler(on_qt)
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = old_error, old_thread
        qInstallMessageHandler(old_qt)
