"""How far apart two clocks are, from round trips that were stamped on the way.

A round trip tells sent, stamp (by the other clock), received. If both ways took the same time the
clocks differ by `stamp - (sent + received) / 2`; they may not have, but neither can have taken
less than nothing, so the truth lies within half the round trip of that. The quickest round trips
bound it best (as in NTP's clock filter). The figure is never shown without that bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.core.probe.stats import Times

_QUICKEST: Final = 0.05


@dataclass(frozen=True, slots=True)
class OneWay:
    """The two halves of the round trip, as far as they can be told apart.

    Attributes:
        there_p50_ns: Median time to the peer.
        back_p50_ns: Median time back.
        uncertainty_ns: Either may be off by so much, the other then by as much the other way.
        offset_ns: The peer's clock minus ours.
        same_clock: Both sides run on one system and read one clock: nothing was estimated.
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
    """Estimate from stamped round trips; None without any."""
    good = (stamps > 0) & (received >= sent)
    sent, stamps, received = sent[good], stamps[good], received[good]
    if not sent.size:
        return None
    trips = received - sent
    if same_clock:
        offset, bound = 0.0, 0.0
    else:
        count = max(1, int(trips.size * _QUICKEST))
        quickest = np.argpartition(trips, count - 1)[:count]
        # Whole numbers first: a clock that counts since 1601 has no room for halves in a float.
        middle = stamps[quickest] - sent[quickest] - trips[quickest] // 2
        offset, bound = float(np.median(middle)), float(trips.min()) / 2
    there = stamps - sent - np.int64(round(offset))
    back = trips - there
    return OneWay(
        float(np.median(there)), float(np.median(back)), bound, offset, same_clock, int(sent.size)
    )
