"""Hex dumps as bytes: the address column is recognised, or the dump is refused.

hexdump -C, xxd, od -t x1, Wireshark, QEMU's `xp /16xb`, gdb's `x/16xb`, lldb, and our own
copies. What shows words instead of bytes (od by itself, xxd -e, `x/4xw`) is refused: in which
order their bytes lie in memory is not in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ..errors import ValueFormatError
from .units import format_short_offset

_ADDRESS: Final = re.compile(
    r"[ \t]*(?:(?P<marked>(?:0x)?[0-9a-f'`]{1,24})(?P<symbol>[ \t]+<.*>)?:(?=[ \t]|$)"
    r"|(?P<bare>(?:0x)?[0-9a-f']{4,24})(?=[ \t]|$))",
    re.IGNORECASE,
)
_SEGMENT: Final = re.compile(r"\s*[0-9a-f]{4,8}:[0-9a-f]{4,16}\s+[0-9a-f]{2}\b", re.IGNORECASE)
_WORD: Final = re.compile(r"([ \t]+)([^ \t]+)")
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_PREFIXED: Final = re.compile(r"0[xX][0-9a-fA-F]+")
# A whole line of hexdump -C and of our own copies: thousands of them are read at once.
_USUAL: Final = re.compile(
    r"([0-9a-f]{8,16})  ((?:[0-9a-f]{2} {1,2})*[0-9a-f]{2}) +\|(.*)\|\s*", re.IGNORECASE
)
# How a byte stands in a text column.
_SHOWN: Final = bytes(byte if 32 <= byte < 127 else ord(".") for byte in range(256))
_SQUEEZED: Final = "*"
_OCTAL_BYTE: Final = re.compile(r"0[1-3][0-7]{2}")  # of QEMU's xp /16ob
_COPY_BYTES: Final = "Words; copy bytes (x/16xb, xp /16xb, hexdump -C, xxd)."


@dataclass(frozen=True, slots=True)
class HexText:
    """Text that was understood.

    Attributes:
        data: Its bytes, at least one.
        form: What it was taken for.
        lines: Lines of a dump with bytes; 0 for what is no dump.
        address: Offset of a dump's first byte; None where the dump does not say.
    """

    data: bytes
    form: str
    lines: int = 0
    address: int | None = None

    @property
    def summary(self) -> str:
        """`hexdump -C, 3 lines, 48 bytes at 0x40`."""
        size = f"{len(self.data)} byte{'s' * (len(self.data) != 1)}"
        place = "" if self.address is None else f" at {format_short_offset(self.address)}"
        lines = f"{self.lines} line{'s' * (self.lines != 1)}, " if self.lines else ""
        return f"{self.form}, {lines}{size}{place}"


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: its address as written, its bytes, other marks.

    Attributes:
        marked: A colon ends the address.
        gap: Blanks between the address and the first byte.
        proven: A text column shows the same bytes.
        form: What prints such a line.
    """

    address: str
    data: bytes
    marked: bool
    gap: int
    proven: bool
    form: str


def parse_dump(lines: list[str]) -> HexText | None:
    """The dump that these lines are, None when no line begins with an address.

    Raises:
        ValueFormatError: They are one that cannot be taken, or could be one.
    """
    if any(_SEGMENT.match(line) for line in lines):
        raise ValueFormatError(
            f"{_short(lines[0])} begins with a segment address.", "Copy the bytes without it."
        )
    addressed = [_has_address(line) for line in lines]
    if not any(addressed) and not _in_steps(lines):
        return None
    if any(line.strip() == _SQUEEZED for line in lines):
        raise ValueFormatError(
            "The dump leaves repeated lines out (*).", "Dump all of them: hexdump -Cv, od -v."
        )
    end = None if len(lines) < 2 or addressed[-1] else _end_address(lines[-1])
    rows = [_row(line) for line in (lines if end is None else lines[:-1])]
    radix = _radix(rows, end)
    first = int(rows[0].address, radix) if radix else None
    return HexText(b"".join(row.data for row in rows), _form(rows), len(rows), first)


# -- which lines have an address -------------------------------------------------------------------


def _has_address(line: str) -> bool:
    """Whether the first word is no byte among bytes, but another kind of number."""
    match = _ADDRESS.match(line)
    if match is None:
        return False
    following = _WORD.match(line, match.end())
    if match["marked"]:
        # `DE: AD: BE: EF` are bytes.
        return following is not None and not following[2].endswith(":")
    if following is None:
        return False
    word = following[2]
    if _PREFIXED.fullmatch(word):
        return len(_digits(match["bare"])) != len(word) - 2
    if not _HEX.fullmatch(word):
        return False
    if _octal_words(line):
        raise ValueFormatError(
            f"{_short(line)} looks like od's octal words.", "Copy bytes: od -A x -t x1."
        )
    return len(word) != len(_digits(match["bare"]))


