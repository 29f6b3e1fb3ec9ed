"""Decorations: ranges of bytes with a tint, a mark, a label and a tip. One mechanism for all.

What is found, bookmarked, compared, structured or measured is shown by the same means: each source
owns a layer of ranges and replaces them whole or in part; hex view, minimap and heat map draw what
the layers hold together. Offsets are Python ints here, up to 2^63.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, TypeVar

import numpy as np
from PySide6.QtCore import QObject, Signal

from .range_index import I64, LAST, RangeIndex


class Tint(IntEnum):
    """The ground of a range: an index into `Theme.tints`, counted from 1."""

    NONE = 0
    SLATE = 1  # for what holds other things: an area, a structure
    VIOLET = 2
    TEAL = 3
    GREEN = 4
    OLIVE = 5
    ROSE = 6
    INDIGO = 7


class Mark(IntFlag):
    """Lines along a range, which tell sources apart without colour. Its ends always have bars."""

    ENDS = 0
    BELOW = 1
    ABOVE = 2
    OUTLINE = 3
    DOTS = 4


class Depth(IntEnum):
    """Which layer is painted over which; the larger is on top."""

    CONTENT = 0  # what the region holds by itself
    AREA = 10  # a lane, a ring and their slots
    FIELD = 20  # structures and their fields
    STATE = 30  # signals, frozen values
    FINDING = 40  # differences, find hits
    NOTE = 50  # bookmarks


@dataclass(frozen=True, slots=True)
class Decoration:
    """A range of bytes and what is said about it.

    Attributes:
        start: Its first byte.
        length: Bytes, at least 1.
        tint: Its ground.
        mark: Lines along it.
        label: A word or two, shown where there is room.
        tip: A sentence for the tool tip.

    Raises:
        ValueError: The range is empty, or ends behind 2^63.
    """

    start: int
    length: int
    tint: Tint = Tint.SLATE
    mark: Mark = Mark.ENDS
    label: str = ""
    tip: str = ""

    def __post_init__(self) -> None:
        if self.start < 0 or self.length < 1 or self.end > LAST:
            raise ValueError(f"no range of bytes: {self.start:#x} + {self.length:#x}")

    @property
    def end(self) -> int:
        """First byte behind it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Hits:
    """Ranges as arrays, in the order in which they are painted: the last is on top.

    Attributes:
        starts, ends: First bytes, and first bytes behind.
        tints, marks: Values of Tint and Mark.
    """

    starts: I64
    ends: I64
    tints: I64
    marks: I64

    def __len__(self) -> int:
        return len(self.starts)


_NO_HITS: Final = Hits(*[np.zeros(0, np.int64)] * 4)


