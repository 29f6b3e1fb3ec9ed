"""The colours of the maps with their rates, and images in these colours."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ...style.heat_colors import TOP_RATE, table_colors
from ...style.theme import DARK

_LABELS: Final = ((0.1, "0.1"), (1, "1"), (10, "10"), (100, "100"), (1000, "1000/s"))


def heat_image(indices: npt.NDArray[np.uint8]) -> QImage:
    """Indices into the heat table as a picture."""
    rows, columns = indices.shape
    padded = np.zeros((rows, (columns + 3) // 4 * 4), np.uint8)
    padded[:, :columns] = indices
    image = QImage(padded.data, columns, rows, padded.shape[1], QImage.Format.Format_Indexed8)
    image.setColorTable(table_colors())
    return image.copy()


class Scale(QWidget):
    """The colours of the maps with their rates: changes per second and page."""

    def __init__(self) -> None:
        super().__init__()
        self.theme = DARK
        self.setFixedHeight(26)
        self.setMinimumWidth(220)
        self.setToolTip(
            "Colour scale: changes seen per second of the busiest page in a cell. A page is seen "
            "to change once in each sample at most: what changes more often stands at the rate of "
            "the samples, and the figures say so (≥)."
        )

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The ramp, and below it a mark for each power of ten."""
        painter = QPainter(self)
        ramp = heat_image(np.arange(256, dtype=np.uint8)[None, :])
        painter.drawImage(QRectF(0, 0, self.width(), 8), ramp)
        painter.setPen(self.theme.color("quiet"))
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() - 1)
        painter.setFont(font)
        low, high = np.log10(0.05), np.log10(TOP_RATE)
        for rate, text in _LABELS:
            x = (np.log10(rate) - low) / (high - low) * self.width()
            painter.drawLine(int(x), 8, int(x), 11)
            shift = painter.fontMetrics().horizontalAdvance(text.split("/")[0]) // 2
            right = self.width() - painter.fontMetrics().horizontalAdvance(text)
            painter.drawText(max(0, min(int(x) - shift, right)), 22, text)
