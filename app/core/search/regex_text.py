"""A regular expression as it is typed, and what of it is accepted. Light: the worker loads it."""

from __future__ import annotations

import re
import warnings
from typing import Final

from ..errors import ValueFormatError

LONGEST_MATCH: Final = 4096  # bytes
_LONGEST_TEXT: Final = 4096
_HINT: Final = r"As in Python, on bytes: [A-Z]{3}\d+, \x00\xFF.{4}, (?i)error."


def compiled(text: str, *, ignore_case: bool = False) -> re.Pattern[bytes]:
    """The expression; `.` is any byte, `^` and `$` are the ends of lines.

    Raises:
        ValueFormatError: It is none, or matches nothing at all.
    """
    if not text:
        raise ValueFormatError("There is no expression to find.", _HINT)
    if len(text) > _LONGEST_TEXT:
        raise ValueFormatError(f"The expression is longer than {_LONGEST_TEXT} characters.")
    flags = re.DOTALL | re.MULTILINE | (re.IGNORECASE if ignore_case else 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Python will mean by it one day
            pattern = re.compile(text.encode("utf-8"), flags)
    except re.error as error:
        where = f" (character {error.pos + 1})" if error.pos is not None else ""
        raise ValueFormatError(f"No expression: {error.msg}{where}.", _HINT) from error
    except UnicodeEncodeError as error:
        raise ValueFormatError("The expression has a character that is no text.", _HINT) from error
    except (OverflowError, RecursionError, MemoryError, ValueError) as error:
        raise ValueFormatError(
            "The expression is too large or too deeply nested.", _HINT
        ) from error
    if pattern.match(b"") is not None:
        raise ValueFormatError(
            "The expression also matches nothing at all, which is everywhere.",
            "Let it need at least one byte: + in place of *.",
        )
    return pattern
