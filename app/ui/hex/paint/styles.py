"""What a byte can look like: style numbers, and their colours in a theme.

A cell's look is one number, so that numpy decides what must be painted again. Every style says
the same without colour: fresh changes are underlined, own writes bold, flux hatched, decorations
marked by lines and bars.

A cell's code is, from the lowest bit: 8 bits value, then its style, 5 bits state, SELECTED and 3
bits tint, then a decoration's marks, 3 bits lines along it and 2 bits bars at its ends, then 8 bits
page and HALF. Value, page and style say which glyph block it is; the marks are drawn over it.

In a column of text or numbers the value is a character's code point, whose higher bits are the
page; HALF is the second cell of a character that is two cells wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, overload

from PySide6.QtGui import QColor

from ...style.theme import Theme

STEPS: Final = 8
FADE_NS: Final = 1_500_000_000
STEP_NS: Final = FADE_NS // STEPS
"""A change glows for 1.5 s where nothing else was chosen, in eight steps."""

TEXT: Final = 0
ZERO: Final = 1
CHANGED: Final = 2  # … + STEPS - 1, freshest first
MINE: Final = 10
MINE_FRESH: Final = 11  # … + STEPS - 1
FLUX: Final = 19
PENDING: Final = 20
ABSENT: Final = 21
LABEL: Final = 22
LABEL_HERE: Final = 23
UNCHANGED: Final = 24  # not seen to change, and dimmed or hidden for that
PRINTABLE: Final = 25  # classes of values
WORD: Final = 26
HIGH: Final = 27
FULL: Final = 28
RULE: Final = 29  # picked by a person's rule
RULE_FRESH: Final = 30  # and it changed just now
STATE: Final = 31  # the bits of one of the above; no state has this number itself
SELECTED: Final = 32
TINT: Final = 64  # times a decoration's Tint, 0 to 7
COUNT: Final = 512

LINES: Final = COUNT << 8  # of a code, times a decoration's Mark, 0 to 7
BAR_LEFT: Final = LINES << 3  # where a decoration begins
BAR_RIGHT: Final = LINES << 4  # and where it ends
PAGE: Final = LINES << 5  # times the higher byte of a code point, 0 to 255
HALF: Final = PAGE << 8
PAGES: Final = PAGE * 0xFF | HALF
GLYPH: Final = LINES - 1 | PAGES  # the bits of a code that say which block of pixels
GROUND: Final = COUNT - SELECTED << 8  # those that say which ground it is on

TEXT_CONTRAST: Final = 4.5
QUIET_CONTRAST: Final = 3.0
"""Least contrast of text, and of marks and quiet text (WCAG 2.1, 1.4.3 and 1.4.11)."""

Rgb = tuple[int, int, int]


class Crown(Enum):
    """A line above the characters, which tells classes and rules without colour."""

    NONE = 0
    DOT = 1
    DASHES = 2
    TWO_DOTS = 3
    DOTTED = 4
    THICK = 5


@dataclass(frozen=True, slots=True)
class CellLook:
    """Colours of one style.

    Attributes:
        ink: The characters.
        ground: Around the cell's tile: the view's ground, or the selection's tint.
        tile: Behind the characters.
        bold: Heavier characters.
        underline: Its colour, or None.
        hatch: Colour of the diagonal lines on the tile, or None.
        mark: Lines and bars of a decoration.
        crown: Its line above the characters, by Crown; it has their colour.
    """

    ink: Rgb
    ground: Rgb
    tile: Rgb
    bold: bool = False
    underline: Rgb | None = None
    hatch: Rgb | None = None
    mark: Rgb = (128, 128, 128)
    crown: Crown = Crown.NONE


def rgb(text: str) -> Rgb:
    """`#RRGGBB` as numbers."""
    color = QColor(text)
    return color.red(), color.green(), color.blue()


def mix(below: Rgb, above: Rgb, share: float) -> Rgb:
    """The colour of `below` under `above`, which covers a `share` of it."""
    red, green, blue = (round(b + (a - b) * share) for b, a in zip(below, above, strict=True))
    return red, green, blue


def luminance(color: Rgb) -> float:
    """Relative luminance (WCAG 2.1, "relative luminance")."""
    parts = [c / 255 for c in color]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    """Contrast ratio (WCAG 2.1, "contrast ratio"), 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def readable(ink: Rgb, tile: Rgb, minimum: float) -> Rgb:
    """The ink, moved towards white or black until it reads on the tile."""
    target: Rgb = (255, 255, 255) if luminance(tile) < 0.2 else (0, 0, 0)
    for share in range(11):
        color = mix(ink, target, share / 10)
        if contrast(color, tile) >= minimum:
            return color
    return target