class Layer:
    """The ranges of one source. What begins later, or is nested in another, is on top."""

    def __init__(self, z: int, changed: Callable[[], None]) -> None:
        self.z = z
        self._changed = changed
        self._items: list[Decoration] = []
        self._index = RangeIndex(_NO_HITS.starts, _NO_HITS.ends)
        self._tints = self._marks = _NO_HITS.tints

    @property
    def items(self) -> tuple[Decoration, ...]:
        """All of them, by start; of those with one start the longest first."""
        return tuple(self._items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def outlined(self) -> bool:
        """Whether maps, on which a cell stands for many bytes, draw lines around them."""
        return True

    # --- changing -----------------------------------------------------------------------------

    def replace(self, items: Iterable[Decoration]) -> None:
        """Hold these, and nothing else. The same as before is no change."""
        found = list(items)
        count = len(found)
        starts = np.fromiter((d.start for d in found), np.int64, count)
        lengths = np.fromiter((d.length for d in found), np.int64, count)
        order = np.lexsort((-lengths, starts))
        found = [found[at] for at in order.tolist()]
        if found == self._items:
            return
        self._items = found
        self._index = RangeIndex(starts[order], (starts + lengths)[order])
        self._tints = np.fromiter((d.tint for d in found), np.int64, count)
        self._marks = np.fromiter((d.mark for d in found), np.int64, count)
        self._changed()

    def replace_part(self, start: int, length: int, items: Iterable[Decoration]) -> None:
        """Hold these in place of all that begin in a span."""
        low = self._index.last_before(start)
        high = self._index.first_behind(start + length - 1)
        before = self._items[: 0 if low is None else low + 1]
        behind = [] if high is None else self._items[high:]
        self.replace([*before, *items, *behind])

    def add(self, *items: Decoration) -> None:
        """Hold these too."""
        self.replace([*self._items, *items])

    def remove(self, *items: Decoration) -> None:
        """Remove these ranges; unknown ones are ignored."""
        gone = set(items)
        self.replace([item for item in self._items if item not in gone])

    def clear(self) -> None:
        """Hold nothing."""
        self.replace(())

    # --- asking -------------------------------------------------------------------------------

    def touching(self, start: int, length: int) -> list[Decoration]:
        """Those that share a byte with a span, by start."""
        return [self._items[at] for at in self._index.touching(start, start + length).tolist()]

    def hits(self, start: int, length: int) -> Hits:
        """The same as arrays."""
        found = self._index.touching(start, start + length)
        index = self._index
        return Hits(index.starts[found], index.ends[found], self._tints[found], self._marks[found])

    def next_behind(self, offset: int) -> Decoration | None:
        """The first that begins behind an offset."""
        at = self._index.first_behind(offset)
        return None if at is None else self._items[at]

    def previous_before(self, offset: int) -> Decoration | None:
        """The last that begins before an offset."""
        at = self._index.last_before(offset)
        return None if at is None else self._items[at]


L = TypeVar("L", bound=Layer)


class Decorations(QObject):
    """All layers over one region.

    Signals:
        changed(): Other ranges are held than before.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.version = 0
        self._layers: dict[str, Layer] = {}

    def layer(self, name: str, z: int = 0) -> Layer:
        """The layer of this name; made now if it is not there yet, at this depth."""
        return self.layer_of(Layer, name, z)

    def layer_of(self, kind: type[L], name: str, z: int) -> L:
        """As `layer`, of a kind that keeps its ranges in its own way."""
        if name not in self._layers:
            self._layers[name] = kind(z, self._bump)
            # sorted() keeps the order of those with the same depth
            self._layers = dict(sorted(self._layers.items(), key=lambda pair: pair[1].z))
        layer = self._layers[name]
        assert isinstance(layer, kind)
        return layer

    def clear(self) -> None:
        """Empty all layers; for another region."""
        for layer in self._layers.values():
            layer.clear()

    def _bump(self) -> None:
        self.version += 1
        self.changed.emit()

    def __len__(self) -> int:
        return sum(map(len, self._layers.values()))

    def touching(self, start: int, length: int) -> list[Decoration]:
        """Those that share a byte with a span, in the order in which they are painted."""
        return [item for layer in self._layers.values() for item in layer.touching(start, length)]

    def at(self, offset: int) -> list[Decoration]:
        """Those over one byte, the topmost first."""
        return self.touching(offset, 1)[::-1]

    def topmost(self, offset: int) -> Decoration | None:
        """The one that is seen at a byte."""
        found = self.at(offset)
        return found[0] if found else None

    def hits(self, start: int, length: int, *, outlined: bool = False) -> Hits:
        """Those that share a byte with a span, as arrays in the order in which they are painted.

        Args:
            start: First byte of the span.
            length: Its bytes.
            outlined: Only those of layers that maps draw.
        """
        layers = [one for one in self._layers.values() if one.outlined or not outlined]
        parts = [found for layer in layers if (found := layer.hits(start, length))]
        if len(parts) < 2:
            return parts[0] if parts else _NO_HITS
        return Hits(
            np.concatenate([part.starts for part in parts]),
            np.concatenate([part.ends for part in parts]),
            np.concatenate([part.tints for part in parts]),
            np.concatenate([part.marks for part in parts]),
        )
