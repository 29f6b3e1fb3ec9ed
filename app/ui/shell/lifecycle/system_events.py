"""Windows' messages to the window: devices came or went, the machine woke up.

Mappings are not released here before a device stops or the machine sleeps: the process that has the
mapping gets notices of its own (app.core.backends.windows.notices). The window only learns when its
device list may be out of date, and when a Retry may help.
"""

from __future__ import annotations

import sys
from ctypes import wintypes
from typing import Final

from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray, QCoreApplication, QObject, QTimer
from PySide6.QtCore import Signal as QtSignal

WM_POWERBROADCAST: Final = 0x0218
WM_DEVICECHANGE: Final = 0x0219
DEVNODES_CHANGED: Final = 0x0007  # DBT_DEVNODES_CHANGED: sent to every top-level window
RESUMED: Final = (0x0007, 0x0012)  # PBT_APMRESUMESUSPEND, PBT_APMRESUMEAUTOMATIC
_ON_WINDOWS: Final[bool] = sys.platform == "win32"
_SETTLE_MS: Final = 500  # Windows sends a burst for one device


class WindowsEvents(QObject):
    """Turns the messages into signals; harmless where the system is not Windows.

    Signals:
        devices_changed: Some device came or went: search again. A burst is one signal.
        resumed: The machine woke up.
    """

    devices_changed = QtSignal()
    resumed = QtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self.devices_changed)
        self._filter = _Filter(self)

    def start(self) -> bool:
        """Listen, on Windows; whether it does."""
        application = QCoreApplication.instance()
        if not _ON_WINDOWS or application is None:
            return False
        application.installNativeEventFilter(self._filter)
        return True

    def stop(self) -> None:
        """Stop listening."""
        self._settle.stop()
        application = QCoreApplication.instance()
        if application is not None:
            application.removeNativeEventFilter(self._filter)

    def message(self, number: int, parameter: int) -> None:
        """Handle one message."""
        if number == WM_DEVICECHANGE and parameter == DEVNODES_CHANGED:
            self._settle.start()
        elif number == WM_POWERBROADCAST and parameter in RESUMED:
            self.resumed.emit()


class _Filter(QAbstractNativeEventFilter):
    def __init__(self, events: WindowsEvents) -> None:
        super().__init__()
        self._events = events

    def nativeEventFilter(
        self, kind: QByteArray | bytes | bytearray | memoryview, message: int
    ) -> tuple[bool, int]:
        name = kind.data() if isinstance(kind, QByteArray) else kind
        if bytes(name) == b"windows_generic_MSG":
            told = wintypes.MSG.from_address(int(message))
            self._events.message(told.message, told.wParam)
        return False, 0
