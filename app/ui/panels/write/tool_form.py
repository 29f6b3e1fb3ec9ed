"""The base of the write tools' forms: fields on one grid, numbers, and their common interface."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QWidget,
)

from ....core.engine import messages as msg
from ....core.errors import (
    ValueFormatError,
)
from ....core.values.byte_block import ByteBlock
from ....core.values.value_type import Endian, parse_int
from ...session.write_requests import ToolWrite
from ...style.combo_box import ComboBox
from ...style.theme import mono_font

_WIDEST_LABEL: Final = "Words"
_GREATEST: Final = 1 << 64


def line(text: str = "", tip: str = "") -> QLineEdit:
    """A field for numbers and bytes."""
    made = QLineEdit(text)
    made.setFont(mono_font())
    made.setToolTip(tip)
    return made


def endian_box() -> ComboBox:
    """The choice of byte order."""
    box = ComboBox()
    for endian in Endian:
        box.addItem(f"{endian.value} endian", endian)
    return box


def number(text: str, what: str) -> float:
    """What was typed as a number. Raises ValueFormatError."""
    try:
        decimal = not text.lower().startswith("0x") and ("." in text or "e" in text.lower())
        value = float(text) if decimal else parse_int(text)
    except ValueError as error:
        raise ValueFormatError(f"{text!r} is no {what}.", "For example: 10 or 0x0A.") from error
    if not abs(value) < _GREATEST:
        raise ValueFormatError(f"{text!r} is too large for a {what}.")
    return value


def form_layout(parent: QWidget | None = None) -> QFormLayout:
    """Labels and fields on one grid, whatever form they stand in."""
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(8)
    form.setVerticalSpacing(4)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def add_row(form: QFormLayout, name: str, field: QWidget | QLayout) -> None:
    """A row whose label is as wide as in every other form."""
    label = QLabel(name)
    label.setFixedWidth(label.fontMetrics().horizontalAdvance(_WIDEST_LABEL) + 4)
    if isinstance(field, QWidget):
        label.setBuddy(field)
        form.addRow(label, field)
    else:
        form.addRow(label, field)


class ToolForm(QWidget):
    """One tool.

    Signals:
        edited(): A field changed.
        entered(): Enter was pressed in a field.
    """

    edited = Signal()
    entered = Signal()
    title = ""
    verb = "Apply"
    past = "Wrote"
    writes = True
    needs_length = True
    shows_now = False  # whether it shows the present bytes with the new ones
    takes_blocks = False  # whether it can write the rows of a rectangle

    def __init__(self) -> None:
        super().__init__()
        self.here = self.size_of_region = 0  # what expressions count from
        self.form = form_layout(self)

    def _add(self, name: str, *parts: QWidget) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        for part in parts:
            row.addWidget(part, 1 if isinstance(part, QLineEdit) else 0)
        add_row(self.form, name, row)
        for part in parts:
            if isinstance(part, QLineEdit):
                part.textChanged.connect(self.edited)
                part.returnPressed.connect(self.entered)
            elif isinstance(part, ComboBox):
                part.currentIndexChanged.connect(self.edited)
                part.entered.connect(self.entered)

    def own_length(self) -> int:
        """Bytes that it writes when that does not follow from the length field."""
        return 0

    def target(self, start: int, length: int) -> tuple[int, int]:
        """Where it writes: offset and length. Raises as preview."""
        return start, length

    def missing(self) -> str:
        """What a person has yet to give; empty when nothing is missing."""
        return ""

    def check(self, length: int) -> None:
        """Raise ScopeError for what the preview alone would not show."""

    def preview(self, length: int) -> bytes:
        """The first bytes that would land. Raises ScopeError for fields that make no sense."""
        raise NotImplementedError

    def command(self, start: int, length: int) -> ToolWrite | msg.SaveFile | None:
        """What to ask of the engine; None when a person cancelled. Raises as preview."""
        raise NotImplementedError

    def block_command(self, block: ByteBlock) -> ToolWrite:
        """The same for the rows of a rectangle, where it takes one."""
        raise NotImplementedError
