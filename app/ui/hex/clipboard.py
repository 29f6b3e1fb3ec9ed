"""Bytes to and from the clipboard.

A copy carries the bytes as well as their text, so that pasting gives exactly them, in whatever form
they were copied. Text from other programs is read as hex, in all forms that dumps and sources have.
"""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from ...core.errors import ValueFormatError
from ...core.values.units import format_size

MIME: Final = "application/x-ivshmem-scope-bytes"
MAX_PASTE: Final = 1 << 20
MAX_COPY: Final = 4 << 20
MAX_ECHO: Final = 4096
_MAX_TEXT: Final = 8 * MAX_PASTE
_HINT: Final = "Hex is pasted as 41 42, 4142, 0x41, \\x41 or { 0x41, 0x42 }."
_COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_LIST: Final = re.compile(r"[\[{]([^\[\]{}]*)[\]}]\s*;?\s*$")
_DUMP: Final = re.compile(
    r"""^(?:[0-9a-f]{4,16}:\s+((?:[0-9a-f]{2,8}[ ])*[0-9a-f]{2,8})(?:\s\s.*)?  # xxd
    |[0-9a-f]{4,16}\s+((?:[0-9a-f]{2}[ ]{1,2})*[0-9a-f]{2})\s*\|.*\|)$        # hexdump -C""",
    re.IGNORECASE | re.VERBOSE,
)
_DUMP_END: Final = re.compile(r"^[0-9a-f]{4,16}$", re.IGNORECASE)
_TOKEN: Final = re.compile(
    r"\s*(?:0x([0-9a-f]+)|\\x([0-9a-f]{2})|([0-9a-f]{2})h\b|([0-9a-f]+))u?[\s,;:_-]*", re.IGNORECASE
)


def put(data: bytes, text: str) -> None:
    """Put bytes on the clipboard, with the text that they are for others."""
    mime = QMimeData()
    mime.setText(text)
    mime.setData(MIME, data)
    QGuiApplication.clipboard().setMimeData(mime)


def take(*, as_text: bool) -> bytes:
    """What the clipboard holds, as bytes.

    Args:
        as_text: Foreign text stands for its characters (in the text pane), not for hex.

    Raises:
        ValueFormatError: It holds nothing, no hex, or too much.
    """
    mime: QMimeData | None = QGuiApplication.clipboard().mimeData()
    if mime is None:  # nothing was ever copied
        raise ValueFormatError("The clipboard is empty; nothing was written.")
    if mime.hasFormat(MIME):
        data = bytes(mime.data(MIME).data())
    elif mime.hasText() and mime.text():
        text = mime.text()
        _bound(len(text), _MAX_TEXT)
        data = text.encode("utf-8", errors="replace") if as_text else pasted_hex(text)
    else:
        raise ValueFormatError("The clipboard holds no text; nothing was written.")
    _bound(len(data), MAX_PASTE)
    return data


def _bound(size: int, limit: int) -> None:
    if size > limit:
        raise ValueFormatError(
            f"{format_size(size)} are more than can be pasted; nothing was written.",
            f"Load a file instead (Ctrl+Shift+O). Pasting ends at {format_size(MAX_PASTE)}.",
        )


def pasted_hex(text: str) -> bytes:
    """Hex digits, 0x numbers, escapes, C, Rust, Go and JSON lists and hex dumps as bytes.

    A paste writes at once, so that half a byte is refused here and not guessed (`typed_hex` is
    for what a person sees before it is used).

    Raises:
        ValueFormatError: The text is nothing of that.
    """
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines:
        raise ValueFormatError("The clipboard holds no hex; nothing was written.", _HINT)
    dump = _parse_dump(lines)
    if dump is not None:
        return dump
    body = _COMMENT.sub(" ", text).strip()
    listed = _LIST.search(body)
    if listed is None:
        return _parse_tokens(body.strip("\"'"))
    inner = listed.group(1)
    decimal = re.search(r"0x|[a-f]", inner, re.IGNORECASE) is None
    if decimal and ("," in inner or inner.strip().isdecimal()):
        return _parse_decimals(inner)
    return _parse_tokens(inner)


def _parse_dump(lines: list[str]) -> bytes | None:
    """`hexdump -C`, `xxd` and our own copies, None when it is none of them."""
    parts = [_DUMP.match(line.strip()) for line in lines]
    if parts and parts[-1] is None and len(lines) > 1 and _DUMP_END.match(lines[-1].strip()):
        parts.pop()
    if not all(parts):
        return None
    return b"".join(bytes.fromhex(part.group(1) or part.group(2)) for part in parts if part)


def _parse_decimals(inner: str) -> bytes:
    words = [word.strip() for word in inner.strip().rstrip(",").split(",")]
    try:
        return bytes(int(word) for word in words)
    except ValueError as error:
        raise ValueFormatError(
            "The list on the clipboard is none of bytes (0 to 255); nothing was written.", _HINT
        ) from error


def _parse_tokens(text: str) -> bytes:
    found = bytearray()
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            word = text[at:].strip().partition(" ")[0]
            raise ValueFormatError(
                f"{word[:20]!r} on the clipboard is no hex; nothing was written.", _HINT
            )
        prefixed, escaped, suffixed, plain = match.groups()
        found += _digits(prefixed or escaped or suffixed or plain, lone=prefixed is not None)
        at = match.end()
    return bytes(found)


def _digits(digits: str, *, lone: bool) -> bytes:
    if len(digits) % 2:
        if not lone:
            raise ValueFormatError(
                f"{digits[:20]!r} on the clipboard has an odd number of hex digits; "
                "nothing was written.",
                _HINT,
            )
        digits = f"0{digits}"
    return bytes.fromhex(digits)
