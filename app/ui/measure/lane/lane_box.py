"""The lane: its place, its peers, and the switch that makes this window a responder."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ....core.engine.measuring.measurement_messages import (
    LaneRequest,
    LaneView,
    PollLane,
    Respond,
    SlotView,
)
from ....core.errors import EngineGoneError, LaneError, ReadOnlyError, ScopeError
from ....core.health import health_of
from ....core.measure.lane.layout import ALIGN, MIN_SIZE
from ....core.measure.lane.peer_card import PeerCard
from ....core.measure.lane.presence import Life
from ....core.measure.peers.responder_state import Phase, ResponderState
from ....core.values.expressions import evaluate
from ....core.values.units import format_short_offset, format_size
from ....core.watch.frame import Level
from ...hex.decorations.decorations import Decorations, Depth, Layer
from ...session.session import Session
from ...session.state_words import state_word
from ...style.outside_text import PlainLabel, tip
from ...style.theme import DARK, Theme, mono_font
from .lane_ranges import lane_ranges

LOOK_MS: Final = 700
_LANE_TIP: Final = (
    "The lane is the part of this memory in which both sides find each other and measure. "
    "A test, or answering, creates one where none is; the bytes under it are saved, and put "
    "back at the end."
)
_NOBODY: Final = (
    "Nobody is here yet. Open this region on the other side and switch on “Answer tests here”, "
    "or type there what the button copies."
)
_MARKS: Final = {Life.ALIVE: "●", Life.NEW: "○", Life.SILENT: "▲", Life.GONE: "■"}
_LEVELS: Final = {Life.SILENT: Level.WARNING, Life.GONE: Level.FAULT}
_STATES: Final = {
    Life.ALIVE: "",
    Life.NEW: "looking",
    Life.SILENT: "silent",
    Life.GONE: "gone",
}


class LaneBox(QWidget):
    """The column.

    Signals:
        failed(ScopeError): The responder could not be switched.
        edited(): The place of a new lane changed.
    """

    failed = Signal(object)
    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self._asking = self._ask_again = False
        self._layer: Layer | None = None
        self._theme = DARK
        self.command = ""
        self.view = LaneView(None)
        self.answer = QCheckBox("Answer tests here")
        self.answer.setToolTip(
            "Takes a place in the lane and answers tests that the other side starts. "
            "Writes only in the lane; the bytes under it are put back at the end."
        )
        self.where = QLabel()
        self.where.setFont(mono_font())
        self.where.setWordWrap(True)
        self.where.setToolTip(_LANE_TIP)
        self.offset = QLineEdit()
        self.offset.setFont(mono_font())
        self.offset.setPlaceholderText("at the end")
        self.offset.setToolTip("Where to create a lane, a multiple of 0x1000; both sides the same")
        self.offset.setAccessibleName("Offset of a new lane")
        self.force = QCheckBox("force")
        self.force.setToolTip("Create the lane even where the bytes keep changing")
        self.copy = QPushButton("Copy command")
        self.copy.clicked.connect(self._copy_command)
        self.peers = QListWidget()
        self.peers.setAccessibleName("Peers in the lane")
        self.peers.setWordWrap(True)
        self.peers.setMinimumHeight(28)  # a long sentence above it has its room first
        self.state = PlainLabel()
        self.state.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel("Lane"))
        row.addWidget(self.offset, 1)
        row.addWidget(self.force)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.answer)
        layout.addWidget(self.state)
        layout.addLayout(row)
        layout.addWidget(self.where)  # it grows: the field above must not move while one types
        layout.addWidget(self.peers, 1)
        layout.addWidget(self.copy)
        self.answer.toggled.connect(self._switch)
        self.offset.textChanged.connect(self._edited)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._tick)
        self.set_session(None)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        self._session = session
        self._asking = self._ask_again = False
        self._set_answer(on=False)
        self.answer.setEnabled(session is not None)
        self._report("")
        location = session.spec.location if session is not None else "DEVICE"
        self.command = f"ivshmem-scope respond {shlex.quote(location)}"
        self.copy.setToolTip(
            tip(
                f"{self.command}\nAnswers tests without a window. In a guest name its own device "
                "instead; `ivshmem-scope list` shows it."
            )
        )
        self._show_view(LaneView(None))

    def set_decorations(self, decorations: Decorations) -> None:
        """Mark the lane in these."""
        self._layer = decorations.layer("lane", Depth.AREA)
        self._layer.replace(lane_ranges(self.view))

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        for label in (self.where, self.state):
            label.setStyleSheet(f"color: {theme.quiet}")

    def read_only(self) -> str:
        """Why nothing can be written there, as a sentence; empty when it can, or is not known."""
        info = self._session.info if self._session is not None else None
        text = ""
        try:
            if info is not None:
                info.need_writable()
        except ReadOnlyError as error:
            text = f"Measuring writes into its lane, and {error}"
        self.answer.setEnabled(self._session is not None and not text)
        return text

    def wanted(self) -> LaneRequest:
        """The lane's place, as typed. Raises ScopeError for an impossible one."""
        text = self.offset.text().strip()
        info = self._session.info if self._session else None
        size = info.size if info else 0
        offset = evaluate(text, size=size) if text else None
        if offset is not None and size:
            check_offset(offset, size)
        return LaneRequest(offset, force=self.force.isChecked())

    def slot(self) -> int | None:
        """The chosen peer's slot; None is the first that fits."""
        chosen = self.peers.model().data(self.peers.currentIndex(), Qt.ItemDataRole.UserRole)
        return chosen if isinstance(chosen, int) else None

    def _edited(self) -> None:
        self.poll()
        self.edited.emit()

    def _copy_command(self) -> None:
        QGuiApplication.clipboard().setText(self.command)

    def _report(self, text: str) -> None:
        """What the responder does; no empty line where it does nothing."""
        self.state.setText(text)
        self.state.setToolTip(tip(text))  # a narrow column may not have the room
        self.state.setVisible(bool(text))

    # -- looking -----------------------------------------------------------------------------------

    def poll(self) -> None:
        """Poll the lane. One request at a time: one that comes meanwhile is sent after it."""
        session = self._session
        if session is None or session.info is None:
            return
        self._ask_again = self._asking
        if self._asking:
            return
        try:
            wanted = self.wanted()
        except ScopeError as error:
            self.where.setText(str(error))
            return
        self._asking = True
        session.ask(
            PollLane(wanted),
            lambda view: self._polled(session, self._show_view, view),
            lambda error: self._polled(session, self._blind, error),
        )

    def _polled(self, session: Session, show: Callable[[Any], None], answer: object) -> None:
        """A poll's answer; ignored if another region is shown by now."""
        if session is not self._session:
            return
        self._asking = False
        show(answer)
        if self._ask_again:
            self.poll()

    def _blind(self, error: ScopeError) -> None:
        """The region is gone: empty the list of peers."""
        trouble = error.message
        if isinstance(error, EngineGoneError):  # and with it its responder
            self._set_answer(on=False)
            self._report("")
            word = state_word(health_of(error))
            trouble = f"not looking: the engine {word}, Retry starts another"
        self._show_view(LaneView(None, trouble=trouble))

    def _show_view(self, view: LaneView) -> None:
        self.view = view
        if self._layer is not None:
            self._layer.replace(lane_ranges(view))
        self._look_on()
        lane = view.lane
        if view.trouble:
            self.where.setText(view.trouble)
        elif lane is None:
            self.where.setText("no lane yet")
        else:
            place = format_short_offset(lane.offset)
            self.where.setText(f"lane at {place}, {format_size(lane.size)}, {lane.slots} slots")
        self._fill([view for view in view.slots if view.responder is not None])

    def _fill(self, slots: list[SlotView]) -> None:
        chosen = self.slot()
        self.peers.blockSignals(True)  # a refresh is not a choice
        self.peers.clear()
        for view in slots:
            item = QListWidgetItem(slot_text(view))
            item.setData(Qt.ItemDataRole.UserRole, view.slot)
            if view.responder_life in _LEVELS:
                item.setForeground(self._theme.level(_LEVELS[view.responder_life]))
            self.peers.addItem(item)
            if view.slot == chosen:
                self.peers.setCurrentItem(item)
        if not slots:
            item = QListWidgetItem(_NOBODY)
            item.setToolTip(_NOBODY)
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.peers.addItem(item)
        self.copy.setVisible(not slots and self._session is not None)
        self.peers.blockSignals(False)

    # -- the responder -----------------------------------------------------------------------------

    def _switch(self, on: bool) -> None:
        session = self._session
        if session is None:
            return
        try:
            wanted = self.wanted()
        except ScopeError as error:
            self._refused(error)
            return
        session.ask(Respond(on, wanted), self.show_state, self._refused)

    def _refused(self, error: ScopeError) -> None:
        self._set_answer(on=False)
        self.failed.emit(error)

    def _set_answer(self, *, on: bool) -> None:
        self.answer.blockSignals(True)
        self.answer.setChecked(on)
        self.answer.blockSignals(False)

    def show_state(self, state: ResponderState) -> None:
        """What the responder does."""
        self.poll()  # it may have created a lane, or restored the bytes under one
        text = state.phase.value if self.answer.isChecked() else ""
        if state.phase is Phase.ANSWERING and state.initiator is not None:
            text = f"answering {state.command} for {name_of(state.initiator)}"
        if state.trouble is not None:
            text = str(state.trouble)
        if state.phase is Phase.ENDED:
            self._set_answer(on=False)
            if state.ending is not None and state.trouble is None:
                text = f"ended: {state.ending.value}"
        self._report(text)

    def _shown_elsewhere(self) -> bool:
        """Whether other views show a lane, which must not stay when it is gone."""
        return self._layer is not None and len(self._layer) > 0

    def _look_on(self) -> None:
        """Look while this can be seen, or a lane elsewhere."""
        if self.isVisible() or self._shown_elsewhere():
            if not self._timer.isActive():
                self._timer.start()
        else:
            self._timer.stop()

    def _tick(self) -> None:
        # Qt does not call what is behind a tab hidden.
        if self._shown_elsewhere() or not self.visibleRegion().isEmpty():
            self.poll()

    def showEvent(self, event: QShowEvent) -> None:
        """Look only while it can be seen."""
        self._look_on()
        self.poll()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing when hidden, unless a lane is shown elsewhere."""
        self._look_on()
        super().hideEvent(event)


def check_offset(offset: int, size: int) -> None:
    """Whether a lane can begin there, as far as that is known before it is created.

    Raises:
        LaneError: It cannot.
    """
    low = offset // ALIGN * ALIGN
    last = (size - MIN_SIZE) // ALIGN * ALIGN
    if not 0 <= offset <= size - MIN_SIZE:
        raise LaneError(
            f"A lane at {format_short_offset(offset)} would not be inside {format_size(size)}.",
            f"The last place is {format_short_offset(last)}." if last >= 0 else "",
        )
    if offset != low:
        near = [format_short_offset(at) for at in (low, low + ALIGN) if at <= last]
        raise LaneError(
            f"{format_short_offset(offset)} is no multiple of {format_short_offset(ALIGN)}.",
            f"Near it: {', '.join(near)}.",
        )


def name_of(card: PeerCard) -> str:
    """`guest WIN11-DEV`."""
    return " ".join(part for part in (card.system, card.name) if part) or "a peer"


def slot_text(view: SlotView) -> str:
    """One peer in a line or two."""
    assert view.responder is not None
    mark, state = _MARKS.get(view.responder_life, "○"), _STATES.get(view.responder_life, "")
    who = "this window" if view.ours else str(view.responder)
    measured = view.initiator is not None and view.initiator_life is not Life.GONE
    busy = f"measured by {name_of(view.initiator)}" if view.initiator and measured else ""
    return f"{mark} " + ", ".join(part for part in (who, state, busy) if part)
