"""Running test signals and frozen values as decorations."""

from __future__ import annotations

from collections.abc import Iterable

from ....core.write.record import FreezeState, RepeatState
from ...hex.decorations.decorations import Decoration, Mark, Tint


def signal_ranges(states: Iterable[RepeatState | FreezeState]) -> list[Decoration]:
    """A range for each that still writes."""
    return [_range(state) for state in states if state.error is None]


def _range(state: RepeatState | FreezeState) -> Decoration:
    if isinstance(state, FreezeState):
        held = state.freeze
        tip = "this window writes it again whenever a peer changes it"
        mark = Mark.DOTS | Mark.ABOVE
        return Decoration(held.offset, held.width, Tint.ROSE, mark, held.label, tip)
    return Decoration(
        state.repeat.offset,
        state.repeat.width,
        Tint.GREEN,
        Mark.DOTS,
        f"signal {state.repeat.label}",
        f"this window writes it {_often(state.asked_hz)}",
    )


def _often(hz: float) -> str:
    """`10 times a second`, `every 2.5 s`."""
    return f"{hz:,.4g} times a second" if hz > 1 else f"every {1 / hz:.4g} s"
