"""Bytes as arrays of numbers of the types that numpy has, and of 24 and 48 bits."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import ValueFormatError
from ..values.value_type import Endian
from ..values.value_types import TYPES

Numbers = npt.NDArray[Any]

NUMERIC: Final = tuple(
    kind.name
    for kind in TYPES
    if kind.group in ("integer", "float") and kind.size and kind.name != "bin"
)
LARGEST: Final = 8
# A piece of this many bytes holds whole values of every type.
WHOLE: Final = 48
_SIZES: Final = {kind.name: kind.size for kind in TYPES if kind.name in NUMERIC}


def size_of(name: str) -> int:
    """Bytes of one value.

    Raises:
        ValueFormatError: The type holds no numbers.
    """
    if name not in _SIZES:
        raise ValueFormatError(f"{name} holds no numbers.", f"Types: {', '.join(NUMERIC)}.")
    return _SIZES[name]


def numbers_of(data: npt.NDArray[np.uint8], name: str, endian: Endian) -> Numbers:
    """All whole values in some bytes, in order: integers as they are, floats as float64.

    Raises:
        ValueFormatError: The type holds no numbers.
    """
    size = size_of(name)
    whole = np.ascontiguousarray(data[: len(data) // size * size])
    if size in (3, 6):
        return _odd(whole.reshape(-1, size), endian, signed=name.startswith("i"))
    found = whole.view(f"{endian.mark}{name[0]}{size}")
    if name[0] != "f":
        return found
    with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
        return found.astype(np.float64)


def _odd(rows: npt.NDArray[np.uint8], endian: Endian, *, signed: bool) -> Numbers:
    if endian is Endian.BIG:
        rows = rows[:, ::-1]
    size = rows.shape[1]
    wide = np.zeros((len(rows), 8), np.uint8)
    wide[:, 8 - size :] = rows  # at the upper end, so that a shift brings the sign
    shift = 8 * (8 - size)
    found: Numbers = wide.view("<i8" if signed else "<u8")[:, 0]
    found >>= found.dtype.type(shift)
    return found
