"""The write tools' own fields: each turns what is typed into a command and a preview."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from app.core import messages as msg
from app.core.errors import CannotFindError, ExpressionError, ScopeError, ValueFormatError
from app.core.expressions import evaluate
from app.core.patterns import (
    WAVES,
    BytePattern,
    IncrementPattern,
    Pattern,
    RandomPattern,
    Repeat,
    SequencePattern,
    TextPattern,
    parse_hex,
)
from app.core.values import TYPES, Endian, parse_int, type_named
from app.ui.theme import mono_font

_WIDEST_LABEL: Final = "Words"


def _line(text: str = "", tip: str = "") -> QLineEdit:
    line = QLineEdit(text)
    line.setFont(mono_font())
    line.setToolTip(tip)
    return line


def _endian_box() -> QComboBox:
    box = QComboBox()
    for endian in Endian:
        box.addItem(f"{endian.value} endian", endian)
    return box


def _number(text: str, what: str) -> float:
    try:
        return float(text) if "." in text or "e" in text.lower() else parse_int(text)
    except ValueError as error:
        raise ValueFormatError(f"{text!r} is no {what}.", "For example: 10 or 0x0A.") from error


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
    """

    edited = Signal()
    title = ""
    verb = "Apply"
    past = "Wrote"
    writes = True
    needs_length = True

    def __init__(self) -> None:
        super().__init__()
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
            elif isinstance(part, QComboBox):
                part.currentIndexChanged.connect(self.edited)

    def own_length(self) -> int:
        """Bytes that it writes when that does not follow from the length field."""
        return 0

    def preview(self, length: int) -> bytes:
        """The first bytes that would land. Raises ScopeError for fields that make no sense."""
        raise NotImplementedError

    def command(self, start: int, length: int) -> msg.Command | None:
        """What to ask of the engine; None when a person cancelled. Raises as preview."""
        raise NotImplementedError


class FillForm(ToolForm):
    """Fill a range with a pattern."""

    title, verb, past = "Fill", "Fill", "Filled"

    def __init__(self) -> None:
        super().__init__()
        self.kind = QComboBox()
        self.kind.addItems(["byte", "hex pattern", "text", "increment", "random"])
        self.value = _line("0x00", "byte 0x2A · DE AD BE EF · text · start, step · seed")
        self.word = QComboBox()
        for width in (1, 2, 4, 8):
            self.word.addItem(f"u{8 * width}", width)
        self.endian = _endian_box()
        self._add("With", self.kind, self.value)
        self._add("Words", self.word, self.endian)
        self.kind.currentIndexChanged.connect(self._kind_changed)
        self._kind_changed(0)

    def _kind_changed(self, index: int) -> None:
        self.value.setText(("0x00", "DE AD BE EF", "IVSHMEM", "0, 1", "1")[index])
        increments = index == 3
        self.word.setEnabled(increments)
        self.endian.setEnabled(increments)

    def pattern(self) -> Pattern:
        """The pattern that the fields describe."""
        text, kind = self.value.text(), self.kind.currentIndex()
        if kind == 0:
            value = _number(text, "byte")
            if value != int(value) or not 0 <= value <= 255:
                raise ValueFormatError(f"{text} is no byte.", "0 to 255, or 0x00 to 0xFF.")
            return BytePattern(int(value))
        if kind == 1:
            return SequencePattern(parse_hex(text))
        if kind == 2:
            return TextPattern(text)
        if kind == 4:
            return RandomPattern(int(_number(text, "seed")))
        first, _, step = text.partition(",")
        return IncrementPattern(
            int(_number(first.strip(), "number")), int(_number(step.strip() or "1", "step")),
            self.word.currentData(), self.endian.currentData(),
        )  # fmt: skip

    def preview(self, length: int) -> bytes:
        return self.pattern().chunk(0, length)

    def command(self, start: int, length: int) -> msg.Command:
        return msg.Fill(start, length, self.pattern())


class ValueForm(ToolForm):
    """One typed value."""

    title, verb, past = "Typed value", "Write", "Wrote"
    needs_length = False

    def __init__(self) -> None:
        super().__init__()
        self.kind = QComboBox()
        for kind in TYPES:
            self.kind.addItem(kind.label, kind.name)
        self.kind.setCurrentIndex(self.kind.findData("u32"))
        self.endian = _endian_box()
        self.value = _line("0")
        self._add("Type", self.kind, self.endian)
        self._add("Value", self.value)

    def _bytes(self) -> bytes:
        kind = type_named(self.kind.currentData())
        return kind.encode(self.value.text(), self.endian.currentData())

    def own_length(self) -> int:
        return len(self._bytes())

    def preview(self, length: int) -> bytes:
        return self._bytes()[:length]

    def command(self, start: int, length: int) -> msg.Command:
        return msg.Write(start, self._bytes(), label=f"value {self.kind.currentData()}")


