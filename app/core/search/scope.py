"""Where a search looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..errors import OutOfRangeError
from ..region.region import Extent, Region
from ..values.units import format_short_offset

CHANGING_NS: Final = 2_000_000_000  # a page that changed within this changes
Changed = Callable[[int], list[Extent]]


class ScopeKind(Enum):
    """Which part of the region."""

    ALL = "all"
    RANGE = "range"
    CHANGING = "changing"
    SINCE = "since"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where hits may begin.

    Attributes:
        kind: ALL, a RANGE, pages that are CHANGING now, pages that changed SINCE a moment.
        start, length: Of a RANGE: hits lie wholly inside.
        since_ns: The moment, monotonic.
    """

    kind: ScopeKind = ScopeKind.ALL
    start: int = 0
    length: int = 0
    since_ns: int = 0


def scope_ranges(scope: Scope, region: Region, now_ns: int, changed: Changed) -> list[Extent]:
    """The scope as ranges of bytes, ascending.

    Args:
        scope: What was chosen.
        region: Where.
        now_ns: The present, monotonic.
        changed: Gives the pages that were seen to change at a time or later.

    Raises:
        OutOfRangeError: The range is not inside the region.
    """
    match scope.kind:
        case ScopeKind.ALL:
            return [(0, region.size)]
        case ScopeKind.CHANGING:
            return changed(now_ns - CHANGING_NS)
        case ScopeKind.SINCE:
            return changed(scope.since_ns)
    end = scope.start + scope.length
    if scope.start < 0 or scope.length < 0 or end > region.size:
        raise OutOfRangeError(
            f"{format_short_offset(scope.start)} to {format_short_offset(end)} is not inside "
            f"{region.info.name}."
        )
    return [(scope.start, end)] if scope.length else []
