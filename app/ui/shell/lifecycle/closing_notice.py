"""What a closed window's engine still puts in order, in a small window of its own."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ...style.outside_text import PlainLabel

_WIDTH: Final = 420
_MARGIN: Final = 16


class ClosingNotice(QWidget):
    """One sentence for each region that is being closed; hidden while there is none.

    The region's own window is gone by then, and the other windows stay usable.
    """

    def __init__(self) -> None:
        super().__init__(None, Qt.WindowType.Tool | Qt.WindowType.WindowTitleHint)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, on=False)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle("Closing - IVSHMEM Scope")
        self._waits: dict[str, str] = {}
        self.label = PlainLabel(wrapped=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.addWidget(self.label)
        self.setFixedWidth(_WIDTH)

    def tell(self, region: str, waits: str) -> None:
        """Set what closing this region waits for; an empty text removes it."""
        if waits:
            self._waits[region] = waits
        else:
            self._waits.pop(region, None)
        self.label.set_lines(f"{name}: {text}" for name, text in self._waits.items())
        self.setVisible(bool(self._waits))
        self.adjustSize()
