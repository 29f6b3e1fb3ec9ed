"""Many numbers as text of one width at once, for columns that are painted many times a second."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Chars = npt.NDArray[np.uint8]

_ZERO: Final = ord("0")
_BLANK: Final = ord(" ")
_MINUS: Final = ord("-")
# Significant digits with which a value of so many bytes is tried: the first that reads back as the
# same value is the shortest; the last always does.
_PRECISIONS: Final = {2: (3, 4, 5), 4: (6, 7, 8, 9)}


def integer_text(values: npt.NDArray[Any], chars: int) -> Chars:
    """Integers in decimal, aligned to the right: (values, chars) of ASCII.

    Args:
        values: Of any integer type in the machine's byte order.
        chars: As many as the longest value takes.
    """
    out = np.full((len(values), chars), _BLANK, np.uint8)
    negative = values < 0
    # Two's complement: the least value has no positive counterpart in its own type.
    unsigned = values.view(f"u{values.dtype.itemsize}")
    rest = np.where(negative, -unsigned, unsigned)
    begun = np.ones(len(values), np.bool_)
    for place in range(chars - 1, -1, -1):
        rest, digit = np.divmod(rest, rest.dtype.type(10))
        out[begun, place] = (digit[begun] + _ZERO).astype(np.uint8)
        begun = rest != 0
        if not begun.any():
            break
    if negative.any():
        first = (out != _BLANK).argmax(axis=1)
        rows = np.flatnonzero(negative)
        out[rows, first[rows] - 1] = _MINUS
    return out


def float_text(values: npt.NDArray[Any], chars: int) -> Chars:
    """Floats, each as the shortest text that reads back as the same value, aligned to the right.

    Args:
        values: float16, float32 or float64 in the machine's byte order.
        chars: At least as many as %g takes with all digits.
    """
    with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
        numbers = values.astype(np.float64).tolist()
    size = values.dtype.itemsize
    texts = [repr(number) for number in numbers] if size == 8 else _shortest(values, numbers)
    padded = "".join([text.rjust(chars) for text in texts])
    return np.frombuffer(padded.encode("ascii"), np.uint8).reshape(len(texts), chars)


def _shortest(values: npt.NDArray[Any], numbers: list[float]) -> list[str]:
    texts = [""] * len(numbers)
    open_ = np.arange(len(numbers))
    for digits in _PRECISIONS[values.dtype.itemsize]:
        form = f"%.{digits}g"
        for at in open_.tolist():
            texts[at] = form % numbers[at]
        read = np.array([float(texts[at]) for at in open_.tolist()], np.float64)
        with np.errstate(over="ignore"):
            same = read.astype(values.dtype) == values[open_]
        open_ = open_[~same & ~np.isnan(read)]
        if not len(open_):
            break
    return [_pointed(text) for text in texts]


def _pointed(text: str) -> str:
    """`1.0`, so that a float is not taken for an integer."""
    return f"{text}.0" if text.lstrip("-").isdigit() else text
