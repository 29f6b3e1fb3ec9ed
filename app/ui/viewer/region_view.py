"""The centre of a window: message bar, go-to bar, hex view and minimap of one session."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from time import monotonic_ns
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ...core.engine import messages as msg
from ...core.measure.bandwidth.mapping_speed import MappingSpeed
from ...core.region.region import RegionInfo, RegionKind
from ...core.values.byte_block import ByteBlock
from ...core.values.units import format_short_offset
from ...core.watch.frame import Frame, Health, Level
from ..action import Action
from ..hex.minimap import Minimap
from ..hex.paint.selection import Selection
from ..hex.widget import HexView
from ..session.jump_history import JumpHistory
from ..session.notice import Notice, read_only_notice
from ..session.session import Session
from ..session.write_requests import Question, Writing
from ..style.theme import Theme
from .bar_column import BarColumn
from .copying import copy_selection
from .entropy_survey import EntropySurvey
from .find_bar import FindBar
from .finder import Finder
from .following import HOW, Following
from .goto_bar import GotoBar
from .input_bar import LineBar
from .message_bar import ConflictBar, MessageBar
from .paste_bar import PasteBar
from .pasting import Pasting
from .pointer_bar import PointerBar
from .range_bar import RangeBar
from .rule_bar import RuleBar
from .view_actions import view_actions
from .work_bar import WorkBar

_HEX: Final = "hex"  # of notices about the bytes that are shown
_SPLIT: Final = "split"  # of one about a value that is not written by one store

Bar = FindBar | MessageBar | ConflictBar | WorkBar | LineBar | PasteBar | PointerBar


class RegionView(BarColumn):
    """Puts the hex view and one session together.

    Attributes:
        decorations: What tints, labels and explains ranges of this region, in all its views; a
            source takes a layer of it. Another session empties all layers.

    Signals:
        cursor_moved(int): The cursor's offset.
        selection_changed(int, int): Start and length of what the selection spans.
        block_selected(ByteBlock): What is selected, row by row.
        fill_wanted(): Somebody asked for the fill tool.
        sight_wanted(): Something leads to a byte while only the bars are shown.
        load_wanted(str, int): A file was dropped at an offset.
        speed_measured(MappingSpeed): How fast the mapping copies.
        list_wanted(SearchRequest): All hits of a needle are wanted.
    """

    cursor_moved = Signal(object)  # Qt's int ends at 2 GiB
    selection_changed = Signal(object, object)
    block_selected = Signal(object)
    fill_wanted = Signal()
    sight_wanted = Signal()
    load_wanted = Signal(str, object)
    speed_measured = Signal(object)
    list_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.messages = MessageBar(self)
        self.conflict = ConflictBar(self)
        self.work = WorkBar(self)
        self.goto = GotoBar(self)
        self.range = RangeBar(self)
        self.paste = PasteBar(self)
        self.rule = RuleBar(self)
        self.find_bar = FindBar(self)
        self.hex = HexView(self.body)
        self.finder = Finder(self.hex, self.find_bar, self)
        self.minimap = Minimap(self)
        self._pasting = Pasting(self.hex, self.paste, self._copied, self.report)
        self.following = Following(self)
        self.decorations = self.hex.decorations
        self.minimap.set_decorations(self.decorations)
        self._entropy = EntropySurvey(self.minimap)
        self.session: Session | None = None
        self.writing: Writing | None = None
        self.jumps = JumpHistory()
        self._lay_out()
        self._connect()

    @property
    def _asking(self) -> tuple[FindBar | LineBar | PasteBar, ...]:
        """Bars that take what a person types."""
        return (self.goto, self.range, self.find_bar, self.paste, self.rule)

    @property
    def _all_bars(self) -> tuple[Bar, ...]:
        telling = (self.messages, self.conflict, self.work)
        return (*telling, *self._asking, self.following.bar)

    def _lay_out(self) -> None:
        for bar in self._all_bars:
            self.add_bar(bar, slim=bar not in (self.conflict, self.find_bar))
        self.add_to_body(self.hex, 1)
        self.add_beside(self.minimap)

    def held(self) -> AbstractContextManager[None]:
        return self.hex.held()

    def _connect(self) -> None:
        view = self.hex
        view.cursor_moved.connect(self.cursor_moved)
        view.cursor_moved.connect(self.minimap.set_cursor)
        view.view_changed.connect(self.minimap.set_view)
        view.options_changed.connect(lambda: self._entropy.set_on(view.surface.options.entropy))
        view.selection_changed.connect(self.selection_changed)
        view.block_selected.connect(self.block_selected)
        view.span_wanted.connect(self._look)
        view.write_wanted.connect(self._typed)
        view.goto_requested.connect(self.open_goto)
        view.unlock_wanted.connect(self.say_locked)
        view.undo_wanted.connect(self.undo)
        view.redo_wanted.connect(self.redo)
        view.next_change_wanted.connect(self.find_change)
        view.copy_wanted.connect(self.copy)
        view.fill_wanted.connect(self.fill_wanted)
        view.load_file_wanted.connect(self.load_wanted)
        view.message.connect(self.report)
        view.split_written.connect(self._report_split)
        self.minimap.goto_wanted.connect(self.go_to)
        self.minimap.scrub_wanted.connect(view.set_cursor)
        self.goto.go.connect(self.go_to)
        self.range.chosen.connect(self.select_block)
        view.rule_requested.connect(self.open_rule)
        self.rule.chosen.connect(view.set_rule)
        self.finder.hit_found.connect(self.show_hit)
        self.finder.list_wanted.connect(self.list_wanted)
        self.finder.locked.connect(self.say_locked)
        for bar in self._asking:
            bar.closed.connect(view.setFocus)
        self.messages.acted.connect(self._act)
        self.messages.left.connect(view.setFocus)
        view.dismiss = self.messages.dismiss
        view.follow_wanted.connect(self.following.follow)
        view.pointing_wanted.connect(self.following.find)
        view.come_back = self.following.come_back
        self.conflict.answered.connect(self._answer)
        self.work.stop_wanted.connect(self._stop)

    def own_actions(self) -> tuple[Action, ...]:
        """What can be done here, the hex view's part first."""
        return (*self.hex.own_actions(), *self.finder.own_actions(), *view_actions(self))

    # -- session -----------------------------------------------------------------------------------

    def set_session(self, session: Session | None) -> None:
        """Show another session (or none)."""
        if self.session is not None:
            self.session.disconnect(self)
            self.session.writing.disconnect(self)
        self.session = session
        self.writing = self._pasting.writing = None
        self.messages.clear()
        for bar in self._all_bars[1:]:
            bar.hide()
        self.finder.set_session(session)
        self.jumps = JumpHistory()
        self.following.set_session(session)
        self.decorations.clear()
        self._entropy.set_session(session)
        if session is None:
            self.hex.set_frame(None)
            self.hex.set_region(0, False)
            self.minimap.set_region(0)
            return
        self.writing = self._pasting.writing = session.writing
        self.writing.shown = self.hex.shown
        self.writing.question.connect(self._ask)
        self.writing.notice.connect(self._notice)
        self.writing.undone.connect(self._undone)
        self.writing.settled.connect(self._settle)
        self.writing.working.connect(self.work.show_work)
        session.frame_arrived.connect(self._show)
        session.opened.connect(self._opened)
        session.health_changed.connect(self._health)
        session.lock_changed.connect(self._lock)
        session.notice.connect(self._notice)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        for part in (*self._all_bars, self.hex, self.minimap):
            part.set_theme(theme)

    def _opened(self, info: RegionInfo) -> None:
        self.hex.set_greyed(False)
        self.hex.set_region(info.size, info.writable)
        self.minimap.set_region(info.size)
        self._entropy.set_on(self.hex.surface.options.entropy)
        if self.session is not None and self.writing is not None:
            self._lock(self.session.locked)
            self.writing.forget()
        for note in info.notes:
            self.messages.show_notice(Notice(Level.WARNING, note, key=f"note {note}"))
        if info.spec.kind is not RegionKind.FILE:  # a file is plain memory
            self.measure_speed(selected=False)

    def _show(self, frame: Frame) -> None:
        self.hex.set_frame(frame)
        self.minimap.set_frame(frame)

    def _health(self, health: Health) -> None:
        fault = health.level is Level.FAULT
        self.hex.set_greyed(fault)
        if fault and self.writing is not None:
            self.writing.forget()  # nothing can be answered any more
        if health.level is Level.GOOD or health.code == "opening":
            self.messages.clear("health")
            return
        actions = ("Retry",) if fault or health.code == "remark" else ()
        self.messages.show_notice(
            Notice(health.level, health.text, health.hint, actions, "health", health.command)
        )

    def _lock(self, locked: bool) -> None:
        self.hex.set_locked(locked)
        if not locked:
            for key in ("locked", "read-only"):
                self.messages.clear(key)

    def _notice(self, notice: Notice) -> None:
        self.messages.show_notice(notice)

    def _look(self, start: int, length: int) -> None:
        if self.session is not None:
            self.session.watch_range(start, length)

    # -- writing -----------------------------------------------------------------------------------

    def write(self, offset: int, data: bytes, seen: bytes | None, label: str) -> None:
        """Write what a person typed; `seen` is what was shown there, None where not all was."""
        if self.writing is not None:
            self.writing.write(offset, data, seen, label)

    def _typed(self, offset: int, data: bytes, seen: bytes | None, label: str) -> None:
        if self.writing is not None:
            self.writing.write(offset, data, seen, label, self.hex.editor.go)

    def _settle(self, keys: set[str]) -> None:
        for key in (*keys, _HEX):
            self.messages.clear(key)

    def _undone(self, offset: int) -> None:
        """What changed comes into sight."""
        self.hex.set_cursor(offset)

    def undo(self) -> None:
        """Take the last write back."""
        if self.writing is not None:
            self.writing.undo()

    def redo(self) -> None:
        """Do it again."""
        if self.writing is not None:
            self.writing.redo()

    def say_locked(self) -> None:
        """Say why nothing was written, and offer to unlock where that helps."""
        info = self.session.info if self.session else None
        if info is not None and not info.writable:
            self.messages.show_notice(read_only_notice(info, "; nothing was changed"))
            return
        self.messages.show_notice(
            Notice(
                Level.WARNING,
                "Writing is locked; nothing was changed.",
                "Ctrl+L unlocks it.",
                ("Unlock",),
                key="locked",
            )
        )

    def _ask(self, question: Question | None) -> None:
        if question is None:
            self.conflict.hide()
        else:
            self.conflict.ask(question.error, question.go_text)

    def _answer(self, what: str) -> None:
        if self.writing is not None:
            self.writing.answer(go_ahead=what == "mine")
        self.hex.setFocus()

    def _stop(self, request: int) -> None:
        if self.session is not None:
            self.session.cancel(request)
        self.hex.setFocus()

    def _act(self, action: str) -> None:
        if self.session is None:
            return
        if action == "Retry":
            self.session.retry()
        elif action == "Unlock":
            self.session.set_locked(False)
            self.hex.setFocus()  # what was typed can be typed again

        elif action == HOW:
            self.following.open()

    def report(self, text: str) -> None:
        """A sentence about something that was not done."""
        self.messages.show_notice(Notice(Level.WARNING, text, key=_HEX))

    def _report_split(self, text: str) -> None:
        """A typed value is more than one store; the sentence goes with the next that is one."""
        if text:
            self.messages.show_notice(Notice(Level.WARNING, text, key=_SPLIT))
        else:
            self.messages.clear(_SPLIT)

    # -- going -------------------------------------------------------------------------------------

    def open_goto(self) -> None:
        """Show the go-to bar."""
        self._open_bar(self.goto)

    def open_range(self) -> None:
        """Show the range bar."""
        self._open_bar(self.range)

    def open_rule(self) -> None:
        """Show the rule bar."""
        self.rule.show_rule(self.hex.surface.options.emphasis.rule)
        self._open_bar(self.rule)

    def _open_bar(self, bar: LineBar) -> None:
        info = self.session.info if self.session else None
        if info is not None:
            for other in self._asking:
                other.setVisible(other is bar and other.isVisible())
            self.range.block, self.range.columns = (
                self.hex.selected_block(),
                self.hex.surface.grid.columns,
            )
            start, length = self.hex.selection()
            bar.open(self.hex.cursor(), info.size, (start, length) if length else None)

    def select_range(self, start: int, length: int) -> None:
        """Select these bytes; the first of them comes into sight."""
        self.select_block(ByteBlock(start, length))

    def select_block(self, block: ByteBlock) -> None:
        """Select the rows of a block; its first byte comes into sight."""
        self._show_block(block)
        self.hex.setFocus()

    def show_hit(self, start: int, length: int) -> None:
        """As select_range; the keyboard stays where it is."""
        self._show_block(ByteBlock(start, length))

    def _show_block(self, block: ByteBlock) -> None:
        self.jumps.leave(self.hex.cursor(), block.start)
        self._to_sight()
        self.hex.set_cursor(block.start)
        self.hex.select(Selection.of_block(block))

    def go_to(self, offset: int) -> None:
        """Put the cursor there, and remember where it was."""
        info = self.session.info if self.session else None
        if info is None:
            return
        if not 0 <= offset < info.size:
            self.report(
                f"{format_short_offset(offset)} is outside the region, "
                f"which ends at {format_short_offset(info.size - 1)}."
            )
            return
        self.jumps.leave(self.hex.cursor(), offset)
        self._to_sight()
        self.hex.set_cursor(offset)
        self.hex.setFocus()

    def _to_sight(self) -> None:
        """Show a byte that something leads to; emits `sight_wanted` where bytes are hidden."""
        self.messages.clear(_HEX)
        if self.body.isHidden():
            self.sight_wanted.emit()

    def go_back(self) -> None:
        """Where the cursor was before the last jump."""
        self._place(self.jumps.back(self.hex.cursor()))

    def go_forward(self) -> None:
        """Undo a go_back."""
        self._place(self.jumps.forward(self.hex.cursor()))

    def _place(self, offset: int | None) -> None:
        if offset is not None:
            self._to_sight()
            self.hex.set_cursor(offset)

    def find_change(self, backwards: bool = False) -> None:
        """Go to the next byte that was seen to change."""
        if self.session is not None:
            self.session.ask(
                msg.FindChange(self.hex.cursor(), backwards), partial(self._found, monotonic_ns())
            )

    def _found(self, asked_ns: int, offset: int | None) -> None:
        if offset is None:
            self.report("No byte was seen to change since this region was opened.")
        else:
            self.jumps.leave(self.hex.cursor(), offset)
            self._to_sight()
            self.hex.set_cursor(offset)

    def measure_speed(self, selected: bool = True) -> None:
        """Measure the mapping; writing only where a person selected, and with writing unlocked."""
        session = self.session
        if session is None or session.info is None:
            return
        block = self.hex.selected_block()
        measures = selected and not session.locked and block.whole
        start, length = (block.start, block.length) if measures else (0, 0)
        session.ask(msg.MeasureSpeed(start, length), partial(self._measured, selected))

    def _measured(self, tell: bool, speed: MappingSpeed) -> None:
        self.speed_measured.emit(speed)
        if tell:
            cache = self.session.info.cache if self.session and self.session.info else ""
            self.messages.show_notice(Notice(Level.GOOD, speed.sentence, cache, key="speed"))

    # -- copying -----------------------------------------------------------------------------------

    def copy(self, form: str) -> None:
        """Copy the selection (or the byte at the cursor) from the memory, in one form."""
        if self.session is not None and self.session.info is not None:
            copy_selection(self.hex, self.session, form, self.report, self._copied)

    def _copied(self, text: str) -> None:
        self.messages.clear(_HEX)
        self.messages.show_notice(Notice(Level.GOOD, text, key="copied"))
