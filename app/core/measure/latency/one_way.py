"""How far apart two clocks are, from round trips that were stamped on the way.

A round trip has three times: sent, stamp (by the other clock), received. The stamp was taken
after sending and before receiving, so each trip bounds the clocks' difference: at most
`stamp - sent`, at least `stamp - received`. The clocks of two systems also run at different speeds:
20 parts in a million are 4 µs in a fifth of a second, ten times a round trip. So all pairs of
offset and speed are considered that contradict no trip. The one-way times that follow from them
span a range; its middle is the estimate, and half its width the uncertainty. Nothing is assumed of
the two one-way times but that neither is negative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..histogram import Times

_FASTEST: Final = 0.01  # no clock is further off in speed than that
_STEPS: Final = 40
_SPEEDS: Final = 9
_COARSEST_NS: Final = 1000.0


@dataclass(frozen=True, slots=True)
class OneWay:
    """The two halves of the round trip, as far as they are known separately.

    Attributes:
        there_p50_ns: Median time to the peer.
        back_p50_ns: Median time back.
        uncertainty_ns: Either may be off by so much, the other then by as much in the opposite
            direction.
        offset_ns: The peer's clock minus ours, in the middle of the trips.
        same_clock: Both sides read the clock of one system: nothing was estimated.
        samples: Round trips that it was computed from.
    """

    there_p50_ns: float
    back_p50_ns: float
    uncertainty_ns: float
    offset_ns: float
    same_clock: bool
    samples: int

    def __str__(self) -> str:
        bound = "one clock" if self.same_clock else f"± {self.uncertainty_ns:.0f} ns"
        return f"{self.there_p50_ns:.0f} ns there, {self.back_p50_ns:.0f} ns back ({bound})"


def one_way(sent: Times, stamps: Times, received: Times, *, same_clock: bool) -> OneWay | None:
    """Estimate from stamped round trips; None without any, or when stamps contradict each other.

    With one clock each stamp must be between sent and received. Where that is not so (a container
    with a clock of its own), two clocks are assumed.
    """
    good = (stamps > 0) & (received >= sent)
    sent, stamps, received = sent[good], stamps[good], received[good]
    if not sent.size:
        return None
    if same_clock and bool(((sent <= stamps) & (stamps <= received)).all()):
        there = float(np.median(stamps - sent))
        return OneWay(there, float(np.median(received - stamps)), 0.0, 0.0, True, int(sent.size))
    return _between_two(sent, stamps, received)


def _between_two(sent: Times, stamps: Times, received: Times) -> OneWay | None:
    # Whole numbers first: a clock that counts since 1601 has no room for halves in a float.
    base = int(stamps[0]) - int(sent[0])
    most = (stamps - sent - base).astype(np.float64)
    least = (stamps - received - base).astype(np.float64)
    at = (sent - (int(sent[0]) + int(sent[-1])) // 2).astype(np.float64)
    grain = _grain(stamps) + _grain(np.concatenate((sent, received)))

    def offsets(speed: float) -> tuple[float, float]:
        """The least and the most that the clocks differ by if one gains `speed` on the other."""
        gained = speed * at
        return float((least - gained).max()) - grain, float((most - gained).min()) + grain

    speeds = _possible(offsets)
    if not speeds:
        return None
    there, back, shifts = [], [], []
    for speed in speeds:
        low, high = offsets(speed)
        gone = float(np.median(most - speed * at))
        home = float(np.median(speed * at - least))
        there += [gone - high, gone - low]
        back += [home + low, home + high]
        shifts += [low, high]
    (there_ns, bound), (back_ns, other) = _middle(there), _middle(back)
    offset = base + _middle(shifts)[0]
    return OneWay(there_ns, back_ns, max(bound, other), offset, False, int(sent.size))


def _middle(values: list[float]) -> tuple[float, float]:
    """The middle of a range of one-way times, and half its width."""
    low, high = min(values), max(values)
    return float(low + high) / 2, float(high - low) / 2


def _grain(times: Times) -> float:
    """The clock's resolution (100 ns on Windows), by which its times may be wrong."""
    step = int(np.gcd.reduce(np.diff(np.sort(times)))) if times.size > 1 else 0
    return min(float(step), _COARSEST_NS) if step > 1 else 0.0


def _possible(offsets: Callable[[float], tuple[float, float]]) -> list[float]:
    """Speeds that leave room for an offset: the ends of their range, and the extremes within.

    The most that the clocks can differ by is a concave function of the speed, the least a convex
    one, so that bisection finds the ends and ternary search the extremes.
    """

    def room(speed: float) -> float:
        low, high = offsets(speed)
        return high - low

    best = _peak(room, -_FASTEST, _FASTEST)
    if room(best) < 0:
        return []
    ends = []
    for end in (-_FASTEST, _FASTEST):
        inside, outside = best, end
        for _ in range(_STEPS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if room(middle) >= 0 else (inside, middle)
        ends.append(inside)
    most = _peak(lambda speed: offsets(speed)[1], *ends)
    least = _peak(lambda speed: -offsets(speed)[0], *ends)
    return [*(float(speed) for speed in np.linspace(ends[0], ends[1], _SPEEDS)), most, least]


def _peak(concave: Callable[[float], float], low: float, high: float) -> float:
    """Where a concave function is largest."""
    for _ in range(2 * _STEPS):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if concave(left) < concave(right):
            low = left
        else:
            high = right
    return (low + high) / 2
