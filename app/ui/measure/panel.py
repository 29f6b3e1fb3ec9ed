"""Measure: the lane with its peers, the form of a test, and the results, side by side."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ...core.engine.measuring import measurement_messages as dm
from ...core.errors import CancelledError, LockedError, ScopeError
from ...core.measure.flash.flash import Flip, Painted, Surface
from ...core.measure.flash.flash_result import FlashPlan
from ...core.measure.lane.hold import RestoreOutcome
from ...core.measure.peers.responder_state import Phase, ResponderState
from ...core.values.units import format_time
from ...core.watch.frame import Level
from ..session.notice import Notice
from ..session.session import Session
from ..style.combo_box import ComboBox
from ..style.outside_text import PlainLabel
from ..style.theme import DARK, PAD, Theme
from .charts.chart_tabs import BY_HAND, FIRST, ChartTabs
from .forms import BandwidthForm, FlashForm, LatencyForm, TestForm, TransferForm
from .lane.lane_box import LaneBox
from .live import live_sentence
from .place import Place
from .runs.run_table import RunTable
from .runs.runs import headline, missing, run_of

_NOBODY: Final = "Nobody answers"  # how the engine's sentence begins


class MeasurePanel(QWidget):
    """The panel.

    Signals:
        notice(Notice): For the message bar.
        hex_flash_wanted(Flip): The peer asks that the hex view shows this flash.
        front_wanted(): A flash of the peer arrived; the patch must be seen.
    """

    notice = Signal(object)
    hex_flash_wanted = Signal(object)
    front_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._theme = DARK
        self._request = 0
        self._number = 0
        self._bad = False
        self._plan: Any = None
        self._flashes = 0
        self._stopped = False
        self._was_locked = False  # the sentence that stands there says so
        self.lane = LaneBox()
        self.forms: dict[str, TestForm] = {
            "latency": LatencyForm(),
            "transfer": TransferForm(),
            "bandwidth": BandwidthForm(),
            "flash": FlashForm(),
        }
        self.choice = ComboBox()
        self.choice.setAccessibleName("Test")
        self.stack = QStackedWidget()
        for form in self.forms.values():
            self.choice.addItem(form.title)
            self.stack.addWidget(form)
        self.start = QPushButton("Start")
        self.start.setDefault(True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.status = PlainLabel()
        self.status.setWordWrap(True)
        self.charts = ChartTabs()
        self.runs = RunTable()
        self._lay_out()
        self._connect()
        self._show_running(on=False)
        self._choose(0)
        self.set_session(None)

    def _lay_out(self) -> None:
        form = QScrollArea()
        form.setWidgetResizable(True)
        form.setFrameShape(QScrollArea.Shape.NoFrame)
        form.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        form.setWidget(self.stack)
        form.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its fields have it
        head = QHBoxLayout()
        head.addWidget(self.choice, 1)
        head.addWidget(self.start)
        test, chart = QWidget(), QWidget()
        test_column, chart_column = QVBoxLayout(test), QVBoxLayout(chart)
        for column in (test_column, chart_column):
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(4)
        test_column.addLayout(head)
        test_column.addWidget(form, 1)
        chart_column.addWidget(self.charts, 1)
        chart_column.addWidget(self.progress)
        chart_column.addWidget(self.status)
        self.place = Place(test, self.lane, chart, self.runs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PAD, 4, PAD, 4)
        layout.addWidget(self.place)
        self.setFocusProxy(self.choice)

    def _connect(self) -> None:
        self.choice.currentIndexChanged.connect(self._choose)
        for form in self.forms.values():
            form.edited.connect(self._check)
            form.entered.connect(self.start.click)  # nothing while it is disabled
        self.choice.entered.connect(self.start.click)
        self.start.clicked.connect(self.toggle)
        self.runs.changed.connect(self._draw)
        self.runs.reported.connect(self.status.setText)
        self.lane.failed.connect(self._complain)
        self.lane.edited.connect(self._check)
        self.charts.patch.painted.connect(self.painted)
        self.charts.patch.pressed.connect(self._pressed)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none. Finished runs stay."""
        if self._session is not None:
            self._session.unasked.disconnect(self._unasked)
            self._session.lock_changed.disconnect(self._lock_changed)
            self._session.opened.disconnect(self._check)
        self._session, ended, self._request = session, self._request, 0
        self.lane.set_session(session)
        if session is not None:
            session.unasked.connect(self._unasked)
            session.lock_changed.connect(self._lock_changed)
            session.opened.connect(self._check)
        self._end(self._kind())
        self._show_running(on=False)
        self._draw()
        self._check()
        if ended:
            self._report("The test ended: its region was closed.", bad=True)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        for part in (self.charts, self.runs, self.lane):
            part.set_theme(theme)
        self._report(self.status.text(), bad=self._bad)

    def form(self) -> TestForm:
        """The form of the chosen test."""
        return list(self.forms.values())[self.choice.currentIndex()]

    def show_test(self, name: str) -> None:
        """Choose a test."""
        self.choice.setCurrentIndex(list(self.forms).index(name))

    def _choose(self, index: int) -> None:
        self.stack.setCurrentIndex(index)
        self.charts.show_kind(self._kind())
        self.runs.set_kind(self._kind())
        self._check()
        self._draw()

    def _check(self, _info: object = None) -> None:
        """Whether the fields make sense; says why not."""
        if self._request:
            return
        text = ""
        if self._session is None:
            text = "Open a region to measure in it."
        elif not (text := self.lane.read_only()):
            try:
                self.form().plan()
                self.lane.wanted()
            except ScopeError as error:
                text = str(error)
        self.start.setEnabled(not text)
        self._report(text, bad=bool(text) and self._session is not None)

    def _report(self, text: str, *, bad: bool = False) -> None:
        self._bad, self._was_locked = bad, False
        self.status.setStyleSheet(f"color: {self._theme.fault if bad else self._theme.quiet}")
        self.status.setText(text)

    # -- running -----------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Start the test, or end the one that runs."""
        session = self._session
        if session is None:
            return
        if self._request:
            self._report("Stopping …")
            self._stopped = True
            session.ask(dm.StopTest(), on_error=self._complain)
            return
        try:
            plan, wanted = self.form().plan(), self.lane.wanted()
        except ScopeError as error:
            self._failed(error)
            return
        command = dm.StartTest(plan, wanted, self.lane.slot())
        self._request = session.ask(command, self._done, self._failed)
        if self._request:
            self._plan, self._flashes, self._stopped = plan, 0, False
            self._show_running(on=True)
            self._report("Looking for a peer …" if self.form().needs_peer else "Measuring …")
            if isinstance(plan, FlashPlan):
                self.charts.clear_patch(BY_HAND if plan.manual else FIRST)
            self.charts.show_start(self._kind())

    def _show_running(self, *, on: bool) -> None:
        self.start.setText("Stop" if on else self.form().verb)
        self.start.setEnabled(True)
        self.choice.setEnabled(not on)
        self.stack.setEnabled(not on)
        self.charts.set_waiting(on=on)
        self.progress.setVisible(on)
        self.progress.setRange(0, 0)

    def _done(self, outcome: dm.Outcome) -> None:
        self._request = 0
        self._show_running(on=False)
        self._number += 1
        quiet = (RestoreOutcome.NOTHING_OWED, RestoreOutcome.RESTORED)
        ending = "" if outcome.ending in quiet else f"Under the lane: {outcome.ending.value}"
        try:
            run = run_of(self._number, outcome.result, ending)
        except ScopeError as error:
            self._failed(error)
            return
        self.runs.add(run)
        self._end(run.kind)
        word = "stopped early" if self._stopped else "done"
        text = f"Run {run.number} {word}: {headline(run)}. {ending}"
        self._report(text.strip(), bad=bool(ending) or bool(missing(run)))

    def _end(self, kind: str) -> None:
        self.charts.show_end(kind)
        self.charts.clear_patch()  # a key pressed from now on is no reaction to anything

    def _failed(self, error: ScopeError) -> None:
        self._request = 0
        self._show_running(on=False)
        self._end(self._kind())
        self._draw()  # without the curve of what came to nothing
        self._complain(error)

    def _complain(self, error: ScopeError) -> None:
        """Show why something was refused; a running test is not ended."""
        self._report(str(error), bad=not isinstance(error, CancelledError))
        self._was_locked = isinstance(error, LockedError)
        if self._was_locked:
            self.notice.emit(
                Notice(Level.WARNING, error.message, "Ctrl+L unlocks it.", ("Unlock",), "locked")
            )

    def _lock_changed(self, locked: bool) -> None:
        if locked and self._request:
            self._report("Writing was locked: the test ends.")
        elif not locked and self._was_locked:
            self._check()  # what stood there is true no more

    # -- what the engine says --------------------------------------------------------------------

    def _unasked(self, answer: object) -> None:
        match answer:
            case dm.TestProgress(_, text, figures):
                if text:
                    self._report(f"{text} Still listening." if text.startswith(_NOBODY) else text)
                if figures is not None:
                    self._live(figures)
            case dm.ResponderChanged(state):
                self._responded(state)
            case dm.Flashed(flip):
                self._flashed(flip)

    def _live(self, figures: Any) -> None:
        status = live_sentence(figures)
        share = status.share
        if isinstance(self._plan, FlashPlan):
            self._flashes += 1  # each was answered or lost
            share = self._flashes / self._plan.flips if self._plan.flips else None
        if share is not None:
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(1000 * max(0.0, min(1.0, share))))
        if status.text:
            self._report(status.text, bad=status.bad)
        self.charts.show_live(figures, self._number)

    def _responded(self, state: ResponderState) -> None:
        self.lane.show_state(state)
        if state.phase is not Phase.ANSWERING and not self._request:
            self.charts.clear_patch()

    # -- flash -----------------------------------------------------------------------------------

    def _flashed(self, flip: Flip) -> None:
        if flip.surface is Surface.HEX and not flip.ours:
            self.hex_flash_wanted.emit(flip)
            return
        if not flip.ours:
            if not self._request:
                self.show_test("flash")
            patch = self.charts.patch
            self.charts.setCurrentWidget(patch)
            if patch.visibleRegion().isEmpty():  # Qt does not call what is behind a tab hidden
                self.front_wanted.emit()
        self.charts.patch.show_flip(flip)

    def painted(self, painted: Painted) -> None:
        """A flash of the peer was painted, by the patch or by the hex view."""
        if self._session is not None:
            self._session.ask(dm.FlashPainted(painted), on_error=lambda _error: None)

    def _pressed(self, number: int, reaction_ns: int) -> None:
        session = self._session
        if session is None:
            return
        flip = self.charts.patch.flip
        if self._request:
            session.ask(dm.FlipNow(), on_error=lambda _error: None)
        elif number and flip is not None and not flip.ours:
            session.ask(dm.FlashReacted(number, reaction_ns), on_error=lambda _error: None)
            self._report(f"Reaction: {format_time(reaction_ns)} after the flash was painted")

    def _kind(self) -> str:
        return list(self.forms)[self.choice.currentIndex()]

    def _draw(self) -> None:
        self.charts.show_runs(self.runs.model.overlaid())
