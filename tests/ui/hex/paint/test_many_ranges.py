"""A layer of a million ranges answers as one of a few does, and quickly enough to be painted."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ui.hex.decorations.decorations import Decoration, Decorations, Mark, Tint
from app.ui.hex.decorations.many_ranges import ManyRanges


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 30)), max_size=40),
    st.integers(0, 220),
    st.integers(1, 60),
)
def test_it_answers_as_a_plain_layer(
    ranges: list[tuple[int, int]], start: int, length: int
) -> None:
    ranges.sort()
    both = Decorations()
    plain, many = both.layer("plain"), both.layer_of(ManyRanges, "many", 0)
    plain.replace([Decoration(at, size, Tint.OLIVE, Mark.OUTLINE, "hit") for at, size in ranges])
    many.show(
        np.array([at for at, _ in ranges], np.int64),
        np.array([size for _, size in ranges], np.int64),
        "hit",
    )
    assert len(many) == len(plain)
    assert sorted(map(repr, many.touching(start, length))) == sorted(
        map(repr, plain.touching(start, length))
    )
    for one, other in ((many.hits(start, length), plain.hits(start, length)),):
        assert sorted(zip(one.starts, one.ends, one.tints, one.marks, strict=True)) == sorted(
            zip(other.starts, other.ends, other.tints, other.marks, strict=True)
        )
    for ask in ("next_behind", "previous_before"):
        found, wanted = getattr(many, ask)(start), getattr(plain, ask)(start)
        assert (found and found.start) == (wanted and wanted.start)
    many.clear()
    assert not len(many)
    assert many.touching(0, 500) == []


def test_very_many_are_joined_but_none_is_lost() -> None:
    decorations = Decorations()
    many = decorations.layer_of(ManyRanges, "many", 0)
    starts = np.unique(np.random.default_rng(1).integers(0, 1 << 30, 1 << 20)).astype(np.int64)
    many.show(starts, np.full(len(starts), 4, np.int64), "hit")
    assert len(decorations) == len(starts)
    hits = decorations.hits(0, 1 << 30)
    assert 1000 < len(hits) <= 1 << 14
    which = np.searchsorted(hits.starts, starts, "right") - 1
    assert (hits.ends[which] >= starts + 4).all()
    assert len(decorations.hits(0, 1 << 30, outlined=True)) == 0  # a map would be nothing but lines
    few = decorations.hits(int(starts[5]), 4)
    assert int(starts[5]) in few.starts.tolist()
