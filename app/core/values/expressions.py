"""Offsets and ranges as people type them.

Numbers: 64, 0x40, 40h, $40, 0b101, 0o17, with ' or _ between digits and K, M, G (binary) or
KiB, MB ... behind. Operators: + - * / % << >> & | ( ). A leading + or - is relative to the
cursor; `end` is the region's size; names: cursor, here, start, end, size, sel; `page 5`.

Offsets as this program and dumps print them are hex without 0x: eight digits or more that begin
with 0 (`00000040`) or have a mark before each four (`0000'0040`). `64` is decimal, and so is
`1'000'000`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..errors import ExpressionError
from .units import parse_size

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<hexh>[0-9][0-9a-f_']*h\b)|(?P<dollar>\$[0-9a-f_']+)"
    r"|(?P<prefixed>0x[0-9a-f_']+|0b[01_']+(?![0-9a-z])|0o[0-9a-f_']+)"
    r"|(?P<printed>(?:0[0-9a-f]{7,15}|[0-9a-f]{1,4}(?:'[0-9a-f]{4})+)(?![\w'.]))"
    r"|(?P<size>\d[\d_']*(?:\.\d+)?\s*(?:[kmgt](?:i?b)?|b)\b)"
    r"|(?P<number>\d[\d_']*)|(?P<name>[a-z]+)|(?P<op><<|>>|[-+*/%&|()]))",
    re.IGNORECASE,
)
_LEVELS: Final = (("|",), ("&",), ("<<", ">>"), ("+", "-"), ("*", "/", "%"))
_LIMIT: Final = 1 << 128
_MAX_DEPTH: Final = 64
_LONGEST: Final = 1000
_PAGE: Final = 4096
_PRINTED: Final = 8  # an offset is printed with so many digits at least


def evaluate(
    text: str,
    *,
    cursor: int = 0,
    size: int = 0,
    selection: tuple[int, int] | None = None,
    names: Mapping[str, int] | None = None,
) -> int:
    """The value of an expression; it is not compared with the region.

    Raises:
        ExpressionError: With where it stopped making sense.
    """
    known = {
        "cursor": cursor,
        "here": cursor,
        "start": 0,
        "end": size,
        "size": size,
        "sel": selection[0] if selection else cursor,
        **(names or {}),
    }
    stripped = text.strip()
    if len(stripped) > _LONGEST:
        raise ExpressionError(f"{len(stripped)} characters are too long for an expression.")
    if not stripped:
        raise ExpressionError("Nothing was typed.", "Try 0x40, +16, end-0x100 or page 5.")
    if stripped[0] in "+-":
        stripped = f"cursor {stripped}"
    parser = _Parser(_tokens(stripped), {name.lower(): value for name, value in known.items()})
    return parser.whole()


def parse_range(
    text: str, *, cursor: int = 0, size: int = 0, selection: tuple[int, int] | None = None
) -> tuple[int, int]:
    """`0x40..0x80` (end exclusive) or `0x40:16` (length) as start and length.

    Raises:
        ExpressionError: Neither form, or the end is before the start.
    """

    def value(part: str) -> int:
        return evaluate(part, cursor=cursor, size=size, selection=selection)

    if len(text) > 2 * _LONGEST:
        raise ExpressionError(f"{len(text)} characters are too long for a range.")

    if ".." in text:
        first, last = text.split("..", 1)
        start, length = value(first), value(last) - value(first)
    elif ":" in text:
        first, second = text.split(":", 1)
        start, length = value(first), value(f"({second})")  # a length is never relative
    else:
        raise ExpressionError(f"{text!r} is no range.", "Write 0x40..0x80 or 0x40:16.")
    if length < 0:
        raise ExpressionError(f"{text!r} ends before it begins.")
    return start, length


def _tokens(text: str) -> list[tuple[str, int | str, int]]:
    found: list[tuple[str, int | str, int]] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(
                f"Unexpected {text[at:].strip()!r} (character {at + 1}).",
                "Try 0x40, +16, end-0x100 or page 5.",
            )
        kind = match.lastgroup or ""
        found.append((*_token(kind, match.group(kind)), match.start(kind)))
        at = match.end()
    return found


def _token(kind: str, word: str) -> tuple[str, int | str]:
    digits = word.replace("_", "").replace("'", "")
    try:
        if kind == "hexh":
            return "number", int(digits[:-1], 16)
        if kind == "printed" and len(digits) >= _PRINTED:
            return "number", int(digits, 16)
        if kind == "dollar":
            return "number", int(digits[1:], 16)
        if kind == "prefixed":
            return "number", int(digits, 0)
        if kind in ("number", "printed"):
            return "number", int(digits)
        if kind == "size":
            return "number", parse_size(word)
    except ValueError as error:
        raise ExpressionError(f"{word!r} is no number.") from error
    return kind, word.lower()


def _bounded(value: int) -> int:
    if abs(value) > _LIMIT:
        raise ExpressionError("The number is too large.")
    return value


class _Parser:
    """Precedence climbing over the tokens; bounded in depth and in the size of values."""

    def __init__(self, tokens: list[tuple[str, int | str, int]], names: Mapping[str, int]) -> None:
        self._tokens = tokens
        self._names = names
        self._at = 0
        self._depth = 0

    def whole(self) -> int:
        value = self._level(0)
        if self._at < len(self._tokens):
            _, word, place = self._tokens[self._at]
            raise ExpressionError(f"Unexpected {str(word)!r} (character {place + 1}).")
        return _bounded(value)

    def _peek(self) -> str | int | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        value = self._level(level + 1)
        while self._peek() in _LEVELS[level]:
            operator = str(self._peek())
            self._at += 1
            value = self._apply(operator, value, self._level(level + 1))
        return value

    def _apply(self, operator: str, left: int, right: int) -> int:
        if operator in ("/", "%") and right == 0:
            raise ExpressionError("Division by zero.")
        if operator in ("<<", ">>") and not 0 <= right <= 128:
            raise ExpressionError(f"A shift by {right} bits is not meant.")
        value = {
            "+": lambda: left + right,
            "-": lambda: left - right,
            "*": lambda: left * right,
            "/": lambda: left // right,
            "%": lambda: left % right,
            "<<": lambda: left << right,
            ">>": lambda: left >> right,
            "&": lambda: left & right,
            "|": lambda: left | right,
        }[operator]()
        return _bounded(value)

    def _unary(self) -> int:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ExpressionError("Too many brackets or signs.")
        try:
            return self._primary()
        finally:
            self._depth -= 1

    def _primary(self) -> int:
        if self._at >= len(self._tokens):
            raise ExpressionError("Something is missing at the end.")
        kind, word, place = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return _bounded(int(word))
        if word in ("-", "+"):
            return -self._unary() if word == "-" else self._unary()
        if word == "(":
            value = self._level(0)
            if self._peek() != ")":
                raise ExpressionError("A bracket is not closed.")
            self._at += 1
            return value
        if word in ("page", "p"):
            return _bounded(self._unary() * _PAGE)
        if word in self._names:
            return self._names[str(word)]
        raise ExpressionError(
            f"{str(word)!r} is not known (character {place + 1}).",
            f"Hex needs 0x. Names: {', '.join(self._names)}.",
        )
