"""How a window talks to an engine: ask, fetch answers, fetch the newest Frame."""

from __future__ import annotations

from typing import Protocol

from ..errors import ScopeError
from ..region.region import RegionSpec
from ..watch.frame import Frame
from . import messages as msg


class EngineClient(Protocol):
    """What a Session needs of an engine. No method blocks, except `close`, for a limited time."""

    def open(self, spec: RegionSpec) -> None:
        """Begin to open; Opened or OpenFailed follows among the answers."""

    def ask(self, command: msg.Command[object]) -> int:
        """Send a command; the number comes back in its answer, Failed when the engine is gone."""

    def answers(self) -> list[msg.Answer]:
        """What came back since the last call, oldest first."""

    def frame(self) -> Frame | None:
        """The newest Frame, if it was not fetched before."""

    def trouble(self) -> ScopeError | None:
        """Why the engine cannot be relied on right now (it ended, it does not answer)."""

    def close(self, timeout_s: float = 2.0) -> None:
        """End it in order, by force after the timeout. Safe to call twice."""
