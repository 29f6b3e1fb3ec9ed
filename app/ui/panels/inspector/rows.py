"""The rows of the inspector: a value whose column is too narrow for it has a row of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ....core.values.value_type import Endian, ValueType

BOTH: Final = (Endian.LITTLE, Endian.BIG)
# The longest text of each type that may be wider than a column.
_LONGEST: Final = {
    "u32": "4294967295",
    "i32": "-2147483648",
    "u48": "281474976710655",
    "i48": "-140737488355328",
    "u64": "18446744073709551615",
    "i64": "-9223372036854775808",
    "f32": "-3.4028235e+38",
    "f64": "-1.7976931348623157e+308",
    "utf16": "'\\uffff' U+FFFF",
    "unix32": "2026-11-23 20:15:00",
    "unix64": "2026-11-23 20:15:00",
    "dos": "2026-11-23 20:15:00",
    "filetime": "2026-11-23 20:15:00.1234567",
    "unixms": "2026-11-23 20:15:00.123",
    "guid": "{12345678-1234-5678-1234-567812345678}",
    "uleb": "1180591620717411303423 (10 B)",
}
# Behind a space, behind a hyphen between hex groups, before an exponent.
_BREAKS: Final = re.compile(r"(?<= )(?=[\d(])|(?<=[0-9a-f]-)(?=[0-9a-f]{4})|(?=e[+-])")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        kind: The type of its values.
        orders: The byte orders that it shows, from the left. A single one has both columns.
        lines: Lines of text that its longest value takes.
    """

    kind: ValueType
    orders: tuple[Endian, ...]
    lines: int = 1

    @property
    def label(self) -> str:
        """The text of its first column."""
        return self.kind.label if self.orders[0] is Endian.LITTLE else "  big"


def rows_for(kinds: Iterable[ValueType], half: int, whole: int) -> list[Row]:
    """The rows for these types.

    Both byte orders stand side by side where the longest value of the type fits one column, else
    one below the other.

    Args:
        kinds: The types, in the order wanted.
        half: Characters that one column of values has room for.
        whole: Characters that both have room for.
    """
    rows: list[Row] = []
    for kind in kinds:
        longest = _LONGEST.get(kind.name, "")
        lines = len(wrapped(longest, whole))
        if not kind.endian_matters:
            rows.append(Row(kind, (Endian.LITTLE,), lines))
        elif len(longest) <= half:
            rows.append(Row(kind, BOTH))
        else:
            rows += [Row(kind, (order,), lines) for order in BOTH]
    return rows


def wrapped(text: str, room: int) -> list[str]:
    """The text in lines of at most `room` characters; joined they are the text again.

    It is broken only between the parts of a value. A part that is longer than a line stays whole.
    """
    if len(text) <= room:
        return [text]
    lines = [""]
    for part in (part for part in _BREAKS.split(text) if part):
        if lines[-1] and len((lines[-1] + part).rstrip()) > room:
            lines.append("")
        lines[-1] += part
    return lines
