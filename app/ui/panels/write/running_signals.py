"""The test signals and frozen values of a region: how each goes, and a button to stop it."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ....core.engine import messages as msg
from ....core.values.units import format_rate, format_short_offset
from ....core.write.record import FreezeState, RepeatState
from ...hex.decorations.decorations import Decorations, Depth, Layer
from ...session.session import Session
from ...style.elided_label import ElidedLabel
from ...style.theme import UNIT, mono_font
from .signal_ranges import signal_ranges

STATES_MS: Final = 500
_ROWS: Final = 2  # that are shown without scrolling
State = RepeatState | FreezeState


class SignalRow(QWidget):
    """One signal or frozen value.

    Signals:
        stop_wanted(int): Stop the one of this number.
    """

    stop_wanted = Signal(int)

    def __init__(self, number: int) -> None:
        super().__init__()
        self.text = ElidedLabel()
        self.text.setFont(mono_font())
        self.stop = QPushButton("Stop")
        self.stop.setAutoDefault(True)  # Enter presses it
        self.stop.clicked.connect(lambda: self.stop_wanted.emit(number))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.text, 1)
        row.addWidget(self.stop)

    def show_state(self, state: State) -> None:
        """How it goes now."""
        place = state.freeze if isinstance(state, FreezeState) else state.repeat
        where, what = format_short_offset(place.offset), place.label
        text = f"{what} at {where}: {_how(state)}"
        if isinstance(state, FreezeState):
            text = f"{where} frozen, {_how(state)}"
        if state.error is not None:
            text = f"{what} at {where} ended: {state.error.message}"
        self.text.setText(text)
        self.text.setToolTip(text)
        self.stop.setAccessibleName(f"Stop {what} at {where}")


def _how(state: State) -> str:
    """What it does, at the rates that it really has."""
    if isinstance(state, FreezeState):
        fights = "1 fight" if state.fights == 1 else f"{state.fights:,} fights"
        theirs = f", last against {state.theirs.hex(' ').upper()}" if state.theirs else ""
        rate = format_rate(state.look_hz, "looks/s")
        return f"{fights}, {rate}: {state.freeze.name}{theirs}"
    return f"{format_rate(state.rate_hz, '/s')} of {format_rate(state.asked_hz, '/s')}"


class RunningSignals(QWidget):
    """A row for each running signal of one session, and their ranges in the views of the bytes.

    Attributes:
        states: How each goes, as it was asked for last.

    Signals:
        ended(int): The signal of this number has ended, by a button here or otherwise.
    """

    ended = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._layer: Layer | None = None
        self.rows: dict[int, SignalRow] = {}
        self.states: tuple[State, ...] = ()
        self.stop_all = QPushButton("Stop all")
        self.stop_all.setAutoDefault(True)
        self.stop_all.clicked.connect(partial(self.end, 0))
        self._list = QWidget()
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(UNIT)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(self._list)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.stop_all)
        self.timer = QTimer(self)
        self.timer.setInterval(STATES_MS)
        self.timer.timeout.connect(self.ask)
        self._show(())

    def set_decorations(self, decorations: Decorations) -> None:
        """Show in these where signals run."""
        self._layer = decorations.layer("signals", Depth.STATE)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none; signals that run there already are shown."""
        self._session = session
        self._show(())
        if session is not None and session.info is not None:
            self.ask()

    def watch(self) -> None:
        """A signal was started: show how it goes until none is left."""
        self.timer.start()
        self.ask()

    def ask(self) -> None:
        """Ask for the states."""
        if self._session is not None:
            self._session.ask(msg.ListRepeats(), partial(self._take, self._session), _ignore)

    def _take(self, asked: Session, states: tuple[State, ...]) -> None:
        if asked is self._session:
            self._show(states)

    def _show(self, states: tuple[State, ...]) -> None:
        self.states = states
        running = {state.number for state in states}
        gone = [number for number in self.rows if number not in running]
        for number in gone:
            row = self.rows.pop(number)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for state in states:
            if state.number not in self.rows:
                self._add(state.number)
            self.rows[state.number].show_state(state)
        if self._layer is not None:
            self._layer.replace(signal_ranges(states))
        self._fit()
        if not states:
            self.timer.stop()
        elif not self.timer.isActive():
            self.timer.start()
        for number in gone:
            self.ended.emit(number)

    def _add(self, number: int) -> None:
        row = self.rows[number] = SignalRow(number)
        row.stop_wanted.connect(self.end)
        self._column.addWidget(row)

    def _fit(self) -> None:
        """As high as the rows, up to a few; more are scrolled to."""
        count = len(self.rows)
        self.setVisible(count > 0)
        self.stop_all.setVisible(count > 1)
        if count:
            high = next(iter(self.rows.values())).sizeHint().height()
            shown = min(count, _ROWS)
            self._scroll.setFixedHeight(shown * high + (shown - 1) * UNIT)

    def frozen_at(self, start: int, length: int) -> FreezeState | None:
        """A frozen value that has some of these bytes."""
        for state in self.states:
            if isinstance(state, FreezeState) and state.error is None:
                held = state.freeze
                if held.offset < start + length and start < held.offset + held.width:
                    return state
        return None

    def end(self, number: int) -> None:
        """Stop the one of this number, or all (0)."""
        if self._session is not None:
            self._session.ask(msg.StopRepeat(number), lambda _record: self.ask())


def _ignore(_error: object) -> None:
    """The session says by itself that the engine is gone."""
