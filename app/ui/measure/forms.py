"""What to measure: one form per test, each turns its fields into a plan for the engine."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from ...core.errors import ValueFormatError
from ...core.measure.bandwidth.bandwidth import BandwidthOptions
from ...core.measure.flash.flash import Surface
from ...core.measure.flash.flash_result import FlashPlan
from ...core.measure.lane.peer_card import EngineKind
from ...core.measure.latency.latency import LatencyOptions
from ...core.measure.transfer.transfer import SWEEP, TransferOptions
from ...core.measure.transfer.transfer_result import Direction
from ...core.native.kernel import Wait
from ...core.values.units import format_size, parse_size
from ..style.theme import PAD, mono_font

ENGINES: Final = (
    ("best there is", None),
    ("C kernel", EngineKind.KERNEL),
    ("Python", EngineKind.PYTHON),
)
# What the command line starts with, too.
LATENCY: Final = LatencyOptions()
TRANSFER: Final = TransferOptions()
BANDWIDTH: Final = BandwidthOptions()
FLASH: Final = FlashPlan()
DEFAULT_EVERY_S: Final = FLASH.every_s
CORES: Final = (("any", ""), ("keep on one", "auto"))


def number_in(line: QLineEdit, what: str) -> float:
    """A field as a number. Raises ValueFormatError."""
    text = line.text().strip().replace("_", "")
    try:
        return float(text)
    except ValueError as error:
        raise ValueFormatError(f"{what}: {text!r} is no number.", "For example 1000.") from error


class TestForm(QWidget):
    """One test's fields.

    Signals:
        edited(): A field changed.
        entered(): Return was pressed in a text field.
    """

    edited = Signal()
    entered = Signal()
    title = ""
    verb = "Start"
    needs_peer = True

    def __init__(self) -> None:
        super().__init__()
        self.form = QFormLayout()
        self.form.setVerticalSpacing(2)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(PAD // 2, 0, PAD // 2, 0)
        self.column.addLayout(self.form)
        self.column.addStretch(1)

    def line(self, label: str, text: str, tip: str) -> QLineEdit:
        """Another text field."""
        field = QLineEdit(text)
        field.setFont(mono_font())
        field.setToolTip(tip)
        field.setMinimumWidth(48)
        field.setCursorPosition(0)  # a long text shows its beginning
        field.setAccessibleName(label)
        field.textChanged.connect(self.edited)
        field.returnPressed.connect(self.entered)
        self.form.addRow(label, field)
        return field

    def choice(self, label: str, items: tuple[tuple[str, Any], ...], tip: str) -> QComboBox:
        """Another choice."""
        box = QComboBox()
        for text, value in items:
            box.addItem(text, value)
        box.setSizeAdjustPolicy(box.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(4)
        box.setToolTip(tip)
        box.setAccessibleName(label)
        box.currentIndexChanged.connect(self.edited)
        self.form.addRow(label, box)
        return box

    def show_row(self, field: QWidget, *, on: bool) -> None:
        """Show a field and its label, or neither."""
        self.form.setRowVisible(field, on)

    def note(self, text: str) -> None:
        """Sentences under the fields."""
        label = QLabel(text)
        label.setWordWrap(True)
        self.column.insertWidget(1, label)

    def plan(self) -> Any:
        """What the fields ask for. Raises ScopeError for fields that make no sense."""
        raise NotImplementedError


class LatencyForm(TestForm):
    """Echo round trips."""

    title = "Latency"

    def __init__(self) -> None:
        super().__init__()
        self.loop = self.choice(
            "Loop",
            (("fixed rate", False), ("closed", True)),
            "Fixed rate: each request is timed from when it is due, so that stalls count. Closed "
            "loop: the next is sent when the last came back, which is blind to stalls",
        )
        self.rate = self.line(
            "Rate, 1/s", f"{LATENCY.rate_hz:g}", "10 to 1000000 requests per second"
        )
        self.loop.currentIndexChanged.connect(
            lambda: self.show_row(self.rate, on=not self.loop.currentData())
        )
        self.duration = self.line("Duration, s", f"{LATENCY.duration_s:g}", "After the warm-up")
        self.warm_up = self.line("Warm-up, s", f"{LATENCY.warm_up_s:g}", "Run, but not counted")
        payload = format_size(LATENCY.payload_bytes)
        self.payload = self.line(
            "Payload", payload, "8 B to 4 KiB, copied in and out on both sides"
        )
        self.wait = self.choice(
            "Wait",
            (
                ("spin", Wait.SPIN),
                (f"poll, {LATENCY.poll_ns / 1e3:g} µs", Wait.POLL),
                ("doorbell", Wait.BELL),
            ),
            "How both sides wait: spinning is the quickest and takes a core on each side, polling "
            "leaves it to others, and with a doorbell both sleep until the other rings",
        )
        self.wait.setCurrentIndex(self.wait.findData(LATENCY.wait))
        self.engine = self.choice(
            "Engine", ENGINES, "What runs the loop here; the result says which it was"
        )
        self.core = self.choice("Core", CORES, "Keep the measuring loop on one core")

    def plan(self) -> LatencyOptions:
        options = LatencyOptions(
            rate_hz=0 if self.loop.currentData() else number_in(self.rate, "Rate"),
            duration_s=number_in(self.duration, "Duration"),
            warm_up_s=number_in(self.warm_up, "Warm-up"),
            payload_bytes=parse_size(self.payload.text()),
            wait=self.wait.currentData(),
            engine=self.engine.currentData(),
            core=self.core.currentData(),
        )
        options.check()
        return options


class TransferForm(TestForm):
    """Verified messages through the rings."""

    title = "Transfer"

    def __init__(self) -> None:
        super().__init__()
        self.direction = self.choice(
            "Direction",
            (
                ("to the peer", Direction.TO_PEER),
                ("from the peer", Direction.FROM_PEER),
                ("both at once", Direction.BOTH),
            ),
            "Every message is verified where it arrives",
        )
        self.sizes = self.line(
            "Messages",
            ", ".join(map(format_size, TRANSFER.message_bytes)),
            "64 B to 16 MiB; several, with commas, or `sweep`, are measured one after the other",
        )
        self.duration = self.line(
            "Duration, s", f"{TRANSFER.duration_s:g}", "For each size, after a short warm-up"
        )
        self.engine = self.choice("Engine", ENGINES, "What runs the loop here")
        self.core = self.choice("Core", CORES, "Keep the measuring loop on one core")

    def plan(self) -> TransferOptions:
        text = self.sizes.text().strip()
        named = SWEEP if text == "sweep" else tuple(parse_size(p) for p in text.split(","))
        options = TransferOptions(
            message_bytes=named,
            direction=self.direction.currentData(),
            duration_s=number_in(self.duration, "Duration"),
            engine=self.engine.currentData(),
            core=self.core.currentData(),
        )
        options.check()
        return options


class BandwidthForm(TestForm):
    """What the raw mapping gives, without a peer."""

    title = "Bandwidth"
    needs_peer = False

    def __init__(self) -> None:
        super().__init__()
        self.blocks = self.line(
            "Blocks",
            ", ".join(map(format_size, BANDWIDTH.blocks)),
            "Whole pages; read, written and copied again and again inside the lane",
        )
        self.engine = self.choice("Engine", ENGINES, "What runs the loops")
        self.core = self.choice("Core", CORES, "Keep the measuring loop on one core")
        self.note(
            "Needs no peer. A BAR is measured in the cache mode it is open in; open it in another "
            "by the device list's menu, and compare the runs."
        )

    def plan(self) -> BandwidthOptions:
        options = BandwidthOptions(
            blocks=tuple(parse_size(part) for part in self.blocks.text().split(",")),
            engine=self.engine.currentData(),
            core=self.core.currentData(),
        )
        options.check()
        return options


class FlashForm(TestForm):
    """Store, see, paint, answer."""

    title = "Flash"

    def __init__(self) -> None:
        super().__init__()
        self.flips = self.line("Flashes", f"{FLASH.flips}", "How many; 0 until stopped")
        self.every = self.line(
            "Every, s", f"{DEFAULT_EVERY_S:g}", "Mean time between two, 0.05 to 60"
        )
        self.mode = self.choice(
            "Flip",
            (("by itself", False), ("by hand", True)),
            "By itself: at jittered intervals, so that flips do not fall into step with a display. "
            "By hand: by a click into the patch, or Space",
        )
        self.mode.currentIndexChanged.connect(
            lambda: self.show_row(self.every, on=not self.mode.currentData())
        )
        self.surface = self.choice(
            "Peer paints",
            (("a patch", Surface.PATCH), ("its hex view", Surface.HEX)),
            "What the peer's window paints before it answers",
        )
        self.note(
            "The other side needs a window that answers; `respond` has nothing to paint. Put both "
            "screens on one photo: the numbers and bars tell how far they are apart."
        )

    def plan(self) -> FlashPlan:
        return FlashPlan(
            flips=int(number_in(self.flips, "Flashes")),
            every_s=DEFAULT_EVERY_S if self.mode.currentData() else number_in(self.every, "Every"),
            manual=self.mode.currentData(),
            surface=self.surface.currentData(),
        ).checked()
