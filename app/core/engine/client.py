"""How a window talks to an engine: ask, fetch answers, fetch the newest Frame."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from ..errors import ScopeError
from ..region.region import RegionSpec
from ..watch.frame import Frame
from . import messages as msg

ENDING_S: Final = 20.0
"""For an engine that ends in order: its tests may wait 15 s for silent peers (Responder.STOP_S)."""


class EngineClient(Protocol):
    """What a Session needs of an engine. No method blocks, except `close`, for a limited time."""

    def open(self, spec: RegionSpec, journal: Path | None = None) -> None:
        """Begin to open; Opened or OpenFailed follows among the answers.

        Args:
            spec: What.
            journal: Where the window's journal is kept, for its next engine to go on with.
        """

    def ask(self, command: msg.Command[object]) -> int:
        """Send a command; the number comes back in its answer, Failed when the engine is gone."""

    def answers(self) -> list[msg.Answer]:
        """What came back since the last call, oldest first."""

    def frame(self) -> Frame | None:
        """The newest Frame, if it was not fetched before."""

    def trouble(self) -> ScopeError | None:
        """Why the engine cannot be relied on right now (it ended, it does not answer)."""

    def close(self, timeout_s: float = 2.0) -> None:
        """End it in order, by force when it is silent for the timeout. Safe to call twice."""
