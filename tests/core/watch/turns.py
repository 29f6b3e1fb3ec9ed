"""A whole turn of a sweep at once, for tests."""

from __future__ import annotations

import dataclasses

from app.core.watch.page_scan import Totals
from app.core.watch.sweep import Sweep


def whole_turn(sweep: Sweep) -> Totals:
    """Scan the whole region; what was read and found in that."""
    before = dataclasses.astuple(sweep.totals)
    assert sweep.scan(1 << 62)
    after = dataclasses.astuple(sweep.totals)
    return Totals(*(now - then for now, then in zip(after, before, strict=True)))
