"""Bookmarks as decorations, in hex view, minimap and heat map."""

from __future__ import annotations

from collections.abc import Iterable

from ....core.annotations.bookmark import COLORS, Bookmark
from ...hex.decorations.decorations import Decoration, Mark, Tint

_LONGEST_TIP = 400


def tint_of(mark: Bookmark) -> Tint:
    """The tint of its colour: both count through the theme's table."""
    return Tint(COLORS.index(mark.color) + 1)


def bookmark_ranges(marks: Iterable[Bookmark], size: int) -> list[Decoration]:
    """A range for each that begins inside of a region of this size."""
    return [
        Decoration(
            mark.start,
            min(mark.length, size - mark.start),
            tint_of(mark),
            Mark.ABOVE,
            label_of(mark),
            tip_of(mark),
        )
        for mark in marks
        if mark.start < size
    ]


def label_of(mark: Bookmark) -> str:
    """`1 head`: its digit and its name."""
    if mark.digit is None or not mark.name:
        return mark.title
    return f"{mark.digit} {mark.name}"


def tip_of(mark: Bookmark) -> str:
    """Its note; of a long one the beginning."""
    note = mark.note.strip()
    return note if len(note) <= _LONGEST_TIP else f"{note[:_LONGEST_TIP]}…"
