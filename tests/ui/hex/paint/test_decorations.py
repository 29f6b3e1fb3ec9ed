"""The model of decorations against one that looks at every range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.ui.hex.decorations.decorations import Decoration, Decorations, Mark, Tint
from app.ui.hex.decorations.range_index import FANOUT, LAST, RangeIndex, covered, greatest

# Small ones meet and nest; large ones lie anywhere that 63 bits reach, or cover all of it.
OFFSETS = st.one_of(st.integers(0, 60), st.integers(0, LAST - 1), st.integers(LAST - 60, LAST - 1))
LENGTHS = st.one_of(st.integers(1, 6), st.integers(1, 60), st.integers(1, LAST))
TINTS, MARKS = st.sampled_from(Tint), st.sampled_from(Mark)


@st.composite
def decorations(draw: st.DrawFn) -> Decoration:
    start = draw(OFFSETS)
    length = min(draw(LENGTHS), LAST - start)
    return Decoration(start, length, draw(TINTS), draw(MARKS), draw(st.sampled_from("abc")))


@st.composite
def spans(draw: st.DrawFn) -> tuple[int, int]:
    start = draw(OFFSETS)
    return start, draw(LENGTHS)


def touches(item: Decoration, start: int, length: int) -> bool:
    return item.start < start + length and start < item.end


def in_order(items: list[Decoration]) -> list[Decoration]:
    return sorted(items, key=lambda item: (item.start, -item.length))


class AgainstEveryRange(RuleBasedStateMachine):
    """Three layers, one of them below the others, changed in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Decorations()
        self.depths = {"mid": 10, "top": 10, "low": -5}
        self.real = {name: self.store.layer(name, z) for name, z in self.depths.items()}
        self.plain: dict[str, list[Decoration]] = {name: [] for name in self.depths}
        self.signals = 0
        self.store.changed.connect(self.count)

    def count(self) -> None:
        self.signals += 1

    def after(self, name: str, items: list[Decoration], signals: int) -> None:
        changed = in_order(items) != in_order(self.plain[name])
        self.plain[name] = in_order(items)
        assert self.signals - signals == changed

    @rule(name=st.sampled_from(["low", "mid", "top"]), items=st.lists(decorations(), max_size=40))
    def replace(self, name: str, items: list[Decoration]) -> None:
        before = self.signals
        self.real[name].replace(items)
        self.after(name, items, before)

    @rule(
        name=st.sampled_from(["low", "mid", "top"]),
        span=spans(),
        items=st.lists(decorations(), max_size=6),
    )
    def replace_part(self, name: str, span: tuple[int, int], items: list[Decoration]) -> None:
        start, length = span
        before = self.signals
        self.real[name].replace_part(start, length, items)
        first = [item for item in self.plain[name] if item.start < start]
        last = [item for item in self.plain[name] if item.start >= start + length]
        self.after(name, first + items + last, before)

    @rule(name=st.sampled_from(["low", "mid", "top"]), item=decorations())
    def add(self, name: str, item: Decoration) -> None:
        before = self.signals
        self.real[name].add(item)
        self.after(name, [*self.plain[name], item], before)

    @rule(name=st.sampled_from(["low", "mid", "top"]), data=st.data(), stranger=decorations())
    def remove(self, name: str, data: st.DataObject, stranger: Decoration) -> None:
        gone = data.draw(st.sets(st.sampled_from([*self.plain[name], stranger])))
        before = self.signals
        self.real[name].remove(*gone)
        self.after(name, [item for item in self.plain[name] if item not in gone], before)

    @rule()
    def clear(self) -> None:
        before, some = self.signals, sum(1 for items in self.plain.values() if items)
        self.store.clear()
        assert self.signals - before == some
        self.plain = {name: [] for name in self.plain}

    @rule(span=spans())
    def look(self, span: tuple[int, int]) -> None:
        start, length = span
        painted = [item for name in ("low", "mid", "top") for item in self.plain[name]]
        expected = [item for item in painted if touches(item, start, length)]
        assert self.store.touching(start, length) == expected
        hits = self.store.hits(start, length)
        rows = [(item.start, item.end, item.tint, item.mark) for item in expected]
        assert list(zip(*(array.tolist() for array in _arrays(hits)), strict=True)) == rows
        over = [item for item in painted if touches(item, start, 1)]
        assert self.store.at(start) == over[::-1]
        assert self.store.topmost(start) == (over[-1] if over else None)

    @rule(name=st.sampled_from(["low", "mid", "top"]), offset=OFFSETS)
    def walk(self, name: str, offset: int) -> None:
        items = self.plain[name]
        behind = next((item for item in items if item.start > offset), None)
        before = next((item for item in reversed(items) if item.start < offset), None)
        assert self.real[name].next_behind(offset) == behind
        assert self.real[name].previous_before(offset) == before

    @invariant()
    def same(self) -> None:
        for name, items in self.plain.items():
            assert list(self.real[name].items) == items
        assert len(self.store) == sum(map(len, self.plain.values()))


