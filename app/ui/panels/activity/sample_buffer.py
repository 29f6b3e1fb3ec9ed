"""Histories for plots: fixed rings, thinned to what a plot has pixels for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


class Ring:
    """The newest `capacity` samples of several traces over one time axis (seconds)."""

    def __init__(self, capacity: int, traces: int) -> None:
        self._data = np.zeros((traces + 1, capacity), np.float64)
        self._count = 0

    def __len__(self) -> int:
        return min(self._count, int(self._data.shape[1]))

    def append(self, time_s: float, values: tuple[float, ...]) -> None:
        """One sample of every trace."""
        self._data[:, self._count % self._data.shape[1]] = (time_s, *values)
        self._count += 1

    def clear(self) -> None:
        """Forget all."""
        self._count = 0

    def since(self, start_s: float) -> F64:
        """(traces + 1, n): times, then traces, oldest first, from `start_s` on."""
        capacity = self._data.shape[1]
        if self._count <= capacity:
            rows = self._data[:, : self._count]
        else:
            rows = np.roll(self._data, -(self._count % capacity), axis=1)
        first = int(np.searchsorted(rows[0], start_s))
        return rows[:, first:]


def thin(times: F64, values: F64, columns: int) -> tuple[F64, F64]:
    """At most two points per pixel column, the least and the greatest, so no peak is lost."""
    count = len(times)
    if count <= 2 * columns or columns < 1:
        return times, values
    step = count // columns
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
    stamps[1::2] = at[:, step // 2] if step > 1 else at[:, 0]
    return stamps, out


def step_up(value: float) -> float:
    """The next of 1, 2, 5, 10, ... at or above `value`; ranges that step do not jitter."""
    if value <= 0:
        return 1.0
    base = 10.0 ** np.floor(np.log10(value))
    return float(
        next(base * factor for factor in (1, 2, 5, 10) if base * factor >= value * 0.999999)
    )
