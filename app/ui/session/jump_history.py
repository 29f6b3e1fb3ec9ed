"""Back and forward: the places that the cursor jumped away from."""

from __future__ import annotations


class JumpHistory:
    """Where the cursor has jumped from and to."""

    def __init__(self) -> None:
        self._behind: list[int] = []
        self._ahead: list[int] = []

    @property
    def last(self) -> int | None:
        """The place that back() would lead to."""
        return self._behind[-1] if self._behind else None

    def leave(self, here: int, there: int) -> None:
        """A jump from here to there."""
        if here != there:
            self._behind.append(here)
            del self._behind[:-100]
            self._ahead.clear()

    def back(self, here: int) -> int | None:
        """The last place left."""
        if not self._behind:
            return None
        self._ahead.append(here)
        return self._behind.pop()

    def forward(self, here: int) -> int | None:
        """The place that back() left."""
        if not self._ahead:
            return None
        self._behind.append(here)
        return self._ahead.pop()
