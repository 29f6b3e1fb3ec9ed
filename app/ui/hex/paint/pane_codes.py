"""From the codes of bytes to those of one pane's cells: digits, characters of numbers, text.

Each pane has an object of its own, which keeps what it made last: most of a screen stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from ....core.values.column_forms import ColumnForm
from ....core.values.multibyte_text import NONE, REST, two_cells_wide
from ....core.values.number_text import Chars
from ....core.values.text_encodings import TextEncoding
from ....core.values.value_type import Endian
from ....core.watch.frame import U8
from . import styles
from .cell_states import BLANK, DOT, CellStates, Codes
from .history_text import history_texts
from .pane_layout import PaneLayout

_BY_WEIGHT: Final = (
    styles.UNCHANGED,
    styles.ZERO,
    styles.TEXT,
    styles.RULE,
    styles.MINE,
    *range(styles.MINE_FRESH + styles.STEPS - 1, styles.MINE_FRESH - 1, -1),
    *range(styles.CHANGED + styles.STEPS - 1, styles.CHANGED - 1, -1),
    styles.RULE_FRESH,
    styles.FLUX,
    styles.PENDING,
    styles.ABSENT,
)
"""States of a byte; a value looks like its byte of the most weight. It has no class."""
_STATE_OF: Final = np.array(_BY_WEIGHT, np.int32)
_WEIGHT_OF: Final = np.full(styles.STATE + 1, _BY_WEIGHT.index(styles.TEXT), np.int32)
_WEIGHT_OF[_STATE_OF] = np.arange(len(_STATE_OF))
_TINT: Final = styles.COUNT - styles.TINT << 8
_ALONG: Final = styles.SELECTED << 8 | styles.BAR_LEFT - styles.LINES
_BARS: Final = styles.BAR_LEFT | styles.BAR_RIGHT
_QUIET: Final = styles.LABEL << 8 | DOT
_REPLACEMENT: Final = 0xFFFD  # for characters behind the first plane
_HISTORY_NS: Final = 250_000_000
_LOW_BITS: Final = styles.TINT * 256 - 1  # value and state, SELECTED included


@dataclass(frozen=True, slots=True)
class Span:
    """Which bytes the codes are of that a pane is given.

    Attributes:
        before: Codes before the first row's; at most the pane's `reach`, less where the region
            begins.
        behind: Codes behind the last row's.
        start: Offset of the first row's first byte.
        clock_ns: The time.
    """

    before: int = 0
    behind: int = 0
    start: int = 0
    clock_ns: int = 0


class PaneCodes(Protocol):
    """Makes the codes of one pane.

    Attributes:
        reach: Bytes before and behind a row that its cells depend on, of those behind it besides
            those that the pane's origin shifts into it.
    """

    reach: int

    def codes(self, base: Codes, span: Span) -> Codes:
        """Codes of the cells: (rows, cells), made of those of bytes."""


def pane_codes(layout: PaneLayout, encoding: TextEncoding, cells: CellStates) -> PaneCodes:
    """What makes the codes of a pane."""
    if layout.form is None:
        return SingleByteText(layout, encoding) if encoding.single else LongText(layout, encoding)
    if layout.form.told:
        return HistoryCells(layout, cells)
    return ByteCells(layout) if layout.form.bytewise else NumberCells(layout)


class ByteCells:
    """Each byte has its own cell; those of a value stand in its order."""

    reach = 0

    def __init__(self, layout: PaneLayout) -> None:
        assert layout.form is not None
        self._columns, self._unit = layout.columns, layout.unit
        self._swaps = layout.unit > 1 and layout.form.endian is Endian.LITTLE

    def codes(self, base: Codes, _span: Span) -> Codes:
        """The bytes' own, those of a little endian value turned round."""
        if not self._swaps:
            return base.reshape(-1, self._columns)
        values = base.reshape(-1, self._unit)[:, ::-1]
        if int(values.max(initial=0)) >= styles.BAR_LEFT:
            values = values.copy()
            _move_bars(values)
        return values.reshape(-1, self._columns)


def _move_bars(values: Codes) -> None:
    """The ends of what is marked stand at the edges of a value whose bytes are turned round."""
    for bit, edge in ((styles.BAR_LEFT, 0), (styles.BAR_RIGHT, -1)):
        there = (values >= 0) & (values & bit != 0)
        rows = np.flatnonzero(there.any(axis=1))
        values[there] &= ~bit
        rows = rows[values[rows, edge] >= 0]
        values[rows, edge] |= bit


class NumberCells:
    """A value's characters; all of them look like its byte of the most weight."""

    reach = 0

    def __init__(self, layout: PaneLayout) -> None:
        assert layout.form is not None
        self._form: ColumnForm = layout.form
        self._base: Codes | None = None
        self._codes: Codes = np.zeros((0, 0), np.int32)
        self._data: U8 = np.zeros((0, layout.unit), np.uint8)
        self._texts: Chars = np.zeros((0, layout.glyphs), np.uint8)
        self._values_in_row = layout.columns // layout.unit

    def codes(self, base: Codes, _span: Span) -> Codes:
        """The same as before where nothing changed."""
        if self._base is None or not np.array_equal(base, self._base):
            self._base = base.copy()
            self._codes = self._make(base.reshape(-1, self._form.width))
        return self._codes

    def _make(self, values: Codes) -> Codes:
        looks = _looks_of_values(values)
        codes = looks[:, np.newaxis] | self._write((values & 0xFF).astype(np.uint8))
        if int(values.max(initial=0)) >= styles.BAR_LEFT:
            bars = np.bitwise_or.reduce(values, axis=1)
            codes[:, 0] |= bars & styles.BAR_LEFT
            codes[:, -1] |= bars & styles.BAR_RIGHT
        cut = values < 0
        if cut.any():
            codes[cut.any(axis=1)] = _quiet(codes.shape[1])
            codes[cut.all(axis=1)] = BLANK
        absent = looks >> 8 & styles.STATE == styles.ABSENT
        if absent.any():
            codes[absent] = _quiet(codes.shape[1])
        return codes.reshape(-1, self._values_in_row * codes.shape[1])

    def _write(self, data: U8) -> Chars:
        """The texts; only those of other values than before are written anew."""
        if data.shape != self._data.shape:
            self._texts = self._form.texts(data.reshape(-1)).copy()
        else:
            other = np.flatnonzero((data != self._data).any(axis=1))
            if len(other):
                self._texts[other] = self._form.texts(data[other].reshape(-1))
        self._data = data
        return self._texts


