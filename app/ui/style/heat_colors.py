"""One perceptual colour table for all heat maps, and the scale that goes with it."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
# Control points of a dark-violet, blue-green, yellow ramp whose lightness grows evenly.
_POINTS: Final = np.array(
    [
        (20, 23, 40),
        (46, 33, 92),
        (56, 68, 132),
        (44, 104, 142),
        (34, 138, 141),
        (42, 171, 125),
        (110, 202, 88),
        (185, 222, 45),
        (253, 231, 60),
    ],
    float,
)
TOP_RATE: Final = 1000.0


@cache
def heat_table() -> U8:
    """(256, 4) RGBA, dark to bright."""
    at = np.linspace(0, len(_POINTS) - 1, 256)
    columns = [np.interp(at, range(len(_POINTS)), _POINTS[:, i]) for i in range(3)]
    table: U8 = np.stack([*columns, np.full(256, 255.0)], axis=1).astype(np.uint8)
    table.flags.writeable = False
    return table


def heat_index(rate: npt.NDArray[Any]) -> U8:
    """Changes per second as table index: 0 stays 0, 0.1/s is dark, TOP_RATE/s is 255 (log)."""
    low, high = np.log10(0.05), np.log10(TOP_RATE)
    with np.errstate(divide="ignore"):
        scaled = (np.log10(np.maximum(rate, 0)) - low) / (high - low)
    index = np.clip(scaled, 0, 1) * 255
    found: U8 = np.where(rate > 0, np.maximum(index, 12), 0).astype(np.uint8)
    return found


def heat_rate(index: int) -> float:
    """The rate that an index stands for, to 4 per cent."""
    low, high = np.log10(0.05), np.log10(TOP_RATE)
    return float(10 ** (low + (index + 0.5) / 255 * (high - low))) if index else 0.0


@cache
def table_colors() -> tuple[int, ...]:
    """The heat table as QRgb values for an indexed image."""
    return tuple(0xFF000000 | int(r) << 16 | int(g) << 8 | int(b) for r, g, b, _ in heat_table())
