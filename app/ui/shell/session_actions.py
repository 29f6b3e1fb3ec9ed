"""What can be done with the open region as a whole: lock, pause, look once, open again."""

from __future__ import annotations

from collections.abc import Callable

from ..action import Action
from ..session.session import Session


class SessionActions:
    """The entries of the table for one window.

    Args:
        current: The window's session, None while no region is open.
    """

    def __init__(self, current: Callable[[], Session | None]) -> None:
        self._current = current

    def own_actions(self) -> tuple[Action, ...]:
        """Their words and keys."""
        return (
            Action(
                "lock",
                "Lock or unlock writing",
                ("Ctrl+L",),
                self._lock,
                group="Edit",
                section=0,
                hint="Unlock to edit; locked, nothing in this window can change the memory",
                needs_session=True,
            ),
            Action(
                "pause",
                "Pause",
                ("Ctrl+P", "Pause"),
                self._pause,
                group="View",
                section=2,
                hint="Freeze the picture; the memory goes on changing",
                icon="pause",
                checkable=True,
                needs_session=True,
            ),
            Action(
                "step",
                "Look once",
                ("Ctrl+.",),
                self._step,
                group="View",
                section=2,
                hint="One look while paused",
                icon="step",
                needs_session=True,
            ),
            Action(
                "retry",
                "Open again",
                ("Ctrl+R", "F5"),
                self._retry,
                group="View",
                section=2,
                hint="End the engine, open anew",
                icon="refresh",
                needs_session=True,
            ),
        )

    def _lock(self) -> None:
        session = self._current()
        if session is not None:
            session.set_locked(not session.locked)

    def _pause(self, paused: bool) -> None:
        session = self._current()
        if session is not None:
            session.set_paused(paused)

    def _step(self) -> None:
        session = self._current()
        if session is not None:
            session.step()

    def _retry(self) -> None:
        session = self._current()
        if session is not None:
            session.retry()
