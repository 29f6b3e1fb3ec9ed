"""The fields of each way to look at a range."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QWidget

from ....core.analysis.pictures import FORMATS, Layout
from ....core.analysis.waveforms import MAX_CHANNELS, SAMPLES
from ....core.analysis.waveforms import Signal as Samples
from ....core.errors import ValueFormatError
from ....core.protocols.known_pictures import KnownPicture
from ....core.values.byte_block import ByteBlock
from ....core.values.value_type import Endian, parse_int
from ...style.combo_box import ComboBox
from ...style.theme import PAD, UNIT, mono_font

ENCODINGS = {
    "UTF-8": "utf-8",
    "Latin-1": "latin-1",
    "CP437": "cp437",
    "UTF-16 LE": "utf-16-le",
    "UTF-16 BE": "utf-16-be",
}


class Form(QWidget):
    """Rows of fields.

    Signals:
        edited(): One of them changed.
    """

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setHorizontalSpacing(PAD)
        self.form.setVerticalSpacing(UNIT)

    def add(self, name: str, *parts: QWidget) -> None:
        """A row; changes of its fields are told."""
        row = QHBoxLayout()
        row.setSpacing(PAD)
        for part in parts:
            row.addWidget(part, 0 if isinstance(part, QLabel | QCheckBox) else 1)
            if isinstance(part, QLineEdit):
                part.textChanged.connect(self.edited)
            elif isinstance(part, ComboBox):
                part.currentIndexChanged.connect(self.edited)
            elif isinstance(part, QCheckBox):
                part.toggled.connect(self.edited)
        self.form.addRow(name, row)

    def state(self) -> dict[str, Any]:
        """What to remember."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take it back; anything odd is left out."""


def _choose(box: ComboBox, text: object) -> None:
    at = box.findText(text) if isinstance(text, str) else -1
    if at >= 0:
        box.setCurrentIndex(at)


class PictureForm(Form):
    """Pixel format, width and stride; without a width the stride is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.found = 0  # stride that was found, 0 for none
        self.format = ComboBox()
        self.format.addItems(list(FORMATS))
        self.format.setAccessibleName("Pixel format")
        self.width_field = QLineEdit(placeholderText="found")
        self.width_field.setAccessibleName("Width in pixels")
        self.width_field.setToolTip("Pixels in a row; empty: found from rows that are alike")
        self.stride_field = QLineEdit(placeholderText="as wide")
        self.stride_field.setAccessibleName("Stride in bytes")
        self.stride_field.setToolTip("Bytes from row to row; empty: as many as a row takes")
        for field in (self.width_field, self.stride_field):
            field.setFont(mono_font())
        self.add("Pixels", self.format)
        self.add("Width", self.width_field, QLabel("stride"), self.stride_field)

    def set_found(self, stride: int | None) -> None:
        """The stride that was looked for; None for none, or for another range."""
        self.found = stride or 0
        words = f"{self.width_of(self.found)} found" if self.found else "found"
        self.width_field.setPlaceholderText(words)
        self.stride_field.setPlaceholderText(str(self.found) if self.found else "as wide")

    def width_of(self, stride: int) -> int:
        """Pixels that fill a row of so many bytes."""
        return stride * 8 // FORMATS[self.format.currentText()].bits

    def layout_for(self, block: ByteBlock) -> Layout | None:
        """The picture in a block; None where its stride has to be looked for first.

        Raises:
            ValueFormatError: The fields make no picture.
        """
        name = self.format.currentText()
        width = _number(self.width_field, "width")
        stride = _number(self.stride_field, "stride")
        if not width and not block.whole:
            width, stride = self.width_of(block.width), block.stride
        elif not width and (stride or self.found):
            stride = stride or self.found
            width = self.width_of(stride)
        if not width:
            return None
        return Layout(block.start, block.span, name, width, stride).checked()

    def show_known(self, picture: KnownPicture) -> None:
        """Fill the fields for a picture that was recognised."""
        _choose(self.format, picture.format)
        self.width_field.setText(str(picture.width))
        self.stride_field.setText(str(picture.stride))

    def clear(self) -> None:
        """Look for the stride again."""
        self.width_field.clear()
        self.stride_field.clear()

    def state(self) -> dict[str, Any]:
        return {"format": self.format.currentText()}

    def restore(self, state: dict[str, Any]) -> None:
        _choose(self.format, state.get("format"))


def _number(field: QLineEdit, what: str) -> int:
    text = field.text().strip()
    if not text:
        return 0
    try:
        return max(0, parse_int(text))
    except ValueError as error:
        raise ValueFormatError(f"{text[:20]!r} is no {what}.", "For example: 1920.") from error


class TextForm(Form):
    """Encoding, and whether the end is followed."""

    def __init__(self) -> None:
        super().__init__()
        self.encoding = ComboBox()
        self.encoding.addItems(list(ENCODINGS))
        self.encoding.setAccessibleName("Encoding")
        self.follow = QCheckBox("Follow its end")
        self.follow.setChecked(True)
        self.follow.setToolTip("Scroll to what was written last")
        self.add("Encoding", self.encoding, self.follow)

    def codec(self) -> str:
        """Python's name of the encoding."""
        return ENCODINGS[self.encoding.currentText()]

    def state(self) -> dict[str, Any]:
        return {"encoding": self.encoding.currentText(), "follow": self.follow.isChecked()}

    def restore(self, state: dict[str, Any]) -> None:
        _choose(self.encoding, state.get("encoding"))
        self.follow.setChecked(state.get("follow") is not False)


class WaveForm(Form):
    """Kind of sample, byte order, channels."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = ComboBox()
        self.kind.addItems(SAMPLES)
        self.kind.setAccessibleName("Kind of sample")
        self.endian = ComboBox()
        self.endian.setAccessibleName("Byte order")
        for endian in Endian:
            self.endian.addItem(endian.value, endian)
        self.channels = ComboBox()
        self.channels.addItems([str(number) for number in range(1, MAX_CHANNELS + 1)])
        self.channels.setAccessibleName("Channels")
        self.add("Samples", self.kind, self.endian)
        self.add("Channels", self.channels)

    def samples(self, block: ByteBlock) -> Samples:
        """The signal in a block. Raises ValueFormatError."""
        return Samples(
            block.start,
            block.span,
            self.kind.currentText(),
            self.endian.currentData(),
            int(self.channels.currentText()),
        ).checked()

    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind.currentText(),
            "endian": self.endian.currentText(),
            "channels": self.channels.currentText(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        _choose(self.kind, state.get("kind"))
        _choose(self.endian, state.get("endian"))
        _choose(self.channels, state.get("channels"))
