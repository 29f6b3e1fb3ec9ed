"""The row below graphs and maps: their buttons, what is under the mouse, the scale of colours."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from ...style.combo_box import ComboBox
from ...style.elided_label import ElidedLabel
from ...style.theme import Theme, mono_font
from .heat_scale import Scale

SPANS: Final = (("10 s", 10), ("1 min", 60), ("5 min", 300))


class Controls(QWidget):
    """The row; in a strip, a block at the right of the graphs."""

    def __init__(self) -> None:
        super().__init__()
        self.span = ComboBox()
        for text, seconds in SPANS:
            self.span.addItem(text, seconds)
        self.span.setAccessibleName("Time span of the graphs")
        self.freeze = QPushButton("Freeze")
        self.freeze.setCheckable(True)
        self.freeze.setToolTip("Stop drawing; sampling goes on")
        self.hold = QPushButton("Hold")
        self.hold.setCheckable(True)
        self.hold.setToolTip(
            "Keep on the page activity whatever changes from now on, at its greatest rate. Off and "
            "on, or Clear, begins anew."
        )
        self.clear = QPushButton("Clear")
        self.hover = ElidedLabel()
        self.hover.setFont(mono_font())
        self.scale_name = QLabel("changes per page")
        self.scale = Scale()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(4)
        self.arrange(strip=False)

    @property
    def row_height(self) -> int:
        """What it takes as a row."""
        return max(self.freeze.sizeHint().height(), self.span.sizeHint().height())

    @property
    def block_height(self) -> int:
        """What it takes as a block."""
        parts = self.scale.height(), self.hover.sizeHint().height()
        return self.row_height + sum(parts) + 2 * self._grid.verticalSpacing()

    def arrange(self, *, strip: bool) -> None:
        """As a row, or as a block."""
        grid = self._grid
        buttons = (self.span, self.freeze, self.hold, self.clear)
        for part in (*buttons, self.hover, self.scale_name, self.scale):
            grid.removeWidget(part)
        for column, button in enumerate(buttons):
            grid.addWidget(button, 0, column)
        if strip:
            grid.addWidget(self.scale, 1, 0, 1, len(buttons))
            grid.addWidget(self.hover, 2, 0, 1, len(buttons))
        else:
            grid.addWidget(self.hover, 0, len(buttons))
            grid.addWidget(self.scale_name, 0, len(buttons) + 1)
            grid.addWidget(self.scale, 0, len(buttons) + 2)
        self.scale_name.setVisible(not strip)
        grid.setColumnStretch(len(buttons), 0 if strip else 1)
        grid.setRowStretch(2, 1 if strip else 0)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        for quiet in (self.hover, self.scale_name):
            quiet.setStyleSheet(f"color: {theme.quiet}")
        self.scale.theme = theme
        self.scale.update()
