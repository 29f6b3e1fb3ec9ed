"""One-way estimates on round trips whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.probe.clocks import one_way


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
    # Floats carry offsets of years to 128 ns only.
    slack = 130 if offset > 1 << 53 else 2
    assert abs(found.there_p50_ns - truth) <= found.uncertainty_ns + noise + slack
    assert found.uncertainty_ns >= (there + back) / 2 - 1
    assert "±" in str(found)


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
