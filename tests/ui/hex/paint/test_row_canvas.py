from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QFont
from pytestqt.qtbot import QtBot

from app.core.values.column_forms import HEX, ColumnForm
from app.core.values.text_encodings import ASCII, TextEncoding
from app.ui.hex.paint import styles
from app.ui.hex.paint.cell_states import BLANK, CellStates, Codes
from app.ui.hex.paint.geometry import Grid, Pane
from app.ui.hex.paint.glyph_atlas import Pools, Type, packed
from app.ui.hex.paint.pane_codes import Span, pane_codes
from app.ui.hex.paint.row_canvas import Canvas
from app.ui.style.theme import DARK, LIGHT, Theme, mono_font

ROWS = 12


def make_canvas(
    columns: int = 16,
    group: int = 1,
    ratio: float = 1.0,
    theme: Theme = DARK,
    size: int = 1 << 20,
    pixels: float = 12,
    forms: tuple[ColumnForm, ...] = (HEX,),
    text: TextEncoding = ASCII,
) -> Canvas:
    type_ = Type.of(QFont(mono_font()), ratio, pixels=pixels)
    grid = Grid(size, columns, group, type_.char, type_.height, 8, forms, text)
    looks = styles.looks(theme)
    pools = Pools(type_, grid)
    pools.set_looks(looks)
    canvas = Canvas(grid, ROWS + 3, pools)
    canvas.set_looks(looks, styles.rgb(theme.line))
    return canvas


