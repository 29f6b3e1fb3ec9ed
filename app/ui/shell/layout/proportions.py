"""How large hex view and docks are by default: arithmetic on pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# From the least widths on a device and values of 64 bits can be read. The good ones have room for a
# time with its fraction, the most for all there is: a GUID in both byte orders side by side.
LEAST_LEFT, GOOD_LEFT, MOST_LEFT = 144, 146, 280
LEAST_RIGHT, GOOD_RIGHT, MOST_RIGHT = 242, 298, 660


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a workspace wants of the sizes.

    Attributes:
        share: Share of the window's area that hex view and minimap get at least, where the docks
            can be read in what is left.
        bottom: Share of the window's height that the bottom docks want.
        most_bottom: Pixels that they get at most.
        most_row: Bytes in a row that the hex view gets at most before other docks grow.
    """

    share: float = 0.5
    bottom: float = 0.27
    most_bottom: int = 420
    most_row: int = 16


@dataclass(frozen=True, slots=True)
class Room:
    """What there is to share out, in pixels.

    Attributes:
        area: Of the whole window.
        width, height: Between tool bar and status bar.
        divider: Between two docks.
        rows: Width of the hex view with minimap, by the number of bytes in a row.
        strip: Least height of the bottom docks; 0 = there are none.
        left, right: Whether there are docks at that side.
    """

    area: int
    width: int
    height: int
    divider: int
    rows: Mapping[int, int]
    strip: int
    left: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Sizes:
    """Widths of the docks at the sides, height of those at the bottom."""

    left: int
    right: int
    bottom: int


def sizes(room: Room, wishes: Wishes) -> Sizes:
    """Whole rows of bytes first, then the hex view's share, then what reads well in the docks."""
    across = room.width - room.divider * (room.left + room.right)
    least = LEAST_LEFT * room.left, LEAST_RIGHT * room.right
    good = GOOD_LEFT * room.left, GOOD_RIGHT * room.right
    row = _row(room.rows, wishes.most_row, across - sum(least))
    left, right = good if across - sum(good) >= row else least
    wanted = wishes.share * room.area
    bottom = _bottom(room, wishes, across - left - right, wanted)
    down = room.height - (bottom + room.divider if bottom else 0)
    most, needed = across - left - right, -(-wanted // down)
    hex_view = row if needed > most else max(row, int(needed))  # out of reach: whole rows suffice
    spare = max(0, most - hex_view)
    wider = min(MOST_LEFT - left, spare // 3) * room.left
    return Sizes(
        left + wider,
        min(MOST_RIGHT, right + spare - wider) * room.right,
        bottom,
    )


def _row(rows: Mapping[int, int], most: int, width: int) -> int:
    """Width of the longest row of at most so many bytes that fits, else of the shortest."""
    fits = [room for count, room in rows.items() if count <= most and room <= width]
    return max(fits, default=min(rows.values()))


def _bottom(room: Room, wishes: Wishes, width: int, wanted: float) -> int:
    """Height of the bottom docks below a hex view of at most this width."""
    if not room.strip:
        return 0
    left_over = room.height - room.divider - -(-wanted // width)
    high = min(round(wishes.bottom * room.height), wishes.most_bottom, int(left_over))
    return max(room.strip, high)
