"""The write tools' own fields: each turns what is typed into a command and a preview."""

from __future__ import annotations

import os
import stat
from typing import Final

from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton

from ....core.engine import messages as msg
from ....core.engine import range_messages as rm
from ....core.errors import (
    CannotFindError,
    ExpressionError,
    OutOfRangeError,
    ScopeError,
    UnsuitableError,
    ValueFormatError,
)
from ....core.storage.atomic_file import read_regular
from ....core.storage.os_errors import meaning
from ....core.values.byte_block import ByteBlock
from ....core.values.expressions import evaluate
from ....core.values.hex_text import typed_hex
from ....core.values.units import format_short_offset
from ....core.values.value_types import TYPES, type_named
from ....core.write.patterns import (
    WAVES,
    BytePattern,
    IncrementPattern,
    Pattern,
    RandomPattern,
    Repeat,
    SequencePattern,
    TextPattern,
)
from ...session.write_requests import ToolWrite
from ...style.combo_box import ComboBox
from .tool_form import ToolForm, endian_box, line, number

_CHOOSE: Final = "Choose another file."


class FillForm(ToolForm):
    """Fill a range with a pattern."""

    title, verb, past = "Fill", "Fill", "Filled"
    takes_blocks = True

    def __init__(self) -> None:
        super().__init__()
        self.kind = ComboBox()
        self.kind.addItems(["byte", "hex pattern", "text", "increment", "random"])
        self.value = line("0x00", "byte 0x2A · DE AD BE EF · text · start, step · seed")
        self.word = ComboBox()
        for width in (1, 2, 4, 8):
            self.word.addItem(f"u{8 * width}", width)
        self.endian = endian_box()
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
            value = number(text, "byte")
            if value != int(value) or not 0 <= value <= 255:
                raise ValueFormatError(f"{text} is no byte.", "0 to 255, or 0x00 to 0xFF.")
            return BytePattern(int(value))
        if kind == 1:
            return SequencePattern(typed_hex(text))
        if kind == 2:
            return TextPattern(text)
        if kind == 4:
            return RandomPattern(int(number(text, "seed")))
        first, _, step = text.partition(",")
        return IncrementPattern(
            int(number(first.strip(), "number")),
            int(number(step.strip() or "1", "step")),
            self.word.currentData(),
            self.endian.currentData(),
        )

    def preview(self, length: int) -> bytes:
        return self.pattern().chunk(0, length)

    def command(self, start: int, length: int) -> ToolWrite:
        return msg.Fill(start, length, self.pattern())

    def block_command(self, block: ByteBlock) -> ToolWrite:
        return rm.FillBlock(block, self.pattern())


class ValueForm(ToolForm):
    """One typed value."""

    title, verb, past = "Typed value", "Write", "Wrote"
    needs_length = False
    shows_now = True

    def __init__(self) -> None:
        super().__init__()
        self.kind = ComboBox()
        for kind in TYPES:
            self.kind.addItem(kind.label, kind.name)
        self.kind.setCurrentIndex(self.kind.findData("u32"))
        self.endian = endian_box()
        self.value = line("0")
        self._add("Type", self.kind, self.endian)
        self._add("Value", self.value)

    def _bytes(self) -> bytes:
        kind = type_named(self.kind.currentData())
        return kind.encode(self.value.text(), self.endian.currentData())

    def own_length(self) -> int:
        return len(self._bytes())

    def preview(self, length: int) -> bytes:
        return self._bytes()[:length]

    def command(self, start: int, length: int) -> ToolWrite:
        return msg.Write(start, self._bytes(), label=f"value {self.kind.currentData()}")


class _FileForm(ToolForm):
    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self.path = line()
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


def _unreadable(path: str, error: OSError | ValueError) -> CannotFindError:
    why = meaning(error) if isinstance(error, OSError) else "it is no name of a file"
    return CannotFindError(f"{path} cannot be read ({why}).", _CHOOSE)