def random_codes(rng: np.random.Generator, columns: int) -> Codes:
    values = rng.integers(0, 256, (ROWS, columns))
    looks = rng.integers(0, styles.ABSENT + 1, (ROWS, columns))
    tint = rng.integers(0, 2, (ROWS, columns)) * styles.SELECTED
    codes = ((looks | tint) << 8 | values).astype(np.int32)
    decorated = rng.integers(0, 8, (ROWS, columns)) * (styles.TINT << 8)
    decorated |= rng.integers(0, 32, (ROWS, columns)) * styles.LINES
    # Runs of one tint reach over gaps; some rows and cells have nothing.
    decorated[rng.random(ROWS) < 0.4] = styles.TINT << 8 | styles.LINES
    decorated[rng.random((ROWS, columns)) < 0.3] = 0
    codes |= decorated.astype(np.int32)
    codes[-1, columns // 2 :] = BLANK
    return codes


def image_rows(canvas: Canvas, first: int) -> np.ndarray:
    """The pixels of the shown rows, in the region's order."""
    grid = canvas.grid
    flat = np.frombuffer(canvas.image.constBits(), np.uint32)
    lines = flat.reshape(canvas.image.height(), canvas.image.bytesPerLine() // 4)
    rows = [(first + row) % canvas.slots * grid.height for row in range(ROWS)]
    return np.stack([lines[top : top + grid.height, : grid.width] for top in rows]).copy()


def paint(canvas: Canvas, first: int, codes: Codes, here: int = -1) -> list[int]:
    cells = [
        pane_codes(layout, canvas.grid.text, CellStates()).codes(codes.reshape(-1), Span())
        for layout in canvas.grid.layouts.values()
    ]
    return canvas.update(first, cells, here).tolist()


@pytest.mark.parametrize(
    ("columns", "group"), [(16, 1), (12, 1), (16, 2), (24, 4), (20, 8), (3, 1)]
)
@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_what_was_painted_bit_by_bit_equals_a_full_repaint(
    qtbot: QtBot, columns: int, group: int, ratio: float
) -> None:
    rng = np.random.default_rng(columns * 100 + group)
    canvas = make_canvas(columns, group, ratio)
    codes = random_codes(rng, columns)
    paint(canvas, 40, codes, 42)
    for step in range(6):
        some = rng.random(codes.shape) < (0.05, 0.6)[step % 2]
        codes = np.where(some, random_codes(rng, columns), codes).astype(np.int32)
        first = 40 + step % 3  # scrolls by a row at a time, over the ring's end
        paint(canvas, first, codes, first + step)
        fresh = make_canvas(columns, group, ratio)
        paint(fresh, first, codes, first + step)
        assert np.array_equal(image_rows(canvas, first), image_rows(fresh, first)), f"step {step}"


def test_only_rows_that_differ_are_touched(qtbot: QtBot) -> None:
    canvas = make_canvas()
    codes = random_codes(np.random.default_rng(1), 16)
    assert paint(canvas, 100, codes) == list(range(100, 100 + ROWS))
    assert paint(canvas, 100, codes) == []
    before = image_rows(canvas, 100)
    codes[3, 5] ^= 1
    codes[7, 0] ^= styles.SELECTED << 8
    assert paint(canvas, 100, codes) == [103, 107]
    after = image_rows(canvas, 100)
    differs = (before != after).any(axis=(1, 2))
    assert np.flatnonzero(differs).tolist() == [3, 7]
    columns = np.flatnonzero((before[3] != after[3]).any(axis=0))
    grid = canvas.grid
    cells = set()
    for layout in grid.layouts.values():
        cells.update(range(layout.left(5), layout.left(5) + layout.value_width))
    assert set(columns.tolist()) <= cells


def test_the_address_of_the_cursors_row_stands_out(qtbot: QtBot) -> None:
    canvas = make_canvas()
    codes = np.zeros((ROWS, 16), np.int32)
    paint(canvas, 0, codes, 2)
    assert paint(canvas, 0, codes, 3) == [2, 3]


def test_scrolling_paints_only_what_comes_into_sight(qtbot: QtBot) -> None:
    canvas = make_canvas()
    codes = random_codes(np.random.default_rng(2), 16)
    codes[-1] = codes[0]
    paint(canvas, 0, codes)
    moved = np.concatenate([codes[2:], codes[:2]])
    assert paint(canvas, 2, moved) == [ROWS, ROWS + 1]


def test_themes_paint_other_pixels_and_every_style_differs(qtbot: QtBot) -> None:
    codes = np.full((ROWS, 16), 0x41, np.int32)
    for column, style in enumerate(
        (styles.TEXT, styles.ZERO, styles.CHANGED, styles.MINE, styles.FLUX, styles.PENDING)
    ):
        codes[0, column] = style << 8 | 0x41
    dark, light = make_canvas(theme=DARK), make_canvas(theme=LIGHT)
    paint(dark, 0, codes)
    paint(light, 0, codes)
    assert (image_rows(dark, 0) != image_rows(light, 0)).mean() > 0.9
    grid = dark.grid
    row, layout = image_rows(dark, 0)[0], grid.layouts[Pane.HEX]
    places = [layout.left(column) for column in range(6)]
    cells = {row[:, left : left + layout.cell].tobytes() for left in places}
    assert len(cells) == 6


def test_a_full_pool_forgets_and_paints_on(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.ui.hex.paint.glyph_atlas.POOL_BYTES", 1)
    small = make_canvas()
    monkeypatch.undo()
    large = make_canvas()
    rng = np.random.default_rng(3)
    for _ in range(8):
        codes = random_codes(rng, 16)
        paint(small, 0, codes)
        paint(large, 0, codes)
        assert np.array_equal(image_rows(small, 0), image_rows(large, 0))


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("pixels", [6, 9, 13, 22])
def test_the_underline_of_a_change_is_whole_at_every_size(
    qtbot: QtBot, ratio: float, pixels: int
) -> None:
    canvas = make_canvas(ratio=ratio, pixels=pixels)
    codes = np.full((ROWS, 16), styles.CHANGED << 8 | 0x20, np.int32)
    paint(canvas, 0, codes)
    line = packed(styles.looks(DARK)[styles.CHANGED].underline or (0, 0, 0))
    grid = canvas.grid
    left = grid.left(Pane.TEXT, 0)
    text = image_rows(canvas, 0)[0][:, left : left + grid.char]
    assert (text == line).all(axis=1).sum() == canvas.type.stroke


def test_a_value_that_changes_leaves_the_lines_of_a_decoration(qtbot: QtBot) -> None:
    """The outermost lines are painted with the decoration only; the glyphs with every value."""
    marks = styles.TINT << 8 | 7 * styles.LINES | styles.BAR_LEFT | styles.BAR_RIGHT
    for share in (0.1, 1.0):
        canvas, fresh = make_canvas(), make_canvas()
        codes = np.full((ROWS, 16), marks | 0x41, np.int32)
        paint(canvas, 0, codes)
        some = np.random.default_rng(1).random(codes.shape) < share
        codes[some] ^= 0x13
        paint(canvas, 0, codes)
        paint(fresh, 0, codes)
        assert np.array_equal(image_rows(canvas, 0), image_rows(fresh, 0))