def _octal_words(line: str) -> bool:
    words = line.split()
    return len(words) > 1 and all(re.fullmatch(r"[01][0-7]{5}", word) for word in words)


def _in_steps(lines: list[str]) -> bool:
    """Whether first words as wide as all others count the bytes of their lines: an address."""
    table = [line.split() for line in lines]
    if len(table) < 2 or any(len(words) < 2 for words in table):
        return False
    if not all(_HEX.fullmatch(word) and len(word) >= 4 for words in table for word in words):
        return False
    return all(
        int(words[0], 16) + sum(map(len, words[1:])) // 2 == int(below[0], 16)
        for words, below in pairwise(table)
    )


def _end_address(line: str) -> str | None:
    """The last line of hexdump and od: where the bytes end."""
    match = _ADDRESS.fullmatch(line.rstrip())
    return None if match is None else _digits(match["marked"] or match["bare"])


def _digits(word: str) -> str:
    return word.lower().removeprefix("0x").replace("'", "").replace("`", "")


# -- one line --------------------------------------------------------------------------------------


def _row(line: str) -> _Row:
    """Read a line.

    Raises:
        ValueFormatError: It has no address, its bytes are words, or its text column differs.
    """
    usual = _USUAL.fullmatch(line)
    if usual is not None:
        data = bytes.fromhex(usual[2])
        if usual[3] == data.translate(_SHOWN).decode("ascii"):
            return _Row(usual[1], data, False, 2, True, "hexdump -C")
    match = _ADDRESS.match(line)
    following = None if match is None else _WORD.match(line, match.end())
    if match is None or following is None:
        raise ValueFormatError(
            f"{_short(line)} is no line of a dump, as the others are.", "Copy whole lines of bytes."
        )
    digits = _digits(match["marked"] or match["bare"])
    marked, gap = match["marked"] is not None, len(following[1])
    rest = line[match.end() :]
    words = rest.split()
    prefixed = line.lstrip()[:2].lower() == "0x"
    if all(_PREFIXED.fullmatch(word) for word in words):
        if any(len(word) != 4 for word in words):
            raise ValueFormatError(f"{_short(line)} shows words, not bytes.", _COPY_BYTES)
        form = "gdb x/b" if prefixed or match["symbol"] else "QEMU xp /b"
        return _Row(digits, bytes(int(word, 16) for word in words), marked, gap, False, form)
    if "\t" in rest.strip():
        raise ValueFormatError(
            f"{_short(line)} has numbers that are not hex.", "Copy bytes as hex: x/16xb."
        )
    data, proven, form = _columns(line, rest, marked=marked)
    return _Row(
        digits,
        data,
        marked,
        gap,
        proven,
        form or _plain_form(digits, gap, prefixed=prefixed, marked=marked),
    )


def _plain_form(digits: str, gap: int, *, prefixed: bool, marked: bool) -> str:
    if marked:
        return "lldb memory read" if prefixed else "xxd"
    if gap == 1:
        return "od"
    return "Wireshark" if len(digits) < 6 else "hexdump -C"


def _columns(line: str, rest: str, *, marked: bool) -> tuple[bytes, bool, str]:
    """Bytes, whether a text column shows them too, and the form that the column betrays."""
    plain: bytes | None = None
    widest = 0
    for words, behind, halves in _readings(rest):
        widest = max(widest, *map(len, words))
        data = bytes.fromhex("".join(words))
        shown = _text_column(behind, data)
        if shown is None or not _whole_bytes(words, marked=marked, proven=bool(shown), data=data):
            continue
        if shown:
            return data, True, {"|": "hexdump -C", ">": "od"}.get(shown, "")
        # A text column that was cut off may look like one more byte behind a gap.
        if not halves or (halves == [8] and not marked):
            plain = data
    if plain is not None:
        return plain, False, ""
    if widest > 2:
        raise ValueFormatError(f"{_short(line)} shows words, not bytes.", _COPY_BYTES)
    raise ValueFormatError(
        f"{_short(line)} is no line of a dump: its bytes and its text differ.",
        "Copy the bytes alone, without address and text.",
    )


