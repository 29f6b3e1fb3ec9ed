"""The status bar: where the cursor is, what is selected, how fresh the picture is, health."""

from __future__ import annotations

from time import monotonic_ns

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStatusBar, QWidget

from ...core.region.region import RegionInfo
from ...core.values.byte_block import ByteBlock
from ...core.values.units import format_age, format_short_offset, format_size
from ...core.watch.frame import Frame, Health, Level
from ..session.state_words import state_word
from ..style.elided_label import ElidedLabel
from ..style.outside_text import PlainLabel, printable, tip
from ..style.theme import PAD, SYMBOLS, Theme, mono_font

_WIDE = 1180
_NARROW = 1000
_DEVICE_WIDTH = 240


class StatusBar(QStatusBar):
    """Fixed places, so that nothing jumps: device, offset, selection, rate, sweep, cost, health."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        # Its own width is no reason to keep a window wide: fields give way (resizeEvent).
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.device = self._label("", "Device and size")
        self.offset = self._label("", "Cursor: hex and decimal")
        self.selection = self._label("", "Selected bytes")
        self.rate = self._label("120 Hz", "Looks per second asked for")
        self.sweep = self._label("sweep 999 ms", "How old the oldest look at any page is")
        self.cost = self._label("engine 100 %", "Share of one core that watching takes")
        self.lock = self._label("writing unlocked", "Whether this window can change the memory")
        self.health = ElidedLabel()
        self.health.setFont(self.device.font())
        for label in (self.device, self.offset, self.selection, self.rate, self.sweep, self.cost):
            self.addWidget(label)
        self.addWidget(self.lock)
        self.addWidget(self.health, 1)
        self._theme: Theme | None = None
        self._locked = True
        self._health = Health()
        self.clear_region()

    def _label(self, widest: str, about: str) -> QLabel:
        label = PlainLabel()
        label.setFont(mono_font(self.font().pointSizeF() - 0.5))
        label.setToolTip(about)
        _keep_room(label, widest)
        return label

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        for label in (self.selection, self.rate, self.sweep, self.cost):
            label.setStyleSheet(f"color: {theme.quiet}")
        self._colour()

    def _colour(self) -> None:
        theme = self._theme
        if theme is not None:
            lock = theme.quiet if self._locked else theme.warning
            self.lock.setStyleSheet(f"color: {lock}")
            self.health.setStyleSheet(f"color: {theme.level(self._health.level).name()}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window, hide what other places show too."""
        super().resizeEvent(event)
        width = event.size().width()
        self.device.setVisible(width >= _WIDE)
        self.sweep.setVisible(width >= _NARROW)
        self.cost.setVisible(width >= _NARROW)

    def clear_region(self) -> None:
        """No region is open."""
        self.set_device("no region open")
        for label in (self.offset, self.selection, self.rate, self.sweep, self.cost, self.lock):
            label.setText("")
        self.health.setText("")

    def set_device(self, text: str, more: str = "") -> None:
        """The device, or its fault; a long name must not push the health out."""
        text = printable(text)
        metrics, middle = self.device.fontMetrics(), Qt.TextElideMode.ElideMiddle
        self.device.setText(metrics.elidedText(text, middle, _DEVICE_WIDTH) + more)
        self.device.setToolTip(tip(f"{text}{more}\nDevice and size"))

    def set_region(self, info: RegionInfo) -> None:
        """A region was opened; its size says how wide offsets become."""
        self.set_device(info.name, f" · {format_size(info.size)}")
        last = info.size - 1
        _keep_room(self.offset, f"offset {format_short_offset(last)} ({last})")
        widest = min(info.size, 9999)
        _keep_room(self.selection, f"selection {widest} B ({format_short_offset(info.size)})")

    def set_cursor(self, offset: int) -> None:
        """The cursor moved."""
        self.offset.setText(f"offset {format_short_offset(offset)} ({offset})")

    def set_selection(self, block: ByteBlock) -> None:
        """The selection changed."""
        length = block.length
        if length <= 0:
            self.selection.setText("no selection")
            return
        hexes = format_short_offset(length)
        size = f"{length} B" if length < 10000 else format_size(length)
        words = f"{block.width} x {block.rows}" if not block.whole else hexes
        self.selection.setText(f"selection {size} ({words})")

    def set_rate(self, hz: float, *, paused: bool) -> None:
        """The sampling rate or the pause changed."""
        self.rate.setText("paused" if paused else f"{hz:g} Hz")

    def set_locked(self, locked: bool) -> None:
        """The lock changed."""
        self._locked = locked
        self.lock.setText("writing locked" if locked else "writing unlocked")
        self._colour()

    def set_frame(self, frame: Frame) -> None:
        """A few times per second is enough."""
        self.cost.setText(f"engine {frame.traffic.cost * 100:.0f} %")
        activity = frame.activity
        seen = activity.seen_ns[activity.allocated]
        if not len(seen):
            self.sweep.setText("sweep: empty")
        elif int(seen.min()) == 0:
            done = float((seen > 0).mean())
            self.sweep.setText(f"sweep {done * 100:.0f} %")
        else:
            self.sweep.setText(f"sweep {format_age(max(0, monotonic_ns() - int(seen.min())))}")

    def set_health(self, health: Health, *, opened: bool = True) -> None:
        """The health changed."""
        self._health = health
        word = state_word(health, opened=opened) or health.code.replace("-", " ")
        words = health.text if health.level is Level.GOOD else word
        self.health.setText(f"{SYMBOLS[health.level]} {words}")
        self.health.setToolTip(tip(f"{printable(health.text)}\n{printable(health.hint)}".strip()))
        self._colour()


def _keep_room(label: QLabel, widest: str) -> None:
    """Fix a label's width, so that changing digits move no neighbour."""
    width = label.fontMetrics().horizontalAdvance(widest)
    label.setMinimumWidth(width + 2 * PAD if widest else 0)
