"""Text from outside (names of files, guests and programs, messages that hold them) as Qt shows it.

Qt takes what looks like HTML for HTML, in labels and in tool tips, and a `&` in a button or a menu
for a key. A name is text, whatever it holds, and stands on one line.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtGui import Qt
from PySide6.QtWidgets import QLabel

from ...core.values.printable import printable

__all__ = ("PlainLabel", "button_text", "printable", "tip")


def tip(text: str) -> str:
    """A tool tip that says just this: lines, of which none is HTML."""
    text = "\n".join(map(printable, text.split("\n")))
    return Qt.convertFromPlainText(text) if Qt.mightBeRichText(text) else text


def button_text(text: str) -> str:
    """A name on a button or in a menu."""
    return printable(text).replace("&", "&&")


class PlainLabel(QLabel):
    """A label that shows its text as it is, on one line unless it is wrapped."""

    def __init__(self, text: str = "", *, wrapped: bool = False) -> None:
        super().__init__(printable(text), wordWrap=wrapped)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def setText(self, text: str) -> None:
        """A sentence."""
        super().setText(printable(text))

    def set_lines(self, lines: Iterable[str]) -> None:
        """Several sentences, each on a line of its own."""
        super().setText("\n".join(map(printable, lines)))
