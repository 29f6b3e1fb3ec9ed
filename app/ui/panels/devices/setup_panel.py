"""The set-up guide with a place of its own, beside the devices: all that one may have to type."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ....core.discovery.new_file import ON_HOST, create_shared_file
from ....core.discovery.setup_help import SetupHelp, setup_help
from ....core.errors import ScopeError
from ....core.values.units import format_size
from ...panel import About, Panel, PanelHost
from ...style.combo_box import ComboBox
from ...style.outside_text import PlainLabel
from ...style.theme import DARK, PAD, Theme, mono_font

_ABOUT_FILE: Final = (
    "QEMU makes the file when the guest starts. Made now, it can be watched from the beginning."
)
_SIZES: Final = range(20, 31)  # powers of two
_FIRST_SIZE: Final = 64 << 20
_WIDEST: Final = 860  # pixels; as wide as the longest line needs


class _Text(QPlainTextEdit):
    """Text to copy, as high as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setFont(mono_font(self.font().pointSizeF() - 1))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.textChanged.connect(self._fit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        lines = self.document().size().height()
        self.setFixedHeight(round(lines * self.fontMetrics().lineSpacing()) + 2 * PAD + 4)


class _Block(QWidget):
    """A heading, text to copy, and a button that copies it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = QLabel(title)
        self.title.setWordWrap(True)
        self.copy = QPushButton("Copy")
        self.copy.setAccessibleName(f"Copy: {title}")
        self.text = _Text()
        self.text.setAccessibleName(title)
        self.copy.clicked.connect(
            lambda: QGuiApplication.clipboard().setText(self.text.toPlainText())
        )
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.text)


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
        self._theme = DARK
        self._host: PanelHost | None = None
        self.amount = ComboBox()
        self.amount.setAccessibleName("Size of the memory")
        for power in _SIZES:
            self.amount.addItem(format_size(1 << power), 1 << power)
        self.amount.setCurrentIndex(self.amount.findData(_FIRST_SIZE))
        self.name = QLineEdit("ivshmem")
        self.name.setAccessibleName("Name of the memory")
        self.problem = PlainLabel(wrapped=True)
        self.make_file = QPushButton("Create a shared file")
        self.make_file.setVisible(ON_HOST)
        self.make_file.clicked.connect(self._create)
        self.about_file = QLabel(_ABOUT_FILE, wordWrap=True)
        self.about_file.setVisible(ON_HOST)
        self.qemu = _Block("Arguments for QEMU")
        self.libvirt = _Block("Or with libvirt, inside <devices>")
        self.tmpfiles = _Block("To write to it without root, in /etc/tmpfiles.d/10-ivshmem.conf")
        self._blocks = (self.qemu, self.libvirt, self.tmpfiles)
        self._lay_out()
        self.amount.currentIndexChanged.connect(self._refresh)
        self.name.textChanged.connect(self._refresh)
        self._refresh()
        self.setFocusProxy(self.amount)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Memory of"))
        row.addWidget(self.amount)
        row.addWidget(QLabel("named"))
        row.addWidget(self.name, 1)
        inside = QWidget()
        inside.setMaximumWidth(_WIDEST)
        column = QVBoxLayout(inside)
        column.setContentsMargins(PAD, PAD, PAD, PAD)
        column.setSpacing(PAD)
        column.addWidget(QLabel("<b>Give a guest shared memory</b>"))
        column.addLayout(row)
        making = QHBoxLayout()
        making.addWidget(self.about_file, 1)
        making.addWidget(self.make_file)
        column.addLayout(making)
        column.addWidget(self.problem)
        for block in self._blocks:
            column.addWidget(block)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it has it
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def attach(self, host: PanelHost) -> None:
        self._host = host

    def shown(self, visible: bool) -> None:
        if self._host is not None:
            self._host.guide_shown.emit(visible)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.problem.setStyleSheet(f"color: {theme.fault}")
        self.about_file.setStyleSheet(f"color: {theme.quiet}")
        for block in self._blocks:
            block.title.setStyleSheet(f"color: {theme.quiet}")

    def _create(self) -> None:
        """Make the file and open it, or say why not."""
        try:
            spec = create_shared_file(int(self.amount.currentData()), self.name.text())
        except ScopeError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self.problem.hide()
        if self._host is not None:
            self._host.open_wanted.emit(spec)

    def _refresh(self) -> None:
        """Write the texts for what is chosen, or say why there is none."""
        made: SetupHelp | None = None
        problem = ""
        try:
            made = setup_help(int(self.amount.currentData()), self.name.text())
        except ScopeError as error:
            problem = str(error)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.make_file.setEnabled(made is not None)
        for block in self._blocks:
            block.setVisible(made is not None)
        if made is not None:
            self.qemu.text.setPlainText(made.qemu_args)
            self.libvirt.text.setPlainText(made.libvirt_xml)
            self.tmpfiles.text.setPlainText(made.tmpfiles)
