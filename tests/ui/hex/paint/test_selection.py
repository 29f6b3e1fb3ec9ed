from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.hex.paint.selection import Selection

SIZES = st.integers(1, 1 << 45)


def test_a_cursor_alone_selects_nothing_but_stands_for_its_byte() -> None:
    selection = Selection(7)
    assert (selection.start, selection.length) == (7, 0)
    assert selection.span() == (7, 1)


@given(SIZES, st.lists(st.integers(-(1 << 46), 1 << 46), min_size=1, max_size=5))
def test_extending_selects_from_where_it_began(size: int, targets: list[int]) -> None:
    began = selection = Selection(size // 2)
    for target in targets:
        selection = selection.moved(target, size, extend=True)
        at = min(max(0, target), size - 1)
        assert selection.cursor == at
        assert selection.start == min(at, began.cursor)
        assert selection.end - 1 == max(at, began.cursor)


@given(SIZES, st.integers(-(1 << 46), 1 << 46))
def test_moving_drops_the_selection_and_stays_inside(size: int, target: int) -> None:
    moved = Selection(0, size - 1).moved(target, size)
    assert moved.length == 0
    assert 0 <= moved.cursor < size


@given(SIZES, SIZES)
def test_a_smaller_region_clamps_both_ends(size: int, smaller: int) -> None:
    clamped = Selection(size - 1, 0).clamped(smaller)
    assert 0 <= clamped.cursor < smaller
    assert clamped.end <= smaller


@pytest.mark.parametrize(("start", "length"), [(0, 1), (5, 16), (1 << 40, 1 << 40)])
def test_a_range_becomes_that_selection(start: int, length: int) -> None:
    selection = Selection.of(start, length)
    assert (selection.start, selection.length, selection.cursor) == (start, length, start)


def test_nothing_is_selected_in_no_region() -> None:
    assert Selection(5, 3).clamped(0) == Selection(0)
    assert Selection(5).moved(9, 0, extend=True) == Selection(0)
