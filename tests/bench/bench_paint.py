"""Painting the hex view at 4K, against the usual way: a drawText per pane and row.

Both paint 100 rows of 32 bytes, address, hex and text, from values to the pixels of a picture of
3840 x 2160. The usual painter is given the highlight of changed bytes as one rectangle each and
one ink for all, which is less than our view shows (a style per byte, and fading). Ours is timed
from the Frame on, the copy of its own picture to the window's included. That both really painted
is checked: the picture must differ after each round.

Decorations are measured against the same view without them, in the same rounds: 10,000 ranges,
a tenth of them on the screen, overlapping and nested so that every byte there is under some.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QImage, QPainter

from app.core.values.byte_rules import parse_rule
from app.core.values.column_forms import HEX, TOLD_FORMS, form_named
from app.core.values.text_encodings import ENCODINGS, UTF8, TextEncoding
from app.core.watch.frame import Frame, RangeSample, Traffic, empty_activity
from app.ui.hex.decorations.decorated_cells import DecoratedCells
from app.ui.hex.decorations.decorations import Decoration, Decorations, Depth, Mark, Tint
from app.ui.hex.paint.emphasis import Emphasis
from app.ui.hex.paint.geometry import Pane, address_text
from app.ui.hex.paint.surface import Options, Surface
from app.ui.style.theme import DARK
from tests.bench.harness import Case, Row, interleaved

WIDTH, HEIGHT = 3840, 2160
ROWS, COLUMNS = 100, 32
CELLS = ROWS * COLUMNS
SIZE = 1 << 20
PIXELS = 14
SECOND_NS = 1_000_000_000
RANGES = 10_000
LIMITS = (1.3, 1.1)
PLAIN = Options(columns=COLUMNS)
# A column in place of hex, and how many times as long as hex it may take. Those that write more
# characters have more pixels to move.
COLUMN_LIMITS = {
    "hex32le": (1.5, 1.2),
    "u8": (1.5, 1.2),
    "i64le": (1.8, 1.5),
    "u32be": (1.8, 1.5),
    "f32le": (2.5, 1.5),
    "f64le": (2.5, 1.5),
    "bin8": (3.5, 2.0),
}
Bytes = npt.NDArray[np.uint8]
_HEX = [f"{value:02X}" for value in range(256)]
_TEXT = [chr(value) if 32 <= value < 127 else "\u00b7" for value in range(256)]


@dataclass(slots=True)
class Content:
    """The bytes that both painters show, and which of them have just changed."""

    data: Bytes
    changed: npt.NDArray[np.bool_]
    number: int = 0
    frame: Frame = field(init=False)

    def __post_init__(self) -> None:
        self.frame = self._frame()

    def change(self, share: float, rows: int) -> None:
        """Change a share of the bytes of the first `rows` rows, each to another value."""
        random = np.random.default_rng(self.number)
        area = rows * COLUMNS
        chosen = random.choice(area, round(area * share), replace=False)
        self.changed = np.zeros(CELLS, np.bool_)
        self.changed[chosen] = True
        self.data = self.data.copy()
        self.data[chosen] += random.integers(1, 256, len(chosen), np.uint8)
        self.number += 1
        self.frame = self._frame()

    def _frame(self) -> Frame:
        """As the engine would send it, one second after the one before."""
        now_ns = (self.number + 1) * SECOND_NS
        changed_ns = np.where(self.changed, now_ns, 1)
        off = np.zeros(CELLS, np.bool_)
        return Frame(
            self.number,
            SECOND_NS // 60,
            RangeSample(0, now_ns, self.data, off, self.changed, changed_ns, off),
            empty_activity(SIZE),
            Traffic(),
        )


class Writing(Content):
    """Text instead of any bytes: of each pair of bytes is made a letter of Cyrillic or of kana."""

    encoding: TextEncoding = UTF8

    def change(self, share: float, rows: int) -> None:
        """As for any bytes; those that changed are other letters."""
        super().change(share, rows)
        letters = "абвгдежзийклмнопрстуфхцчшщъыьэюя" * 3 + "あいうえおかきくけこ" * 3
        fit = [text for text in letters if len(self.encoding.encode(text)) == 2]
        table = np.frombuffer("".join(fit).encode(self.encoding.codec), np.uint16)
        self.data = table[self.data[::2] % len(table)].view(np.uint8)
        self.frame = self._frame()


class Ours:
    """The hex view's Surface on a picture."""

    def __init__(self, content: Content, options: Options = PLAIN) -> None:
        self.content = content
        self.canvas = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
        self.surface = Surface(DARK, _font(), PIXELS)
        self.surface.size = SIZE
        self.surface.options = options
        self.surface.set_emphasis(options.emphasis)
        self.surface.lay_out(WIDTH, self.surface.header + ROWS * self.surface.grid.height, 1.0)
        if self.surface.scroll.visible not in (ROWS, ROWS + 1):
            raise AssertionError(f"{self.surface.scroll.visible} rows are visible")
        self.run()

    def run(self) -> None:
        """One Frame to pixels: everything that the view does for it."""
        frame = self.content.frame
        self.surface.cells.set_frame(frame)
        rows = self.surface.refresh(frame.time_ns)
        painter = QPainter(self.canvas)
        for first, count in _runs(rows):
            self.surface.paint(painter, self.surface.row_rect(first, count))
        painter.end()


