"""The rule bar: which bytes are marked, as a person types it, with what it picks while typed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ...core.errors import ExpressionError, ValueFormatError
from ...core.values.byte_rules import ByteRule, parse_rule
from .input_bar import LineBar


class RuleBar(LineBar):
    """Enter marks; with an empty line nothing is marked any more.

    Signals:
        chosen(ByteRule | None): The rule.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            parent,
            title="Mark bytes",
            name="rule bar",
            what="Bytes to mark",
            example="41, 4?, 20..7E, &81=80, !00, >=5/s",
        )
        self.edit.setToolTip(
            "Values in hex (41, 4?, several: 00 FF), from..to, &mask=value, !what not,\n"
            "or >=5/s: seen to change 5 times a second or more. Nothing marks nothing."
        )

    def show_rule(self, rule: ByteRule | None) -> None:
        """The rule that holds now, to be changed."""
        self.edit.setText(rule.text if rule is not None else "")

    def _rule(self) -> ByteRule | None:
        """What was typed. Raises ExpressionError for what is no rule."""
        if not self.edit.text().strip():
            return None
        try:
            return parse_rule(self.edit.text())
        except ValueFormatError as error:
            raise ExpressionError(error.message, error.hint) from error

    def _meaning(self) -> str:
        rule = self._rule()
        if rule is None:
            return ""
        if rule.rate:
            return f"→ seen to change {rule.rate:g} times a second or more"
        return f"→ {len(rule.values)} of 256 values"

    def _take(self) -> None:
        rule = self._rule()
        self.hide()
        self.chosen.emit(rule)
        self.closed.emit()
