r"""Bytes as a string literal with escapes, and back: `"LG\x00\n"`.

What is written holds in C, C++, C#, Go, JavaScript, Python and Rust (there as b"..."): `\x` has two
digits, and no hex digit stands behind them as it is, since C takes as many as there are.
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import ValueFormatError

_NAMED: Final = {
    "n": 10, "r": 13, "t": 9, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27,
    "\\": 0x5C, '"': 0x22, "'": 0x27, "?": 0x3F,
}  # fmt: skip
_SHORT: Final = {10: "\\n", 13: "\\r", 9: "\\t", 0x5C: "\\\\", 0x22: '\\"'}
_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")
_LITERALS: Final = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+[;,]?', re.DOTALL)
_LITERAL: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)"', re.DOTALL)
_PART: Final = re.compile(
    r"(?P<plain>[^\\]+)|\\x(?P<hex>[0-9a-fA-F]+)|\\(?P<octal>[0-7]{1,3})|\\(?P<named>.)", re.DOTALL
)
_HINT: Final = r"\x and two digits, \n, \r, \t, \0, \\ and \" are understood."


def escaped(data: bytes) -> str:
    r"""A string literal; at least one escape is in it, so that it is never taken for hex."""
    out: list[str] = []
    behind_hex = False
    for byte in data:
        if byte in _SHORT:
            out.append(_SHORT[byte])
            behind_hex = False
        elif 32 <= byte < 127 and not (behind_hex and byte in _DIGITS):
            out.append(chr(byte))
            behind_hex = False
        else:
            out.append(f"\\x{byte:02x}")
            behind_hex = True
    text = "".join(out)
    if data and "\\" not in text:
        head = next((at for at, byte in enumerate(data[1:], 1) if byte not in _DIGITS), len(data))
        text = "".join(f"\\x{byte:02x}" for byte in data[:head]) + text[head:]
    return f'"{text}"'


def parse_escaped(text: str) -> bytes | None:
    """The bytes of one string literal, or of several in a row; None for what is none.

    Also None for one without an escape, which may as well be meant as hex.

    Raises:
        ValueFormatError: An escape in it is not known, or not clear.
    """
    if "\\" not in text or not _LITERALS.fullmatch(text):
        return None
    return b"".join(_bytes(body) for body in _LITERAL.findall(text))


def _bytes(body: str) -> bytes:
    out = bytearray()
    for match in _PART.finditer(body):
        kind, word = match.lastgroup, match[match.lastgroup or 0]
        if kind == "plain":
            out += word.encode("utf-8", errors="replace")
        elif kind == "hex":
            if len(word) != 2:
                raise ValueFormatError(
                    f"Is '\\x{word[:12]}' one number, as in C, or a byte and letters?", _HINT
                )
            out.append(int(word, 16))
        elif kind == "octal" and int(word, 8) < 256:
            out.append(int(word, 8))
        elif word in _NAMED:
            out.append(_NAMED[word])
        else:
            raise ValueFormatError(f"The escape '\\{word}' is not known.", _HINT)
    return bytes(out)
