"""A range of bytes as samples of a signal: its envelope and its level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ValueFormatError
from ..region.region import Region
from ..values.units import format_size
from ..values.value_type import Endian
from .numbers import numbers_of, size_of
from .range_reader import read_range

F32 = npt.NDArray[np.float32]
SAMPLES: Final = ("i16", "u8", "i8", "u16", "i32", "u32", "f32", "f64")
MAX_READ: Final = 16 << 20
MAX_CHANNELS: Final = 8


@dataclass(frozen=True, slots=True)
class Signal:
    """What is taken for samples.

    Attributes:
        start, length: The range.
        kind: Value type of a sample, one of SAMPLES.
        endian: Its byte order.
        channels: Samples that lie side by side for each moment.
    """

    start: int
    length: int
    kind: str = "i16"
    endian: Endian = Endian.LITTLE
    channels: int = 1

    def checked(self) -> Signal:
        """The same, no longer than is read at once, in whole moments.

        Raises:
            ValueFormatError: These numbers make no signal; the message says why.
        """
        if self.kind not in SAMPLES:
            raise ValueFormatError(f"{self.kind} is no kind of sample.", ", ".join(SAMPLES))
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise ValueFormatError(f"{self.channels} channels.", f"1 to {MAX_CHANNELS}.")
        moment = size_of(self.kind) * self.channels
        length = min(self.length, MAX_READ) // moment * moment
        if not length:
            raise ValueFormatError(
                f"The range of {format_size(self.length)} holds not one sample of each channel."
            )
        return Signal(self.start, length, self.kind, self.endian, self.channels)


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """The envelope of a signal: 1 is full scale of integers, and 1.0 of floats.

    Attributes:
        signal: Whose.
        samples: Of each channel.
        least, greatest: (channels, columns) of the samples in each column; NaN where none is a
            number.
        rms, peak: (channels,) of all of it around the middle of the scale.
    """

    signal: Signal
    samples: int
    least: F32
    greatest: F32
    rms: F32
    peak: F32


def envelope(region: Region, signal: Signal, columns: int) -> Wave:
    """Read a signal as so many columns at most.

    Raises:
        ValueFormatError: These numbers make no signal.
        OutOfRangeError, RegionGoneError: As Region.read_into.
    """
    signal = signal.checked()
    data = np.zeros(signal.length, np.uint8)
    read_range(region, signal.start, data)
    values = _scaled(data, signal).reshape(-1, signal.channels).T
    samples = values.shape[1]
    columns = max(1, min(columns, samples))
    edges = np.arange(columns) * samples // columns
    finite = np.isfinite(values)
    low, high = np.where(finite, values, np.inf), np.where(finite, values, -np.inf)
    least = np.minimum.reduceat(low, edges, axis=1)
    greatest = np.maximum.reduceat(high, edges, axis=1)
    none = least > greatest
    least[none] = greatest[none] = np.nan
    clean = np.where(finite, values, 0)
    count = np.maximum(1, finite.sum(axis=1))
    with np.errstate(over="ignore"):
        rms = np.sqrt((clean * clean).sum(axis=1) / count)
    return Wave(
        signal,
        samples,
        least.astype(np.float32),
        greatest.astype(np.float32),
        rms.astype(np.float32),
        np.abs(clean).max(axis=1).astype(np.float32),
    )


def _scaled(data: npt.NDArray[np.uint8], signal: Signal) -> npt.NDArray[np.float64]:
    values = numbers_of(data, signal.kind, signal.endian).astype(np.float64)
    if signal.kind.startswith("f"):
        return values
    half = float(1 << (8 * size_of(signal.kind) - 1))
    return values / half - (1.0 if signal.kind.startswith("u") else 0.0)
