"""Distributions of times: log-linear buckets by numpy, percentiles, merging.

The buckets are HdrHistogram's with three significant digits: exact up to 2047, then 1024 to each
power of two, so that any value is known to 0.1 %. Recording is one bincount per batch of samples
(docs/measurements.md, "Recording samples"), and the counts are what `.hlog` files hold
(hdr_log.py).
Count, minimum, maximum and sum are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

HALF: Final = 1024  # buckets to a power of two
HALF_BITS: Final = 11  # values of up to so many bits are exact
MAX_VALUE: Final = (1 << 42) - 1  # 73 minutes in nanoseconds; longer counts as that
SIZE: Final = (42 - HALF_BITS) * HALF + 2 * HALF
QUANTILES: Final = (0.5, 0.9, 0.99, 0.999, 0.9999)
QUANTILE_KEYS: Final = ("p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "p99_99_ns")
LEAST_BEYOND: Final = 10  # samples; a percentile with fewer beyond it is the chance of a few
Times = npt.NDArray[np.int64]


def bucket_of(values: Times) -> npt.NDArray[np.int64]:
    """The bucket of each value; values must be within 0 and MAX_VALUE."""
    exponent = np.frexp(values.astype(np.float64))[1].astype(np.int64)  # bit_length
    shift = np.maximum(exponent - HALF_BITS, 0)
    return np.asarray(shift * HALF + (values >> shift), np.int64)


def highest_in(bucket: int) -> int:
    """The largest value that falls into a bucket; percentiles use it, so none is too small."""
    shift = max(0, bucket // HALF - 1)
    return ((bucket - shift * HALF + 1) << shift) - 1


def lowest_in(bucket: int) -> int:
    """The smallest value that falls into a bucket."""
    shift = max(0, bucket // HALF - 1)
    return (bucket - shift * HALF) << shift


class Histogram:
    """A distribution of times in nanoseconds.

    Attributes:
        counts: How many values in each bucket.
        count: How many in all.
        least: The smallest; 0 when empty.
        most: The largest; 0 when empty.
        total: The sum.
    """

    def __init__(self) -> None:
        self.counts = np.zeros(SIZE, np.int64)
        self.count = 0
        self.least = 0
        self.most = 0
        self.total = 0

    def record(self, values: Times) -> None:
        """Add values. Negative ones (a clock that stepped) count as 0."""
        if not values.size:
            return
        values = np.clip(values, 0, MAX_VALUE)
        self.counts += np.bincount(bucket_of(values), minlength=SIZE)
        low, high = int(values.min()), int(values.max())
        self.least = min(self.least, low) if self.count else low
        self.most = max(self.most, high)
        self.count += values.size
        self.total += int(values.sum())

    @property
    def mean(self) -> float:
        """The arithmetic mean; 0 when empty."""
        return self.total / self.count if self.count else 0.0

    def percentiles(self, quantiles: tuple[float, ...] = QUANTILES) -> list[int]:
        """The smallest bucket's highest value that at least this share does not exceed."""
        if not self.count:
            return [0] * len(quantiles)
        running = np.cumsum(self.counts)
        ranks = [max(1, min(self.count, _ceil(q * self.count))) for q in quantiles]
        buckets = np.searchsorted(running, ranks)
        return [max(self.least, min(self.most, highest_in(int(b)))) for b in buckets]

    def curve(self) -> tuple[Times, npt.NDArray[np.float64]]:
        """(value, share of values that exceed it) for each bucket in use: the percentile curve."""
        used = np.flatnonzero(self.counts)
        values = np.array([highest_in(int(bucket)) for bucket in used], np.int64)
        above = self.count - np.cumsum(self.counts[used])
        return values, above / max(1, self.count)

    def bars(self) -> list[tuple[int, int, int]]:
        """(lowest value, highest value, count) of each bucket in use."""
        return [
            (lowest_in(int(b)), highest_in(int(b)), int(self.counts[b]))
            for b in np.flatnonzero(self.counts)
        ]

    def summary(self) -> Summary:
        """The figures that are shown."""
        p50, p90, p99, p99_9, p99_99 = self.percentiles(QUANTILES)
        return Summary(self.count, self.least, self.mean, p50, p90, p99, p99_9, p99_99, self.most)

    def as_dict(self) -> dict[str, Any]:
        """Everything, for a file."""
        used = np.flatnonzero(self.counts)
        return {
            "unit": "ns",
            "count": self.count,
            "min_ns": self.least,
            "max_ns": self.most,
            "sum_ns": self.total,
            "buckets": used.tolist(),
            "counts": self.counts[used].tolist(),
        }


def _ceil(value: float) -> int:
    # 0.9999 * 10000 is 9999.000000000002 in binary: a rank is not pushed up by rounding noise.
    return int(np.ceil(value - 1e-9 * max(1.0, value)))


def too_few_samples(count: int, quantile: float) -> bool:
    """Whether a percentile of so many samples rests on fewer than ten beyond it."""
    return count > 0 and count * (1 - quantile) < LEAST_BEYOND - 1e-6  # 1 - 0.9999 is less


@dataclass(frozen=True, slots=True)
class Summary:
    """A distribution in a line; times in nanoseconds."""

    count: int = 0
    minimum: int = 0
    mean: float = 0.0
    p50: int = 0
    p90: int = 0
    p99: int = 0
    p99_9: int = 0
    p99_99: int = 0
    maximum: int = 0

    @property
    def too_few_samples(self) -> tuple[str, ...]:
        """Keys of the percentiles that rest on too few samples."""
        pairs = zip(QUANTILE_KEYS, QUANTILES, strict=True)
        return tuple(key for key, quantile in pairs if too_few_samples(self.count, quantile))

    def as_dict(self) -> dict[str, Any]:
        """Keys that name their unit. Where nothing was counted there are no times, not 0 ns."""
        times: dict[str, float] = {
            "min_ns": self.minimum,
            "mean_ns": self.mean,
            "p50_ns": self.p50,
            "p90_ns": self.p90,
            "p99_ns": self.p99,
            "p99_9_ns": self.p99_9,
            "p99_99_ns": self.p99_99,
            "max_ns": self.maximum,
        }
        return {
            "count": self.count,
            **(times if self.count else dict.fromkeys(times)),
            "too_few_samples": list(self.too_few_samples),
        }