class Looks(Sequence[CellLook]):
    """All states, selected or not, on all tints; those of a ground are made when first needed."""

    def __init__(self, theme: Theme, *, greyed: bool = False, hides: bool = False) -> None:
        self._theme, self._greyed, self._hides = theme, greyed, hides
        self._groups: dict[int, list[CellLook]] = {}

    def __len__(self) -> int:
        return COUNT

    @overload
    def __getitem__(self, style: int) -> CellLook: ...

    @overload
    def __getitem__(self, style: slice) -> tuple[CellLook, ...]: ...

    def __getitem__(self, style: int | slice) -> CellLook | tuple[CellLook, ...]:
        if isinstance(style, slice):
            return tuple(self[at] for at in range(*style.indices(COUNT)))
        group, state = divmod(range(COUNT)[style], SELECTED)
        if group not in self._groups:
            tint, selected = divmod(group, TINT // SELECTED)
            self._groups[group] = _looks_on(
                self._theme, tint, selected=bool(selected), greyed=self._greyed
            )
            if self._hides:
                hidden = self._groups[group][UNCHANGED]
                self._groups[group][UNCHANGED] = replace(hidden, ink=hidden.ground)
        return self._groups[group][state]


def looks(theme: Theme, *, greyed: bool = False, hides: bool = False) -> Looks:
    """All styles in a theme.

    Args:
        theme: Colours.
        greyed: The picture of a region that is gone.
        hides: What does not change is not seen at all.
    """
    return Looks(theme, greyed=greyed, hides=hides)


def ground_of(theme: Theme, tint: int, *, selected: bool = False) -> Rgb:
    """Behind the cells: the view's ground, a decoration's tint on it, the selection over both."""
    ground = rgb(theme.ground)
    if tint:
        ground = mix(ground, rgb(theme.tints[tint - 1]), 0.24 if theme.dark else 0.17)
    if selected:
        ground = mix(ground, rgb(theme.selection), 0.55 if theme.dark else 0.75)
    return ground


def mark_color(theme: Theme, tint: int, behind: Rgb) -> Rgb:
    """Lines and bars of a decoration on a ground."""
    color = rgb(theme.tints[tint - 1]) if tint else rgb(theme.quiet)
    return readable(color, behind, QUIET_CONTRAST)


def _looks_on(theme: Theme, tint: int, *, selected: bool, greyed: bool) -> list[CellLook]:
    ground = ground_of(theme, tint, selected=selected)
    mark = mark_color(theme, 0 if greyed else tint, ground)
    text, quiet = rgb(theme.text), rgb(theme.quiet)
    mine, flux = rgb(theme.mine), rgb(theme.flux)
    table = [_plain(text, ground)] * SELECTED
    table[ZERO] = table[ABSENT] = table[LABEL] = _plain(quiet, ground, QUIET_CONTRAST)
    table[UNCHANGED] = table[ZERO]
    for state, ink, crown in _classes(theme):
        table[state] = replace(_plain(ink, ground), crown=crown)
    table[MINE] = _plain(mine, ground, bold=True)
    for step in range(STEPS):
        share = 1 - step / STEPS
        table[CHANGED + step] = _glow(rgb(theme.changed), text, ground, share)
        table[MINE_FRESH + step] = _glow(mine, mine, ground, share, bold=True)
    hatched = mix(ground, flux, 0.45)
    table[FLUX] = CellLook(
        readable(text, hatched, TEXT_CONTRAST), ground, ground, False, flux, hatched
    )
    table[RULE_FRESH] = replace(table[CHANGED], crown=Crown.THICK)
    table[PENDING] = CellLook(readable(mine, ground, TEXT_CONTRAST), ground, ground, True, mine)
    if greyed:
        table = [_plain(mix(ground, quiet, 0.85), ground, QUIET_CONTRAST)] * SELECTED
    return [replace(look, mark=mark) for look in table]


def _classes(theme: Theme) -> tuple[tuple[int, Rgb, Crown], ...]:
    """Classes of values and the rule: each a colour, and a line for those who see none."""
    violet, teal, green, olive, rose = (rgb(color) for color in theme.tints[1:6])
    return (
        (PRINTABLE, green, Crown.DOT),
        (WORD, teal, Crown.DOTTED),
        (HIGH, violet, Crown.DASHES),
        (FULL, rose, Crown.TWO_DOTS),
        (RULE, olive, Crown.THICK),
    )


def _plain(
    ink: Rgb, ground: Rgb, minimum: float = TEXT_CONTRAST, *, bold: bool = False
) -> CellLook:
    return CellLook(readable(ink, ground, minimum), ground, ground, bold)


def _glow(color: Rgb, settled: Rgb, ground: Rgb, share: float, *, bold: bool = False) -> CellLook:
    """`share` 1 is a change of just now, 0 one that has settled."""
    tile = mix(ground, color, 0.34 * share)
    ink = readable(mix(settled, color, share), tile, TEXT_CONTRAST)
    return CellLook(ink, ground, tile, bold, mix(ground, color, 0.35 + 0.65 * share))