def _readings(rest: str) -> Iterator[tuple[list[str], str, list[int]]]:
    """Where the bytes may end and the text begin: at each wider gap, and at the end.

    With the bytes, what stands behind them, and behind how many words there was a wider gap.
    """
    words: list[str] = []
    halves: list[int] = []
    at = 0
    while (match := _WORD.match(rest, at)) is not None:
        gap, word = match.groups()
        if words and len(gap) > 1:
            yield list(words), rest[at:], list(halves)
            halves.append(len(words))
        if (words and len(gap) > 2) or not _HEX.fullmatch(word) or len(word) % 2:
            return
        words.append(word)
        at = match.end()
    if words:
        yield words, "", halves


def _text_column(behind: str, data: bytes) -> str | None:
    """The mark of the text column ("." for none) that shows `data`; empty without a column."""
    text = behind.strip()
    if not text:
        return ""
    expected = data.translate(_SHOWN).decode("ascii")
    for mark, end in (("|", "|"), (">", "<")):
        if text[0] == mark and text[-1] == end and _shows(text[1:-1], expected, data):
            return mark
    blanks = len(behind) - len(behind.lstrip())
    stripped = behind.rstrip()
    for begin in range(2, blanks + 1):
        if _shows(stripped[begin:], expected, data):
            return "."
    return None


def _shows(text: str, expected: str, data: bytes) -> bool:
    """Whether a text stands for the bytes; blanks at its end may have been lost."""
    text = text.ljust(len(expected))
    if len(text) != len(expected):
        return False
    # Some leave a blank where ASCII has no letter, or show letters of another code.
    return text == expected or all(
        shown == want or (not 32 <= byte < 127 and (shown == " " or not shown.isascii()))
        for shown, want, byte in zip(text, expected, data, strict=True)
    )


def _whole_bytes(words: list[str], *, marked: bool, proven: bool, data: bytes) -> bool:
    """Whether the words are bytes in the order of memory: pairs, or what xxd puts together."""
    width = len(words[0])
    if all(len(word) == 2 for word in words):
        return True
    even = all(len(word) == width for word in words[:-1]) and len(words[-1]) <= width
    if not marked or not even:
        return False
    if width == 4 and not proven:
        return not all(map(_OCTAL_BYTE.fullmatch, words))
    # xxd -e prints the same picture with the bytes of each word turned round.
    size = width // 2
    turned = b"".join(data[at : at + size][::-1] for at in range(0, len(data), size))
    differ = turned.translate(_SHOWN) != data.translate(_SHOWN)
    return width == 4 or turned == data or (proven and differ)


# -- the lines together ----------------------------------------------------------------------------


def _radix(rows: list[_Row], end: str | None) -> int | None:
    """In what base the addresses count the bytes; None for a single line that does not tell.

    Raises:
        ValueFormatError: They do not, so that lines are missing, or the first words are data.
    """
    if len(rows) == 1 and end is None:
        return _lone_radix(rows[0])
    places = [row.address for row in rows] + ([] if end is None else [end])
    first = rows[0]
    # od counts in octal by default, and is recognised by 7 digits and one blank.
    by_od = not first.marked and first.gap == 1 and len(first.address) >= 7
    for radix in (16, 8, 10) if by_od else (16,):
        try:
            numbers = [int(place, radix) for place in places]
        except ValueError:
            continue
        if all(
            at + len(row.data) == following
            for at, row, following in zip(numbers, rows, numbers[1:], strict=False)
        ):
            return radix
    raise ValueFormatError(
        f"The lines from {_short(first.address)} on do not follow each other.",
        "Copy a dump without gaps; or bytes only, as DE AD BE EF.",
    )


def _lone_radix(row: _Row) -> int | None:
    digits = row.address
    hexadecimal = 16
    if row.marked:
        if len(digits) >= 4:
            return hexadecimal
    elif len(digits) % 2:
        if len(digits) >= 7 and row.gap > 1 and not row.proven:  # od -t d1: its bytes are decimal
            raise _data_or_address(digits)
        return None if digits.strip("0") else hexadecimal  # od counts in octal or decimal
    elif row.proven or _like_an_address(row):
        return hexadecimal
    raise _data_or_address(digits)


def _data_or_address(digits: str) -> ValueFormatError:
    return ValueFormatError(
        f"Is {_short(digits)} an address or data?", "Write bytes in pairs: DE AD BE EF."
    )


def _like_an_address(row: _Row) -> bool:
    digits, size = row.address, len(row.data)
    led = digits.startswith("0")
    if row.gap >= 2:
        return len(digits) >= 6 or led or not int(digits, 16) % 16
    full = size in (8, 16) and not int(digits, 16) % size
    return (len(digits) >= 6 and led) or full


def _form(rows: list[_Row]) -> str:
    forms = {row.form for row in rows}
    return forms.pop() if len(forms) == 1 else rows[0].form


def _short(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 24 else f"{text[:23]}…")
