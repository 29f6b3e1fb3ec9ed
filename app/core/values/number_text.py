"""Many numbers as text of one width at once, for columns that are painted many times a second."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Chars = npt.NDArray[np.uint8]

_ZERO: Final = ord("0")
_BLANK: Final = ord(" ")
_MINUS: Final = ord("-")


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
        chars: At least as many as the longest takes with an exponent.
    """
    single = values.dtype.itemsize < 8
    # Of each width numpy's own text is the shortest; of doubles Python's is, and is made faster.
    texts = [str(value) for value in values] if single else [repr(x) for x in values.tolist()]
    if single and max(map(len, texts), default=0) > chars:
        texts = [text if len(text) <= chars else _scientific(text) for text in texts]
    padded = "".join([text.rjust(chars) for text in texts])
    return np.frombuffer(padded.encode("ascii"), np.uint8).reshape(len(texts), chars)


def _scientific(text: str) -> str:
    """`1234567900000000.0` as `1.2345679e+15`."""
    return np.format_float_scientific(float(text), trim="-")
