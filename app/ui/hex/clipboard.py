"""Bytes to and from the clipboard.

What we copy travels as bytes beside its text, so that it comes back exactly, whatever form it
was copied in. Foreign text is read as everywhere (core/values/hex_text.py).
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from ...core.errors import ValueFormatError
from ...core.values.hex_text import HexText, parse_hex
from ...core.values.text_encodings import UTF8, TextEncoding
from ...core.values.units import format_size

MIME: Final = "application/x-ivshmem-scope-bytes"
MAX_PASTE: Final = 1 << 20
MAX_COPY: Final = 4 << 20
MAX_ECHO: Final = 4096
_MAX_TEXT: Final = 8 * MAX_PASTE


def put(data: bytes, text: str) -> None:
    """Put bytes on the clipboard, with the text that they are for others."""
    mime = QMimeData()
    mime.setText(text)
    mime.setData(MIME, data)
    QGuiApplication.clipboard().setMimeData(mime)


def take(*, as_text: bool, encoding: TextEncoding = UTF8) -> bytes:
    """What the clipboard holds, as bytes.

    Args:
        as_text: Foreign text stands for its characters (in the text pane), not for hex.
        encoding: Of those characters.

    Raises:
        ValueFormatError: It holds nothing, no hex, too much, or what this encoding has not.
    """
    mime: QMimeData | None = QGuiApplication.clipboard().mimeData()
    if mime is None:  # nothing was ever copied
        raise ValueFormatError("The clipboard is empty; nothing was written.")
    if mime.hasFormat(MIME):
        data = bytes(mime.data(MIME).data())
    elif mime.hasText() and mime.text():
        text = mime.text()
        _bound(len(text), _MAX_TEXT)
        data = encoding.encode(text) if as_text else pasted_hex(text).data
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


def pasted_hex(text: str) -> HexText:
    """What a text on the clipboard means as bytes.

    Raises:
        ValueFormatError: It is no hex; the message says that nothing was written.
    """
    try:
        return parse_hex(text)
    except ValueFormatError as error:
        raise ValueFormatError(
            f"{error.message.rstrip('.')}; nothing was written.", error.hint
        ) from error
