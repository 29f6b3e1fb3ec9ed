"""The health of a region or device, in words.

Separate from frame.py, so that listing devices needs no numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .errors import ScopeError


class Level(Enum):
    """A level of health: ● ▲ ■ in the window."""

    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Health:
    """The state of a region or device, in the words of errors.py.

    Attributes:
        level: Good, warning or fault.
        code: `ok`, or the `code` of the error.
        text: One sentence.
        hint: What to do next; may be empty.
        command: A command to copy; may be empty.
    """

    level: Level = Level.GOOD
    code: str = "ok"
    text: str = "Healthy"
    hint: str = ""
    command: str = ""


def health_of(error: ScopeError, level: Level = Level.FAULT) -> Health:
    """An error as the health of the region or device that has it."""
    return Health(level, error.code, error.message, error.hint, error.command)
