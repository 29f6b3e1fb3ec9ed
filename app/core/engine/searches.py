"""Searches: what an engine has found, by the number that a window gave to each search."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from ..errors import CancelledError, ValueFormatError
from ..region.region import Extent, Region
from ..search.find import find_all
from ..search.hits import HitList, HitRow, rows_now, values_now
from ..search.needle import Needle, parse_needle
from ..search.patterns import Pattern
from ..search.regex import RegexPattern
from ..search.scan import OnProgress
from ..values.units import format_size
from .search_messages import PAGE_HITS, FindSummary, HitPage

if TYPE_CHECKING:
    from .engine import Engine

_CHECK_S: Final = 0.3  # an expression that takes longer to check a hit is not checked
_CHUNK: Final = 4096


@dataclass(slots=True)
class _Kept:
    needle: Needle
    hits: HitList = field(default_factory=HitList)
    pattern: Pattern | None = None  # that checks rows; made when first needed


class Searches:
    """The hits of an engine's searches. Any thread."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._kept: dict[int, _Kept] = {}
        self._lock = threading.Lock()

    @classmethod
    def for_engine(cls, engine: Engine) -> Self:
        """Made when first needed."""
        return cls(engine.region)

    def lock(self) -> None:
        """Searching writes nothing."""

    def close(self, wait_s: float) -> None:
        """Forget all."""
        with self._lock:
            kept, self._kept = list(self._kept.values()), {}
        for one in kept:
            _close(one)

    def _begin(self, number: int, needle: Needle) -> HitList:
        self.forget(number)
        kept = _Kept(needle)
        with self._lock:
            self._kept[number] = kept
        return kept.hits

    def forget(self, number: int) -> None:
        """Let go of the hits of a search, if they are kept."""
        with self._lock:
            old = self._kept.pop(number, None)
        if old is not None:
            _close(old)

    def _get(self, number: int) -> _Kept:
        with self._lock:
            kept = self._kept.get(number)
        if kept is None:
            raise ValueFormatError("These hits are not kept any more.", "Search again.")
        return kept

    def hits(self, number: int) -> HitList:
        """The hits of a search. Raises ValueFormatError when it is not kept."""
        return self._get(number).hits

    def needle(self, number: int) -> Needle:
        """What it looked for. Raises as `hits`."""
        return self._get(number).needle

    def find(
        self,
        number: int,
        needle: Needle,
        ranges: list[Extent],
        *,
        progress: OnProgress,
        cancelled: Callable[[], bool],
    ) -> FindSummary:
        """Find all, and keep them under a number.

        Raises:
            CancelledError: It was stopped; what was found is kept.
            Others as find_all of search/find.py; what was found is kept.
        """
        hits = self._begin(number, needle)
        began = time.monotonic_ns()
        tally = find_all(
            self._region,
            needle,
            ranges,
            lambda found, _part: hits.add(found),
            progress=progress,
            cancelled=cancelled,
        )
        if cancelled():
            raise CancelledError(
                f"The search was stopped after {format_size(tally.searched)} of "
                f"{format_size(tally.wanted)}."
            )
        took = time.monotonic_ns() - began
        return FindSummary(len(hits), hits.full, tally.searched, tally.holes, tally.unsteady, took)

    def filter(
        self,
        number: int,
        into: int,
        text: str,
        *,
        progress: OnProgress,
        cancelled: Callable[[], bool],
    ) -> int:
        """Keep the hits that have a text in them under another number; how many those are.

        Raises:
            CancelledError: It was stopped; what was found is kept.
            RegionGoneError: The memory went.
        """
        kept = self._get(number)
        encoding = kept.needle.encoding
        wanted = text.casefold()
        target = self._begin(into, kept.needle)
        total = len(kept.hits)
        for first in range(0, total, _CHUNK):
            if cancelled():
                raise CancelledError("The filter was stopped.")
            part = kept.hits.part(first, min(_CHUNK, total - first))
            has = [
                wanted in data.decode(encoding, "replace").casefold()
                for _, data in values_now(self._region, part)
            ]
            target.add(part.part(np.array(has, np.bool_)))
            progress(first + len(part), total)
        return len(target)

    def page(self, number: int, first: int) -> HitPage:
        """Some hits, packed. Raises as `hits`."""
        hits = self.hits(number)
        part = hits.part(first, PAGE_HITS)
        starts = part.starts.astype("<i8").tobytes()
        return HitPage(len(hits), first, starts, part.lengths.astype("<i4").tobytes())

    def rows(
        self, number: int, first: int, count: int, cancelled: Callable[[], bool]
    ) -> tuple[HitRow, ...]:
        """Some hits as they are now; only the worker of one queue calls this.

        Raises:
            RegionGoneError: The memory went.
            ValueFormatError: As `hits`.
        """
        kept = self._get(number)
        if kept.pattern is None:
            kept.pattern = parse_needle(kept.needle)
        if isinstance(kept.pattern, RegexPattern):
            kept.pattern.cancelled = cancelled
            kept.pattern.allowed_s = _CHECK_S
        return rows_now(self._region, kept.pattern, kept.hits.part(first, count))


def _close(kept: _Kept) -> None:
    if kept.pattern is not None:
        kept.pattern.close()
