from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.values.column_forms import FORMS, HEX
from app.core.values.text_encodings import ENCODINGS
from app.ui.hex.paint.geometry import (
    MAX_COLUMNS,
    Grid,
    Pane,
    Part,
    address_digits,
    address_text,
    fitted_columns,
    with_columns,
)

SIZES = st.integers(1, 1 << 45)
GRIDS = st.builds(
    Grid,
    size=SIZES,
    columns=st.integers(1, MAX_COLUMNS // 8).map(lambda eights: 8 * eights),
    group=st.sampled_from([1, 2, 4, 8]),
    char=st.integers(3, 40),
    height=st.integers(6, 90),
    margin=st.integers(1, 24),
    forms=st.just((HEX,)) | st.lists(st.sampled_from(FORMS), min_size=1, max_size=4).map(tuple),
    text=st.sampled_from(ENCODINGS),
    phase=st.integers(0, 7),
)


@pytest.mark.parametrize(
    ("size", "digits"),
    [(0, 8), (1, 8), (1 << 32, 8), ((1 << 32) + 1, 12), (1 << 48, 12), ((1 << 48) + 1, 16)],
)
def test_addresses_have_room_for_the_last_byte(size: int, digits: int) -> None:
    assert address_digits(size) == digits


def test_an_address_stands_in_groups_of_four() -> None:
    assert address_text(0x12345, 8) == "0001'2345"
    assert address_text(0x1_0000_0040, 12) == "0001'0000'0040"


@given(GRIDS, st.data())
def test_every_byte_is_hit_at_its_own_place(grid: Grid, data: st.DataObject) -> None:
    pane = data.draw(st.sampled_from(grid.panes))
    layout = grid.layouts[pane]
    offset = layout.value_start(data.draw(st.integers(0, grid.size - 1)))
    assume(offset < grid.size and layout.place(offset)[0] < grid.rows)
    row, column = layout.place(offset)
    left = grid.left(pane, column)
    x = data.draw(st.integers(left, left + grid.cell_width(pane) - 1))
    hit = grid.hit(x, row)
    assert hit is not None
    assert (hit.part, hit.offset, hit.exact) == (Part(pane.value), offset, True)


@given(GRIDS, st.integers(-100, 20_000), st.integers(-5, 1 << 50))
def test_any_point_hits_a_byte_of_the_region(grid: Grid, x: int, row: int) -> None:
    hit = grid.hit(x, row)
    assert hit is not None
    assert 0 <= hit.offset < grid.size


@given(GRIDS, st.data())
def test_cells_do_not_overlap(grid: Grid, data: st.DataObject) -> None:
    end = grid.address_x + grid.address_chars * grid.char
    for layout in grid.layouts.values():
        assert end < layout.x
        cell = data.draw(st.integers(0, layout.cells - 1))
        if cell:
            assert layout.cell_left(cell) >= layout.cell_left(cell - 1) + layout.cell
        end = layout.end
    assert end < grid.width


def test_a_drag_does_not_leave_its_pane() -> None:
    grid = Grid(1024, 16, 1, 8, 18, 8)
    hit = grid.hit(grid.left(Pane.TEXT, 0) + 40, 2, Pane.HEX)
    assert hit is not None
    assert (hit.part, hit.offset) == (Part.HEX, 47)


def test_nothing_is_hit_in_an_empty_region() -> None:
    assert Grid(0, 16, 1, 8, 18, 8).hit(100, 0) is None


@given(GRIDS, st.integers(0, 6000))
def test_fitted_columns_fit_or_are_the_fewest(grid: Grid, width: int) -> None:
    columns = fitted_columns(grid, width)
    assert columns % grid.group == 0
    assert columns in (8, 16, 32, 64), "what people expect of a row"
    assert columns == 8 or with_columns(grid, columns).width <= width
    assert columns == 64 or with_columns(grid, 2 * columns).width > width, "and no fewer than fit"


@given(GRIDS, st.data())
def test_the_rows_of_a_span_share_it_without_gaps(grid: Grid, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, grid.rows - 1))
    rows = data.draw(st.integers(1, 5))
    start, length = grid.span(first, rows)
    total = 0
    for row in range(first, first + rows):
        left, right = grid.row_columns(row, start, length)
        total += right - left
    assert total == length
    assert start + length <= grid.size