def decorate(decorations: Decorations) -> None:
    """10,000 ranges: structures of fields over all that is visible, hits in them, sparse others."""
    rng = np.random.default_rng(5)
    fields = [Decoration(0, SIZE, Tint.SLATE, Mark.OUTLINE, "everything")]
    for start in range(0, CELLS, 64):
        fields.append(Decoration(start, 64, Tint.SLATE, Mark.OUTLINE, "structure"))
        for number, at in enumerate(range(start, start + 64, 4)):
            fields.append(Decoration(at, 4, (Tint.VIOLET, Tint.TEAL)[number % 2], label="field"))
    hits = [
        Decoration(int(at), 3, Tint.OLIVE, Mark.BELOW, "hit")
        for at in rng.choice(CELLS, 120, replace=False)
    ]
    sparse = [
        Decoration(int(at), int(length), Tint.GREEN, Mark.DOTS, "note")
        for at, length in zip(
            rng.integers(CELLS, SIZE - 4096, RANGES - len(fields) - len(hits)),
            rng.integers(1, 4096, RANGES),
            strict=False,
        )
    ]
    decorations.layer("fields", Depth.FIELD).replace(fields)
    decorations.layer("hits", Depth.FINDING).replace(hits)
    decorations.layer("notes", Depth.NOTE).replace(sparse)
    if len(decorations) != RANGES:
        raise AssertionError(f"{len(decorations)} ranges")


class Usual:
    """What a hex view does without a glyph store."""

    def __init__(self, content: Content, like: Surface) -> None:
        self.content = content
        self.canvas = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
        self._like = like
        self._type = like.sheet().type
        self.run()

    def run(self) -> None:
        """All rows: ground, highlights, three texts."""
        grid, header = self._like.grid, self._like.header
        data = self.content.data.reshape(ROWS, COLUMNS)
        painter = QPainter(self.canvas)
        painter.setFont(self._type.font)
        painter.fillRect(QRect(0, header, WIDTH, ROWS * grid.height), DARK.color("ground"))
        marks = []
        for at in np.flatnonzero(self.content.changed).tolist():
            row, column = divmod(at, COLUMNS)
            y = header + row * grid.height
            for pane in (Pane.HEX, Pane.TEXT):
                left, width = grid.left(pane, column), grid.cell_width(pane)
                marks.append(QRect(left, y, width, grid.height))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(120, 80, 20))
        painter.drawRects(marks)
        painter.setPen(QColor("white"))
        for row, values in enumerate(data.tolist()):
            y = header + row * grid.height + self._type.baseline
            painter.drawText(grid.address_x, y, address_text(row * COLUMNS, grid.digits))
            hexes = " ".join([_HEX[value] for value in values])
            painter.drawText(grid.left(Pane.HEX, 0), y, hexes)
            text = "".join([_TEXT[value] for value in values])
            painter.drawText(grid.left(Pane.TEXT, 0), y, text)
        painter.end()


