"""The device list: the devices found, their problems, and what helps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ....core.region.region import CacheMode, RegionKind, RegionSpec
from ....core.watch.frame import Level
from ...action import Action, Gesture, bind_keys
from ...hex.decorations.decorations import Decorations, Depth, Layer
from ...panel import About, Panel, PanelHost
from ...style.icons import icon
from ...style.outside_text import PlainLabel, tip
from ...style.theme import SYMBOLS, Theme
from .content_ranges import content_ranges
from .device_list import DeviceDelegate, DeviceModel, Index, Row, make_rows
from .setup_guide import SetupGuide

if TYPE_CHECKING:
    from ....core.discovery.finder import Device, DeviceList


class _List(QListView):
    """Keys that move never end on a head.

    Signals:
        left(): The mouse is over the rows no more.
    """

    left = Signal()

    def viewportEvent(self, event: QEvent) -> bool:
        """Emit `left` when the mouse leaves the rows."""
        done = super().viewportEvent(event)
        if event.type() == QEvent.Type.Leave:
            self.left.emit()
        return done

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Choose what Enter would open: Qt makes it current and does not show it."""
        super().focusInEvent(event)
        if self.currentIndex().isValid() and not self.selectedIndexes():
            self.setCurrentIndex(self.currentIndex())

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Where Qt would go, or from a head on to the next device, in the same direction first."""
        moves, model = QAbstractItemView.CursorAction, self.model()
        ends = {moves.MoveHome: 0, moves.MoveEnd: model.rowCount() - 1}
        if action in ends:
            target = model.index(ends[action], 0)
        else:
            target = super().moveCursor(action, modifiers)
        down = action in (moves.MoveHome, moves.MoveDown, moves.MovePageDown, moves.MoveNext)
        for step in (1, -1) if down else (-1, 1):
            index = target
            while index.isValid():
                if index.flags() & Qt.ItemFlag.ItemIsSelectable:
                    return index
                index = index.siblingAtRow(index.row() + step)
        return target


class DevicesPanel(Panel):
    """The panel.

    Signals:
        open_wanted(RegionSpec): Open this region.
        open_file_wanted(), demo_wanted(), rescan_wanted(): The buttons.
    """

    about = About(
        "devices",
        "Devices",
        Qt.DockWidgetArea.LeftDockWidgetArea,
        ("watch", "link"),
        ("Alt+1",),
        "devices",
        "Shared memory on this computer, and what stands in its way",
        needs_session=False,
    )
    open_wanted = Signal(object)
    open_file_wanted = Signal()
    demo_wanted = Signal()
    rescan_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._devices: tuple[Device, ...] = ()
        self._problems: tuple[str, ...] = ()
        self._recent: list[str] = []
        self._scanned = False
        self._layer: Layer | None = None
        self.search = QLineEdit(placeholderText="Search devices", clearButtonEnabled=True)
        self.rescan = QToolButton()
        self.rescan.setToolTip("Look for devices now (Ctrl+F5)")
        self.rescan.clicked.connect(self.rescan_wanted)
        self.model = DeviceModel()
        self.delegate = DeviceDelegate(self.model)
        self.list = _List()
        self.list.setModel(self.model)
        self.list.setItemDelegate(self.delegate)
        self.list.setMouseTracking(True)
        self.list.setAccessibleName("Devices")
        self.list.setContextMenuPolicy(self.list.contextMenuPolicy().CustomContextMenu)
        self.teaching = SetupGuide()
        self.detail = PlainLabel(wrapped=True)
        self.detail.setTextInteractionFlags(
            self.detail.textInteractionFlags().TextSelectableByMouse
        )
        self.copy = QPushButton("Copy command")
        self.others = QToolButton()
        self.others.setCheckable(True)
        self.open_file = QPushButton("Open file…")
        self.open_file.clicked.connect(self.open_file_wanted)
        self.list.left.connect(self._refresh)
        self.delegate.on_open = self._open
        self._lay_out()
        self._connect()
        self._show_detail(None)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.search, 1)
        head.addWidget(self.rescan)
        body = QWidget()
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self.list)
        guide = QScrollArea()  # a low window has less room than it takes
        guide.setWidget(self.teaching)
        guide.setWidgetResizable(True)
        guide.setFrameShape(QScrollArea.Shape.NoFrame)
        guide.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        guide.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it has it
        self._stack.addWidget(guide)
        foot = QVBoxLayout()  # a narrow dock has no room for both side by side
        foot.addWidget(self.others)
        foot.addWidget(self.open_file)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 6)
        layout.setSpacing(6)
        for part in (head, foot):
            part.setContentsMargins(8, 0, 8, 0)
        layout.addLayout(head)
        layout.addWidget(body, 1)
        under = QVBoxLayout()
        under.setContentsMargins(10, 0, 8, 0)
        under.addWidget(self.detail)
        under.addWidget(self.copy)
        layout.addLayout(under)
        layout.addLayout(foot)
        self.setFocusProxy(self.list)

    def _connect(self) -> None:
        self.search.textChanged.connect(self._refresh)
        self.others.toggled.connect(self._refresh)
        self.list.doubleClicked.connect(self._open)
        bind_keys(self.list, self.own_actions())
        self.list.selectionModel().currentChanged.connect(
            lambda index, _old: self._show_detail(self._row(index))
        )
        self.model.modelReset.connect(lambda: self._show_detail(None))
        self.model.dataChanged.connect(
            lambda *_: self._show_detail(self._row(self.list.currentIndex()))
        )
        self.list.customContextMenuRequested.connect(self._menu)
        self.copy.clicked.connect(self._copy_command)
        self.teaching.demo_wanted.connect(self.demo_wanted)
        self.teaching.open_file_wanted.connect(self.open_file_wanted)
        self.teaching.open_wanted.connect(self.open_wanted)

    def attach(self, host: PanelHost) -> None:
        self.set_decorations(host.decorations)
        host.devices_found.connect(self.set_devices)
        host.recent_changed.connect(self.set_recent)
        host.region_opened.connect(self.set_open)
        host.guide_shown.connect(self.teaching.set_brief)
        self.open_wanted.connect(host.open_wanted)
        self.open_file_wanted.connect(lambda: host.action_wanted.emit("open_file"))
        self.demo_wanted.connect(lambda: host.action_wanted.emit("demo"))
        self.rescan_wanted.connect(lambda: host.action_wanted.emit("rescan"))

    def own_actions(self) -> tuple[Action, ...]:
        text = "Open the chosen one"
        return (
            Action("open_device", text, ("Return", "Enter"), self.open_chosen, self.about.title),
        )

    def own_gestures(self) -> tuple[Gesture, ...]:
        scope = self.about.title
        return (
            Gesture(scope, "Click on “Open”, double click", "Open it"),
            Gesture(scope, "Home, End", "First, last device"),
        )

    # -- content ---------------------------------------------------------------------------------

    def set_devices(self, found: DeviceList) -> None:
        """What was found."""
        self._devices = tuple(found.devices)
        self._problems = tuple(str(problem) for problem in found.problems)
        first, self._scanned = not self._scanned, True
        self._refresh(hold=not first and self._under_pointer())
        self._decorate()

    def set_recent(self, recent: Iterable[object]) -> None:
        """What was open before, newest first."""
        self._recent = [text for text in recent if isinstance(text, str)]  # from a file
        self._refresh(hold=self._under_pointer())

    def set_open(self, location: str) -> None:
        """Mark what this window has open."""
        self.delegate.open_location = location
        self._choose(None)
        self.list.viewport().update()
        self._decorate()

    def set_decorations(self, decorations: Decorations) -> None:
        """Show in these what was recognised in the region that is open."""
        self._layer = decorations.layer("content", Depth.CONTENT)

    def _decorate(self) -> None:
        if self._layer is not None:
            here = self.delegate.open_location
            known = (device.content for device in self._devices if device.location == here)
            self._layer.replace(content_ranges(next(known, None)))

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self.delegate.theme = theme
        self.rescan.setIcon(icon("refresh", theme))
        self.teaching.set_theme(theme)
        self.list.viewport().update()

    def _under_pointer(self) -> bool:
        """Whether the mouse is over the rows: nothing moves there until it leaves."""
        return self.list.isVisible() and self.list.viewport().underMouse()

    def _choose(self, spec: RegionSpec | None) -> None:
        """The row that was chosen before, else the one that is open."""
        specs = [row.spec for row in self.model.rows]
        open_here = (one for one in specs if one and one.location == self.delegate.open_location)
        chosen = spec if spec is not None and spec in specs else next(open_here, None)
        if chosen is not None:
            self.list.setCurrentIndex(self.model.index(specs.index(chosen)))

    def _refresh(self, *, hold: bool = False) -> None:
        chosen = self._row(self.list.currentIndex())
        hidden = sum(not device.likely_shared for device in self._devices)
        self.others.setVisible(hidden > 0)
        self.others.setText(f"Others ({hidden})")
        self.others.setToolTip("Shared memory of other kinds: audio, browsers, semaphores")
        rows = make_rows(
            self._devices, self._recent, self.search.text(), others=self.others.isChecked()
        )
        if hold and self.model.rows:
            self.model.update_rows(rows)
            return
        self.model.set_rows(rows)
        empty = self._scanned and not rows and not self.search.text()
        self._stack.setCurrentIndex(1 if empty else 0)
        self.open_file.setVisible(not empty)
        self._choose(chosen.spec if chosen is not None else None)

    def _row(self, index: Index) -> Row | None:
        if not index.isValid() or index.row() >= len(self.model.rows):
            return None
        row = self.model.rows[index.row()]
        return row if row.spec is not None else None

    def _show_detail(self, row: Row | None) -> None:
        device = row.device if row else None
        self.detail.setVisible(device is not None or bool(self._problems))
        self.copy.setVisible(device is not None and bool(device.health.command))
        if device is None:
            self.detail.set_lines(self._problems)
            return
        health = device.health
        mark = "" if health.level is Level.GOOD else f"{SYMBOLS[health.level]} "
        self.detail.set_lines((device.location, f"{mark}{health.text} {health.hint}".strip()))
        self.copy.setToolTip(tip(health.command))

    # -- what one can do -------------------------------------------------------------------------

    def open_chosen(self) -> None:
        """Open the current row."""
        self._open(self.list.currentIndex())

    def _open(self, index: Index) -> None:
        row = self._row(index)
        if row is not None and row.spec is not None:
            self.open_wanted.emit(row.spec)

    def _copy_command(self) -> None:
        row = self._row(self.list.currentIndex())
        if row is not None and row.device is not None:
            QGuiApplication.clipboard().setText(row.device.health.command)

    def _menu(self, place: QPoint) -> None:
        row = self._row(self.list.indexAt(place))
        if row is None or row.spec is None:
            return
        self.menu_for(row.spec).popup(self.list.viewport().mapToGlobal(place))

    def menu_for(self, spec: RegionSpec) -> QMenu:
        """Open, open read-only, cache modes of a BAR, copy."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._offer(menu, "Open", spec)
        self._offer(menu, "Open read-only", replace(spec, read_only=True))
        if spec.kind in (RegionKind.BAR, RegionKind.WINDOWS):
            for mode in CacheMode:
                if mode is not CacheMode.DEFAULT:
                    self._offer(menu, f"Open {mode.value}", replace(spec, cache=mode))
        menu.addSeparator()
        menu.addAction("Copy location").triggered.connect(
            lambda: QGuiApplication.clipboard().setText(spec.location)
        )
        return menu

    def _offer(self, menu: QMenu, text: str, spec: RegionSpec) -> None:
        menu.addAction(text).triggered.connect(lambda: self.open_wanted.emit(spec))
