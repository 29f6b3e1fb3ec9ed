"""Help where there is no shared memory yet: QEMU arguments and libvirt XML, to copy."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ....core.discovery.new_file import ON_HOST, create_shared_file
from ....core.discovery.setup_help import setup_help
from ....core.errors import ScopeError
from ....core.values.units import format_size
from ...style.combo_box import ComboBox
from ...style.theme import Theme, mono_font

_NARROWEST: Final = 78  # pixels
_TITLE: Final = "No shared memory found"
_HEAD: Final = "Start a guest with these arguments, and its memory appears here."
_BRIEF: Final = "Start a guest as the set-up guide tells, and its memory appears here."


class SetupGuide(QWidget):
    """The empty state of the device list: what gives a guest shared memory, as text to copy.

    Signals:
        demo_wanted(): Open the demo.
        open_file_wanted(): Choose a file.
        open_wanted(RegionSpec): A file was made; open it.
    """

    demo_wanted = Signal()
    open_file_wanted = Signal()
    open_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.head = QLabel(f"<b>{_TITLE}</b><br>{_HEAD}")
        self.head.setWordWrap(True)
        self.amount = ComboBox()
        for power in range(20, 31):
            self.amount.addItem(format_size(1 << power), 1 << power)
        self.amount.setCurrentIndex(self.amount.findData(64 << 20))
        self.name = QLineEdit("ivshmem")
        self.form = ComboBox()
        self.form.addItems(["QEMU", "libvirt"])
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(mono_font(self.font().pointSizeF() - 1))
        self.text.setAccessibleName("Text to copy")
        self.copy = QPushButton("Copy")
        self.copy.clicked.connect(
            lambda: QGuiApplication.clipboard().setText(self.text.toPlainText())
        )
        self.make_file = QPushButton("Create a shared file")
        self.make_file.setToolTip("Makes it now, empty; QEMU would make it when the guest starts")
        self.make_file.setVisible(ON_HOST)
        self.make_file.setMinimumWidth(2 * _NARROWEST)
        self.make_file.clicked.connect(self._create)
        demo = QPushButton("Open demo")
        demo.clicked.connect(self.demo_wanted)
        choose = QPushButton("Open file…")
        choose.clicked.connect(self.open_file_wanted)
        row = QHBoxLayout()
        for part in (self.amount, self.name):
            row.addWidget(part)
        under = QHBoxLayout()
        under.addWidget(self.form)
        under.addWidget(self.copy)
        last = QHBoxLayout()
        for button in (demo, choose):
            last.addWidget(button)
        for narrow in (self.amount, self.name, self.form, self.copy, demo, choose):
            narrow.setMinimumWidth(_NARROWEST)  # two beside each other, and a scroll bar
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 0)
        layout.setSpacing(4)
        layout.addWidget(self.head)
        layout.addLayout(row)
        layout.addWidget(self.text, 1)
        layout.addLayout(under)
        layout.addWidget(self.make_file)
        layout.addLayout(last)
        layout.addStretch(0)
        self.amount.currentIndexChanged.connect(self.refresh)
        self.form.currentIndexChanged.connect(self.refresh)
        self.name.textChanged.connect(self.refresh)
        self.refresh()

    def _create(self) -> None:
        """Make the file and open it, or show in the text's place why not."""
        try:
            spec = create_shared_file(int(self.amount.currentData()), self.name.text())
        except ScopeError as error:
            self.text.setPlainText(str(error))
            return
        self.open_wanted.emit(spec)

    def refresh(self) -> None:
        """Write the text for what is chosen."""
        try:
            made = setup_help(int(self.amount.currentData()), self.name.text())
        except ScopeError as error:
            self.text.setPlainText(str(error))
            self.copy.setEnabled(False)
            self.make_file.setEnabled(False)
            return
        self.copy.setEnabled(True)
        self.make_file.setEnabled(True)
        self.text.setPlainText(
            made.qemu_args if self.form.currentIndex() == 0 else made.libvirt_xml
        )

    def set_brief(self, on: bool) -> None:
        """Leave out the text to copy while another panel shows it."""
        self.head.setText(f"<b>{_TITLE}</b><br>{_BRIEF if on else _HEAD}")
        for part in (self.amount, self.name, self.text, self.form, self.copy):
            part.setHidden(on)
        self.make_file.setVisible(ON_HOST and not on)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.head.setStyleSheet(f"color: {theme.text}")
