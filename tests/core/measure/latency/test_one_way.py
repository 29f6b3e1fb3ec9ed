"""One-way estimates on round trips whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.measure.latency.one_way import one_way


def trips(offset: int, there: int, back: int, noise: int = 0, count: int = 500) -> tuple:
    random = np.random.default_rng(5)
    sent = np.arange(count, dtype=np.int64) * 1_000_000 + 10**12
    out = there + random.integers(0, noise + 1, count)
    home = back + random.integers(0, noise + 1, count)
    return sent, sent + out + offset, sent + out + home


@settings(deadline=None)
@given(st.integers(0, 10**18), st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 10**5))
def test_the_truth_lies_within_the_bound(offset: int, there: int, back: int, noise: int) -> None:
    sent, stamps, received = trips(offset, there, back, noise)
    found = one_way(sent, stamps, received, same_clock=False)
    assert found is not None
    truth = float(np.median(stamps - offset - sent))
    assert abs(found.there_p50_ns - truth) <= found.uncertainty_ns + 2
    assert abs(found.back_p50_ns - np.median(received - stamps + offset)) <= (
        found.uncertainty_ns + 2
    )
    assert "±" in str(found)


@pytest.mark.parametrize("gained", [0.0, 20e-6, -50e-6, 500e-6])
@pytest.mark.parametrize("quiet", ["all the time", "in the beginning", "at the end"])
@pytest.mark.parametrize("offset", [0, 10**12, -(10**12)])
def test_clocks_of_different_speed(gained: float, quiet: str, offset: int) -> None:
    """In a fifth of a second they part by far more than a round trip takes."""
    random = np.random.default_rng(8)
    count = 1000
    out = 150 + random.exponential(20, count)
    home = 150 + random.exponential(20, count)
    early = np.arange(count) < count // 5
    noisy = {
        "all the time": np.zeros(count, bool),
        "in the beginning": ~early,
        "at the end": ~early[::-1],
    }[quiet]
    out[noisy] += random.exponential(3000, noisy.sum())
    sent = np.arange(count, dtype=np.int64) * 200_000 + 10**13
    arrived = sent + out
    stamps = (arrived + offset + gained * (arrived - 10**13)).astype(np.int64)
    found = one_way(sent, stamps, (arrived + home).astype(np.int64), same_clock=False)
    assert found is not None
    assert abs(found.there_p50_ns - np.median(out)) <= found.uncertainty_ns + 2
    assert abs(found.back_p50_ns - np.median(home)) <= found.uncertainty_ns + 2
    assert found.uncertainty_ns < 200
    assert min(found.there_p50_ns, found.back_p50_ns) >= 0


def test_a_coarse_clock_is_part_of_the_bound() -> None:
    """Windows counts in 100 ns, which is more than half of these ways."""
    random = np.random.default_rng(4)
    sent = (np.arange(500) * 1_000_007 + random.integers(0, 99, 500)).astype(np.int64) + 10**12
    stamps = (sent + 90 + 5 * 10**11) // 100 * 100
    received = (sent + 160) // 100 * 100
    found = one_way(sent // 100 * 100, stamps, received, same_clock=False)
    assert found is not None
    assert abs(found.there_p50_ns - 90) <= found.uncertainty_ns


def test_a_clock_that_stepped_gives_no_estimate() -> None:
    sent, stamps, received = trips(10**9, 200, 200, 50)
    stamps[250:] += 10**7
    stamps[300:] -= 2 * 10**7
    assert one_way(sent, stamps, received, same_clock=False) is None


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, (1 << 63) - 1), min_size=1, max_size=30), st.booleans())
def test_a_peer_may_stamp_anything(stamps: list[int], same: bool) -> None:
    sent = np.arange(len(stamps), dtype=np.int64) * 1000 + 10**12
    one_way(sent, np.array(stamps, np.int64), sent + 300, same_clock=same)


def test_one_system_with_two_clocks_is_estimated() -> None:
    """A container may have a monotonic clock of its own."""
    found = one_way(*trips(10**9, 200, 200, 50), same_clock=True)
    assert found is not None
    assert not found.same_clock
    assert found.there_p50_ns == pytest.approx(225, abs=found.uncertainty_ns)


def test_one_clock_needs_no_estimate() -> None:
    found = one_way(*_order(trips(0, 300, 100)), same_clock=True)
    assert found is not None
    assert (found.there_p50_ns, found.back_p50_ns, found.uncertainty_ns) == (300, 100, 0)
    assert "one clock" in str(found)


def _order(parts: tuple) -> tuple:
    sent, stamps, received = parts
    return sent, stamps, received


def test_a_symmetric_way_is_found_whatever_the_clocks_say() -> None:
    found = one_way(*trips(10**15, 200, 200, 50), same_clock=False)
    assert found is not None
    assert found.offset_ns == pytest.approx(10**15, abs=60)


def test_without_stamps_there_is_nothing() -> None:
    sent, _, received = trips(0, 1, 1)
    assert one_way(sent, np.zeros_like(sent), received, same_clock=False) is None
