"""Histories for plots: fixed rings, thinned to what a plot has pixels for."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


class Ring:
    """The newest `capacity` samples of several traces over one time axis (seconds).

    A gap is a sample of NaN at the time of the one before it, so that no line crosses it.
    """

    def __init__(self, capacity: int, traces: int) -> None:
        self._data = np.zeros((traces + 1, capacity), np.float64)
        self._count = 0
        self._broken = False

    def __len__(self) -> int:
        return min(self._count, int(self._data.shape[1]))

    def append(self, time_s: float, values: tuple[float, ...]) -> None:
        """One sample of every trace."""
        if self._broken and self._count:
            last = self._data[0, (self._count - 1) % self._data.shape[1]]
            self._put(last, (np.nan,) * len(values))
        self._broken = False
        self._put(time_s, values)

    def _put(self, time_s: float, values: tuple[float, ...]) -> None:
        self._data[:, self._count % self._data.shape[1]] = (time_s, *values)
        self._count += 1

    def interrupt(self) -> None:
        """Sampling stops for now: draw a gap before the next sample."""
        self._broken = True

    def clear(self) -> None:
        """Forget all."""
        self._count = 0
        self._broken = False

    def since(self, start_s: float) -> F64:
        """(traces + 1, n): times, then traces, oldest first, from `start_s` on."""
        capacity = self._data.shape[1]
        if self._count <= capacity:
            rows = self._data[:, : self._count]
        else:
            rows = np.roll(self._data, -(self._count % capacity), axis=1)
        first = int(np.searchsorted(rows[0], start_s))
        return rows[:, first:]

    def between(self, start_s: float, end_s: float) -> F64:
        """The same up to `end_s`, with one sample more at each end, so that lines reach them."""
        rows = self.since(-np.inf)
        first = int(np.searchsorted(rows[0], start_s)) - 1
        behind = int(np.searchsorted(rows[0], end_s, side="right")) + 1
        return rows[:, max(0, first) : behind]

    def at(self, time_s: float, apart_s: float) -> F64 | None:
        """The values of the sample nearest to a time, at most so far from it; None in a gap."""
        rows = self.since(time_s - apart_s)
        if not rows.shape[1]:
            return None
        nearest = int(np.abs(rows[0] - time_s).argmin())
        values: F64 = rows[1:, nearest]
        far = abs(rows[0, nearest] - time_s) > apart_s
        return None if far or np.isnan(values).any() else values

    def mean(self, start_s: float) -> F64 | None:
        """Of each trace from `start_s` on, gaps left out; None where there is nothing."""
        values = self.since(start_s)[1:]
        known = values[:, np.isfinite(values).all(axis=0)]
        mean: F64 | None = known.mean(axis=1) if known.shape[1] else None
        return mean


def thin(times: F64, values: F64, columns: int) -> tuple[F64, F64]:
    """At most two points per pixel column, the least and the greatest, so no peak is lost.

    Gaps (NaN) stay gaps: what is between two of them is thinned by itself.
    """
    count = len(times)
    if count <= 2 * columns or columns < 1:
        return times, values
    gaps = np.flatnonzero(np.isnan(values))
    bounds = [-1, *gaps.tolist(), count]
    stamps, out = [], []
    for before, behind in itertools.pairwise(bounds):
        if behind - before > 1:
            run = slice(before + 1, behind)
            share = max(1, columns * (behind - before - 1) // count)
            found = _thin_run(times[run], values[run], share)
            stamps += [found[0], times[behind : behind + 1]]
            out += [found[1], values[behind : behind + 1]]
    if not out:
        return times[:0], values[:0]
    return np.concatenate(stamps), np.concatenate(out)


def _thin_run(times: F64, values: F64, columns: int) -> tuple[F64, F64]:
    step = len(times) // columns
    if step <= 2:
        return times, values
    whole = step * columns
    part = values[-whole:].reshape(columns, step)
    at = times[-whole:].reshape(columns, step)
    low, high = part.min(axis=1), part.max(axis=1)
    first = part.argmin(axis=1) <= part.argmax(axis=1)
    out = np.empty(2 * columns)
    out[0::2] = np.where(first, low, high)
    out[1::2] = np.where(first, high, low)
    stamps = np.empty(2 * columns)
    stamps[0::2] = at[:, 0]
    stamps[1::2] = at[:, step // 2]
    return stamps, out


def step_up(value: float) -> float:
    """The next of 1, 2, 5, 10, ... at or above `value`; ranges that step do not jitter."""
    if value <= 0:
        return 1.0
    base = 10.0 ** np.floor(np.log10(value))
    return float(
        next(base * factor for factor in (1, 2, 5, 10) if base * factor >= value * 0.999999)
    )