class HistoryCells(NumberCells):
    """When or how often each byte changed: read a few times a second, so that it can be read."""

    def __init__(self, layout: PaneLayout, cells: CellStates) -> None:
        super().__init__(layout)
        self._cells = cells
        self._moment = (-1, -1, -1)

    def codes(self, base: Codes, span: Span) -> Codes:
        """The same as before for a quarter of a second, but for bytes that come into sight."""
        now_ns = self._cells.now_ns(span.clock_ns)
        moment = (now_ns // _HISTORY_NS, span.start, len(base))
        if moment != self._moment:
            self._moment = moment
            texts = history_texts(
                self._form, self._cells.frame, self._cells.rates, span.start, len(base), now_ns
            )
            if not np.array_equal(texts, self._texts):
                self._texts, self._base = texts, None
        return super().codes(base, span)

    def _write(self, _data: U8) -> Chars:
        return self._texts


def _quiet(chars: int) -> Codes:
    """The cells of a value that is not there whole."""
    codes = np.full(chars, styles.LABEL << 8 | ord(" "), np.int32)
    codes[-1] = _QUIET
    return codes


def _looks_of_values(values: Codes) -> Codes:
    """What of the codes of its bytes a value has; without bars."""
    state = _STATE_OF[_WEIGHT_OF[values >> 8 & styles.STATE].max(axis=1)]
    tint = (values & _TINT).max(axis=1)
    along = np.bitwise_or.reduce(values, axis=1) & _ALONG
    looks: Codes = (state << 8 | tint | along).astype(np.int32)
    return looks


# -- text ------------------------------------------------------------------------------------------


def _glyphs(codes: Codes) -> Codes:
    """Code points as those bits of a code; a dot for NONE, nothing for REST."""
    shown = np.where(codes > 0xFFFF, _REPLACEMENT, codes)
    shown = np.where(codes == NONE, DOT, np.where(codes == REST, ord(" "), shown))
    found: Codes = ((shown & 0xFF) | (shown >> 8) * styles.PAGE).astype(np.int32)
    return found


class SingleByteText:
    """Text in which each byte is a character: one look into a table."""

    reach = 0

    def __init__(self, layout: PaneLayout, encoding: TextEncoding) -> None:
        self._columns = layout.columns
        self._table = _text_table(encoding)

    def codes(self, base: Codes, _span: Span) -> Codes:
        """What is no character is a quiet dot."""
        found: Codes = self._table[base & _LOW_BITS] | (base & ~_LOW_BITS)
        return found.reshape(-1, self._columns)


def _text_table(encoding: TextEncoding) -> Codes:
    """For every value in every state that of the text; decorations are no matter here."""
    code = np.arange(_LOW_BITS + 1, dtype=np.int32)
    style, value = code >> 8, code & 0xFF
    points = encoding.table()[value]
    quiet = (points == NONE) & (style & ~styles.SELECTED == styles.TEXT)
    style = np.where(quiet, style | styles.ZERO, style)
    table: Codes = (style << 8 | _glyphs(points)).astype(np.int32)
    table[-1] = len(table) - 1  # no state has this number: it is what BLANK, as -1, finds
    return table


class LongText:
    """Text in which a character may take several bytes; it is written over their cells."""

    def __init__(self, layout: PaneLayout, encoding: TextEncoding) -> None:
        self._columns, self._encoding = layout.columns, encoding
        self._origin = layout.origin
        self.reach = encoding.reach
        self._base: Codes | None = None
        self._key = (0, 0)
        self._codes: Codes = np.zeros((0, 0), np.int32)

    def codes(self, base: Codes, span: Span) -> Codes:
        """The same as before where nothing changed."""
        before, behind = key = (span.before, span.behind)
        if self._base is None or key != self._key or not np.array_equal(base, self._base):
            self._base, self._key = base.copy(), key
            self._codes = self._make(base, before, behind)
        return self._codes

    def _make(self, base: Codes, before: int, behind: int) -> Codes:
        data = np.where(base < 0, 0, base & 0xFF).astype(np.uint8)
        points = self._encoding.decode(data, before % self._encoding.unit)
        end = len(base) - behind
        glyphs = _with_halves(points)[before:end]
        points, inner = points[before:end], base[before:end]
        quiet = (points == NONE) & (inner >> 8 & styles.STATE == styles.TEXT)
        codes = inner & ~0xFF | glyphs
        codes[quiet] |= styles.ZERO << 8
        codes[inner < 0] = BLANK
        return codes.reshape(-1, self._columns)


def _with_halves(points: Codes) -> Codes:
    """Characters of two cells go on in their second byte's."""
    glyphs = _glyphs(points)
    wide = np.flatnonzero((points > 0) & two_cells_wide()[np.clip(points, 0, 0xFFFF)])
    wide = wide[wide + 1 < len(points)]
    wide = wide[points[wide + 1] == REST]
    glyphs[wide + 1] = glyphs[wide] | styles.HALF
    return glyphs
