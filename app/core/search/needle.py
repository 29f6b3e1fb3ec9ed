"""What a person wants to find, as text and a few choices; small, and picklable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..errors import ValueFormatError
from .byte_needle import byte_pattern
from .patterns import Pattern
from .text_needle import ENCODINGS, text_pattern
from .value_needle import value_pattern

__all__ = ("ENCODINGS", "LONGEST_NEEDLE", "Endians", "Needle", "NeedleKind", "parse_needle")

LONGEST_NEEDLE: Final = 64 << 10  # bytes, or characters


class NeedleKind(Enum):
    """How the text is meant."""

    BYTES = "bytes"
    TEXT = "text"
    REGEX = "regex"
    VALUE = "value"
    STRINGS = "strings"


class Endians(Enum):
    """Which byte orders a value is looked for in."""

    LITTLE = "little"
    BIG = "big"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Needle:
    """What to find.

    Attributes:
        kind: How `text` is meant.
        text: Hex bytes with wildcards (`FF ?? 1?`, `12 34 & FF F0`), text, a regular expression,
            or a value, a range or a tolerance (`42`, `3.1..3.2`, `3.1±0.05`). Not of strings.
        encoding: Of a text or of strings; one of ENCODINGS.
        ignore_case: Of a text or an expression.
        type_name: Of a value, by its name in values.TYPES.
        endians: Of a value.
        align: Only offsets that are a multiple of this.
        least: Characters of the shortest string.
    """

    kind: NeedleKind
    text: str = ""
    encoding: str = "utf-8"
    ignore_case: bool = False
    type_name: str = "u32"
    endians: Endians = Endians.LITTLE
    align: int = 1
    least: int = 5

    @property
    def label(self) -> str:
        """What it is, in a few words."""
        text = self.text if len(self.text) <= 40 else f"{self.text[:39]}…"
        match self.kind:
            case NeedleKind.TEXT:
                return f"text “{text}”"
            case NeedleKind.REGEX:
                return f"expression {text}"
            case NeedleKind.VALUE:
                return f"{self.type_name} {text}"
            case NeedleKind.STRINGS:
                return f"strings of {self.least} characters or more"
        return f"bytes {text}"


def parse_needle(needle: Needle) -> Pattern:
    """What a search of this needle looks for; close it when the search is over.

    Raises:
        ValueFormatError: It is nothing that could be found; says why.
    """
    if needle.align < 1:
        raise ValueFormatError(f"An alignment of {needle.align} is none.", "1, 2, 4, 8, ….")
    if len(needle.text) > LONGEST_NEEDLE:
        raise ValueFormatError(f"The needle is longer than {LONGEST_NEEDLE} characters.")
    match needle.kind:
        case NeedleKind.TEXT:
            return text_pattern(
                needle.text, needle.encoding, needle.align, ignore_case=needle.ignore_case
            )
        case NeedleKind.VALUE:
            return value_pattern(
                needle.text,
                needle.type_name,
                needle.align,
                little=needle.endians is not Endians.BIG,
                big=needle.endians is not Endians.LITTLE,
            )
        case NeedleKind.REGEX:
            from .regex import regex_pattern

            return regex_pattern(needle.text, needle.align, ignore_case=needle.ignore_case)
        case NeedleKind.STRINGS:
            from .strings import strings_pattern

            return strings_pattern(needle.encoding, needle.least)
    return byte_pattern(needle.text, needle.align)