def _font() -> QFont:
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    """Neighbouring rows as (first, count), as the widget asks for them."""
    found: list[tuple[int, int]] = []
    for row in rows:
        if found and row == sum(found[-1]):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((row, 1))
    return found


def compare(name: str, share: float, rows: int, limits: tuple[float, float], rounds: int) -> Row:
    """One kind of change."""
    content = Content(
        np.random.default_rng(9).integers(0, 256, CELLS, np.uint8), np.zeros(CELLS, np.bool_)
    )
    ours = Ours(content)
    usual = Usual(content, ours.surface)
    pictures: set[bytes] = set()

    def keep_picture() -> None:
        grid = ours.surface.grid
        middle = ours.surface.header + grid.height // 2
        pictures.add(bytes(ours.canvas.constScanLine(middle))[: 4 * grid.width])

    cases = [
        Case("ours", ours.run, lambda: content.change(share, rows)),
        Case("usual", usual.run, keep_picture),
    ]
    times = interleaved(cases, rounds, warm_up=3)
    if len(pictures) < rounds:
        raise AssertionError(f"{rounds} changes made {len(pictures)} pictures")
    floor, goal = limits
    return Row(
        name,
        1 / times.speed("ours", "usual"),
        "x",
        "drawText per pane and row",
        floor,
        goal,
        f"{times.median('ours') * 1e3:.2f} against {times.median('usual') * 1e3:.2f} ms",
        lower_is_better=True,
    )


def compare_decorated(
    name: str, share: float, rows: int, limits: tuple[float, float], rounds: int
) -> Row:
    """One kind of change, with decorations against without."""
    content = Content(
        np.random.default_rng(9).integers(0, 256, CELLS, np.uint8), np.zeros(CELLS, np.bool_)
    )
    plain, decorated = Ours(content), Ours(content)
    decorate(decorated.surface.decorations)
    decorated.run()
    if bytes(plain.canvas.constBits()) == bytes(decorated.canvas.constBits()):
        raise AssertionError("the decorations are not to be seen")
    cases = [
        Case("plain", plain.run, lambda: content.change(share, rows)),
        Case("decorated", decorated.run),
    ]
    times = interleaved(cases, rounds, warm_up=11)
    floor, goal = limits
    return Row(
        name,
        1 / times.speed("decorated", "plain"),
        "x",
        "the same view without decorations",
        floor,
        goal,
        f"{times.median('decorated') * 1e3:.2f} against {times.median('plain') * 1e3:.2f} ms",
        lower_is_better=True,
    )


def compare_columns(
    name: str,
    options: Options,
    share: float,
    limits: tuple[float, float],
    rounds: int,
) -> Row:
    """One kind of columns, against single bytes in hex and ASCII."""
    kind = Content if options.text.single else Writing
    content = kind(
        np.random.default_rng(9).integers(0, 256, CELLS, np.uint8), np.zeros(CELLS, np.bool_)
    )
    if isinstance(content, Writing):
        content.encoding = options.text
        content.change(1.0, ROWS)
    plain, other = Ours(content), Ours(content, options)
    if bytes(plain.canvas.constBits()) == bytes(other.canvas.constBits()):
        raise AssertionError("the columns are not to be seen")
    cases = [
        Case("plain", plain.run, lambda: content.change(share, ROWS)),
        Case("columns", other.run),
    ]
    times = interleaved(cases, rounds, warm_up=11)
    floor, goal = limits
    return Row(
        name,
        1 / times.speed("columns", "plain"),
        "x",
        "hex and ASCII",
        floor,
        goal,
        f"{times.median('columns') * 1e3:.2f} against {times.median('plain') * 1e3:.2f} ms",
        lower_is_better=True,
    )