class LoadForm(_FileForm):
    """A file into the region."""

    title, verb, past = "Load file", "Load", "Loaded"
    needs_length = False

    def __init__(self) -> None:
        super().__init__("file whose bytes go into the region")

    def ask_path(self) -> str:
        return QFileDialog.getOpenFileName(self, "Load a file into the region")[0]

    def missing(self) -> str:
        return "" if self.path.text() else "Choose a file to load."

    def own_length(self) -> int:
        path = self.path.text()
        if not path:
            raise ExpressionError(self.missing())
        try:
            status = os.stat(path)  # noqa: PTH116 - Path drops a slash at the end
        except (OSError, ValueError) as error:  # ValueError: a zero byte
            raise _unreadable(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise UnsuitableError(f"{path} is no regular file.", _CHOOSE)
        if not status.st_size:
            raise UnsuitableError(f"{path} has no bytes; there is nothing to load.", _CHOOSE)
        return status.st_size

    def preview(self, length: int) -> bytes:
        try:
            return read_regular(self.path.text(), length)
        except (OSError, ValueError) as error:
            raise _unreadable(self.path.text(), error) from error

    def command(self, start: int, length: int) -> ToolWrite:
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

    def command(self, start: int, length: int) -> msg.SaveFile | None:
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
        self.to = line("0x0", "Offset that the range is copied to")
        self._add("To", self.to)

    def _target(self, length: int) -> int:
        size = self.size_of_region
        target = evaluate(self.to.text(), cursor=self.here, size=size)
        if target < 0 or target + length > size:
            raise OutOfRangeError(
                f"{length:,} bytes at {format_short_offset(target)} are not inside the region."
            )
        return target

    def check(self, length: int) -> None:
        self._target(length)

    def target(self, start: int, length: int) -> tuple[int, int]:
        return self._target(length), length

    def preview(self, length: int) -> bytes:
        return b""

    def command(self, start: int, length: int) -> ToolWrite:
        return msg.CopyRange(start, self._target(length), length)


class SignalForm(ToolForm):
    """A live test signal."""

    title, verb, past = "Live signal", "Start", "Started"
    needs_length = False
    shows_now = True

    def __init__(self) -> None:
        super().__init__()
        self.wave = ComboBox()
        self.wave.addItems(list(WAVES))
        self.kind = ComboBox()
        for kind in TYPES:
            numeric = kind.group in ("integer", "float") and kind.size and kind.name != "bin"
            if numeric:
                self.kind.addItem(kind.label, kind.name)
        self.kind.setCurrentIndex(self.kind.findData("u32"))
        self.endian = endian_box()
        self.low, self.high, self.step = line("0"), line("255"), line("1")
        self.interval = line("100", "Milliseconds between two writes, 0.1 or more")
        self.period = line("100", "Writes per turn of a sine")
        self._add("Wave", self.wave, self.kind, self.endian)
        self._add("From", self.low, QLabel("to"), self.high, QLabel("step"), self.step)
        self._add("Every", self.interval, QLabel("ms, period"), self.period, QLabel("writes"))

    def _repeat(self, start: int) -> Repeat:
        return Repeat(
            offset=start,
            kind=self.kind.currentData(),
            endian=self.endian.currentData(),
            wave=self.wave.currentText(),
            low=number(self.low.text(), "number"),
            high=number(self.high.text(), "number"),
            step=number(self.step.text(), "number"),
            period=max(1, int(number(self.period.text(), "number"))),
            interval_ns=int(number(self.interval.text(), "number") * 1_000_000),
        )

    def own_length(self) -> int:
        return self._repeat(0).width

    def preview(self, length: int) -> bytes:
        repeat = self._repeat(0)
        try:
            return b"".join(repeat.encode(number) for number in range(8))
        except (OverflowError, ZeroDivisionError) as error:
            raise ScopeError(f"These numbers make no signal ({error}).") from error

    def command(self, start: int, length: int) -> ToolWrite:
        return msg.StartRepeat(self._repeat(start))
