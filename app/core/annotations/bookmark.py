"""Bookmark: a named range of a region, with a colour, a type to read it by, and a note."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..errors import ValueFormatError
from ..values.units import format_short_offset
from ..values.value_type import Endian, parse_int, shorten
from ..values.value_types import type_named

COLORS: Final = ("slate", "violet", "teal", "green", "olive", "rose", "indigo")
AS_BYTES, AS_TEXT = "bytes", "text"
DIGITS: Final = range(10)
MOST: Final = 20_000  # in one region
LONGEST_NAME: Final = 200
LONGEST_NOTE: Final = 10_000
_LAST: Final = 1 << 63
_LONGEST_KEY: Final = 64
_SHOWN: Final = 32  # bytes of a range that its value shows
_LONGEST_VALUE: Final = 16  # bytes of a value whose type has no fixed size


@dataclass(frozen=True, slots=True)
class Bookmark:
    """One named range.

    Attributes:
        key: Tells it from all others, in every program and file.
        start: Its first byte, from the region's start.
        length: Bytes, at least 1.
        name: One line; may be empty.
        color: One of COLORS.
        kind: How its value is read: the name of a value type, AS_BYTES or AS_TEXT.
        endian: The value's byte order.
        note: Any text.
        digit: 0 to 9: the key that leads to it; None without one.
    """

    key: str
    start: int
    length: int = 1
    name: str = ""
    color: str = "teal"
    kind: str = AS_BYTES
    endian: Endian = Endian.LITTLE
    note: str = ""
    digit: int | None = None

    @property
    def end(self) -> int:
        """First byte behind it."""
        return self.start + self.length

    @property
    def title(self) -> str:
        """What it is called: its name, else its digit, else its offset."""
        if self.name:
            return self.name
        return format_short_offset(self.start) if self.digit is None else f"bookmark {self.digit}"

    @property
    def value_length(self) -> int:
        """Bytes from `start` on that its value is read from."""
        if self.kind in (AS_BYTES, AS_TEXT):
            return min(self.length, _SHOWN)
        return type_named(self.kind).size or _LONGEST_VALUE

    def value(self, data: bytes) -> str:
        """Its value as text; `-` when the bytes are too few or no such value."""
        if self.kind == AS_BYTES:
            more = " …" if self.length > len(data) else ""
            return data.hex(" ").upper() + more
        if self.kind == AS_TEXT:
            text = data.split(b"\0", maxsplit=1)[0]
            return "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in text)
        return type_named(self.kind).decode(data, self.endian) or "-"

    def fields(self) -> dict[str, Any]:
        """As JSON takes it; `bookmark_from` reads it back."""
        made: dict[str, Any] = {
            "key": self.key,
            "start": self.start,
            "length": self.length,
            "name": self.name,
            "color": self.color,
            "type": self.kind,
            "endian": self.endian.value,
            "note": self.note,
        }
        return made if self.digit is None else {**made, "digit": self.digit}


def new_key() -> str:
    """A key that no other bookmark has."""
    return uuid.uuid4().hex[:16]


def kind_for(length: int) -> str:
    """The type that a range of this length is read by at first."""
    return {1: "u8", 2: "u16", 4: "u32", 8: "u64"}.get(length, AS_BYTES)


def kinds() -> tuple[str, ...]:
    """All ways that a value can be read."""
    from ..values.value_types import TYPES

    return (AS_BYTES, AS_TEXT, *(kind.name for kind in TYPES))


def checked(mark: Bookmark) -> Bookmark:
    """The same, with its name on one line.

    Raises:
        ValueFormatError: It makes no sense: what, and what would.
    """
    if mark.start < 0 or mark.length < 1 or mark.end > _LAST:
        raise ValueFormatError(
            f"{mark.length} bytes at {format_short_offset(mark.start)} are no range.",
            "A range begins at 0 or behind it, and has at least one byte.",
        )
    shown = "".join(char if char.isprintable() else " " for char in mark.name)
    name = " ".join(shown.split())
    for text, what, longest in ((name, "name", LONGEST_NAME), (mark.note, "note", LONGEST_NOTE)):
        if len(text) > longest:
            raise ValueFormatError(
                f"{len(text)} characters are too long for a {what}.", f"At most {longest}."
            )
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:  # half of a surrogate pair
            raise ValueFormatError(f"The {what} is no text.") from error
    if mark.color not in COLORS:
        raise ValueFormatError(
            f"There is no colour {shorten(mark.color)!r}.", f"Colours: {', '.join(COLORS)}."
        )
    if mark.kind not in (AS_BYTES, AS_TEXT):
        type_named(mark.kind)
    if mark.digit is not None and mark.digit not in DIGITS:
        raise ValueFormatError(f"{mark.digit} is no key of a bookmark.", "0 to 9.")
    return replace(mark, name=name)


def bookmark_from(fields: object) -> Bookmark:
    """A bookmark from what JSON has for it; only `start` is needed.

    Raises:
        ValueFormatError: It is none: why.
    """
    if not isinstance(fields, dict):
        raise ValueFormatError("It is no group of fields.")

    def text(name: str, default: str) -> str:
        value = fields.get(name, default)
        if not isinstance(value, str):
            raise ValueFormatError(f"Its {name} is no text.")
        return value

    endian = text("endian", "little")
    if endian not in (one.value for one in Endian):
        raise ValueFormatError(f"{shorten(endian)!r} is no byte order.", "It is `little` or `big`.")
    digit = fields.get("digit")
    if digit is not None and type(digit) is not int:
        raise ValueFormatError("Its digit is no number.")
    key = text("key", "") or new_key()
    if len(key) > _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise ValueFormatError("Its key is none.")
    return checked(
        Bookmark(
            key,
            _count(fields, "start"),
            _count(fields, "length", 1),
            text("name", ""),
            text("color", "teal"),
            text("type", AS_BYTES).lower(),
            Endian(endian),
            text("note", ""),
            digit,
        )
    )


def _count(fields: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """A number, or a text such as `0x40`, as people write offsets into a file by hand."""
    value = fields.get(name, default)
    if isinstance(value, str):
        try:
            value = parse_int(value.strip())
        except ValueError as error:
            raise ValueFormatError(f"Its {name} {shorten(value)!r} is no number.") from error
    if type(value) is not int:
        raise ValueFormatError(f"It has no {name}.")
    return value


def led_here(marks: Iterable[Bookmark], digit: int, start: int, length: int) -> Bookmark:
    """The bookmark that a digit leads to when it is set on a range.

    One of this very range gets it. Else the one that had it moves here, if it is nothing but a
    digit; a bookmark with a name or a note stays where it is, and a new one is made.
    """
    known = tuple(marks)
    here = next((mark for mark in known if (mark.start, mark.length) == (start, length)), None)
    if here is not None:
        return replace(here, digit=digit)
    held = next((mark for mark in known if mark.digit == digit), None)
    if held is not None and not (held.name or held.note):
        return replace(held, start=start, length=length, kind=kind_for(length))
    return Bookmark(new_key(), start, length, kind=kind_for(length), digit=digit)


# -- changes ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Put:
    """This bookmark is there now, in place of the one with its key."""

    mark: Bookmark


@dataclass(frozen=True, slots=True)
class Remove:
    """The bookmark with this key is there no more."""

    key: str


Change = Put | Remove


def applied(marks: Iterable[Bookmark], changes: Iterable[Change]) -> tuple[Bookmark, ...]:
    """The bookmarks behind some changes, by place. A digit belongs to the last that took it."""
    found = {mark.key: mark for mark in marks}
    for change in changes:
        if isinstance(change, Remove):
            found.pop(change.key, None)
            continue
        if change.mark.digit is not None:
            for other in [one for one in found.values() if one.digit == change.mark.digit]:
                found[other.key] = replace(other, digit=None)
        found[change.mark.key] = change.mark
    return tuple(sorted(found.values(), key=lambda mark: (mark.start, -mark.length, mark.key)))


def difference(now: Iterable[Bookmark], wanted: Iterable[Bookmark]) -> tuple[Change, ...]:
    """The changes that make of some bookmarks others; they touch no key that is the same in both.

    Those without a digit come first, so that a digit can change hands.
    """
    before, after = {mark.key: mark for mark in now}, {mark.key: mark for mark in wanted}
    puts = [Put(mark) for key, mark in after.items() if before.get(key) != mark]
    puts.sort(key=lambda put: put.mark.digit is not None)
    return (*(Remove(key) for key in before if key not in after), *puts)
