"""The forms that a column of the hex view shows bytes in: hex, binary, decimal, float.

A form knows how many bytes and characters a value takes, writes many values at once (for painting),
and reads what a person types. Forms in which each byte has characters of its own (hex, binary and
all of one byte) are called bytewise: they need no arithmetic at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ValueFormatError
from .number_text import Chars, float_text, integer_text
from .value_type import Endian, shorten
from .value_types import type_named

U8 = npt.NDArray[np.uint8]

WIDTHS: Final = (1, 2, 4, 8)
_SHORT: Final = {Endian.LITTLE: "LE", Endian.BIG: "BE"}


class Kind(Enum):
    """How a value is written."""

    HEX = "hex"
    UNSIGNED = "u"
    SIGNED = "i"
    BINARY = "bin"
    FLOAT = "f"
    AGE = "age"
    RATE = "changes/s"
    COUNT = "changes"


HISTORY: Final = (Kind.AGE, Kind.RATE, Kind.COUNT)
_FLOAT_CHARS: Final = {2: 11, 4: 15, 8: 24}  # of -6.1035e-05, -1.17549435e-38 and so on
_DIGITS: Final = {
    Kind.HEX: frozenset("0123456789abcdefABCDEF"),
    Kind.UNSIGNED: frozenset("0123456789"),
    Kind.SIGNED: frozenset("0123456789-"),
    Kind.BINARY: frozenset("01"),
    Kind.FLOAT: frozenset("0123456789+-.eEinfaINFA"),
}


@dataclass(frozen=True, slots=True)
class ColumnForm:
    """One way to write values.

    Attributes:
        kind: How a value is written.
        width: Its bytes: 1, 2, 4 or 8.
        endian: Their order; without meaning for one byte.
    """

    kind: Kind
    width: int
    endian: Endian = Endian.LITTLE

    @property
    def name(self) -> str:
        """Stable name, as in the settings: `u32le`, `hex8`."""
        if self.told:
            return self.kind.value
        order = "" if self.width == 1 else _SHORT[self.endian].lower()
        return f"{self.kind.value}{8 * self.width}{order}"

    @property
    def label(self) -> str:
        """Short words for the head of a column: `u32 LE`."""
        if self.told:
            return self.kind.value
        order = "" if self.width == 1 else f" {_SHORT[self.endian]}"
        return f"{self.kind.value}{8 * self.width}{order}"

    @property
    def told(self) -> bool:
        """Whether it tells when or how often a byte changed, and not its value."""
        return self.kind in HISTORY

    @property
    def bytewise(self) -> bool:
        """Whether all values of a byte have texts of their own, side by side."""
        if self.told:
            return False
        return self.width == 1 or self.kind in (Kind.HEX, Kind.BINARY)

    @property
    def chars(self) -> int:
        """Characters of the longest value."""
        bits = 8 * self.width
        match self.kind:
            case Kind.HEX:
                return bits // 4
            case Kind.BINARY:
                return bits
            case Kind.FLOAT:
                return _FLOAT_CHARS[self.width]
            case Kind.AGE | Kind.RATE | Kind.COUNT:
                return 5
            case Kind.UNSIGNED:
                return len(str((1 << bits) - 1))
        return len(str(-(1 << bits - 1)))

    # -- writing -----------------------------------------------------------------------------------

    def byte_texts(self) -> list[str]:
        """The characters of each byte, of a bytewise form."""
        size = self.chars // self.width
        match self.kind:
            case Kind.HEX:
                return [f"{value:02X}" for value in range(256)]
            case Kind.BINARY:
                return [f"{value:08b}" for value in range(256)]
            case Kind.SIGNED:
                return [f"{(value ^ 128) - 128:{size}d}" for value in range(256)]
        return [f"{value:{size}d}" for value in range(256)]

    def texts(self, data: U8) -> Chars:
        """Values as rows of ASCII characters, aligned to the right: (values, chars).

        Args:
            data: Their bytes, one value behind the other; a multiple of `width`.
        """
        if self.bytewise:
            return self._texts_by_byte(data)
        words = data.view(f"{self.endian.mark}{self._code}{self.width}")
        native = words.astype(words.dtype.newbyteorder("="), copy=False)
        write = float_text if self.kind is Kind.FLOAT else integer_text
        return write(native, self.chars)

    @property
    def _code(self) -> str:
        return {Kind.FLOAT: "f", Kind.SIGNED: "i"}.get(self.kind, "u")

    def _texts_by_byte(self, data: U8) -> Chars:
        values = data.reshape(-1, self.width)
        if self.endian is Endian.LITTLE:
            values = values[:, ::-1]
        found: Chars = _byte_table(self)[values].reshape(len(values), self.chars)
        return found

    def text(self, data: bytes) -> str:
        """One value, without blanks around it."""
        value = int.from_bytes(data, self.endian.value, signed=self.kind is Kind.SIGNED)
        match self.kind:
            case Kind.HEX:
                return f"{value:0{self.chars}X}"
            case Kind.BINARY:
                return f"{value:0{self.chars}b}"
            case Kind.UNSIGNED | Kind.SIGNED:
                return str(value)
        return self.texts(np.frombuffer(data, np.uint8)).tobytes().decode("ascii").strip()

    # -- reading -----------------------------------------------------------------------------------

    def takes(self, typed: str, character: str) -> bool:
        """Whether a character may follow what was typed of a value so far."""
        return len(typed) < self.chars and character in _DIGITS.get(self.kind, ())

    def complete(self, typed: str) -> bool:
        """Whether nothing more can follow, so that the value needs no Enter."""
        if self.kind is Kind.FLOAT:
            return False
        signed_room = self.kind is Kind.SIGNED and not typed.startswith("-")
        return len(typed) >= self.chars - signed_room

    def parse(self, text: str) -> bytes:
        """The bytes of a value as a person types it.

        Raises:
            ValueFormatError: It is no such value, or out of its range; the hint has an example.
        """
        if self.kind not in (Kind.HEX, Kind.BINARY):
            return type_named(f"{self.kind.value}{8 * self.width}").encode(text, self.endian)
        base = 16 if self.kind is Kind.HEX else 2
        try:
            value = int(text.replace(" ", ""), base)
            return value.to_bytes(self.width, self.endian.value)
        except (ValueError, OverflowError) as error:
            example = "C0FFEE" if base == 16 else "101"
            raise ValueFormatError(
                f"{shorten(text)!r} is no {self.label}.", f"For example: {example}."
            ) from error


@cache
def _byte_table(form: ColumnForm) -> Chars:
    """What each byte is written as: (256, chars)."""
    return np.frombuffer("".join(form.byte_texts()).encode("ascii"), np.uint8).reshape(256, -1)


HEX: Final = ColumnForm(Kind.HEX, 1)


def _all_forms() -> tuple[ColumnForm, ...]:
    found = []
    for kind in (kind for kind in Kind if kind not in HISTORY):
        for width in WIDTHS:
            if kind is Kind.FLOAT and width == 1:
                continue
            orders = (Endian.LITTLE,) if width == 1 else (Endian.LITTLE, Endian.BIG)
            found += [ColumnForm(kind, width, order) for order in orders]
    return tuple(found)


FORMS: Final = _all_forms()
TOLD_FORMS: Final = tuple(ColumnForm(kind, 1) for kind in HISTORY)
_BY_NAME: Final = {form.name: form for form in (*FORMS, *TOLD_FORMS)}


def form_named(name: object) -> ColumnForm | None:
    """The form with this name; None where there is none."""
    return _BY_NAME.get(name) if isinstance(name, str) else None
