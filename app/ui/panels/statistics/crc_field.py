"""The choice of a CRC: by its name, or by its parameters."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from ....core.analysis.crc import NAMED, CrcModel, parse_model
from ....core.analysis.statistics import DEFAULT_CRC
from ....core.errors import ValueFormatError
from ...style.combo_box import ComboBox
from ...style.theme import PAD, UNIT, Theme, mono_font

OWN: Final = "own polynomial"


class CrcField(QWidget):
    """Names, and the parameters behind each; typing in them makes a CRC of one's own.

    Signals:
        changed(): Another CRC is chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model: CrcModel = DEFAULT_CRC
        self.choice = ComboBox()
        self.choice.setAccessibleName("CRC")
        self.choice.addItems([*NAMED, OWN])
        self.parameters = QLineEdit()
        self.parameters.setFont(mono_font())
        self.parameters.setAccessibleName("Parameters of the CRC")
        self.parameters.setToolTip(
            "width, poly, init, refin, refout, xorout; what is left out is 0 or no"
        )
        self.problem = QLabel(wordWrap=True)
        self.problem.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        row = QHBoxLayout()
        row.setSpacing(PAD)
        label = QLabel("other CRC")
        label.setBuddy(self.choice)
        row.addWidget(label)
        row.addWidget(self.choice, 1)
        layout.addLayout(row)
        layout.addWidget(self.parameters)
        layout.addWidget(self.problem)
        self._show_model()
        self.choice.currentTextChanged.connect(self._named)
        self.parameters.textEdited.connect(self._typed)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.problem.setStyleSheet(f"color: {theme.fault}")

    def _show_name(self) -> None:
        name = next((name for name, one in NAMED.items() if one == self.model), OWN)
        self.choice.blockSignals(True)
        self.choice.setCurrentText(name)
        self.choice.blockSignals(False)
        self.choice.setToolTip(self.model.text)

    def _show_model(self) -> None:
        self._show_name()
        self.parameters.setVisible(self.choice.currentText() == OWN)
        self.parameters.setText(self.model.text)
        self.parameters.setCursorPosition(0)

    def _named(self, name: str) -> None:
        if name == OWN:
            self.parameters.show()
            self.parameters.setFocus()
            self.parameters.selectAll()
            return
        self.problem.hide()
        self.model = NAMED[name]
        self._show_model()
        self.changed.emit()

    def _typed(self, text: str) -> None:
        try:
            self.model = parse_model(text)
        except ValueFormatError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self.problem.hide()
        self._show_name()
        self.changed.emit()

    def restore(self, text: object) -> None:
        """Take remembered parameters; anything odd is left out."""
        if isinstance(text, str):
            try:
                self.model = parse_model(text)
            except ValueFormatError:
                return
            self._show_model()
            self.changed.emit()
