"""The line on a terminal that tells how far something is, replaced as it goes on."""

from __future__ import annotations

import sys
from typing import Final, Self

from ..core.values.printable import printable
from .common import note

_WIDTH: Final = 76


class ProgressLine:
    """One running line on a terminal, and sentences wherever standard error goes.

    A context manager: it leaves the line, so that what is said next has one of its own.

    Attributes:
        on: Whether there is a terminal; without one nobody needs to make the text.
    """

    def __init__(self, verb: str = "") -> None:
        """Begin; `verb` is shown before a percentage."""
        self.on = sys.stderr.isatty()
        self._verb = verb
        self._shown = -1
        self._open = False

    def __call__(self, done: int, total: int) -> None:
        """Show the percentage, when it is another."""
        percent = done * 100 // total if total else 0
        if percent != self._shown:
            self._shown = percent
            self.show(f"{self._verb} {percent:3d} %")

    def show(self, text: str) -> None:
        """Replace the line."""
        if self.on:
            sys.stderr.write(f"\r{printable(text):<{_WIDTH}}")
            sys.stderr.flush()
            self._open = True

    def report(self, text: str) -> None:
        """A sentence on a line of its own."""
        self.close()
        note(text)

    def close(self) -> None:
        """Leave the line; safe to call twice."""
        if self._open:
            sys.stderr.write("\n")
            self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
