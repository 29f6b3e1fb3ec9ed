"""The flash test's arithmetic: patterns for cameras, samples from whatever a peer writes."""

from __future__ import annotations

import itertools
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.measure.flash.flash import BARS, bars
from app.core.measure.flash.flash_result import FlashPlan, FlashResult, FlashSample
from app.core.measure.flash.flash_run import sample_of

WORD = st.integers(0, (1 << 64) - 1)


@given(st.integers(0, (1 << 63) - 1))
def test_a_photo_gives_the_number_back_and_neighbours_differ_in_one_bar(number: int) -> None:
    pattern = bars(number)
    assert len(pattern) == BARS
    bits = itertools.accumulate(pattern, operator.xor)  # a Gray code, the highest bit first
    assert int("".join(str(int(bit)) for bit in bits), 2) == number % (1 << BARS)
    assert sum(a != b for a, b in zip(pattern, bars(number + 1), strict=True)) == 1


@given(
    st.integers(0, 1 << 62),
    st.integers(0, 1 << 40),
    st.tuples(WORD, WORD, WORD, WORD, WORD, WORD),
    st.booleans(),
)
def test_garbage_from_the_peer_never_gives_impossible_parts(
    sent: int, took: int, words: tuple[int, ...], one_clock: bool
) -> None:
    sample = sample_of(1, sent, sent + took, words, one_clock)
    assert sample.total_ns == took
    for part in (sample.seen_ns, sample.paint_ns, sample.answer_ns, sample.seen_error_ns):
        assert 0 <= part <= took


def test_parts_on_one_clock_are_exact() -> None:
    sample = sample_of(5, 1000, 9000, (5, 2000, 5000, 6000, 1, 2), one_clock=True)
    assert (sample.seen_ns, sample.paint_ns, sample.answer_ns) == (1000, 3000, 1000)
    assert sample.seen_error_ns == 0


def test_with_two_clocks_the_way_is_halved_and_the_half_is_the_uncertainty() -> None:
    far = 10**15
    sample = sample_of(5, 1000, 9000, (5, far, far + 3000, far + 4000, 1, 2), one_clock=False)
    assert (sample.paint_ns, sample.answer_ns) == (3000, 1000)
    assert (sample.seen_ns, sample.seen_error_ns) == (2000, 2000)


def test_percentiles_are_those_of_the_samples() -> None:
    samples = tuple(FlashSample(n, n * 1000, 0, 0, 0, 0) for n in range(1, 101))
    result = FlashResult(FlashPlan(), samples, 3, True, "a peer", 0, 0.0)
    found = result.percentiles("total_ns")
    assert (found["min_ns"], found["p50_ns"], found["p90_ns"], found["max_ns"]) == (
        1000,
        50_000,
        90_000,
        100_000,
    )
    assert result.as_dict()["reaction"] == {}


@pytest.mark.parametrize("every", [0.05, 60.0])
def test_the_bounds_themselves_are_allowed(every: float) -> None:
    assert FlashPlan(every_s=every).checked().every_s == every
