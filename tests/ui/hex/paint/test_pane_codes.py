"""The cells of numbers, turned bytes and long characters, against doing them one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.values.column_forms import FORMS, ColumnForm, form_named
from app.core.values.text_encodings import ENCODINGS, encoding_named
from app.ui.hex.paint import styles
from app.ui.hex.paint.cell_states import BLANK, DOT, CellStates, Codes
from app.ui.hex.paint.geometry import Grid, Pane
from app.ui.hex.paint.pane_codes import PaneCodes, Span, pane_codes

COLUMNS = 16
QUIET = styles.LABEL << 8
CODES = st.lists(
    st.tuples(
        st.integers(0, 255),
        st.integers(0, styles.ABSENT),
        st.sampled_from([0, styles.SELECTED, 3 * styles.TINT]),
        st.sampled_from([0, styles.BAR_LEFT, styles.BAR_RIGHT, 3 * styles.LINES]),
    ).map(lambda one: (one[1] | one[2]) << 8 | one[0] | one[3]),
    min_size=2 * COLUMNS,
    max_size=2 * COLUMNS,
)


def column(form: ColumnForm, phase: int = 0) -> PaneCodes:
    grid = Grid(4096, COLUMNS, 1, 8, 18, 8, (form,), phase=phase)
    return pane_codes(grid.layouts[Pane.HEX], grid.text, CellStates())


def characters(codes: Codes) -> str:
    return "".join(chr(code & 0xFF) for code in codes.tolist())


def value_of(form: ColumnForm, values: list[int]) -> list[int]:
    """The cells of one value of a form that is not bytewise, one by one."""
    states = [code >> 8 & styles.STATE for code in values]
    if BLANK in values or styles.ABSENT in states:
        cells = [QUIET | ord(" ")] * (form.chars - 1) + [QUIET | DOT]
        return [BLANK] * form.chars if set(values) == {BLANK} else cells
    order = [
        styles.ZERO,
        styles.TEXT,
        styles.MINE,
        *reversed(range(styles.MINE_FRESH, styles.MINE_FRESH + styles.STEPS)),
        *reversed(range(styles.CHANGED, styles.CHANGED + styles.STEPS)),
        styles.FLUX,
        styles.PENDING,
    ]
    look = max(states, key=order.index)
    tint = max(code >> 8 & styles.COUNT - styles.TINT for code in values)
    every = 0
    for code in values:
        every |= code
    along = every & (styles.SELECTED << 8 | 7 * styles.LINES)
    text = form.text(bytes(code & 0xFF for code in values)).rjust(form.chars)
    cells = [(look | tint) << 8 | along | ord(character) for character in text]
    cells[0] |= every & styles.BAR_LEFT
    cells[-1] |= every & styles.BAR_RIGHT
    return cells


@given(st.sampled_from([form for form in FORMS if not form.bytewise]), CODES, st.integers(0, 20))
@settings(max_examples=60)
def test_numbers_look_like_their_byte_of_the_most_weight(
    form: ColumnForm, codes: list[int], cut: int
) -> None:
    codes = codes[: len(codes) - cut] + [BLANK] * cut  # the region ends
    made = column(form)
    base = np.array(codes, np.int32)
    one_by_one = []
    for at in range(0, len(codes), form.width):
        one_by_one += value_of(form, codes[at : at + form.width])
    assert made.codes(base, Span()).reshape(-1).tolist() == one_by_one
    base[3] ^= 1  # written anew where it differs, and only there
    fresh = column(form).codes(base, Span())
    assert np.array_equal(made.codes(base, Span()), fresh)


def test_bytes_of_little_endian_values_are_turned_round_and_ends_stand_at_the_edges() -> None:
    form = form_named("hex32le")
    assert form is not None
    codes = np.arange(COLUMNS, dtype=np.int32)
    codes[4] |= styles.BAR_LEFT
    codes[9] |= styles.BAR_RIGHT
    codes[-1] = BLANK
    turned = column(form).codes(codes, Span())[0].tolist()
    assert turned[:4] == [3, 2, 1, 0]
    assert turned[4:8] == [7 | styles.BAR_LEFT, 6, 5, 4]
    assert turned[8:12] == [11, 10, 9, 8 | styles.BAR_RIGHT]
    assert turned[12:] == [BLANK, 14, 13, 12]


def test_long_characters_stand_at_their_first_byte_and_wide_ones_in_two_cells() -> None:
    encoding = encoding_named("utf8")
    assert encoding is not None
    grid = Grid(4096, COLUMNS, 1, 8, 18, 8, text=encoding)
    text = pane_codes(grid.layouts[Pane.TEXT], encoding, CellStates())
    data = "ü日\0".encode().ljust(COLUMNS, b"A")
    base = np.frombuffer(data[-2:] + data + b"AAAA", np.uint8).astype(np.int32)
    cells = text.codes(base, Span(2, encoding.reach))
    assert cells.shape == (1, COLUMNS)
    kanji = 0xE5 | 0x65 * styles.PAGE
    quiet = styles.ZERO << 8 | DOT
    assert cells[0, :6].tolist() == [0xFC, ord(" "), kanji, kanji | styles.HALF, ord(" "), quiet]
    assert characters(cells[0, 6:]) == "A" * 10


@given(CODES)
@settings(max_examples=30)
def test_every_encoding_keeps_the_looks_of_bytes(codes: list[int]) -> None:
    for encoding in ENCODINGS:
        grid = Grid(4096, COLUMNS, 1, 8, 18, 8, text=encoding)
        text = pane_codes(grid.layouts[Pane.TEXT], encoding, CellStates())
        base = np.array([*codes, *[0] * encoding.reach], np.int32)
        made = text.codes(base, Span(0, encoding.reach)).reshape(-1)
        looks = ~(0xFF | styles.PAGES)
        before, after = np.array(codes) & looks, made & looks
        quiet = after == before | styles.ZERO << 8
        assert (quiet | (after == before)).all()