class _FileForm(ToolForm):
    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self.path = _line()
        self.path.setPlaceholderText(placeholder)
        browse = QPushButton("Choose…")
        browse.clicked.connect(self._browse)
        self._add("File", self.path, browse)

    def _browse(self) -> None:
        path = self.ask_path()
        if path:
            self.path.setText(path)

    def ask_path(self) -> str:
        """Ask for a path."""
        raise NotImplementedError


class LoadForm(_FileForm):
    """A file into the region."""

    title, verb, past = "Load file", "Load", "Loaded"
    needs_length = False

    def __init__(self) -> None:
        super().__init__("file whose bytes go into the region")

    def ask_path(self) -> str:
        return QFileDialog.getOpenFileName(self, "Load a file into the region")[0]

    def own_length(self) -> int:
        path = self.path.text()
        if not path:
            raise ExpressionError("Choose a file to load.")
        try:
            return Path(path).stat().st_size
        except OSError as error:
            raise CannotFindError(f"{path} cannot be read ({error.strerror}).") from error

    def preview(self, length: int) -> bytes:
        try:
            with Path(self.path.text()).open("rb") as file:
                return file.read(length)
        except OSError as error:
            raise CannotFindError(f"{self.path.text()}: {error.strerror}.") from error

    def command(self, start: int, length: int) -> msg.Command:
        return msg.LoadFile(self.path.text(), start)


class SaveForm(_FileForm):
    """A range into a file."""

    title, verb, past = "Save range", "Save", "Saved"
    writes = False

    def __init__(self) -> None:
        super().__init__("file to write")

    def ask_path(self) -> str:
        return QFileDialog.getSaveFileName(self, "Save the range", "region.bin")[0]

    def preview(self, length: int) -> bytes:
        return b""

    def command(self, start: int, length: int) -> msg.Command | None:
        path = self.path.text() or self.ask_path()
        if not path:
            return None
        self.path.setText(path)
        return msg.SaveFile(path, start, length)


class CopyForm(ToolForm):
    """A range of the region to another place in it."""

    title, verb, past = "Copy range", "Copy", "Copied"

    def __init__(self) -> None:
        super().__init__()
        self.target = _line("0x0", "Offset that the range is copied to")
        self._add("To", self.target)

    def preview(self, length: int) -> bytes:
        evaluate(self.target.text())
        return b""

    def command(self, start: int, length: int) -> msg.Command:
        return msg.CopyRange(start, evaluate(self.target.text()), length)


class SignalForm(ToolForm):
    """A live test signal."""

    title, verb, past = "Live signal", "Start", "Started"
    needs_length = False

    def __init__(self) -> None:
        super().__init__()
        self.wave = QComboBox()
        self.wave.addItems(list(WAVES))
        self.kind = QComboBox()
        for kind in TYPES:
            numeric = kind.group in ("integer", "float") and kind.size and kind.name != "bin"
            if numeric:
                self.kind.addItem(kind.label, kind.name)
        self.kind.setCurrentIndex(self.kind.findData("u32"))
        self.endian = _endian_box()
        self.low, self.high, self.step = _line("0"), _line("255"), _line("1")
        self.interval = _line("100", "Milliseconds between two writes, 0.1 or more")
        self.period = _line("100", "Writes per turn of a sine")
        self._add("Wave", self.wave, self.kind, self.endian)
        self._add("From", self.low, QLabel("to"), self.high, QLabel("step"), self.step)
        self._add("Every", self.interval, QLabel("ms, period"), self.period, QLabel("writes"))

    def _repeat(self, start: int) -> Repeat:
        return Repeat(
            offset=start, kind=self.kind.currentData(), endian=self.endian.currentData(),
            wave=self.wave.currentText(), low=_number(self.low.text(), "number"),
            high=_number(self.high.text(), "number"), step=_number(self.step.text(), "number"),
            period=max(1, int(_number(self.period.text(), "number"))),
            interval_ns=int(_number(self.interval.text(), "number") * 1_000_000),
        )  # fmt: skip

    def own_length(self) -> int:
        return self._repeat(0).width

    def preview(self, length: int) -> bytes:
        repeat = self._repeat(0)
        try:
            return b"".join(repeat.encode(number) for number in range(8))
        except (OverflowError, ZeroDivisionError) as error:
            raise ScopeError(f"These numbers make no signal ({error}).") from error

    def command(self, start: int, length: int) -> msg.Command:
        return msg.StartRepeat(self._repeat(start))
