"""The line that shows a measurement's progress, rewritten in place."""

from __future__ import annotations

import sys

from .common import note


class RunningLine:
    """One running line on a terminal, and sentences wherever standard error goes.

    Attributes:
        on: Whether there is a terminal; without one the text need not be made.
    """

    def __init__(self) -> None:
        self.on = sys.stderr.isatty()
        self._open = False

    def show(self, text: str) -> None:
        """Replace the line."""
        if self.on:
            sys.stderr.write(f"\r{text:<76}")
            sys.stderr.flush()
            self._open = True

    def report(self, text: str) -> None:
        """A sentence on a line of its own."""
        self.close()
        note(text)

    def close(self) -> None:
        """Leave the running line."""
        if self._open:
            sys.stderr.write("\n")
            self._open = False
