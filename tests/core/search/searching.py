"""What the tests of the search share."""

from __future__ import annotations

import numpy as np

from app.core.search.patterns import Pattern, Slice


def starts_in(pattern: Pattern, data: bytes) -> list[int]:
    """All hits in some bytes, in one slice."""
    part = Slice(np.frombuffer(data, np.uint8), 0, 0, len(data))
    try:
        return pattern.find(part).starts.tolist()
    finally:
        pattern.close()
