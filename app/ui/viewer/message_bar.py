"""Slim bars in place: messages with what to do, and the question about a conflict."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from ...core.errors import ConflictError
from ...core.values.units import format_short_offset
from ...core.watch.frame import Level
from ..session.notice import Notice
from ..style.outside_text import printable, tip
from ..style.theme import DARK, SYMBOLS, Theme, mono_font

_GOOD_MS: Final = 4000
_SHOWN: Final = 16
_SHARE: Final = 0.45  # of the bar's width, that buttons beside the text may take
_LEFT, _MIDDLE = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignVCenter


class MessageBar(QFrame):
    """Shows the newest notice, a fault first; can be closed; good news goes by itself.

    Signals:
        acted(str): The word of the button that was pressed.
        left(): Esc was pressed in it.
    """

    acted = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._notices: list[Notice] = []
        self._shown_buttons: list[QPushButton] = []
        self.text = QLabel(wordWrap=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(4)
        self._close = _button("×")
        self._close.setFixedWidth(28)
        self._close.setToolTip("Close this message (Esc)")
        self._close.setAccessibleName("Close message")
        self._close.clicked.connect(self._drop)
        self._content = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._content.addWidget(self.text, 1)
        self._content.addLayout(self._buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 4, 4)
        layout.addLayout(self._content, 1)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._fade = QTimer(self)
        self._fade.setSingleShot(True)
        self._fade.timeout.connect(self._drop)

    @property
    def shown(self) -> Notice | None:
        """The notice that is on the screen: the newest, but no fault is hidden by less."""
        faults = [notice for notice in self._notices if notice.level is Level.FAULT]
        waiting = faults or self._notices
        return waiting[-1] if waiting else None

    def show_notice(self, notice: Notice) -> None:
        """Show it, in place of a notice with the same key."""
        self._notices = [old for old in self._notices if not notice.key or old.key != notice.key]
        self._notices = [old for old in self._notices if old.level is not Level.GOOD]
        self._notices.append(notice)
        self._refresh()

    def clear(self, key: str = "") -> None:
        """Drop the notice with this key; without one, all."""
        self._notices = [old for old in self._notices if key and old.key != key]
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the buttons below the text where they would take its room."""
        super().resizeEvent(event)
        self._place_buttons()

    def _place_buttons(self) -> None:
        wide = sum(button.sizeHint().width() for button in self._shown_buttons)
        below = wide > _SHARE * self.width()
        directions = QBoxLayout.Direction
        self._content.setDirection(directions.TopToBottom if below else directions.LeftToRight)
        self._buttons.setAlignment(_LEFT if below else _MIDDLE)

    def dismiss(self) -> bool:
        """Close what is shown; says whether there was something."""
        shown = self.shown is not None
        self._drop()
        return shown

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes it from its buttons too."""
        if event.key() == Qt.Key.Key_Escape:
            self._drop()
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _drop(self) -> None:
        shown = self.shown
        if shown is not None:
            self._notices.remove(shown)
        self._refresh()

    def _refresh(self) -> None:
        notice = self.shown
        self.setVisible(notice is not None)
        self._fade.stop()
        if notice is None:
            return
        color = self._theme.level(notice.level).name()
        hint = f" <span style='color:{self._theme.quiet}'>{_plain(notice.hint)}</span>"
        self.text.setText(
            f"<span style='color:{color}'>{SYMBOLS[notice.level]}</span> "
            f"{_plain(notice.text)}{hint if notice.hint else ''}"
        )
        self.setStyleSheet(
            f"MessageBar {{ background: {self._theme.raised}; border-left: 3px solid {color};"
            f" border-top: 1px solid {self._theme.line}; }}"
            f"QPushButton {{ background: {self._theme.hover}; }}"
        )
        self._make_buttons(notice)
        if notice.level is Level.GOOD:
            self._fade.start(_GOOD_MS)

    def _make_buttons(self, notice: Notice) -> None:
        for old in self._shown_buttons:
            self._buttons.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._shown_buttons = []
        for word in (*notice.actions, *(("Copy command",) if notice.command else ())):
            button = _button(word)
            button.clicked.connect(lambda _=False, word=word: self._press(word))
            if word == "Copy command":
                button.setToolTip(tip(notice.command))
            self._buttons.addWidget(button)
            self._shown_buttons.append(button)
        self._place_buttons()

    def _press(self, word: str) -> None:
        notice = self.shown
        if word == "Copy command" and notice is not None:
            QGuiApplication.clipboard().setText(notice.command)
        else:
            self.acted.emit(word)


def _button(word: str) -> QPushButton:
    """A button that Enter presses too, which Qt gives by itself only in dialogs."""
    button = QPushButton(word)
    button.setAutoDefault(True)
    return button


def _plain(text: str) -> str:
    return printable(text).replace("&", "&amp;").replace("<", "&lt;")


class ConflictBar(QFrame):
    """The bytes changed: seen, now, mine, and the two ways on.

    Signals:
        answered(str): `mine` or `theirs`.
    """

    answered = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._error: ConflictError | None = None
        self.text = QLabel(wordWrap=True)
        self.rows = {name: QLabel() for name in ("seen", "now", "mine")}
        self.mine = _button("Write mine")
        self.theirs = _button("Keep theirs")
        self.mine.clicked.connect(lambda: self.answered.emit("mine"))
        self.theirs.clicked.connect(lambda: self.answered.emit("theirs"))
        layout = QGridLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setHorizontalSpacing(8)
        layout.setVerticalSpacing(2)
        layout.addWidget(self.text, 0, 0, 1, 3)
        for row, (name, label) in enumerate(self.rows.items(), 1):
            head = QLabel(name)
            head.setFont(mono_font())
            label.setFont(mono_font())
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            # In a narrow window the bytes are cut off, and not the answers.
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            layout.addWidget(head, row, 0)
            layout.addWidget(label, row, 1)
        layout.setColumnStretch(1, 1)
        answers = QHBoxLayout()
        answers.setSpacing(4)
        for button in (self.theirs, self.mine):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            answers.addWidget(button)
        layout.addLayout(answers, 1, 2, 3, 1)

    def ask(self, error: ConflictError, go_text: str) -> None:
        """Show this conflict; the button that goes ahead says `go_text`."""
        self._error = error
        self._fill()
        self.mine.setText(go_text)
        self.setAccessibleDescription(f"{error.message} at {format_short_offset(error.offset)}")
        self.show()
        self.theirs.setFocus()

    def _fill(self) -> None:
        if self._error is None:
            return
        mark = f"<span style='color:{self._theme.warning}'>{SYMBOLS[Level.WARNING]}</span>"
        self.text.setText(f"{mark} {_plain(self._error.message)}")
        for name, label in self.rows.items():
            label.setText(self._bytes(self._error, name))

    def _bytes(self, error: ConflictError, name: str) -> str:
        data: bytes = getattr(error, name)
        other = data if name == "seen" else error.seen
        cells = []
        for index, byte in enumerate(data[:_SHOWN]):
            differs = index >= len(other) or other[index] != byte
            color = self._theme.changed if name == "now" else self._theme.mine
            text = f"{byte:02X}"
            cells.append(f"<span style='color:{color}'>{text}</span>" if differs else text)
        tail = f" … {len(data)} bytes" if len(data) > _SHOWN else ""
        return " ".join(cells) + tail

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.setStyleSheet(
            f"ConflictBar {{ background: {theme.raised}; border-left: 3px solid {theme.warning};"
            f" border-top: 1px solid {theme.line}; }}"
            f"QPushButton {{ background: {theme.hover}; }}"
        )
        self._fill()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc keeps the peer's bytes."""
        if event.key() == Qt.Key.Key_Escape:
            self.answered.emit("theirs")
        else:
            super().keyPressEvent(event)
