from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.ui.hex.paint.scroll import BAR_RANGE, Scroll

SCROLLS = st.builds(
    Scroll,
    rows=st.integers(0, 1 << 42),
    height=st.integers(1, 100),
    view=st.integers(0, 5000),
)


@given(SCROLLS, st.integers(-(1 << 50), 1 << 50))
def test_a_place_never_leaves_the_region(scroll: Scroll, place: int) -> None:
    scroll.to(place)
    assert 0 <= scroll.place <= scroll.last
    assert 0 <= scroll.bar_value <= scroll.bar_maximum < 1 << 31
    assert 1 <= scroll.bar_page < 1 << 31


@given(SCROLLS, st.integers(0, 1 << 50))
def test_the_bar_ends_mean_the_ends_of_the_region(scroll: Scroll, place: int) -> None:
    scroll.to(place)
    if 0 < scroll.place < scroll.last and scroll.last > BAR_RANGE:
        assert scroll.bar_value > 0
    scroll.from_bar(scroll.bar_maximum)
    assert scroll.place == scroll.last
    scroll.from_bar(0)
    assert scroll.place == 0


@given(SCROLLS, st.integers(0, BAR_RANGE))
def test_the_bar_comes_back_where_it_was_dragged(scroll: Scroll, value: int) -> None:
    value = min(value, scroll.bar_maximum)
    scroll.from_bar(value)
    if scroll.last <= BAR_RANGE:
        assert scroll.bar_value == value
    else:
        # Whole rows: as far off as a row is on the bar.
        row = scroll.height * BAR_RANGE // scroll.last + 2
        assert abs(scroll.bar_value - value) <= row


def test_one_row_of_a_tebibyte_is_reached_exactly() -> None:
    rows = (1 << 41) // 16
    scroll = Scroll(rows, 18, 900)
    for row in (0, 1, rows // 3, rows - 51, rows - 50):
        scroll.to_row(row)
        assert (scroll.top_row, scroll.shift) == (row, 0)
    scroll.to_row(rows - 1)
    assert scroll.top_row == rows - 50
    scroll.by(-7)
    assert scroll.shift == 11


@given(SCROLLS, st.data())
def test_reveal_makes_a_row_wholly_visible(scroll: Scroll, data: st.DataObject) -> None:
    if not scroll.rows or scroll.view < scroll.height:
        return
    scroll.to(data.draw(st.integers(0, scroll.last)))
    row = data.draw(st.integers(0, scroll.rows - 1))
    scroll.reveal(row, centre=data.draw(st.booleans()))
    assert scroll.place <= row * scroll.height
    assert (row + 1) * scroll.height <= scroll.place + scroll.view
    assert scroll.top_row <= row < scroll.top_row + scroll.visible


@given(SCROLLS, st.integers(0, 1 << 50), st.integers(1, 100), st.integers(0, 5000))
def test_another_size_of_type_keeps_the_top_row(
    scroll: Scroll, place: int, height: int, view: int
) -> None:
    scroll.to(place)
    top = scroll.top_row
    scroll.set_view(scroll.rows, height, view)
    assert scroll.top_row == top or scroll.place == scroll.last
