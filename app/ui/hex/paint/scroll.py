"""The place in a region of any size, in whole pixels, and its image on an int scroll bar.

A QScrollBar counts in 32-bit ints, which ends at 2 GiB of rows or less. The place is therefore
a Python int of its own; the bar only mirrors it, exactly while it can and scaled beyond that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BAR_RANGE: Final = 1 << 30


@dataclass(slots=True)
class Scroll:
    """Vertical place of a view.

    Attributes:
        rows: Rows in the region.
        height: Pixels of a row.
        view: Pixels of the window on it.
        place: Pixels above the window's top edge.
    """

    rows: int = 0
    height: int = 1
    view: int = 0
    place: int = 0

    @property
    def last(self) -> int:
        """The largest place."""
        return max(0, self.rows * self.height - self.view)

    @property
    def top_row(self) -> int:
        """The first row that is at least partly visible."""
        return self.place // self.height

    @property
    def shift(self) -> int:
        """Pixels of the top row that are above the edge."""
        return self.place % self.height

    @property
    def visible(self) -> int:
        """Rows that are at least partly visible."""
        behind = -(-(self.place + self.view) // self.height)
        return max(0, min(behind, self.rows) - self.top_row)

    @property
    def page(self) -> int:
        """Rows that are wholly visible; at least one."""
        return max(1, self.view // self.height)

    def set_view(self, rows: int, height: int, view: int) -> None:
        """Take new measures; the top row stays where it is as far as that is possible."""
        top, part = self.top_row, self.shift / self.height
        self.rows, self.height, self.view = rows, max(1, height), max(0, view)
        self.to(top * self.height + int(part * self.height))

    def to(self, place: int) -> bool:
        """Go to a place; says whether anything moved."""
        wanted = min(max(0, place), self.last)
        moved = wanted != self.place
        self.place = wanted
        return moved

    def by(self, pixels: int) -> bool:
        """Go by pixels."""
        return self.to(self.place + pixels)

    def to_row(self, row: int) -> bool:
        """Put a row at the top edge."""
        return self.to(row * self.height)

    def reveal(self, row: int, *, centre: bool = False) -> bool:
        """Make a row wholly visible: by the least way, or in the middle when it was far off."""
        top = row * self.height
        if self.place <= top and top + self.height <= self.place + self.view:
            return False
        if centre:
            return self.to(top - (self.view - self.height) // 3)
        return self.to(top if top < self.place else top + self.height - self.view)

    @property
    def bar_maximum(self) -> int:
        """What the bar counts up to."""
        return min(self.last, BAR_RANGE)

    @property
    def bar_value(self) -> int:
        """Where the bar stands. Its ends mean the region's ends and nothing else."""
        if self.last <= BAR_RANGE:
            return self.place
        value = self.place * BAR_RANGE // self.last
        if value == 0 and self.place:
            return 1
        return value

    @property
    def bar_page(self) -> int:
        """The bar's page step."""
        return max(1, self.view * self.bar_maximum // self.last) if self.last else max(1, self.view)

    def from_bar(self, value: int) -> bool:
        """Go where a person dragged the bar to; whole rows when the bar is scaled."""
        if self.last <= BAR_RANGE:
            return self.to(value)
        if value >= BAR_RANGE:
            return self.to(self.last)
        return self.to(value * self.last // BAR_RANGE // self.height * self.height)
