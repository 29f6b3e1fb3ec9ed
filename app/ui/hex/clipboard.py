"""Bytes to and from the clipboard.

What we copy travels as bytes beside its text, so that it comes back exactly, whatever form it
was copied in. Foreign text is read as everywhere (core/values/hex_text.py), and a person sees what
it was taken for before it is written (core/values/pasted_text.py).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from ...core.errors import ValueFormatError
from ...core.values.pasted_text import Readings, readings
from ...core.values.text_encodings import UTF8, TextEncoding
from ...core.values.units import format_size

MIME: Final = "application/x-ivshmem-scope-bytes"
ADDRESS_MIME: Final = "application/x-ivshmem-scope-address"
_OWNER_MIME: Final = "application/x-ivshmem-scope-process"
MAX_PASTE: Final = 1 << 20
MAX_COPY: Final = 4 << 20
MAX_ECHO: Final = 4096
_MAX_TEXT: Final = 8 * MAX_PASTE


def put(data: bytes, text: str) -> None:
    """Put bytes on the clipboard, with the text that they are for others."""
    _put(MIME, data, text)


def put_address(text: str) -> None:
    """Put a place on the clipboard; it is not taken for bytes when it is pasted."""
    _put(ADDRESS_MIME, text.encode("ascii"), text)


def _put(kind: str, data: bytes, text: str) -> None:
    mime = QMimeData()
    mime.setText(text)
    mime.setData(kind, data)
    mime.setData(_OWNER_MIME, _own_mark())
    QGuiApplication.clipboard().setMimeData(mime)


def _own_mark() -> bytes:
    return str(os.getpid()).encode("ascii")


def leave_text() -> None:
    """At the program's end: what others may paste stays, as text that Qt owns by itself.

    Qt deletes the clipboard's contents after the interpreter has ended, which crashes where the
    object was made in Python.
    """
    board = QGuiApplication.clipboard()
    mime: QMimeData | None = board.mimeData()
    # Not `ownsClipboard`: some platforms of Qt never say so.
    if mime is not None and bytes(mime.data(_OWNER_MIME).data()) == _own_mark():
        board.setText(mime.text())


def take(*, as_text: bool, encoding: TextEncoding = UTF8) -> bytes | Readings:
    """What the clipboard holds: bytes that are certain, or what a foreign text may mean.

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
        _bound(len(data), MAX_PASTE)
        return data
    if not mime.hasText() or not mime.text():
        raise ValueFormatError("The clipboard holds no text; nothing was written.")
    text = mime.text()
    _bound(len(text), _MAX_TEXT)
    if as_text:
        data = encoding.encode(text)
        _bound(len(data), MAX_PASTE)
        return data
    if mime.hasFormat(ADDRESS_MIME):
        raise ValueFormatError(
            f"The clipboard holds a place ({text[:40]}), no bytes; nothing was written.",
            "Ctrl+G goes there.",
        )
    meant = pasted_readings(text)
    _bound(len(meant.found[0].data), MAX_PASTE)
    return replace(meant, found=tuple(one for one in meant.found if len(one.data) <= MAX_PASTE))


def _bound(size: int, limit: int) -> None:
    if size > limit:
        raise ValueFormatError(
            f"{format_size(size)} are more than can be pasted; nothing was written.",
            f"Load a file instead (Ctrl+Shift+O). Pasting ends at {format_size(MAX_PASTE)}.",
        )


def pasted_readings(text: str) -> Readings:
    """What a text on the clipboard may mean as bytes.

    Raises:
        ValueFormatError: It is no hex; the message says that nothing was written.
    """
    try:
        return readings(text)
    except ValueFormatError as error:
        raise ValueFormatError(
            f"{error.message.rstrip('.')}; nothing was written.", error.hint
        ) from error