def column_rows(rounds: int) -> list[Row]:
    """Each kind of column in place of hex; and text that takes several bytes for a character."""
    found = []
    for name, limits in COLUMN_LIMITS.items():
        form = form_named(name)
        if form is None:
            raise AssertionError(name)
        options = replace(PLAIN, forms=(form,))
        for share, words in ((1.0, "every byte changed"), (0.1, "10 % of the bytes")):
            title = f"column {form.label}: {words}"
            found.append(compare_columns(title, options, share, limits, rounds))
    for encoding in (encoding for encoding in ENCODINGS if not encoding.single):
        options = replace(PLAIN, text=encoding)
        title = f"text column {encoding.label}: every byte changed"
        found.append(compare_columns(title, options, 1.0, (2.0, 1.5), rounds))
    emphasis = Emphasis(classes=True, rule=parse_rule("4?"))
    options = replace(PLAIN, emphasis=emphasis)
    title = "classes of values and a rule: every byte changed"
    found.append(compare_columns(title, options, 1.0, LIMITS, rounds))
    title = "the same: 10 % of the bytes"
    found.append(compare_columns(title, options, 0.1, LIMITS, rounds))
    history = replace(PLAIN, forms=(HEX, *TOLD_FORMS[:1]))
    title = "hex, and a column of ages: every byte changed"
    found.append(compare_columns(title, history, 1.0, (3.0, 2.0), rounds))
    return found


def look_up(rounds: int) -> Row:
    """What of 10,000 ranges is on the screen, and how it looks: when the view scrolls."""
    decorations = Decorations()
    decorate(decorations)
    found = DecoratedCells(decorations)
    content = Content(np.zeros(CELLS, np.uint8), np.zeros(CELLS, np.bool_))
    ours = Ours(content)
    starts = iter(range(0, SIZE, COLUMNS))

    def scroll() -> None:
        if found.codes(next(starts), CELLS, COLUMNS) is None:
            raise AssertionError("nothing was found")

    cases = [
        Case("repaint", ours.run, lambda: content.change(1.0, ROWS)),
        Case("look up", scroll),
    ]
    times = interleaved(cases, rounds, warm_up=3)
    return Row(
        "decorations: look up, place and stack those on the screen",
        1 / times.speed("look up", "repaint"),
        "x",
        "a repaint of all bytes",
        0.3,
        0.1,
        f"{times.median('look up') * 1e3:.2f} against {times.median('repaint') * 1e3:.2f} ms",
        lower_is_better=True,
    )


def rows(*, quick: bool = False) -> list[Row]:
    """All rows."""
    application = QGuiApplication.instance() or QGuiApplication([])
    rounds = 11 if quick else 41
    found = [
        compare("repaint of 100 x 32 at 4K, every byte changed", 1.0, ROWS, (0.6, 0.35), rounds),
        compare("the same, 10 % of the bytes changed, in all rows", 0.1, ROWS, (0.4, 0.35), rounds),
        compare("the same, changed cells only: 320 bytes in 10 rows", 1.0, 10, (0.2, 0.08), rounds),
        compare_decorated("10,000 decorations: every byte changed", 1.0, ROWS, LIMITS, rounds),
        compare_decorated("10,000 decorations: 10 % of the bytes", 0.1, ROWS, LIMITS, rounds),
        compare_decorated("10,000 decorations: 320 bytes in 10 rows", 1.0, 10, LIMITS, rounds),
        compare_decorated("10,000 decorations: nothing changed", 0.0, ROWS, LIMITS, rounds),
        look_up(rounds),
        *column_rows(rounds),
    ]
    del application
    return found
