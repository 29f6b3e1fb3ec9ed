"""The status bar: where the cursor is, what is selected, how fresh the picture is, health."""

from __future__ import annotations

from time import monotonic_ns

from PySide6.QtWidgets import QLabel, QSizePolicy, QStatusBar, QWidget

from app.core.frame import Frame, Health, Level
from app.core.region import RegionInfo
from app.core.units import format_age, format_short_offset, format_size
from app.ui.theme import SYMBOLS, Theme, mono_font


class StatusBar(QStatusBar):
    """Fixed places, so that nothing jumps: device, offset, selection, rate, sweep, cost, health."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.device = self._label("", "Device and size")
        self.offset = self._label("offset 0x0'0000'0000 (0000000000)", "Cursor: hex and decimal")
        self.selection = self._label("selection 0000.00 KiB (0x00000000)", "Selected bytes")
        self.rate = self._label("000 Hz paused", "Looks per second asked for")
        self.sweep = self._label("sweep 00.0 s", "How old the oldest look at any page is")
        self.cost = self._label("engine 100 %", "Share of one core that watching takes")
        self.lock = self._label("writing unlocked", "Whether this window can change the memory")
        self.health = self._label("", "Health of the region")
        self.health.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        for label in (self.device, self.offset, self.selection, self.rate, self.sweep, self.cost):
            self.addWidget(label)
        self.addWidget(self.lock)
        self.addWidget(self.health, 1)
        self._theme: Theme | None = None
        self.clear_region()

    def _label(self, widest: str, tip: str) -> QLabel:
        label = QLabel(widest)
        label.setFont(mono_font(self.font().pointSizeF() - 0.5))
        label.setMinimumWidth(label.sizeHint().width() + 8 if widest else 0)
        label.setToolTip(tip)
        label.setText("")
        return label

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme

    def clear_region(self) -> None:
        """No region is open."""
        self.device.setText("no region open")
        for label in (self.offset, self.selection, self.rate, self.sweep, self.cost, self.lock):
            label.setText("")
        self.health.setText("")

    def set_region(self, info: RegionInfo) -> None:
        """A region was opened."""
        self.device.setText(f"{info.name} · {format_size(info.size)}")

    def set_cursor(self, offset: int) -> None:
        """The cursor moved."""
        self.offset.setText(f"offset {format_short_offset(offset)} ({offset})")

    def set_selection(self, length: int) -> None:
        """The selection changed."""
        if length <= 0:
            self.selection.setText("no selection")
            return
        hexes = format_short_offset(length)
        size = f"{length} B" if length < 10000 else format_size(length)
        self.selection.setText(f"selection {size} ({hexes})")

    def set_rate(self, hz: float, *, paused: bool) -> None:
        """The sampling rate or the pause changed."""
        self.rate.setText("paused" if paused else f"{hz:g} Hz")

    def set_locked(self, locked: bool) -> None:
        """The lock changed."""
        self.lock.setText("writing locked" if locked else "writing unlocked")
        if self._theme is not None:
            color = self._theme.quiet if locked else self._theme.warning
            self.lock.setStyleSheet(f"color: {color}")

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

    def set_health(self, health: Health) -> None:
        """The health changed."""
        self.health.setText(f"{SYMBOLS[health.level]} {health.text}")
        self.health.setToolTip(f"{health.text}\n{health.hint}".strip())
        if self._theme is not None and health.level is not Level.GOOD:
            self.health.setStyleSheet(f"color: {self._theme.level(health.level).name()}")
        else:
            self.health.setStyleSheet("")
