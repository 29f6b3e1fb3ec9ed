"""Write tools: fill, typed values, load, save, copy, live test signals; preview, progress, undo."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ....core.engine import messages as msg
from ....core.errors import CancelledError, ConflictError, ScopeError
from ....core.values.byte_block import ByteBlock
from ....core.values.units import format_short_offset, format_size
from ....core.write.record import WriteOutcome, WriteRecord
from ...action import Action
from ...panel import About, Panel, PanelHost
from ...session.session import Session
from ...session.write_requests import Watcher, Working
from ...style.combo_box import ComboBox
from ...style.outside_text import PlainLabel
from ...style.theme import DARK, Theme, mono_font
from . import forms
from .current_bytes import CurrentBytes
from .freezing import Freezing
from .out_of_sight import OutOfSight
from .place import Place, place_of
from .running_signals import RunningSignals
from .tool_form import ToolForm, add_row, form_layout

PREVIEW: Final = 48
_SHOWN_NOW: Final = 16
_SHOW_PROGRESS_MS: Final = 200
_WIDEST: Final = 640  # pixels of the fields; wider they are no easier to read


class WritePanel(Panel):
    """The panel: a tool at the left, its range and preview at the right."""

    about = About(
        "write",
        "Write tools",
        Qt.DockWidgetArea.BottomDockWidgetArea,
        ("edit",),
        ("Alt+5",),
        "write",
        "Fill, typed values, load, save, copy, repeat",
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._cursor = 0
        self._selection = ByteBlock(0, 0)
        self._request = 0
        self._word = ""  # of what runs
        self._out_of_sight = OutOfSight(self)
        self._signal = 0  # the one that the result speaks of
        self.tools: dict[str, ToolForm] = {
            "fill": forms.FillForm(),
            "value": forms.ValueForm(),
            "load": forms.LoadForm(),
            "save": forms.SaveForm(),
            "copy": forms.CopyForm(),
            "signal": forms.SignalForm(),
        }
        self.choice = ComboBox()
        self.choice.setAccessibleName("Write tool")
        self.stack = QStackedWidget()
        for form in self.tools.values():
            self.choice.addItem(form.title)
            self.stack.addWidget(form)
            form.edited.connect(self.refresh)
            form.entered.connect(self._enter)
        self.start = QLineEdit("0x0")
        self.length = QLineEdit("256")
        for line in (self.start, self.length):
            line.setFont(mono_font())
            line.textChanged.connect(self.refresh)
            line.returnPressed.connect(self._enter)
        self.start.setToolTip("Offset: 64, 0x40, end-0x100, cursor+16")
        self.length.setToolTip("Bytes: 256, 4K, end-0x40; a rectangle: 8 x 4 every 16")
        self.use_selection = QPushButton("Use selection")
        self.use_selection.clicked.connect(self._use_selection)
        self.check = PlainLabel(wrapped=True)
        self.preview = QLabel()
        self.preview.setFont(mono_font())
        self.apply = QPushButton("Apply")
        self.apply.clicked.connect(self.run)
        self.lock = QPushButton("Unlock writing")
        self.lock.clicked.connect(self._unlock)
        self.progress = QProgressBar()
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self._cancel)
        for button in (self.use_selection, self.apply, self.lock, self.cancel):
            button.setAutoDefault(True)  # Enter presses it
        self.result = PlainLabel(wrapped=True)
        self.signals = RunningSignals()
        self.signals.ended.connect(self._signal_ended)
        self.freezing = Freezing(self.signals, self)
        self._lay_out()
        self.choice.currentIndexChanged.connect(self._chosen)
        self.choice.entered.connect(self._enter)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.timeout.connect(lambda: self._show_progress(on=True))
        self._current = CurrentBytes(self)
        self._current.arrived.connect(self.refresh)
        self._show_progress(on=False)
        self._chosen(0)

    def _unlock(self) -> None:
        if self._session is not None:
            self._session.set_locked(False)

    def _lay_out(self) -> None:
        place = form_layout()
        row = QHBoxLayout()
        row.setSpacing(8)
        for part, stretch in (
            (self.start, 2),
            (QLabel("length"), 0),
            (self.length, 3),
            (self.use_selection, 0),
        ):
            row.addWidget(part, stretch)
        add_row(place, "Tool", self.choice)
        add_row(place, "Start", row)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addLayout(place)
        left.addWidget(self.stack)
        left.addStretch(1)
        self.stack.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addWidget(self.check)
        right.addWidget(self.preview)
        buttons = QHBoxLayout()
        for part in (self.apply, self.lock, self.cancel):
            buttons.addWidget(part)
        buttons.addWidget(self.progress, 1)
        buttons.addStretch(0)
        right.addLayout(buttons)
        right.addWidget(self.result)
        right.addWidget(self.signals)
        right.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(16)
        fields = QWidget()
        fields.setLayout(left)
        fields.setMaximumWidth(_WIDEST)
        left.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(fields, 1)
        layout.addLayout(right, 1)
        self.setFocusProxy(self.choice)

    # -- what it is about ------------------------------------------------------------------------

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        super().set_session(session)
        self._current.set_session(session)
        self._finish("")
        self.signals.set_session(session)
        self.freezing.set_session(session)
        self.refresh()

    def attach(self, host: PanelHost) -> None:
        self.signals.set_decorations(host.decorations)
        self.freezing.attach(host)
        host.cursor_moved.connect(self.set_cursor)
        host.block_selected.connect(self.set_selection)
        host.file_dropped.connect(self.load_dropped)
        host.tool_wanted.connect(self.call_tool)

    def listen(self, session: Session) -> None:
        session.lock_changed.connect(self._session_changed)
        session.opened.connect(self._session_changed)

    def _session_changed(self, _what: object) -> None:
        self.signals.ask()  # the lock ends them
        self.refresh()

    def own_actions(self) -> tuple[Action, ...]:
        save, load = "Save range to a file…", "Load a file into the region…"
        return (
            *(
                Action(
                    name,
                    text,
                    (key,),
                    partial(self.call_tool, tool),
                    group="File",
                    section=1,
                    needs_session=True,
                )
                for name, text, key, tool in (
                    ("save_range", save, "Ctrl+S", "save"),
                    ("load_file", load, "Ctrl+Shift+O", "load"),
                )
            ),
            *self.freezing.own_actions(),
        )

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.refresh()

    def set_cursor(self, offset: int) -> None:
        """The cursor moved: the typed value goes there."""
        self._cursor = offset
        if not self._selection.length:
            self.start.setText(format_short_offset(offset))

    def set_selection(self, block: ByteBlock) -> None:
        """The selection changed."""
        self._selection = block
        self.use_selection.setEnabled(block.length > 0)
        if block.length:
            self._use_selection()

    def _use_selection(self) -> None:
        self.start.setText(format_short_offset(self._selection.start))
        self.length.setText(self._selection.shape)
        self.length.setCursorPosition(0)  # a rectangle's width is what one reads first

    def call_tool(self, name: str) -> None:
        """Come to the front with this tool."""
        self.front_wanted.emit()
        self.show_tool(name)

    def load_dropped(self, path: str, offset: int) -> None:
        """Offer to load a file that was dropped on a byte."""
        self.call_tool("load")
        self.set_load(path, offset)

    def show_tool(self, name: str) -> None:
        """Choose a tool and give it the focus."""
        self.choice.setCurrentIndex(list(self.tools).index(name))
        self.start.setFocus()

    def set_load(self, path: str, offset: int) -> None:
        """A file was dropped."""
        form = self.tools["load"]
        assert isinstance(form, forms.LoadForm)
        form.path.setText(path)
        self.start.setText(format_short_offset(offset))

    def tool(self) -> ToolForm:
        """The tool that is chosen."""
        return list(self.tools.values())[self.choice.currentIndex()]

    def _chosen(self, index: int) -> None:
        self.stack.setCurrentIndex(index)
        tool = self.tool()
        self.apply.setText(tool.verb)
        self.length.setEnabled(tool.needs_length)
        self.result.setText("")
        self._signal = 0
        self.refresh()

    # -- preview ---------------------------------------------------------------------------------

    def _place(self) -> Place:
        return place_of(
            self.tool(),
            self.start.text(),
            self.length.text(),
            self._selection,
            self._cursor,
            self._size(),
        )

    def _size(self) -> int:
        info = self._session.info if self._session else None
        return info.size if info else 0

    def refresh(self) -> None:
        """Check what is typed and show what would land."""
        tool, session = self.tool(), self._session
        locked = session is None or session.locked
        problem = ""
        tool.here, tool.size_of_region = self._cursor, self._size()
        try:
            place = self._place()
            if session is None or session.info is None:
                problem = "Open a region first."
            else:
                place.need_inside(self._size())
            sentence = place.sentence
            if not problem:
                tool.check(place.length)
                sentence += self._now_text(place.start, place.length)
            new = tool.preview(min(place.length, PREVIEW))
        except ScopeError as error:
            problem, sentence, new = str(error), "", b""
        wrong = problem and session is not None and not tool.missing()
        color = self._theme.fault if wrong else self._theme.quiet
        self.check.setStyleSheet(f"color: {color}")
        self.check.setText(problem or sentence)
        self.preview.setText(_preview(new))
        self.lock.setVisible(locked and session is not None and tool.writes)
        self.apply.setEnabled(not problem and not (locked and tool.writes) and not self._request)

    def _now_text(self, start: int, length: int) -> str:
        """What is there now; asked for when it is not known."""
        if not self.tool().shows_now or length > _SHOWN_NOW:
            return ""
        if now := self._current.known(start, length):
            return f", now {now.data.hex(' ').upper()}"
        self._current.want(start, length)
        return ""

    def _enter(self) -> None:
        """Enter in any field; nothing while the button is disabled."""
        self.apply.click()

    # -- doing it --------------------------------------------------------------------------------

    def run(self) -> None:
        """Send the command."""
        session = self._session
        if session is None:
            return
        tool = self.tool()
        try:
            place = self._place()
            if place.block is None:
                command = tool.command(place.start, place.length)
                target = tool.target(place.start, place.length)
            else:
                command = tool.block_command(place.block)
                target = place.start, place.span
        except ScopeError as error:
            self._finish(str(error), bad=True)
            return
        if command is None:
            return
        done, self._word = self._done_with(tool, place.length), tool.verb
        if isinstance(command, msg.SaveFile):
            self._begun(session.ask(command, done, self._failed, self._progress))
        else:
            watcher = Watcher(self._begun, done, self._failed, self._progress, self._given_up)
            in_form = self._current.known(*target)
            session.writing.use_tool(command, target, f"{tool.verb} anyway", watcher, in_form)

    def _begun(self, request: int) -> None:
        """Also when a person went ahead after a conflict."""
        self._request = request
        if request:
            self._late.start(_SHOW_PROGRESS_MS)
        self.refresh()

    def _done_with(self, tool: ToolForm, length: int) -> Callable[[object], None]:
        def done(value: object) -> None:
            if isinstance(tool, forms.SignalForm):
                assert isinstance(value, int)
                self._finish("Signal runs; stop it to record it in the journal.")
                self._signal = value
                self.signals.watch()
                return
            undo = "; undo with Ctrl+Z" if tool.writes else ""
            landed = ""
            if isinstance(value, WriteRecord) and value.outcome is not WriteOutcome.WHOLE:
                landed = f" ({value.outcome.value})"
            self._finish(f"{tool.past} {format_size(length)}{landed}{undo}.", bad=bool(landed))

        return done

    def _given_up(self) -> None:
        self._finish("Nothing was written; the peer's bytes are kept.")

    def _failed(self, error: ScopeError) -> None:
        if isinstance(error, ConflictError):
            self._finish(
                f"{error.message} Nothing was written yet; answer above.", bad=True, asked=True
            )
        else:
            self._finish(str(error), bad=not isinstance(error, CancelledError))

    def _progress(self, done: int, total: int) -> None:
        self.progress.setRange(0, 1000)
        self.progress.setValue(done * 1000 // total if total else 0)
        if not self.progress.isHidden():  # it takes long
            work = Working(self._word, self._request, done, total)
            self._out_of_sight.progress(self._session, work)

    def _cancel(self) -> None:
        if self._session is not None and self._request:
            self._session.cancel(self._request)

    def _finish(self, text: str, *, bad: bool = False, asked: bool = False) -> None:
        self._request = self._signal = 0
        self._current.forget()
        self._late.stop()
        self._show_progress(on=False)
        self._out_of_sight.ended(self._session, "" if asked else text, bad=bad)
        self.result.setStyleSheet(f"color: {self._theme.fault if bad else self._theme.text}")
        self.result.setText(text)
        self.refresh()

    def _show_progress(self, *, on: bool) -> None:
        self.progress.setVisible(on)
        self.cancel.setVisible(on)

    def _signal_ended(self, number: int) -> None:
        """The form says no longer that it runs, whoever stopped it."""
        if number == self._signal:
            self._signal = 0
            self._finish("The signal ended; undo with Ctrl+Z.")


def _preview(data: bytes) -> str:
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in row)
        lines.append(f"{row.hex(' ').upper():<47}  {text}")
    return "\n".join(lines)
