"""Commands of a window that search and replace; the hits stay in the engine.

A search of all hits has a number, which the window chooses. Its hits can be fetched by pages while
it goes on, and until they are forgotten. Packed arrays travel as bytes: offsets as little-endian
64-bit numbers, lengths as 32-bit ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ..search.find import Hit
from ..search.hits import HitRow
from ..search.needle import Needle
from ..search.replace import ReplaceOutcome
from ..search.scope import Scope
from .messages import Command

PAGE_HITS: Final = 1 << 16
ROWS: Final = 256


@dataclass(frozen=True, slots=True)
class FindNext(Command[Hit | None]):
    """The next hit behind `start` (before it), around the end if need be. Progress in bytes.

    Attributes:
        length: Of a hit that is there now; an expression goes on behind it.
    """

    needle: Needle
    start: int
    length: int = 0
    backwards: bool = False
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class FindSummary:
    """How a search for all hits ended.

    Attributes:
        count: Hits that are kept.
        full: There were more than are kept.
        searched, holes: Bytes that were searched, and that were never written and left out.
        unsteady: Hits that were gone at a second look right after.
        took_ns: How long it took.
    """

    count: int
    full: bool
    searched: int
    holes: int
    unsteady: int
    took_ns: int


@dataclass(frozen=True, slots=True)
class FindAll(Command[FindSummary]):
    """All hits. Progress in bytes; cancelled, it fails, and what was found is kept."""

    search: int
    needle: Needle
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class FilterHits(Command[int]):
    """Those hits of a search whose bytes now have a text in them, as another search: their number.

    Attributes:
        into: Number of the new one.
        text: Without case, in the encoding of the needle.
    """

    search: int
    into: int
    text: str


@dataclass(frozen=True, slots=True)
class ForgetHits(Command[None]):
    """The hits of a search are not wanted any more."""

    search: int


@dataclass(frozen=True, slots=True)
class HitPage:
    """Some hits.

    Attributes:
        total: Hits so far.
        first: Number of the first one here.
        starts, lengths: Packed.
    """

    total: int
    first: int
    starts: bytes
    lengths: bytes


@dataclass(frozen=True, slots=True)
class ListHits(Command[HitPage]):
    """Hits from a number on, at most PAGE_HITS of them."""

    search: int
    first: int = 0


@dataclass(frozen=True, slots=True)
class ReadHits(Command[tuple[HitRow, ...]]):
    """What stands at some hits now, and whether they still match; at most ROWS of them."""

    search: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class ExportHits(Command[int]):
    """Write all hits to a file, as `csv` or `json`: how many. Progress in hits."""

    search: int
    path: str
    form: str


@dataclass(frozen=True, slots=True)
class ReplaceHits(Command[ReplaceOutcome]):
    """Replace some hits, each if it is still there; one step of the undo. Progress in hits.

    Attributes:
        first, count: Which of the search's hits; a count below 0 is all.
        text: In the form of the needle.
    """

    search: int
    text: str
    first: int = 0
    count: int = -1


@dataclass(frozen=True, slots=True)
class ReplaceOne(Command[ReplaceOutcome]):
    """Replace one hit that FindNext found, if it is still there."""

    needle: Needle
    hit: Hit
    text: str
