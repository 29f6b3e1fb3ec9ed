"""Frame: one immutable, coherent look at a region. Views draw Frames and read nothing else.

All arrays are numpy, one-dimensional, read-only. Times are monotonic nanoseconds
(time.monotonic_ns, one clock for all processes of a machine); 0 means never.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

# Part of a Frame, so to be had from here, too.
from ..health import Health as Health  # noqa: PLC0414
from ..health import Level as Level  # noqa: PLC0414

U8 = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """The whole region at a glance: one cell per `cell_bytes`, in address order.

    Attributes:
        number: Grows each time that the picture changed.
        time_ns: When it was made; 0 = nothing was read yet.
        region_size: Bytes.
        cell_bytes: Bytes a cell stands for, a power-of-two multiple of 4096.
        rate: (n,) changes seen per page and second, the busiest page of the cell, decaying.
        saturated: (n,) True where that page had changed in nearly every sample: `rate` is then how
            often it was sampled, and the page may change more often than that.
        changed_ns: (n,) when a change was last seen.
        seen_ns: (n,) when the page that was read longest ago was read; 0 = not all were yet.
        allocated: (n,) whether anything was ever written there (holes are not read).
        sweep_ns: How long the last complete pass over the region took; 0 = none yet.
        exact: False where changes are counted by page and not by byte (memory bound).
    """

    number: int
    time_ns: int
    region_size: int
    cell_bytes: int
    rate: F32
    saturated: Flags
    changed_ns: I64
    seen_ns: I64
    allocated: Flags
    sweep_ns: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Traffic:
    """Rates over the last `over_ns`, and what they cost.

    Attributes:
        over_ns: The sampling period that the rates stand for.
        observed_bytes_per_s: Bytes that differed between two samples, per second. Observed,
            not a throughput: a byte that changed twice in between counts once.
        read_bytes_per_s: What we read.
        written_bytes_per_s: What we wrote on a person's behalf.
        cost: Sampler's and sweep's share of one core, 0 to 1.
    """

    over_ns: int = 0
    observed_bytes_per_s: float = 0.0
    read_bytes_per_s: float = 0.0
    written_bytes_per_s: float = 0.0
    cost: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class RangeSample:
    """The bytes of one range, read in one go, and what is known of each of them.

    Attributes:
        start: Offset of the first byte.
        time_ns: When it was read.
        data: (n,) uint8, one coherent copy.
        flux: (n,) True where a second read right after the first differed.
        changed: (n,) True where the byte differs from the sample before (bytes seen then).
        changed_ns: (n,) when each byte was last seen to change; 0 = never.
        mine: (n,) True where that last change was a write of ours.
    """

    start: int
    time_ns: int
    data: U8
    flux: Flags
    changed: Flags
    changed_ns: I64
    mine: Flags

    @property
    def end(self) -> int:
        """Offset behind the last byte."""
        return self.start + len(self.data)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One sample of the visible range, with the state of the whole region.

    Attributes:
        number: Counts ticks; gaps are frames that were replaced before they were fetched.
        period_ns: The tick's target period; 0 for a single step.
        sample: The visible range.
        activity: The whole region.
        traffic: Rates and cost.
        health: Of the region, right now.
        paused: The picture is frozen; data are of `time_ns`.
        writes: Count of journal entries; grows with each write of ours.
        locked: Whether writing is locked.
    """

    number: int
    period_ns: int
    sample: RangeSample
    activity: Activity
    traffic: Traffic
    health: Health = field(default_factory=Health)
    paused: bool = False
    writes: int = 0
    locked: bool = True

    @property
    def time_ns(self) -> int:
        """When the sample was read."""
        return self.sample.time_ns

    @property
    def start(self) -> int:
        """Offset of the sample's first byte."""
        return self.sample.start

    @property
    def end(self) -> int:
        """Offset behind the sample's last byte."""
        return self.sample.end

    @property
    def data(self) -> U8:
        """The sample's bytes."""
        return self.sample.data


def empty_activity(region_size: int) -> Activity:
    """The activity before anything was read."""
    zero64 = np.zeros(1, np.int64)
    return Activity(
        number=0,
        time_ns=0,
        region_size=region_size,
        cell_bytes=max(4096, 1 << max(0, region_size - 1).bit_length()),
        rate=np.zeros(1, np.float32),
        saturated=np.zeros(1, np.bool_),
        changed_ns=zero64,
        seen_ns=zero64,
        allocated=np.zeros(1, np.bool_),
        sweep_ns=0,
        exact=True,
    )
