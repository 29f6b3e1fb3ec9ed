"""The comparison kernels against naive oracles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from app.core.region.region import PAGE
from app.core.watch.byte_changes import Comparer

U8 = npt.NDArray[np.uint8]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[U8, U8]:
    """Two equally long arrays that differ in some bytes, few or very many."""
    length = draw(st.integers(1, 3 * PAGE + 20))
    before = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, length, np.uint8)
    now = before.copy()
    at = draw(st.lists(st.integers(0, length - 1), max_size=40))
    now[at] ^= np.uint8(draw(st.integers(1, 255)))
    low = draw(st.integers(0, length))
    high = draw(st.one_of(st.just(low), st.integers(low, length)))
    now[low:high] = ~before[low:high]
    return now, before


def differing(now: U8, before: U8) -> list[int]:
    return [
        at for at, (a, b) in enumerate(zip(now.tolist(), before.tolist(), strict=True)) if a != b
    ]


@given(pairs())
def test_positions_mask_and_count_agree_with_a_loop(pair: tuple[U8, U8]) -> None:
    comparer = Comparer(4 * PAGE)
    expected = differing(*pair)
    assert comparer.positions(*pair).tolist() == expected
    assert np.flatnonzero(comparer.mask(*pair)).tolist() == expected
    assert comparer.count(*pair) == len(expected)


@given(pairs())
def test_page_summaries_agree_with_a_loop(pair: tuple[U8, U8]) -> None:
    now, before = (np.concatenate((half, np.zeros(-len(half) % PAGE, np.uint8))) for half in pair)
    found = Comparer(len(now)).pages(now, before)
    for page in range(len(now) // PAGE):
        part = slice(page * PAGE, (page + 1) * PAGE)
        inside = differing(now[part], before[part]) or [0]
        count = len(inside) if (now[part] != before[part]).any() else 0
        assert (found.count[page], found.first[page], found.last[page]) == (
            count,
            inside[0],
            inside[-1],
        )


def test_buffers_are_reused_but_positions_are_not() -> None:
    comparer = Comparer(64)
    zeros, ones = np.zeros(64, np.uint8), np.ones(64, np.uint8)
    kept = comparer.positions(ones, zeros)
    mask = comparer.mask(ones, zeros)
    comparer.mask(zeros, zeros)
    assert len(kept) == 64
    assert not mask.any()
