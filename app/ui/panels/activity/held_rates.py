"""What ever changed since a moment: the greatest rate of each cell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ....core.watch.frame import Activity

F32 = npt.NDArray[np.float32]
# What changed once has hardly a rate; it shows all the same.
_LEAST_RATE = 1.0


class HeldRates:
    """Keeps nothing until `begin`.

    Attributes:
        since_ns: Since when it keeps; 0 = from the next Activity on, None = it keeps nothing.
        rates: What to show for the rates of the Activity; None = those.
    """

    def __init__(self) -> None:
        self.since_ns: int | None = None
        self.rates: F32 | None = None
        self._number = -1

    def begin(self, now_ns: int | None) -> None:
        """Keep what changes from now on; None ends it."""
        self.since_ns, self.rates, self._number = now_ns, None, -1

    def add(self, activity: Activity, now_ns: int) -> None:
        """Take an Activity into account."""
        if self.since_ns is None or activity.number == self._number:
            return
        self._number = activity.number
        self.since_ns = self.since_ns or now_ns
        changed = activity.changed_ns >= self.since_ns
        rates = np.where(changed, np.maximum(activity.rate, _LEAST_RATE), 0).astype(np.float32)
        if self.rates is not None and len(self.rates) == len(rates):
            rates = np.maximum(rates, self.rates)
        self.rates = rates

    def greatest(self, cell: int) -> float:
        """The greatest rate of a cell since then."""
        return 0.0 if self.rates is None else float(self.rates[cell])
