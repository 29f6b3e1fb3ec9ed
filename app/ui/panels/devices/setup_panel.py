"""The set-up guide with a place of its own, beside the devices."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ...panel import About, Panel, PanelHost
from ...style.theme import Theme
from .setup_guide import SetupGuide


class SetupPanel(Panel):
    """The panel."""

    about = About(
        "setup",
        "Set-up guide",
        Qt.DockWidgetArea.RightDockWidgetArea,
        ("link",),
        (),
        "guide",
        "Text to copy that gives a guest shared memory",
        needs_session=False,
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.guide = SetupGuide("Give a guest shared memory")
        self._host: PanelHost | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 8)
        layout.addWidget(self.guide)
        self.setFocusProxy(self.guide.amount)

    def attach(self, host: PanelHost) -> None:
        self._host = host
        self.guide.demo_wanted.connect(lambda: host.action_wanted.emit("demo"))
        self.guide.open_file_wanted.connect(lambda: host.action_wanted.emit("open_file"))

    def shown(self, visible: bool) -> None:
        if self._host is not None:
            self._host.guide_shown.emit(visible)

    def set_theme(self, theme: Theme) -> None:
        self.guide.set_theme(theme)
