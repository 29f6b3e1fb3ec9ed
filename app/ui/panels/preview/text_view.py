"""Shows the text in a range, and follows what is written last."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from ....core.analysis.tails import Tail
from ...style.theme import DARK, Theme, mono_font

_HIDDEN: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), "·") | {0: "␀"}


class TextView(QPlainTextEdit):
    """Read only. The line that was written last is marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._before: Tail | None = None
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setFont(mono_font())
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setAccessibleName("Text in the range")

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme

    def clear_text(self) -> None:
        """Nothing is known."""
        self._before = None
        self.clear()

    def show_tail(self, tail: Tail, codec: str, *, follow: bool) -> None:
        """Show these bytes in an encoding; `follow` brings what is new into sight."""
        newest = self._newest(tail)
        self._before = tail
        text = _text(tail.data, codec)
        if text != self.toPlainText():
            bar, side = self.verticalScrollBar(), self.horizontalScrollBar()
            places = bar.value(), side.value()
            self.setPlainText(text)
            bar.setValue(places[0])
            side.setValue(places[1])
        elif newest is None:
            return
        at = len(_text(tail.data if newest is None else tail.data[: newest + 1], codec))
        self._mark(at)
        if follow:
            cursor = self.textCursor()
            cursor.setPosition(min(at, len(text)))
            self.setTextCursor(cursor)
            self.ensureCursorVisible()

    def _newest(self, tail: Tail) -> int | None:
        """Index of the last byte that differs from before; None for a new range, or no change."""
        before = self._before
        if before is None:
            return None
        shift = tail.start - before.start
        old = before.data[shift:] if shift >= 0 else b""
        if not old or old == tail.data:
            return None
        if len(tail.data) != len(old):
            return len(tail.data.rstrip()) - 1
        new = np.frombuffer(tail.data, np.uint8)
        return int(np.flatnonzero(new != np.frombuffer(old, np.uint8))[-1])

    def _mark(self, at: int) -> None:
        """Tint the line that a position is in; one break at its end still belongs to it."""
        cursor = QTextCursor(self.document())
        text_end = max(0, self.document().characterCount() - 1)
        cursor.setPosition(min(max(0, at - 1), text_end))
        form = QTextCharFormat()
        form.setBackground(self._theme.color("selection"))
        form.setProperty(QTextFormat.Property.FullWidthSelection, True)
        mark = QTextEdit.ExtraSelection()
        mark.cursor, mark.format = cursor, form  # type: ignore[attr-defined]
        self.setExtraSelections([mark])


def _text(data: bytes, codec: str) -> str:
    text = data.decode(codec, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_HIDDEN)
