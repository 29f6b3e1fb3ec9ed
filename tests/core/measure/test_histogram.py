"""Distributions: against exact percentiles, known laws, and HdrHistogram itself."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from app.core.measure.hdr_log import encode, hdr_log
from app.core.measure.histogram import (
    MAX_VALUE,
    SIZE,
    Histogram,
    bucket_of,
    highest_in,
    lowest_in,
)

QUANTILES = (0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0)
arrays = st_np.arrays(np.int64, st.integers(0, 300), elements=st.integers(0, MAX_VALUE))


def filled(*parts: np.ndarray) -> Histogram:
    made = Histogram()
    for part in parts:
        made.record(part)
    return made


def exact(values: np.ndarray, quantile: float) -> int:
    ordered = np.sort(values)
    rank = max(1, int(np.ceil(round(quantile * len(ordered), 6))))
    return int(ordered[rank - 1])


@settings(deadline=None)
@given(st.integers(0, MAX_VALUE))
def test_a_value_lies_in_its_bucket_which_is_narrow(value: int) -> None:
    bucket = int(bucket_of(np.array([value]))[0])
    assert 0 <= bucket < SIZE
    assert lowest_in(bucket) <= value <= highest_in(bucket)
    assert highest_in(bucket) - lowest_in(bucket) <= value / 1024


def test_buckets_touch() -> None:
    for bucket in range(SIZE - 1):
        assert highest_in(bucket) + 1 == lowest_in(bucket + 1)
    assert highest_in(SIZE - 1) == MAX_VALUE


@settings(deadline=None)
@given(arrays)
def test_percentiles_are_exact_to_a_thousandth(values: np.ndarray) -> None:
    histogram = filled(values)
    for quantile, found in zip(QUANTILES, histogram.percentiles(QUANTILES), strict=True):
        if not values.size:
            assert found == 0
            continue
        truth = exact(values, quantile)
        assert truth <= found <= truth + truth / 1024 + 1
    if values.size:
        summary = histogram.summary()
        assert (summary.minimum, summary.maximum) == (values.min(), values.max())
        assert summary.mean == pytest.approx(float(np.mean(values.astype(object))))
        assert summary.count == values.size


def test_known_laws() -> None:
    random = np.random.default_rng(7)
    exponential = filled(random.exponential(1e6, 2_000_000).astype(np.int64))
    for quantile, found in zip(
        (0.5, 0.9, 0.99, 0.999), exponential.percentiles((0.5, 0.9, 0.99, 0.999)), strict=True
    ):
        assert found == pytest.approx(-1e6 * np.log(1 - quantile), rel=0.02)
    uniform = filled(random.integers(0, 1_000_000, 1_000_000))
    assert uniform.percentiles((0.25, 0.75)) == pytest.approx([250_000, 750_000], rel=0.01)
    assert uniform.mean == pytest.approx(500_000, rel=0.01)
    one = filled(np.full(1000, 12345))
    assert set(one.percentiles()) == {12345}


def test_out_of_bounds_counts_at_the_edges() -> None:
    histogram = filled(np.array([-5, MAX_VALUE + 10], np.int64))
    assert (histogram.least, histogram.most) == (0, MAX_VALUE)


def test_the_curve_falls_to_nothing() -> None:
    values, above = filled(np.arange(1, 10_001)).curve()
    assert (np.diff(values) > 0).all()
    assert (np.diff(above) < 0).all()
    assert above[-1] == 0


@settings(deadline=None)
@given(arrays)
def test_hdrhistogram_reads_what_we_write(values: np.ndarray) -> None:
    ours = filled(values)
    theirs = HdrHistogram.decode(base64.b64encode(encode(ours)))
    assert theirs.get_total_count() == ours.count
    for quantile in (0.5, 0.9, 0.99, 0.999) if values.size else ():
        rank = max(1, int(quantile * ours.count + 0.5))  # its rule; ours rounds up
        there = theirs.get_value_at_percentile(quantile * 100)
        assert there == pytest.approx(exact(values, rank / ours.count), rel=1 / 1024, abs=1)


def test_hdrhistogram_buckets_as_we_do() -> None:
    values = np.random.default_rng(3).lognormal(9, 3, 3000).astype(np.int64)
    theirs = HdrHistogram(1, MAX_VALUE, 3)
    for value in values.tolist():
        theirs.record_value(value)
    ours = HdrHistogram.decode(base64.b64encode(encode(filled(values))))
    for percentile in np.linspace(0, 100, 301):
        assert ours.get_value_at_percentile(percentile) == theirs.get_value_at_percentile(
            percentile
        )


def test_a_log_with_two_histograms(tmp_path: Path) -> None:
    path = tmp_path / "run.hlog"
    both = (("response", filled(np.arange(100))), ("service", filled(np.arange(50))))
    path.write_text(hdr_log(both, 1_700_000_000.0, 2.5, "3 lost"))
    reader = HistogramLogReader(str(path), HdrHistogram(1, MAX_VALUE, 3))
    found = [reader.get_next_interval_histogram() for _ in range(2)]
    assert [(one.get_tag(), one.get_total_count()) for one in found] == [
        ("response", 100),
        ("service", 50),
    ]
    assert reader.get_next_interval_histogram() is None
    assert reader.start_time_sec == 1_700_000_000.0
    assert [one.get_start_time_stamp() for one in found] == [1_700_000_000_000] * 2
    assert [one.get_end_time_stamp() for one in found] == [1_700_000_002_500] * 2
    reader.close()
    assert "#[3 lost]" in path.read_text()


def test_nothing_counted_has_no_times() -> None:
    """0 ns would be the best latency there is."""
    nothing = Histogram().summary()
    assert nothing.as_dict()["count"] == 0
    assert nothing.as_dict()["p50_ns"] is None
    assert set(nothing.as_dict()) == set(filled(np.arange(5)).summary().as_dict())


@pytest.mark.parametrize(
    ("count", "weak"),
    [
        (0, []),
        (1, ["p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "p99_99_ns"]),
        (19, ["p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "p99_99_ns"]),
        (20, ["p90_ns", "p99_ns", "p99_9_ns", "p99_99_ns"]),
        (100, ["p99_ns", "p99_9_ns", "p99_99_ns"]),
        (999, ["p99_ns", "p99_9_ns", "p99_99_ns"]),
        (1_000, ["p99_9_ns", "p99_99_ns"]),
        (10_000, ["p99_99_ns"]),
        (99_999, ["p99_99_ns"]),
        (100_000, []),
    ],
)
def test_percentiles_that_rest_on_fewer_than_ten_samples_are_named(
    count: int, weak: list[str]
) -> None:
    histogram = Histogram()
    histogram.record(np.arange(count, dtype=np.int64))
    found = histogram.summary().as_dict()
    assert found["too_few_samples"] == weak
    assert set(weak) <= set(found)
