"""Outlines of decorations on a map, against what each range must show."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ui.hex.decorations.decorations import Decoration, Decorations, Tint
from app.ui.hex.decorations.overview import MapShape, map_outlines, tint_colors, to_image
from app.ui.style.theme import DARK

PAGE = 4096
LEAST = 6


@st.composite
def shapes(draw: st.DrawFn) -> MapShape:
    cells, columns = draw(st.integers(1, 2000)), draw(st.integers(1, 60))
    columns = min(columns, cells)
    width, height = draw(st.integers(20, 200)), draw(st.integers(20, 120))
    return MapShape(cells, PAGE, columns, -(-cells // columns), width, height)


@settings(deadline=None, max_examples=100)
@given(shapes(), st.floats(0, 1), st.floats(0, 1))
def test_a_single_range_is_outlined_where_it_lies_and_large_enough(
    shape: MapShape, at: float, much: float
) -> None:
    size = shape.cells * PAGE
    start = min(int(at * size), size - 1)
    item = Decoration(start, max(1, int(much**4 * (size - start))), Tint.TEAL)
    store = Decorations()
    store.layer("one").add(item)
    seen = map_outlines(store, shape, LEAST, 1)
    assert seen.shape == (shape.height, shape.width)
    assert set(np.unique(seen).tolist()) <= {0, Tint.TEAL}
    rows, columns = np.nonzero(seen)
    assert rows.max() - rows.min() + 1 >= min(LEAST, shape.height)
    assert columns.max() - columns.min() + 1 >= min(LEAST, shape.width)
    first, last = start // PAGE, (item.end - 1) // PAGE
    for cell, top in ((first, rows.min()), (last, rows.max())):
        row, column = divmod(cell, shape.columns)
        middle = (row + 0.5) * shape.height / shape.rows
        assert rows.min() <= middle + 1
        assert rows.max() >= middle - 1
        assert abs(top - middle) <= max(2 * LEAST, shape.height / shape.rows) + 1
        if first == last:
            across = (column + 0.5) * shape.width / shape.columns
            assert columns.min() <= across + 1
            assert columns.max() >= across - 1


def test_inside_an_outline_the_heat_is_seen() -> None:
    store = Decorations()
    store.layer("one").add(Decoration(0, 20 * PAGE, Tint.VIOLET))
    seen = map_outlines(store, MapShape(100, PAGE, 10, 10, 200, 200), LEAST, 1)
    assert not seen[1:39, 1:199].any()
    assert (seen[0] == Tint.VIOLET).all()
    assert (seen[39] == Tint.VIOLET).all()
    assert (seen[:40, [0, 199]] == Tint.VIOLET).all()
    assert not seen[40:].any()


def test_a_nested_range_has_an_outline_of_its_own() -> None:
    store = Decorations()
    store.layer("one").replace(
        [Decoration(0, 100 * PAGE), Decoration(55 * PAGE, 10, Tint.ROSE), Decoration(PAGE, 1)]
    )
    seen = map_outlines(store, MapShape(100, PAGE, 10, 10, 200, 200), LEAST, 1)
    assert (seen[100, 100:120] == Tint.ROSE).all()
    assert not seen[101:119, 101:119].any()


def test_the_smallest_range_in_the_largest_region_is_seen() -> None:
    size = 64 << 30
    store = Decorations()
    store.layer("one").add(Decoration(size - 1, 1, Tint.GREEN))
    shape = MapShape(16384, size // 16384, 188, 88, 290, 135)
    rows, columns = np.nonzero(map_outlines(store, shape, LEAST, 1))
    assert rows.max() - rows.min() + 1 >= LEAST
    assert columns.max() - columns.min() + 1 >= LEAST
    assert rows.max() == 134


def test_what_has_no_mark_is_transparent() -> None:
    colors = tint_colors(DARK, DARK.ground)
    image = to_image(colors[np.array([[0, Tint.TEAL]])])
    assert image.pixelColor(0, 0).alpha() == 0
    assert image.pixelColor(1, 0).alpha() == 255
    assert len(set(colors.tolist())) == len(Tint)
