"""Values in lines that fit a narrow column, broken where a reader expects it."""

from __future__ import annotations

import re
from typing import Final

# The longest text of each type that may not fit beside the other byte order.
_LONGEST: Final = {
    "u64": "18446744073709551615",
    "i64": "-9223372036854775808",
    "u32": "4294967295",
    "i32": "-2147483648",
    "u48": "281474976710655",
    "i48": "-140737488355328",
    "f32": "-3.4028235e+38",
    "f64": "-1.7976931348623157e+308",
    "unix32": "2026-11-23 20:15:00",
    "unix64": "2026-11-23 20:15:00",
    "dos": "2026-11-23 20:15:00",
    "filetime": "2026-11-23 20:15:00.1234567",
    "unixms": "2026-11-23 20:15:00.123",
    "guid": "{12345678-1234-5678-1234-567812345678}",
    "uleb": "18446744073709551615 (10 B)",
}
# Behind a space, behind a hyphen between hex groups, before a fraction or an exponent.
_BREAKS: Final = re.compile(r"(?<= )(?=[\d(])|(?<=[0-9a-f]-)(?=[0-9a-f]{4})|(?=\.\d+$)|(?=e[+-])")


def wrapped(text: str, room: int) -> list[str]:
    """The text in lines of at most `room` characters; joined they are the text again."""
    if len(text) <= room:
        return [text]
    lines = [""]
    for part in (part for part in _BREAKS.split(text) if part):
        if len((lines[-1] + part).rstrip()) <= room:
            lines[-1] += part
            continue
        pieces = _even(part, room)
        lines += pieces if lines[-1] else []
        if not lines[0]:
            lines = pieces
    return lines


def _even(part: str, room: int) -> list[str]:
    """What cannot be broken well is cut into pieces of the same length."""
    count = -(-len(part.rstrip()) // max(1, room))
    size = -(-len(part) // count)
    return [part[at : at + size] for at in range(0, len(part), size)]


def lines_of(name: str, room: int) -> int:
    """How many lines any value of a type takes, so that no row changes its height."""
    return len(wrapped(_LONGEST.get(name, ""), room))
