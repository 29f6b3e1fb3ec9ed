"""Glyphs as blocks of pixels, coloured once per style and kept.

Text drawn by QPainter costs a call per run and colour; ready blocks are copied by numpy at the
speed of memory (docs/measurements.md, "Painting a hex grid"). A full table of every value in every
style would be tens of megabytes at high resolution, so blocks are made when first needed, up to a
bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from . import styles
from .styles import CellLook, Looks, Rgb

Pixels = npt.NDArray[np.uint32]
Coverage = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int32]

POOL_BYTES: Final = 24 << 20
OPAQUE: Final = 0xFF000000
_ABSENT_GLYPH: Final = 256


def packed(color: Rgb) -> int:
    """As a pixel of QImage.Format_RGB32."""
    return OPAQUE | color[0] << 16 | color[1] << 8 | color[2]


@dataclass(frozen=True, slots=True)
class Type:
    """A monospace font at device resolution, with the measures of its cell.

    Attributes:
        font: Sized in device pixels.
        char: Width of a character, whole pixels.
        height: Height of a row.
        baseline: From the row's top edge.
        stroke: Thickness of lines, one logical pixel or more.
    """

    font: QFont
    char: int
    height: int
    baseline: int
    stroke: int

    @staticmethod
    def of(font: QFont, pixel_ratio: float, *, pixels: float) -> Type:
        """Measure a font.

        Args:
            font: Any size; family and hints are taken from it.
            pixel_ratio: Device pixels per logical pixel.
            pixels: Wanted size in logical pixels.
        """
        sized = QFont(font)
        sized.setPixelSize(max(6, round(pixels * pixel_ratio)))
        metrics = QFontMetricsF(sized)
        char = max(3, round(metrics.horizontalAdvance("0")))
        room = max(4, round(metrics.height() * 0.26))
        height = round(metrics.height()) + room
        baseline = round(metrics.ascent()) + room // 2
        return Type(sized, char, height, baseline, max(1, round(pixel_ratio)))


def coverage(font: QFont, texts: Sequence[str], width: int, height: int, at: QPoint) -> Coverage:
    """How much of each pixel each text inks: (n, height, width, 3), sub-pixel if the font is."""
    strip = QImage(width * len(texts), height, QImage.Format.Format_RGB32)
    strip.fill(QColor("black"))
    painter = QPainter(strip)
    painter.setFont(font)
    painter.setPen(QColor("white"))
    for number, text in enumerate(texts):
        painter.setClipRect(number * width, 0, width, height)
        painter.drawText(QPoint(number * width, 0) + at, text)
    painter.end()
    raw = np.frombuffer(strip.constBits(), np.uint8).reshape(height, strip.bytesPerLine() // 4, 4)
    planes = raw[:, : width * len(texts), 2::-1].reshape(height, len(texts), width, 3)
    return np.ascontiguousarray(planes.transpose(1, 0, 2, 3))


class GlyphPool:
    """Blocks of one pane's cells: (style, value) to pixels, made on demand.

    Of all styles that states and tints make possible few are on the screen: a style gets its row of
    the table of blocks when it is first asked for.
    """

    def __init__(self, type_: Type, texts: Sequence[str], width: int, inset: int) -> None:
        self.width, self.height = width, type_.height
        self._type = type_
        self._inset = inset
        self._texts = tuple(texts)
        self._inks: dict[bool, Coverage] = {}
        self._looks: Sequence[CellLook] = ()
        self._capacity = max(256, POOL_BYTES // (4 * width * self.height))
        self._row_of_style = np.full(styles.COUNT, -1, np.int32)
        self._slots = np.full((0, 256), -1, np.int32)
        self._used = 0
        self.blocks: Pixels = np.zeros((0, self.height, width), np.uint32)

    def set_looks(self, looks: Looks) -> None:
        """Take other colours; every block is made anew when needed."""
        self._looks = looks
        self._forget()

    def _forget(self) -> None:
        self._slots.fill(-1)
        self._used = 0

    def slots(self, codes: Indices) -> Indices:
        """Where in `blocks` the cells with these codes are. Codes are those bits of GLYPH."""
        slots = self._look_up(codes)
        if slots.size and int(slots.min()) < 0:
            missing = np.unique(codes[slots < 0])
            if self._used + len(missing) > self._capacity:
                self._forget()
                missing = np.unique(codes)
            self._make(missing)
            slots = self._look_up(codes)
        return slots

    def _look_up(self, codes: Indices) -> Indices:
        rows = self._row_of_style[codes >> 8]
        if rows.size and int(rows.min()) < 0:
            fresh = np.unique(codes[rows < 0] >> 8)
            have = len(self._slots)
            self._row_of_style[fresh] = np.arange(have, have + len(fresh))
            self._slots = np.vstack([self._slots, np.full((len(fresh), 256), -1, np.int32)])
            rows = self._row_of_style[codes >> 8]
        slots: Indices = self._slots.ravel()[rows << 8 | codes & 0xFF]
        return slots

    def _make(self, codes: Indices) -> None:
        need = self._used + len(codes)
        if need > len(self.blocks):
            grown = np.zeros(
                (max(need, 2 * len(self.blocks), 256), self.height, self.width), np.uint32
            )
            grown[: self._used] = self.blocks[: self._used]
            self.blocks = grown
        for style in np.unique(codes >> 8):
            members = codes[codes >> 8 == style]
            at = self._used
            self.blocks[at : at + len(members)] = self._render(int(style), members & 0xFF)
            row = self._row_of_style[style]
            self._slots[row, members & 0xFF] = np.arange(at, at + len(members), dtype=np.int32)
            self._used += len(members)

    def _render(self, style: int, values: Indices) -> Pixels:
        look = self._looks[style]
        if style & styles.STATE == styles.ABSENT:
            values = np.full_like(values, _ABSENT_GLYPH)
        ink = self._ink(bold=look.bold)[values].astype(np.int32)
        below = self._backdrop(look).astype(np.int32)
        color = np.array(look.ink, np.int32)
        out = below + ((color - below) * ink + 127) // 255
        if look.underline is not None:
            # The outermost lines are no glyph's: marks of decorations lie there.
            y = min(
                self._type.baseline + 2 * self._type.stroke, self.height - 2 * self._type.stroke
            )
            right = self.width - self._inset
            out[:, y : y + self._type.stroke, self._inset : right] = look.underline
        red, green, blue = (out[..., plane].astype(np.uint32) for plane in range(3))
        pixels: Pixels = (np.uint32(OPAQUE) | red << 16 | green << 8 | blue).astype(np.uint32)
        return pixels

    def _backdrop(self, look: CellLook) -> npt.NDArray[np.uint8]:
        """Ground, and on it the tile, one stroke smaller above and below."""
        back = np.empty((self.height, self.width, 3), np.uint8)
        back[:] = look.ground
        edge = self._type.stroke
        tile = back[edge:-edge, : self.width]
        tile[:] = look.tile
        if look.hatch is not None:
            y, x = np.mgrid[: tile.shape[0], : tile.shape[1]]
            period = 5 * self._type.stroke
            tile[(x + y) % period < 2 * self._type.stroke] = look.hatch
        return back

    def _ink(self, *, bold: bool) -> Coverage:
        if bold not in self._inks:
            font = QFont(self._type.font)
            font.setBold(bold)
            self._inks[bold] = coverage(
                font, self._texts, self.width, self.height, QPoint(self._inset, self._type.baseline)
            )
        return self._inks[bold]


class Pools:
    """The glyphs of one font size: a pool for each pane."""

    def __init__(self, type_: Type, cell: int, inset: int) -> None:
        self.type, self.cell = type_, cell
        pairs = [f"{value:02X}" for value in range(256)] + ["··"]
        chars = [chr(v) if 32 < v < 127 or v == 0xB7 else " " for v in range(256)] + [" "]
        self.hex = GlyphPool(type_, pairs, cell, inset)
        self.text = GlyphPool(type_, chars, type_.char, 0)

    def set_looks(self, looks: Looks) -> None:
        """Take other colours."""
        self.hex.set_looks(looks)
        self.text.set_looks(looks)
