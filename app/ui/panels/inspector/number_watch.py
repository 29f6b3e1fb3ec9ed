"""What the numbers at the cursor have been since it came there: least, greatest, means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ....core.values.steady import NumberStats, number_text
from ....core.values.units import format_age
from ....core.values.value_type import Endian, ValueType
from ....core.values.value_types import number_of

Cell = tuple[str, Endian]  # a type's name and a byte order


def number_cells(types: Iterable[ValueType]) -> Iterator[tuple[ValueType, Endian]]:
    """The cells of a table of types that hold numbers, at least sometimes."""
    for kind in types:
        if kind.group in ("integer", "float") and kind.size and kind.name != "bin":
            yield kind, Endian.LITTLE
            if kind.endian_matters:
                yield kind, Endian.BIG


class NumberWatch:
    """Counts every look."""

    def __init__(self) -> None:
        self._stats: dict[Cell, NumberStats] = {}

    def look(self, types: Iterable[ValueType], data: bytes, now_ns: int) -> None:
        """The bytes as they are now."""
        for kind, endian in number_cells(types):
            number = number_of(kind, data, endian)
            if number is not None:
                cell = (kind.name, endian)
                if cell not in self._stats:
                    self._stats[cell] = NumberStats()
                self._stats[cell].add(number, now_ns)

    def reset(self) -> None:
        """Begin anew."""
        self._stats.clear()

    def take_means(self) -> dict[Cell, str]:
        """The means since they were taken last."""
        return {cell: mean for cell, stats in self._stats.items() if (mean := stats.take_mean())}

    def lines(self, cell: Cell) -> str:
        """Least and greatest below one another; empty for what holds no numbers."""
        stats = self._stats.get(cell)
        if stats is None or stats.least is None or stats.greatest is None:
            return ""
        return f"least    {number_text(stats.least)}\ngreatest {number_text(stats.greatest)}"

    def sentence(self, cell: Cell, now_ns: int) -> str:
        """`12 … 98, of 240 looks in 4.0 s`; empty for what holds no numbers."""
        stats = self._stats.get(cell)
        if stats is None or not stats.looks:
            return ""
        looks = "1 look" if stats.looks == 1 else f"{stats.looks:,} looks"
        return f"{stats.span()}, of {looks} in {format_age(max(0, now_ns - stats.since_ns))}"
