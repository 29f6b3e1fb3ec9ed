"""The find bar: what to find, in which form, where; and what to replace it by.

It stands below the bytes. What is wrong with the needle, and how far a search is, have a line of
their own, so that no text of theirs moves anything.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...core.errors import ScopeError
from ...core.search.needle import ENCODINGS, Endians, Needle, NeedleKind, parse_needle
from ...core.search.replace import parse_replacement
from ...core.search.scope import ScopeKind
from ...core.values.value_types import TYPES, type_named
from ..style.combo_box import ComboBox
from ..style.elided_label import ElidedLabel
from ..style.flow_layout import FlowLayout
from ..style.theme import DARK, PAD, UNIT, Theme, mono_font

_HISTORY: Final = 50
_NARROW: Final = 28
_KINDS: Final = {
    NeedleKind.BYTES: ("Bytes", "FF ?? 1?, 12 34 & FF F0"),
    NeedleKind.TEXT: ("Text", "text as it is read"),
    NeedleKind.REGEX: ("Expression", r"[A-Z]{3}\d+, \x00\xFF.{4}"),
    NeedleKind.VALUE: ("Value", "42, 3.1..3.2, 100±5%"),
}
_ORDERS: Final = {
    Endians.LITTLE: "little",
    Endians.BIG: "big",
    Endians.BOTH: "both orders",
}
_SCOPES: Final = {
    "all": ("Everywhere", ScopeKind.ALL),
    "selection": ("In the selection", ScopeKind.RANGE),
    "cursor": ("From the cursor on", ScopeKind.RANGE),
    "changing": ("Pages that change now", ScopeKind.CHANGING),
    "since": ("Changed since now", ScopeKind.SINCE),
}


class FindBar(QFrame):
    """The bar.

    Signals:
        find_wanted(bool): Go to the next hit; True = the previous one.
        all_wanted(): List all hits.
        replace_wanted(bool): Replace the hit that is selected; True = all.
        stop_wanted(): End what goes on.
        since_wanted(): The scope is what changes from now on.
        closed(): The bar was closed.
    """

    find_wanted = Signal(bool)
    all_wanted = Signal()
    replace_wanted = Signal(bool)
    stop_wanted = Signal()
    since_wanted = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._level = "quiet"
        self._history: list[str] = []
        self._at = 0
        self._works = False
        self._make_fields()
        self._make_buttons()
        self._lay_out()
        self._connect()
        self._show_kind()
        self.show_replace(False)

    # -- putting together -----------------------------------------------------------------------

    def _make_fields(self) -> None:
        self.kind = _choice(
            "Form of the needle", [(kind, text) for kind, (text, _) in _KINDS.items()]
        )
        self.edit = QLineEdit()
        self.edit.setFont(mono_font())
        self.edit.setAccessibleName("What to find")
        self.edit.setMinimumWidth(72)
        self.encoding = _choice("Encoding of the text", list(ENCODINGS.items()))
        self.case = QCheckBox("Aa")
        self.case.setToolTip("Upper and lower case are different")
        self.case.setAccessibleName("Match case")
        self.type = _choice("Type of the value", [(kind.name, kind.label) for kind in TYPES])
        self.type.setCurrentIndex(self.type.findData("u32"))
        self.order = _choice("Byte order of the value", list(_ORDERS.items()))
        self.aligned = QCheckBox("aligned")
        self.aligned.setToolTip("Only at multiples of the value's size")
        self.scope = _choice(
            "Where to search", [(name, text) for name, (text, _) in _SCOPES.items()]
        )
        self.scope.setItemData(
            self.scope.findData("since"),
            "Pages that change after this was chosen; choose it again for another moment",
            Qt.ItemDataRole.ToolTipRole,
        )
        self.by = QLineEdit()
        self.by.setFont(mono_font())
        self.by.setAccessibleName("What to replace it by")
        self.by.setPlaceholderText("as many bytes as the hit")
        self.by.setMinimumWidth(72)
        self.status = ElidedLabel()
        self.status.setAccessibleName("How the search goes")

    def _make_buttons(self) -> None:
        self.previous = _button("▲", "Previous hit (Shift+F3)", "Previous hit", _NARROW)
        self.next = _button("▼", "Next hit (F3, Enter)", "Next hit", _NARROW)
        self.all = _button("List all", "All hits, in Results (Alt+Enter)")
        self.close_button = _button("×", "Close (Esc)", "Close the find bar", _NARROW)
        self.stop = _button("Stop", "End the search (Esc)")
        self.replace_one = _button("Replace", "Write over this hit, then find the next")
        self.replace_all = _button("Replace all", "Write over every hit; one step of the undo")

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PAD, UNIT, UNIT, UNIT)
        layout.setSpacing(UNIT)
        first = _row((self.edit, 1), self.previous, self.next, self.all, self.close_button)
        choices = FlowLayout()
        for part in (self.kind, self.encoding, self.case, self.type, self.order, self.aligned):
            choices.addWidget(part)
        choices.addWidget(self.scope)
        self.replace_row = QWidget()
        replace = _row(QLabel("Replace by"), (self.by, 1), self.replace_one, self.replace_all)
        replace.setContentsMargins(0, 0, 0, 0)
        self.replace_row.setLayout(replace)
        last = QWidget()
        line = _row((self.status, 1), self.stop)
        line.setContentsMargins(0, 0, 0, 0)
        last.setLayout(line)
        last.setFixedHeight(self.stop.sizeHint().height())
        layout.addLayout(first)
        layout.addLayout(choices)
        layout.addWidget(self.replace_row)
        layout.addWidget(last)
        self.stop.hide()

    def _connect(self) -> None:
        for box in (self.kind, self.encoding, self.type, self.order):
            box.currentIndexChanged.connect(self._look)
        self.kind.currentIndexChanged.connect(self._show_kind)
        for check in (self.case, self.aligned):
            check.toggled.connect(self._look)
        for line in (self.edit, self.by):
            line.textChanged.connect(self._look)
        for box in (self.kind, self.encoding, self.type, self.order, self.scope):
            box.entered.connect(lambda: self._find(False))
        self.previous.clicked.connect(lambda: self._find(True))
        self.next.clicked.connect(lambda: self._find(False))
        self.all.clicked.connect(self._all)
        self.replace_one.clicked.connect(lambda: self._replace(False))
        self.replace_all.clicked.connect(lambda: self._replace(True))
        self.close_button.clicked.connect(self.leave)
        self.stop.clicked.connect(self.stop_wanted)
        self.scope.activated.connect(self._scope_chosen)

    # -- what was typed ---------------------------------------------------------------------------

    @property
    def needle(self) -> Needle:
        """What the fields say, whether it can be found or not."""
        kind: NeedleKind = self.kind.currentData()
        type_name = str(self.type.currentData())
        value = kind is NeedleKind.VALUE
        align = max(1, type_named(type_name).size) if value and self.aligned.isChecked() else 1
        return Needle(
            kind,
            self.edit.text(),
            str(self.encoding.currentData()),
            not self.case.isChecked(),
            type_name,
            self.order.currentData(),
            align,
        )

    @property
    def scope_name(self) -> str:
        """`all`, `selection`, `cursor`, `changing` or `since`."""
        return str(self.scope.currentData())

    def set_since(self, clock: str) -> None:
        """The moment since which something has to have changed, as people read it."""
        self.scope.setItemText(self.scope.findData("since"), f"Changed since {clock}")

    def problem(self) -> str:
        """Why the needle cannot be found, as a sentence; empty when it can."""
        try:
            parse_needle(self.needle).close()
        except ScopeError as error:
            return str(error)
        return ""

    # -- showing ----------------------------------------------------------------------------------

    def open(self, needle: tuple[NeedleKind, str] | None = None, *, replace: bool = False) -> None:
        """Show it, ready to type.

        Args:
            needle: Form and text to begin with; None keeps what was typed last.
            replace: With the row for replacing.
        """
        if needle is not None:
            self.kind.setCurrentIndex(self.kind.findData(needle[0]))
            self.edit.setText(needle[1])
        if replace:
            self.show_replace(True)
        self._at = len(self._history)
        self.show()
        self.edit.selectAll()
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._look()

    def show_replace(self, on: bool) -> None:
        """With or without the row for replacing."""
        self.replace_row.setVisible(on)

    def leave(self) -> None:
        """Close it."""
        self.hide()
        self.show_replace(False)
        self.closed.emit()

    def report(self, text: str, level: str = "quiet") -> None:
        """A sentence about the search: `quiet`, `good`, `warning` or `fault`."""
        self._level = level
        self.status.setText(text)
        self.status.setToolTip(text)
        self._color_status()

    def set_working(self, works: bool) -> None:
        """Whether a search goes on that can be stopped."""
        self._works = works
        self.stop.setVisible(works)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.setStyleSheet(
            f"FindBar {{ background: {theme.panel}; border-top: 1px solid {theme.line}; }}"
        )
        self._color_status()

    def _color_status(self) -> None:
        role = "text" if self._level == "good" else self._level
        self.status.setStyleSheet(f"color: {getattr(self._theme, role)};")

    def _show_kind(self) -> None:
        """Only the choices that the form has."""
        kind: NeedleKind = self.kind.currentData()
        text, value = kind is NeedleKind.TEXT, kind is NeedleKind.VALUE
        self.encoding.setVisible(text)
        self.case.setVisible(text or kind is NeedleKind.REGEX)
        for part in (self.type, self.order, self.aligned):
            part.setVisible(value)
        self.edit.setPlaceholderText(_KINDS[kind][1])
        self.edit.setToolTip(_KINDS[kind][1])
        self._look()

    def _look(self) -> None:
        """Say what is wrong with what is typed, beside it."""
        problem = self.problem() if self.edit.text() else ""
        wrong_by = (
            "" if problem or not self.by.text() or self.replace_row.isHidden() else self._by()
        )
        _mark(self.edit, bool(problem))
        _mark(self.by, bool(wrong_by))
        self.order.setEnabled(type_named(str(self.type.currentData())).endian_matters)
        if not self._works:
            self.report(problem or wrong_by, "fault" if problem or wrong_by else "quiet")

    def _by(self) -> str:
        try:
            parse_replacement(self.needle, self.by.text())
        except ScopeError as error:
            return str(error)
        return ""

    # -- doing ------------------------------------------------------------------------------------

    def _ready(self) -> bool:
        """Whether there is something to find; remembers it."""
        text = self.edit.text()
        problem = self.problem()
        if problem:
            self.report(problem, "fault")
            self.edit.setFocus()
            return False
        self._history = [*(old for old in self._history if old != text), text][-_HISTORY:]
        self._at = len(self._history)
        return True

    def _find(self, backwards: bool) -> None:
        if self._ready():
            self.find_wanted.emit(backwards)

    def _all(self) -> None:
        if self._ready():
            self.all_wanted.emit()

    def _replace(self, everything: bool) -> None:
        wrong = self._by()
        if wrong:
            self.report(wrong, "fault")
        elif self._ready():
            self.replace_wanted.emit(everything)

    def _scope_chosen(self, _index: int) -> None:
        if self.scope_name == "since":
            self.since_wanted.emit()

    def _recall(self, step: int) -> None:
        at = min(max(0, self._at + step), len(self._history))
        if at != self._at:
            self._at = at
            self.edit.setText(self._history[at] if at < len(self._history) else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What the lines leave to us: Enter, Esc, and earlier needles by Up and Down."""
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._enter(event.modifiers())
        elif key == Qt.Key.Key_Escape:
            self.stop_wanted.emit() if self._works else self.leave()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._recall(-1 if key == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)

    def _enter(self, modifiers: Qt.KeyboardModifier) -> None:
        if modifiers & Qt.KeyboardModifier.AltModifier:
            self._all()
        elif self.by.hasFocus():
            self._replace(False)
        else:
            self._find(bool(modifiers & Qt.KeyboardModifier.ShiftModifier))


def _choice(name: str, items: list[tuple[object, str]]) -> ComboBox:
    box = ComboBox()
    box.setAccessibleName(name)
    box.setToolTip(name)
    for data, text in items:
        box.addItem(text, data)
    return box


def _button(text: str, tip: str, name: str = "", width: int = 0) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(True)
    if name:
        button.setAccessibleName(name)
    if width:
        button.setFixedWidth(width)
        button.setStyleSheet("padding: 4px 0;")
    return button


def _row(*parts: QWidget | tuple[QWidget, int]) -> QHBoxLayout:
    """Widgets side by side; a pair has its stretch."""
    row = QHBoxLayout()
    row.setSpacing(UNIT)
    for part in parts:
        if isinstance(part, tuple):
            row.addWidget(part[0], part[1])
        else:
            row.addWidget(part)
    return row


def _mark(line: QLineEdit, invalid: bool) -> None:
    if line.property("invalid") != invalid:
        line.setProperty("invalid", invalid)
        line.style().unpolish(line)
        line.style().polish(line)
