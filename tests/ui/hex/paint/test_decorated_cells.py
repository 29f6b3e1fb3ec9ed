"""What decorations add to cells, against painting them one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ui.hex.decorations.decorated_cells import DecoratedCells, decoration_codes
from app.ui.hex.decorations.decorations import Decoration, Decorations, Mark, Tint
from app.ui.hex.decorations.row_labels import RowLabel, row_labels
from app.ui.hex.paint import styles
from app.ui.hex.paint.cell_states import BLANK, DOT, CellStates
from app.ui.hex.paint.geometry import Grid, Pane
from app.ui.hex.paint.pane_codes import Span, pane_codes

FAR = 60 << 30  # beyond what an int of Qt could count


def one_by_one(
    items: list[Decoration], start: int, length: int, columns: int
) -> list[tuple[int, Mark, bool, bool]]:
    tints, marks = [0] * length, [Mark.ENDS] * length
    lefts, rights = [False] * length, [False] * length
    for item in sorted(items, key=lambda one: (one.start, -one.length)):
        for at in range(max(item.start, start), min(item.end, start + length)):
            here = at - start
            tints[here] = item.tint or tints[here]
            if at < item.start + columns:
                marks[here] |= item.mark & Mark.ABOVE
            if at >= item.end - columns:
                marks[here] |= item.mark & (Mark.BELOW | Mark.DOTS)
            lefts[here] |= at == item.start
            rights[here] |= at == item.end - 1
    return list(zip(tints, marks, lefts, rights, strict=True))


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Decoration,
            st.integers(FAR - 50, FAR + 60),
            st.one_of(st.integers(1, 5), st.integers(1, 1 << 40)),
            st.sampled_from(Tint),
            st.sampled_from(Mark),
        ),
        max_size=25,
    ),
    st.integers(1, 50),
    st.integers(1, 20),
)
def test_codes_are_those_of_painting_one_by_one(
    items: list[Decoration], length: int, columns: int
) -> None:
    store = Decorations()
    store.layer("all").replace(items)
    codes = decoration_codes(store.hits(FAR, length), FAR, length, columns)
    read = [
        (
            code >> 8 & styles.COUNT - 1,
            Mark(code // styles.LINES & 7),
            bool(code & styles.BAR_LEFT),
            bool(code & styles.BAR_RIGHT),
        )
        for code in codes.tolist()
    ]
    expected = one_by_one(items, FAR, length, columns)
    assert read == [(tint * styles.TINT, *rest) for tint, *rest in expected]


def test_the_codes_of_a_span_are_kept_until_it_or_the_ranges_change() -> None:
    store = Decorations()
    layer = store.layer("one")
    cells = DecoratedCells(store)
    assert cells.codes(0, 64, 16) is None
    layer.add(Decoration(8, 4))
    first = cells.codes(0, 64, 16)
    assert first is not None
    assert cells.codes(0, 64, 16) is first
    layer.replace([Decoration(8, 4)])
    assert cells.codes(0, 64, 16) is first, "the same ranges again are no change"
    assert cells.codes(16, 64, 16) is None
    layer.clear()
    assert cells.codes(0, 64, 16) is None


def test_the_text_pane_keeps_what_decorations_add() -> None:
    extra = 5 * styles.TINT << 8 | 3 * styles.LINES | styles.BAR_LEFT | styles.BAR_RIGHT
    cells = [0x41, 0x07, styles.CHANGED << 8 | 0xFF, styles.SELECTED << 8 | 0x42]
    codes = np.array([BLANK, *(cell | extra for cell in cells)], np.int32)
    grid = Grid(4096, 5, 1, 8, 18, 8)
    text = pane_codes(grid.layouts[Pane.TEXT], grid.text, CellStates())
    assert text.codes(codes, Span())[0].tolist() == [
        BLANK,
        extra | 0x41,
        extra | styles.ZERO << 8 | DOT,
        extra | styles.CHANGED << 8 | DOT,
        extra | styles.SELECTED << 8 | 0x42,
    ]


def test_labels_stand_in_the_row_of_the_start_or_in_the_first_row() -> None:
    store = Decorations()
    store.layer("fields").replace(
        [
            Decoration(FAR, 0x1000, Tint.SLATE, label="struct"),
            Decoration(FAR + 0x100, 8, Tint.TEAL, label="head"),
            Decoration(FAR + 0x108, 8, Tint.VIOLET, label="tail"),
            Decoration(FAR + 0x110, 8, Tint.VIOLET),
        ]
    )
    store.layer("find", 1).add(Decoration(FAR + 0x104, 2, Tint.OLIVE, label="hit"))
    grid = Grid(1 << 44, 16, 1, 8, 20, 8)
    row = grid.row_of(FAR)
    assert row_labels(store, grid, row, 4, row) == {row: (RowLabel(Tint.SLATE, "struct"),)}
    inside = row_labels(store, grid, row + 8, 40, row + 9)
    assert inside == {
        row + 9: (RowLabel(Tint.SLATE, "↑ struct"),),
        row + 16: (
            RowLabel(Tint.TEAL, "head"),
            RowLabel(Tint.OLIVE, "hit"),
            RowLabel(Tint.VIOLET, "tail"),
        ),
    }
    assert row_labels(store, grid, row + 0x100, 4, row + 0x100) == {}
