"""Text from outside (names of files, processes and devices) as one line that can be shown.

A name may hold anything: a line break, a terminal's control sequence, marks that turn the
direction of writing round, bytes that are no text in the system's encoding.
"""

from __future__ import annotations

import codecs
import unicodedata
from typing import Final

# Control, format and private characters, halves of pairs, and what separates lines.
_HIDDEN: Final = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_SIMPLER: Final = str.maketrans({"µ": "u", "→": "->", "…": "...", "·": ".", "–": "-", "’": "'"})
ENCODE_ERRORS: Final = "ivshmem-scope-simpler"


def printable(text: str) -> str:
    r"""The text with everything that moves, hides or breaks a line as `\n`, `\x1b`, `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape", "surrogatepass").decode("ascii")
        if unicodedata.category(char) in _HIDDEN
        else char
        for char in text
    )


def _simpler(error: UnicodeError) -> tuple[str | bytes, int]:
    """A replacement for a character that the encoding lacks: a similar one, else an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    part = error.object[error.start : error.end].translate(_SIMPLER)
    return part.encode("ascii", "backslashreplace").decode("ascii"), error.end


codecs.register_error(ENCODE_ERRORS, _simpler)
