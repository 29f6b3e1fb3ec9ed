"""The plan of a flash test, and its result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...errors import ValueFormatError
from ..histogram import too_few_samples
from .flash import Surface

I64 = npt.NDArray[np.int64]

MIN_EVERY_S: Final = 0.05
MAX_EVERY_S: Final = 60.0
PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9)


@dataclass(frozen=True, slots=True)
class FlashPlan:
    """What to do.

    Attributes:
        flips: How many; 0 until stopped.
        every_s: Mean time between two.
        jitter: Share of it by which each wait is longer or shorter, at random, so that the
            flips are not synchronous with the display.
        surface: What the peer's window paints.
        manual: Flip only when asked to (`FlashMaster.flip`).
    """

    flips: int = 40
    every_s: float = 0.5
    jitter: float = 0.4
    surface: Surface = Surface.PATCH
    manual: bool = False

    def checked(self) -> FlashPlan:
        """The plan itself. Raises ValueFormatError for one that makes no sense."""
        if not MIN_EVERY_S <= self.every_s <= MAX_EVERY_S:
            raise ValueFormatError(
                f"A flash every {self.every_s:g} s cannot be measured.",
                f"{MIN_EVERY_S:g} to {MAX_EVERY_S:g} s are possible.",
            )
        if not 0 <= self.jitter < 1 or not 0 <= self.flips <= 1_000_000:
            raise ValueFormatError("The jitter is 0 to 0.99, the number of flashes 0 to 1000000.")
        return self


@dataclass(frozen=True, slots=True)
class FlashSample:
    """One flash that came back; all in ns.

    Attributes:
        number: Which.
        total_ns: From the store to the peer's answer, on our clock: exact.
        paint_ns: From seen to painted, on the peer's clock: exact.
        answer_ns: From painted to answered, on the peer's clock: exact.
        seen_ns: From the store to seen. Exact with one clock, else half of what is left.
        seen_error_ns: Its uncertainty, to both sides; 0 with one clock.
        reaction_ns: A person's reaction after the flash was painted; 0 none.
    """

    number: int
    total_ns: int
    paint_ns: int
    answer_ns: int
    seen_ns: int
    seen_error_ns: int
    reaction_ns: int = 0


@dataclass(frozen=True, slots=True)
class FlashLive:
    """Progress of a test: the last sample (None when it was lost) and the counts so far."""

    sample: FlashSample | None
    lost: int


@dataclass(frozen=True, slots=True)
class FlashResult:
    """What was measured.

    Attributes:
        plan: The plan.
        samples: Those that came back, in order.
        lost: Flashes that were not answered within a second.
        one_clock: Both sides run on the same system.
        peer: The responder.
        peer_period_ns: Refresh period of the peer's display; 0 unknown.
        began_s: When, seconds since 1970.
    """

    plan: FlashPlan
    samples: tuple[FlashSample, ...]
    lost: int
    one_clock: bool
    peer: str
    peer_period_ns: int
    began_s: float

    def column(self, name: str) -> I64:
        """One field of all samples."""
        return np.array([getattr(sample, name) for sample in self.samples], np.int64)

    def percentiles(self, name: str) -> dict[str, int]:
        """p50 to p99.9, min and max of one field; empty without samples."""
        values = self.column(name)
        if not len(values):
            return {}
        ranked = np.percentile(values, PERCENTILES, method="inverted_cdf")
        found = {f"p{p:g}_ns": int(v) for p, v in zip(PERCENTILES, ranked, strict=True)}
        return {"min_ns": int(values.min()), **found, "max_ns": int(values.max())}

    def _reactions(self) -> dict[str, int]:
        pressed = [sample for sample in self.samples if sample.reaction_ns]
        return replace(self, samples=tuple(pressed)).percentiles("reaction_ns") if pressed else {}

    def as_dict(self) -> dict[str, Any]:
        """For JSON; keys name their unit."""
        return {
            "test": "flash",
            "surface": self.plan.surface.name.lower(),
            "peer": self.peer,
            "one_clock": self.one_clock,
            "peer_period_ns": self.peer_period_ns,
            "count": len(self.samples),
            "too_few_samples": [
                f"p{p:g}_ns" for p in PERCENTILES if too_few_samples(len(self.samples), p / 100)
            ],
            "lost": self.lost,
            "began_s": self.began_s,
            "stored_to_seen": {
                **self.percentiles("seen_ns"),
                "uncertainty_ns": max((s.seen_error_ns for s in self.samples), default=0),
            },
            "seen_to_painted": self.percentiles("paint_ns"),
            "painted_to_answered": self.percentiles("answer_ns"),
            "reaction": self._reactions(),
            "total": self.percentiles("total_ns"),
            "samples": [[s.number, s.total_ns, s.seen_ns, s.paint_ns] for s in self.samples],
        }
