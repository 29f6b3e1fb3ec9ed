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

from ....core.values.column_forms import ColumnForm
from . import styles
from .geometry import Grid, Pane
from .styles import CellLook, Crown, Looks, Rgb

Pixels = npt.NDArray[np.uint32]
Coverage = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int32]

POOL_BYTES: Final = 24 << 20
OPAQUE: Final = 0xFF000000
_PAGE_SHIFT: Final = styles.PAGE.bit_length() - 1
_HALF_GLYPH: Final = styles.HALF >> _PAGE_SHIFT << 8
_MOST_INKS: Final = 8192
_DRAWN_AT_ONCE: Final = 128  # beside each other on one picture
_BLANKS: Final = frozenset((*range(33), *range(0x7F, 0xA1), 0xAD))
"""Code points without ink."""


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


def _texts_of_bytes(form: ColumnForm) -> list[str]:
    """What the bytes of a bytewise form look like, and last one that was not read."""
    texts = form.byte_texts()
    return [*texts, "··".rjust(len(texts[0]))]


def _text_of_glyph(glyph: int) -> str:
    """The character of a code point of the first plane."""
    return " " if glyph in _BLANKS else chr(glyph)


def crown_columns(crown: Crown, width: int, stroke: int) -> npt.NDArray[np.bool_]:
    """Which columns of pixels of a cell a crown inks."""
    at, dot = np.arange(width), 2 * stroke
    inked: npt.NDArray[np.bool_] = np.ones(width, np.bool_)
    match crown:
        case Crown.DOT:
            inked = at < dot
        case Crown.TWO_DOTS:
            inked = (at < dot) | (at >= 2 * dot) & (at < 3 * dot)
        case Crown.DASHES:
            inked = at // dot % 2 == 0
        case Crown.DOTTED:
            inked = at % (2 * dot) < stroke
    return inked


