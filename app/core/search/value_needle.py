"""A value of any type: exact, a range (`3.1..3.2`), or with a tolerance (`3.1±0.05`, `100±5%`)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from ..errors import ValueFormatError
from ..values.value_type import Endian, ValueType, parse_int, shorten
from ..values.value_types import type_named
from .patterns import MaskedPattern, Pattern, RangePattern, any_of

_HINT: Final = "A value, least..greatest, or value±tolerance: 42, 3.1..3.2, 100±5%."
_RANGE: Final = re.compile(r"(.+?)\s*\.\.\s*(.+)", re.DOTALL)
_TOLERANCE: Final = re.compile(r"(.+?)\s*(?:±|\+-|\+/-)\s*(.+?)\s*(%?)\s*", re.DOTALL)
_ORDERED: Final = ("integer", "float", "time")


@dataclass(frozen=True, slots=True)
class _Span:
    """Bit patterns from `low` on, `span` more of them, as unsigned words."""

    low: int
    span: int


def value_pattern(
    text: str, type_name: str, align: int = 1, *, little: bool = True, big: bool = False
) -> Pattern:
    """A value, as a person types it.

    Bounds of floats are rounded to the type, so that 3.1..3.2 has the f32 that is nearest to 3.1.

    Raises:
        ValueFormatError: No such value, or a range of a type that has no order.
    """
    kind = type_named(type_name)
    text = text if kind.group == "text" else text.strip()
    if not text:
        raise ValueFormatError("There is no value to find.", _HINT)
    orders = [order for order, on in ((Endian.LITTLE, little), (Endian.BIG, big)) if on]
    if not kind.endian_matters:
        orders = orders[:1]
    spans = _spans(kind, text) if _ordered(kind) else None
    parts: list[MaskedPattern | RangePattern] = []
    for order in orders:
        if spans is None:
            parts += _exact(kind, text, order, align)
        else:
            big_one = order is Endian.BIG
            parts += [RangePattern(kind.size, big_one, s.low, s.span, align) for s in spans]
    return any_of(tuple(parts))


def _ordered(kind: ValueType) -> bool:
    return kind.group in _ORDERED and kind.size > 0 and kind.name != "bin"


def _exact(kind: ValueType, text: str, order: Endian, align: int) -> list[MaskedPattern]:
    try:
        value = kind.encode(text, order)
    except ValueFormatError:
        if ".." in text or "±" in text:
            raise ValueFormatError(
                f"{kind.label} has no order; a range of it cannot be found.", "Give one value."
            ) from None
        raise
    if not value:
        raise ValueFormatError("There is no value to find.", _HINT)
    return [MaskedPattern(value, b"\xff" * len(value), align)]


def _spans(kind: ValueType, text: str) -> list[_Span] | None:
    """A range as ranges of bit patterns; None for one value, but for a float that is zero."""
    bounds = _bounds(kind, text)
    if bounds is None:
        kind.encode(text)  # says what is wrong
        if kind.group == "float" and float(text) == 0:
            return _float_spans(kind, 0.0, 0.0)
        return None
    low, high = bounds
    first, last = (int.from_bytes(kind.encode(bound), "little") for bound in bounds)
    if kind.group == "float":
        return _float_spans(kind, float(low), float(high))
    bits = (1 << 8 * kind.size) - 1
    if _value_of(kind, low) > _value_of(kind, high):
        raise _upside_down(low, high)
    return [_Span(first, (last - first) & bits)]


def _bounds(kind: ValueType, text: str) -> tuple[str, str] | None:
    """Least and greatest value, as text; None for one value."""
    if found := _RANGE.fullmatch(text):
        return found[1], found[2]
    if kind.group == "time" or not (found := _TOLERANCE.fullmatch(text)):
        return None
    try:
        if kind.group == "float":
            center, by = float(found[1]), float(found[2])
            by = abs(center) * by / 100 if found[3] else by
            low, high = repr(center - by), repr(center + by)
        else:
            number, off = parse_int(found[1].strip()), found[2].strip()
            whole = int(abs(number) * float(off) / 100) if found[3] else parse_int(off)
            by, least, most = whole, *_limits(kind)
            low, high = str(max(least, number - whole)), str(min(most, number + whole))
            kind.encode(str(number))
    except (ValueError, OverflowError) as error:
        raise ValueFormatError(
            f"{shorten(text)!r} is no {kind.label} with a tolerance.", _HINT
        ) from error
    if not 0 <= by < math.inf:
        raise ValueFormatError(f"{shorten(found[2])} is no tolerance.", _HINT)
    return low, high


def _limits(kind: ValueType) -> tuple[int, int]:
    bits = 8 * kind.size
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if kind.name[0] == "i" else (0, (1 << bits) - 1)


def _value_of(kind: ValueType, text: str) -> int:
    """By which two values of an integer or time type are compared."""
    if kind.group == "integer":
        return parse_int(text.strip())
    signed = kind.name.startswith("unix")
    return int.from_bytes(kind.encode(text), "little", signed=signed)


def _upside_down(low: object, high: object) -> ValueFormatError:
    return ValueFormatError(f"{low} to {high} is no range.", "The least value comes first.")


def _float_spans(kind: ValueType, low: float, high: float) -> list[_Span]:
    """Floats in order have their bits in order, negative ones the other way round."""
    if math.isnan(low) or math.isnan(high):
        raise ValueFormatError("nan has no order; a range of it cannot be found.", _HINT)
    if low > high:
        raise _upside_down(low, high)

    def bits(value: float) -> int:
        return int.from_bytes(kind.encode(repr(value)), "little")

    zero, minus_zero = 0, 1 << (8 * kind.size - 1)
    found = []
    if high >= 0:
        first = bits(low) if low > 0 else zero
        found.append(_Span(first, bits(high) - first if high > 0 else 0))
    if low <= 0:
        first = bits(high) if high < 0 else minus_zero
        found.append(_Span(first, bits(low) - first if low < 0 else 0))
    return found
