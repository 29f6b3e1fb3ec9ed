"""Results: all hits of a needle, alive; and where all of them are replaced."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from ....core.errors import LockedError, ScopeError
from ....core.search.needle import NeedleKind
from ....core.search.replace import ReplaceOutcome
from ....core.values.value_types import type_named
from ....core.watch.frame import Level
from ...action import Action
from ...panel import About, PanelHost
from ...session.search_request import SearchRequest
from .hit_model import Shown, hex_of, text_of, value_of
from .hits_panel import HitsPanel


class ResultsPanel(HitsPanel):
    """The panel."""

    about = About(
        "results",
        "Results",
        Qt.DockWidgetArea.BottomDockWidgetArea,
        ("edit",),
        ("Alt+9",),
        "search",
        "All hits of the last search",
    )
    empty_text = (
        "Nothing was searched for in this window yet.\n"
        "Find (Ctrl+F), then List all: every hit stands here, and those that match no more are "
        "struck out."
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._replace_by: str | None = None
        for word, tip, by in (
            ("▼", "Next hit of the list (F4)", 1),
            ("▲", "Previous hit of the list (Shift+F4)", -1),
        ):
            button = QPushButton(word)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.setFixedWidth(28)
            button.setStyleSheet("padding: 4px 0;")
            button.clicked.connect(lambda _on=False, by=by: self.step(by))
            self.foot.insertWidget(1, button)

    def attach(self, host: PanelHost) -> None:
        super().attach(host)
        host.list_wanted.connect(self.search)

    def own_actions(self) -> tuple[Action, ...]:
        def act(name: str, text: str, key: str, by: int) -> Action:
            return Action(name, text, (key,), lambda: self.step(by), group="Go", needs_session=True)

        return (
            *super().own_actions(),
            act("next_result", "Next hit of the list", "F4", 1),
            act("previous_result", "Previous hit of the list", "Shift+F4", -1),
        )

    def shown_as(self) -> Shown:
        needle = self.source.needle
        if needle is not None and needle.kind is NeedleKind.TEXT:
            return text_of(needle.encoding)
        if needle is not None and needle.kind is NeedleKind.VALUE:
            return value_of(type_named(needle.type_name), needle.endians)
        return hex_of

    def name(self) -> str:
        needle = self.source.needle
        return f"{needle.label}: " if needle is not None else ""

    def search(self, request: SearchRequest) -> None:
        """List all hits, or replace them all."""
        self._replace_by = request.replace_by
        self.filter.clear()
        self.source.find(request.needle, request.scope)
        self.front_wanted.emit()

    def _ended(self, outcome: object) -> None:
        super()._ended(outcome)
        text, self._replace_by = self._replace_by, None
        if text is not None and not isinstance(outcome, ScopeError):
            self.source.replace(text, self._replaced, self._not_replaced)

    def _replaced(self, outcome: ReplaceOutcome) -> None:
        level = Level.WARNING if outcome.changed or outcome.unfit or outcome.left else Level.GOOD
        hint = "Ctrl+Z takes all of it back." if outcome.replaced else ""
        self._report(level, outcome.sentence, hint)
        self._show_state()

    def _not_replaced(self, error: ScopeError) -> None:
        if isinstance(error, LockedError) and self._host is not None:
            self._host.unlock_wanted.emit()
        else:
            self._refused(error)
        self._show_state()
