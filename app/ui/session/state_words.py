"""One word for each way in which a region's picture stops, the same wherever it is shown."""

from __future__ import annotations

from ...core.errors import (
    EngineGoneError,
    EngineStoppedError,
    RegionGoneError,
    ScopeError,
)
from ...core.health import Health, Level


def _codes(kind: type[ScopeError]) -> set[str]:
    return {kind.code}.union(*(_codes(under) for under in kind.__subclasses__()))


_GONE = frozenset(_codes(RegionGoneError))


def state_word(health: Health, *, opened: bool = True) -> str:
    """What a fault is in a word or two; empty where there is none.

    `stopped`: the engine's process does not answer, and may go on. `ended`: it is no more.
    `gone`: the engine runs, the memory is no longer there. `not opened`: the region could not be
    opened. Any other fault is named by its code.
    """
    if health.level is not Level.FAULT:
        return ""
    if health.code == EngineStoppedError.code:
        return "stopped"
    if health.code == EngineGoneError.code:
        return "ended"
    if not opened:
        return "not opened"
    return "gone" if health.code in _GONE else health.code.replace("-", " ")
