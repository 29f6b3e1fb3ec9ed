"""What makes bytes stand out or step back, by a person's choice: classes, a rule, what is still."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from ....core.values.byte_rules import ByteRule
from ....core.watch.frame import U8
from . import styles

_LEAST_WORD: Final = 4
"""Printable bytes in a row that are called text."""


class Unchanged(Enum):
    """How bytes are shown that were not seen to change since the choice."""

    SHOWN = "shown"
    DIMMED = "dimmed"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Emphasis:
    """The choices.

    Attributes:
        classes: Whether values are told apart by class: zero, printable, text, high, 0xFF.
        rule: Bytes that are marked.
        unchanged: How what does not change is shown.
        since_ns: What changed from then on has changed.
        fade_ns: How long a change glows.
    """

    classes: bool = False
    rule: ByteRule | None = None
    unchanged: Unchanged = Unchanged.SHOWN
    since_ns: int = 1
    fade_ns: int = styles.FADE_NS


PLAIN: Final = Emphasis()


def _class_table() -> U8:
    table = np.full(256, styles.TEXT, np.uint8)
    table[0] = styles.ZERO
    table[32:127] = styles.PRINTABLE
    table[128:] = styles.HIGH
    table[255] = styles.FULL
    return table


_CLASSES: Final = _class_table()


def class_states(data: U8) -> U8:
    """The class of each byte, as a state."""
    states = _CLASSES[data]
    printable = states == styles.PRINTABLE
    edges = np.flatnonzero(np.diff(printable, prepend=False, append=False))
    first, behind = edges[::2], edges[1::2]
    long = behind - first >= _LEAST_WORD
    steps = np.zeros(len(data) + 1, np.int8)
    steps[first[long]] += 1
    steps[behind[long]] -= 1
    states[np.cumsum(steps[:-1]) > 0] = styles.WORD
    return states
