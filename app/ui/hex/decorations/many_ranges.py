"""A layer of very many ranges that look alike, such as a million hits: arrays, and no objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from .decorations import Decoration, Hits, Layer, Mark, Tint
from .range_index import I64, RangeIndex

_OUTLINED: Final = 256  # more would be a net over the map
_TOLD: Final = 64  # of one place
_DRAWN: Final = 1 << 14  # one by one; of more in a span those that are near one another are joined


class ManyRanges(Layer):
    """Ranges of one tint, mark and label.

    `touching` gives the first of a span only, and `hits` of a span with very many joins those that
    no picture could part. `replace` takes plain decorations, whose own looks do not count.
    """

    def __init__(self, z: int, changed: Callable[[], None]) -> None:
        super().__init__(z, changed)
        self.tint, self.mark, self.label = Tint.OLIVE, Mark.OUTLINE, ""

    def show(self, starts: I64, lengths: I64, label: str) -> None:
        """Hold these ranges, which are ascending by start, and nothing else."""
        self.label = label
        self._index = RangeIndex(starts, starts + lengths)
        self._changed()

    def replace(self, items: Iterable[Decoration]) -> None:
        found = sorted(items, key=lambda item: item.start)
        if not found and not len(self):
            return
        starts = np.array([item.start for item in found], np.int64)
        self.show(starts, np.array([item.length for item in found], np.int64), self.label)

    @property
    def items(self) -> tuple[Decoration, ...]:
        return tuple(self._made(range(min(len(self), _TOLD))))

    @property
    def outlined(self) -> bool:
        return len(self) <= _OUTLINED

    def __len__(self) -> int:
        return len(self._index)

    def touching(self, start: int, length: int) -> list[Decoration]:
        low, high = np.searchsorted(self._index.starts, (start, start + length)).tolist()
        if high - low > _TOLD:
            return self._made(range(low, low + _TOLD))
        return self._made(self._index.touching(start, start + length).tolist())

    def hits(self, start: int, length: int) -> Hits:
        index = self._index
        low, high = np.searchsorted(index.starts, (start, start + length)).tolist()
        if high - low > _DRAWN:
            starts, ends = _joined(index.starts[low:high], index.ends[low:high], start, length)
        else:
            found = index.touching(start, start + length)
            starts, ends = index.starts[found], index.ends[found]
        tints = np.full(len(starts), self.tint, np.int64)
        return Hits(starts, ends, tints, np.full(len(starts), self.mark, np.int64))

    def next_behind(self, offset: int) -> Decoration | None:
        at = self._index.first_behind(offset)
        return None if at is None else self._made([at])[0]

    def previous_before(self, offset: int) -> Decoration | None:
        at = self._index.last_before(offset)
        return None if at is None else self._made([at])[0]

    def _made(self, numbers: Iterable[int]) -> list[Decoration]:
        starts, ends = self._index.starts, self._index.ends
        return [
            Decoration(
                int(starts[at]), int(ends[at] - starts[at]), self.tint, self.mark, self.label
            )
            for at in numbers
        ]


def _joined(starts: I64, ends: I64, start: int, length: int) -> tuple[I64, I64]:
    """Those that begin in one of `_DRAWN` parts of a span as one."""
    edges = start + np.arange(_DRAWN, dtype=np.int64) * length // _DRAWN
    first = np.unique(np.searchsorted(starts, edges))
    first = first[first < len(starts)]
    return starts[first], np.maximum.reduceat(ends, first)