def _arrays(hits: object) -> tuple[np.ndarray, ...]:
    return tuple(getattr(hits, name) for name in ("starts", "ends", "tints", "marks"))


AgainstEveryRange.TestCase.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None
)
TestAgainstEveryRange = AgainstEveryRange.TestCase


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(1, 200), st.integers(0, 2**32), spans())
def test_a_search_finds_what_a_look_at_every_range_finds(
    count: int, longest: int, seed: int, span: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.integers(0, 4000, count))
    ends = starts + rng.integers(1, longest + 1, count)
    if count:
        ends[0] = LAST  # one over everything
    index = RangeIndex(starts, ends)
    for start, length in (span, (2000, 1), (2000, 100), (4100, 5)):
        end = min(start + length, LAST)
        expected = np.flatnonzero((starts < end) & (ends > start))
        assert index.touching(start, start + length).tolist() == expected.tolist()


def test_a_search_looks_at_few_ranges_although_one_covers_them_all() -> None:
    """The nodes that are compared, counted: a scan behind the outermost range would be 100,000."""
    compared = 0

    class Counting(np.ndarray):
        def __getitem__(self, key: object) -> object:
            nonlocal compared
            found = super().__getitem__(key)  # type: ignore[call-overload]
            compared += np.size(found)
            return found

    count = 100_000
    starts = np.arange(count, dtype=np.int64) * 10
    ends = starts + 8
    ends[0] = LAST
    index = RangeIndex(starts, ends)
    index._levels = [level.view(Counting) for level in index._levels]
    assert index.touching(500_000, 500_016).tolist() == [0, 50_000, 50_001]
    assert compared <= 3 * FANOUT * len(index._levels)


@settings(deadline=None)
@given(st.integers(1, 70), st.data())
def test_the_topmost_of_each_place_is_that_of_painting_one_by_one(
    size: int, data: st.DataObject
) -> None:
    pairs = data.draw(
        st.lists(st.tuples(st.integers(0, size - 1), st.integers(1, size)), max_size=30)
    )
    first = np.array([low for low, _ in pairs], np.int64)
    behind = np.array([min(low + more, size) for low, more in pairs], np.int64)
    ranks = np.array(data.draw(st.permutations(range(len(pairs)))), np.int64)
    expected = np.full(size, -1)
    under = np.zeros(size, bool)
    for at in np.argsort(ranks):
        expected[first[at] : behind[at]] = ranks[at]
        under[first[at] : behind[at]] = True
    assert greatest(first, behind, ranks, size).tolist() == expected.tolist()
    assert covered(first, behind, size).tolist() == under.tolist()


@pytest.mark.parametrize(("start", "length"), [(-1, 4), (0, 0), (5, -1), (LAST, 1), (1, LAST)])
def test_what_is_no_range_is_refused(start: int, length: int) -> None:
    with pytest.raises(ValueError, match="no range of bytes"):
        Decoration(start, length)


def test_a_layer_is_made_once_and_keeps_its_depth() -> None:
    store = Decorations()
    find = store.layer("find", 5)
    assert store.layer("find", 99) is find
    assert find.z == 5
    over = store.layer("over", 6)
    find.add(Decoration(0, 4, label="hit"))
    over.add(Decoration(2, 1, label="note"))
    assert [item.label for item in store.at(2)] == ["note", "hit"]


def test_a_nested_range_is_on_top_of_the_one_around_it() -> None:
    store = Decorations()
    outer, inner = Decoration(0, 64, label="outer"), Decoration(0, 8, label="inner")
    store.layer("fields").replace([inner, outer])
    assert store.topmost(3) == inner
    assert store.topmost(8) == outer
    assert store.topmost(64) is None
