"""Draws a picture, and says which byte a pixel is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from ....core.analysis.pictures import Picture
from ....core.values.units import format_short_offset
from ...style.theme import DARK, Theme


class PictureCanvas(QWidget):
    """A picture in its proportions, as large as there is room, by whole factors where it grows.

    Signals:
        goto_wanted(int): Offset of the pixel that was clicked.
    """

    goto_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture: Picture | None = None
        self._image = QImage()
        self._theme = DARK
        self.setAccessibleName("Picture of the range")
        self.setMinimumSize(120, 80)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.update()

    def show_picture(self, picture: Picture | None) -> None:
        """Show this; None is nothing."""
        self.picture = picture
        if picture is None:
            self._image = QImage()
        else:
            form = QImage.Format.Format_RGB888
            width, height = picture.width, picture.height
            self._image = QImage(picture.rgb, width, height, 3 * width, form).copy()
            layout = picture.layout
            text = f"{layout.width} by {layout.height} pixels {layout.format}"
            self.setAccessibleDescription(text)
        self.update()

    def sizeHint(self) -> QSize:
        """Room for a small one."""
        return QSize(256, 192)

    def _place(self) -> QRect:
        """Where the picture is drawn."""
        image = self._image.size()
        fitted = image.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        if not image.isEmpty() and fitted.width() > image.width():
            fitted = image * max(1, fitted.width() // image.width())
        place = QRect(QPoint(0, 0), fitted)
        place.moveCenter(self.rect().center())
        return place

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The picture on the ground of the theme."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("ground"))
        if self._image.isNull():
            return
        place = self._place()
        smaller = place.width() < self._image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smaller)
        painter.drawImage(place, self._image)

    def offset_at(self, place: QPoint) -> int | None:
        """Offset of the pixel under a point; None beside the picture."""
        picture, drawn = self.picture, self._place()
        if picture is None or not drawn.contains(place):
            return None
        x = (place.x() - drawn.left()) * picture.width // drawn.width() * picture.step
        y = (place.y() - drawn.top()) * picture.height // drawn.height() * picture.step
        return picture.layout.offset_of(x, y)

    def tip_at(self, place: QPoint) -> str:
        """What hovering tells."""
        picture, offset, drawn = self.picture, self.offset_at(place), self._place()
        if picture is None or offset is None:
            return ""
        x = (place.x() - drawn.left()) * picture.width // drawn.width()
        y = (place.y() - drawn.top()) * picture.height // drawn.height()
        at = 3 * (y * picture.width + x)
        red, green, blue = picture.rgb[at : at + 3]
        return (
            f"x {x * picture.step}, y {y * picture.step}: {format_short_offset(offset)}\n"
            f"red {red}, green {green}, blue {blue}"
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the pixel's byte."""
        offset = self.offset_at(event.position().toPoint())
        if offset is not None and event.button() is Qt.MouseButton.LeftButton:
            self.goto_wanted.emit(offset)

    def event(self, event: QEvent) -> bool:
        """The tool tip is made when it is asked for."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos()), self)
            return True
        return super().event(event)