class GlyphPool:
    """Blocks of one pane's cells: (style, value) to pixels, made on demand.

    Of all styles that states and tints make possible few are on the screen: a style gets its row of
    the table of blocks when it is first asked for.

    Args:
        type_: The font.
        texts: What is written in the cell of each value; one more for what was not read.
        width: Pixels of a cell.
        inset: From its left edge to the text.
    """

    def __init__(self, type_: Type, texts: Sequence[str], width: int, inset: int) -> None:
        self.width, self.height = width, type_.height
        self._type = type_
        self._inset = inset
        self._texts = tuple(texts)
        self._inks: dict[bool, Coverage] = {}
        self._looks: Sequence[CellLook] = ()
        self._capacity = max(256, POOL_BYTES // (4 * width * self.height))
        self._row_of_key = np.full(self._keys(), -1, np.int32)
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

    def _keys(self) -> int:
        """How many rows the table of blocks may have."""
        return styles.COUNT

    def _key(self, codes: Indices) -> Indices:
        """The row that a code belongs to, below its value."""
        key: Indices = codes >> 8
        return key

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
        keys = self._key(codes)
        rows = self._row_of_key[keys]
        if rows.size and int(rows.min()) < 0:
            fresh = np.unique(keys[rows < 0])
            have = len(self._slots)
            self._row_of_key[fresh] = np.arange(have, have + len(fresh))
            self._slots = np.vstack([self._slots, np.full((len(fresh), 256), -1, np.int32)])
            rows = self._row_of_key[keys]
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
        numbers = codes >> 8 & styles.COUNT - 1
        for style in np.unique(numbers):
            members = codes[numbers == style]
            at = self._used
            self.blocks[at : at + len(members)] = self._render(int(style), members)
            rows = self._row_of_key[self._key(members)]
            self._slots[rows, members & 0xFF] = np.arange(at, at + len(members), dtype=np.int32)
            self._used += len(members)

    def _render(self, style: int, codes: Indices) -> Pixels:
        look = self._looks[style]
        ink = self._ink_of(codes, style, bold=look.bold).astype(np.int32)
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
        self._crown(out, look)
        red, green, blue = (out[..., plane].astype(np.uint32) for plane in range(3))
        pixels: Pixels = (np.uint32(OPAQUE) | red << 16 | green << 8 | blue).astype(np.uint32)
        return pixels

    def _crown(self, out: npt.NDArray[np.int32], look: CellLook) -> None:
        """The line above the characters, below the outermost line."""
        if look.crown is Crown.NONE:
            return
        stroke = self._type.stroke
        thick = 2 * stroke if look.crown is Crown.THICK else stroke
        out[:, stroke : stroke + thick, crown_columns(look.crown, self.width, stroke)] = look.ink

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

    def _ink_of(self, codes: Indices, style: int, *, bold: bool) -> Coverage:
        """How the cells of these codes are inked: (codes, height, width, 3)."""
        values = codes & 0xFF
        if style & styles.STATE == styles.ABSENT:
            values = np.full_like(values, len(self._texts) - 1)
        if bold not in self._inks:
            self._inks[bold] = self._cover(self._texts, self.width, bold=bold)
        inks: Coverage = self._inks[bold][values]
        return inks

    def _cover(self, texts: Sequence[str], width: int, *, bold: bool) -> Coverage:
        font = QFont(self._type.font)
        font.setBold(bold)
        return coverage(font, texts, width, self.height, QPoint(self._inset, self._type.baseline))


class CharacterPool(GlyphPool):
    """The characters of text and numbers: the value and page of a code are its code point."""

    def __init__(self, type_: Type) -> None:
        texts = [*(_text_of_glyph(glyph) for glyph in range(256)), " "]
        super().__init__(type_, texts, type_.char, 0)
        self._wide_inks: dict[tuple[int, bool], Coverage] = {}

    def _keys(self) -> int:
        return styles.COUNT * ((styles.PAGES >> _PAGE_SHIFT) + 1)

    def _key(self, codes: Indices) -> Indices:
        key: Indices = codes >> 8
        if key.size and int(key.max()) >= styles.PAGE >> 8:
            return key & styles.COUNT - 1 | (codes >> _PAGE_SHIFT) * styles.COUNT
        return key

    def _ink_of(self, codes: Indices, style: int, *, bold: bool) -> Coverage:
        if style & styles.STATE == styles.ABSENT or int(codes.max()) < styles.PAGE:
            return super()._ink_of(codes, style, bold=bold)
        glyphs = (codes >> _PAGE_SHIFT << 8 | codes & 0xFF).tolist()
        self._draw_missing({glyph & 0xFFFF for glyph in glyphs}, bold=bold)
        return np.stack([self._wide_inks[glyph, bold] for glyph in glyphs])

    def _draw_missing(self, points: set[int], *, bold: bool) -> None:
        """Both cells of characters that were not drawn yet; the second is found with HALF."""
        if len(self._wide_inks) > _MOST_INKS:
            self._wide_inks.clear()
        missing = sorted(point for point in points if (point, bold) not in self._wide_inks)
        for first in range(0, len(missing), _DRAWN_AT_ONCE):
            some = missing[first : first + _DRAWN_AT_ONCE]
            inks = self._cover([*map(_text_of_glyph, some)], 2 * self.width, bold=bold)
            for point, ink in zip(some, inks, strict=True):
                self._wide_inks[point, bold] = ink[:, : self.width]
                self._wide_inks[point | _HALF_GLYPH, bold] = ink[:, self.width :]


class Pools:
    """The glyphs of one font size: a pool for each pane, and one for all characters."""

    def __init__(self, type_: Type, grid: Grid) -> None:
        self.type = type_
        self.text = CharacterPool(type_)
        self._by_pane: dict[Pane, GlyphPool] = {}
        self._shapes = self.shapes(grid)
        for pane, layout in grid.layouts.items():
            form = layout.form
            if form is None or not form.bytewise:
                self._by_pane[pane] = self.text
            else:
                texts = _texts_of_bytes(form)
                self._by_pane[pane] = GlyphPool(type_, texts, layout.cell, layout.inset)

    @staticmethod
    def shapes(grid: Grid) -> tuple[object, ...]:
        """What of a grid the pools depend on."""
        return tuple((one.form, one.cell, one.inset) for one in grid.layouts.values())

    def fits(self, grid: Grid) -> bool:
        """Whether they can draw this grid."""
        return self._shapes == self.shapes(grid)

    def of(self, pane: Pane) -> GlyphPool:
        """The glyphs of a pane."""
        return self._by_pane[pane]

    def set_looks(self, looks: Looks) -> None:
        """Take other colours."""
        for pool in {self.text, *self._by_pane.values()}:
            pool.set_looks(looks)
