"""Frames made by hand, for tests of what is drawn from them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from app.core.watch.frame import Frame, RangeSample, Traffic, empty_activity

NOW = 10_000_000_000


def frame_of(data: bytes, start: int = 0) -> Frame:
    """Quiet bytes, read at NOW."""
    size = len(data)
    return Frame(
        number=1,
        period_ns=16_666_667,
        sample=RangeSample(
            start=start,
            time_ns=NOW,
            data=np.frombuffer(data, np.uint8),
            flux=np.zeros(size, np.bool_),
            changed=np.zeros(size, np.bool_),
            changed_ns=np.zeros(size, np.int64),
            mine=np.zeros(size, np.bool_),
        ),
        activity=empty_activity(start + size),
        traffic=Traffic(),
    )


def sampled(frame: Frame, **changes: Any) -> Frame:
    """The same with another sample."""
    return dataclasses.replace(frame, sample=dataclasses.replace(frame.sample, **changes))


def changed_at(frame: Frame, ages: dict[int, int], *, mine: bool = False) -> Frame:
    """The same with bytes (offset: age in ns at NOW) that changed."""
    changed, own = frame.sample.changed_ns.copy(), frame.sample.mine.copy()
    for offset, age in ages.items():
        changed[offset - frame.start] = NOW - age
        own[offset - frame.start] = mine
    return sampled(frame, changed_ns=changed, mine=own)


def flux_at(frame: Frame, *offsets: int) -> Frame:
    """The same with bytes in flux."""
    flux = frame.sample.flux.copy()
    flux[[offset - frame.start for offset in offsets]] = True
    return sampled(frame, flux=flux)
