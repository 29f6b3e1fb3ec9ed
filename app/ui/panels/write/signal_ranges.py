"""Running test signals as decorations."""

from __future__ import annotations

from collections.abc import Iterable

from ....core.write.record import RepeatState
from ...hex.decorations.decorations import Decoration, Mark, Tint


def signal_ranges(states: Iterable[RepeatState]) -> list[Decoration]:
    """A range for each signal that still writes."""
    return [
        Decoration(
            state.repeat.offset,
            state.repeat.width,
            Tint.GREEN,
            Mark.DOTS,
            f"signal {state.repeat.label}",
            f"this window writes it {_often(state.asked_hz)}",
        )
        for state in states
        if state.error is None
    ]


def _often(hz: float) -> str:
    """`10 times a second`, `every 2.5 s`."""
    return f"{hz:,.4g} times a second" if hz > 1 else f"every {1 / hz:.4g} s"
