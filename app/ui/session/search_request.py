"""What a find bar wants of a list of hits."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.search.needle import Needle
from ...core.search.scope import Scope


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What shall be listed, or replaced everywhere.

    Attributes:
        needle: What.
        scope: Where.
        replace_by: Text in the form of the needle; None lists only.
    """

    needle: Needle
    scope: Scope
    replace_by: str | None = None
