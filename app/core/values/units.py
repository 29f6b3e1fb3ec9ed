"""Sizes, offsets, rates and durations as text, one way everywhere.

Binary units for sizes (MiB), SI units for rates (MB/s), hex offsets in groups of four.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final

from ..errors import ExpressionError

_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_LONGEST: Final = 100  # characters of a size
_TIMES: Final = {"ns": 1.0, "µs": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9, "h": 3600e9}
# unit, below how many ns, decimals
_AGES: Final = (
    ("µs", 1e6, 0),
    ("ms", 1e8, 0),
    ("s", 60e9, 1),
    ("min", 3600e9, 0),
    ("h", math.inf, 1),
)
_SI: Final = ("", "k", "M", "G", "T", "P")
_SIZE_RE: Final = re.compile(
    r"^\s*(0x[0-9a-f_']+|[0-9][0-9_']*(?:\.[0-9]+)?)\s*([a-z]*)\s*$", re.IGNORECASE
)
_FACTORS: Final[dict[str, int]] = {
    "": 1,
    "b": 1,
    **{unit: 1024**n for n, unit in enumerate(("k", "m", "g", "t"), 1)},
    **{f"{unit}ib": 1024**n for n, unit in enumerate(("k", "m", "g", "t"), 1)},
    **{f"{unit}b": 1000**n for n, unit in enumerate(("k", "m", "g", "t"), 1)},
}


def format_size(size: int) -> str:
    """`64 MiB`, `1.5 KiB`, `100 B`: binary units, exact where a whole number is."""
    value = float(size)
    for unit in _BINARY:
        text = f"{value:.2f}".rstrip("0").rstrip(".")
        if abs(float(text)) < 1024 or unit == _BINARY[-1]:
            return f"{text} {unit}"
        value /= 1024
    raise AssertionError


def exact_size(size: int) -> str:
    """`64 MiB`, or `33558528 bytes, 32 MiB + 4 KiB` where format_size would round.

    For sentences that compare sizes.
    """
    short = format_size(size)
    number, unit = short.split()
    if size < 0 or Fraction(number) * 1024 ** _BINARY.index(unit) == size:
        return short
    parts, rest = [], size
    for power in reversed(range(len(_BINARY))):
        count, rest = divmod(rest, 1 << (10 * power))
        if count:
            parts.append(f"{count} {_BINARY[power]}")
    return f"{size} bytes, {' + '.join(parts)}"


def format_offset(offset: int, digits: int = 8) -> str:
    """`0x0000'0040`: hex in groups of four, at least `digits` long."""
    sign = "-" if offset < 0 else ""
    text = f"{abs(offset):0{digits}X}"
    head = len(text) % 4
    groups = ([text[:head]] if head else []) + [
        text[at : at + 4] for at in range(head, len(text), 4)
    ]
    return f"{sign}0x{chr(39).join(groups)}"


def format_short_offset(offset: int) -> str:
    """`0x40`: hex without leading zeros."""
    return f"-0x{-offset:X}" if offset < 0 else f"0x{offset:X}"


def format_rate(per_second: float, unit: str = "B/s") -> str:
    """`12.3 MB/s`: SI prefixes, three significant digits."""
    value = float(per_second)
    for prefix in _SI:
        if abs(value) < 999.5 or prefix == _SI[-1]:
            decimals = 0 if abs(value) >= 99.95 or value == 0 else 1 if abs(value) >= 9.995 else 2
            if not prefix and value == int(value):
                decimals = 0
            return f"{value:.{decimals}f} {prefix}{unit}"
        value /= 1000
    raise AssertionError


def format_time(time_ns: float, digits: int = 3) -> str:
    """`290 ns`, `4.20 µs`, `16.7 ms`, `1.25 s`, `3.5 min`, `26 h`: significant digits.

    Nanoseconds are whole. The unit is that of what is shown: 999.7 ns are 1.00 µs.
    """
    size, limits = abs(time_ns), (*list(_TIMES.values())[1:], math.inf)
    unit, text = "ns", ""
    for (unit, factor), limit in zip(_TIMES.items(), limits, strict=True):
        value = size / factor
        whole = len(f"{value:.0f}") if value >= 1 else 1
        text = f"{value:.{0 if unit == 'ns' else max(0, digits - whole)}f}"
        if float(text) * factor < limit:
            break
    sign = "-" if time_ns < 0 and float(text) else ""
    return f"{sign}{text} {unit}"


def format_age(age_ns: int) -> str:
    """`0.4 s`, `12 ms`, `3 min`: how long ago, so coarse that it does not flicker."""
    unit, _, decimals = next(row for row in _AGES if age_ns < row[1])
    return f"{age_ns / _TIMES[unit]:.{decimals}f} {unit}"


def parse_size(text: str) -> int:
    """`64M`, `64 MiB`, `0x1000`, `1.5 KiB`, `10 MB` (SI) as bytes.

    Raises:
        ExpressionError: The text is no size, or not a whole number of bytes.
    """
    match = _SIZE_RE.match(text) if len(text) <= _LONGEST else None
    factor = _FACTORS.get(match.group(2).lower()) if match else None
    if not match or factor is None:
        raise ExpressionError(
            f"{text[:_LONGEST]!r} is no size.", "Write 4096, 0x1000, 64K, 64 MiB or 10 MB."
        )
    digits = match.group(1).replace("_", "").replace("'", "")
    try:
        if digits.lower().startswith("0x"):
            return int(digits, 16) * factor
        size = Fraction(digits) * factor
    except ValueError as error:  # 0x_
        raise ExpressionError(f"{text!r} is no size.") from error
    if size.denominator != 1:
        raise ExpressionError(f"{text!r} is not a whole number of bytes.")
    return size.numerator
