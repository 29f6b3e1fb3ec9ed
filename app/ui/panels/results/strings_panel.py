"""Strings: the printable runs of the region, by encoding and least length, with a filter."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from ....core.search.needle import Needle, NeedleKind
from ....core.search.scope import Scope, ScopeKind
from ....core.search.strings import STRING_ENCODINGS
from ...hex.decorations.decorations import Mark, Tint
from ...panel import About, PanelHost
from ...style.combo_box import ComboBox
from ...style.theme import PAD, UNIT
from .hit_model import Shown, text_of
from .hits_panel import HitsPanel

_LEASTS = (3, 4, 5, 6, 8, 10, 16, 32)
_NAMES = {
    "ascii": "ASCII",
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "latin-1": "Latin-1",
    "cp437": "CP437",
}


class StringsPanel(HitsPanel):
    """The panel."""

    about = About(
        "strings",
        "Strings",
        Qt.DockWidgetArea.BottomDockWidgetArea,
        ("edit",),
        (),
        "search",
        "Printable text in the region",
    )
    empty_text = (
        "List: every run of printable characters stands here, and those that change are struck out."
    )
    tint = Tint.TEAL
    mark = Mark.BELOW
    what = "string"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = (0, 0)
        self.code = ComboBox()
        self.code.setAccessibleName("Encoding of the strings")
        for name in STRING_ENCODINGS:
            self.code.addItem(_NAMES[name], name)
        self.code.setCurrentIndex(STRING_ENCODINGS.index("utf-8"))
        self.least = ComboBox()
        self.least.setAccessibleName("Characters of the shortest string")
        for number in _LEASTS:
            self.least.addItem(f"{number} characters or more", number)
        self.least.setCurrentIndex(_LEASTS.index(5))
        self.where = ComboBox()
        self.where.setAccessibleName("Where to look for strings")
        self.where.addItem("Everywhere", "all")
        self.where.addItem("In the selection", "selection")
        self.list_button = QPushButton("List")
        self.list_button.setToolTip("Find all strings now")
        self.list_button.clicked.connect(self.list_strings)
        for part in (self.code, self.least, self.where, self.list_button):
            self.head.addWidget(part)
        self.head.addWidget(QLabel(), 1)
        self.head.setContentsMargins(PAD, UNIT, PAD, UNIT)
        for box in (self.code, self.least, self.where):
            box.entered.connect(self.list_strings)

    def columns(self) -> tuple[int, ...]:
        return (14, 7, 72)

    def attach(self, host: PanelHost) -> None:
        super().attach(host)
        host.selection_changed.connect(self._selected)

    def shown_as(self) -> Shown:
        return text_of(self.source.needle.encoding if self.source.needle is not None else "utf-8")

    def _selected(self, start: int, length: int) -> None:
        if length:
            self._selection = (start, length)

    def list_strings(self) -> None:
        """Find all strings with the present choices."""
        session = self._session
        if session is None or session.info is None:
            return
        scope = Scope()
        if self.where.currentData() == "selection" and self._selection[1]:
            scope = Scope(ScopeKind.RANGE, *self._selection)
        self.filter.clear()
        needle = Needle(
            NeedleKind.STRINGS,
            encoding=str(self.code.currentData()),
            least=int(self.least.currentData()),
        )
        self.source.find(needle, scope)
