"""Between the find bar, the hex view and the engine: next and previous hit, replace, list all."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from time import monotonic_ns

from PySide6.QtCore import QObject, Signal

from ...core.engine import messages as msg
from ...core.engine.search_messages import FindNext, ReplaceOne
from ...core.errors import CancelledError, LockedError, ScopeError
from ...core.search.find import Hit
from ...core.search.needle import Needle, NeedleKind
from ...core.search.replace import ReplaceOutcome
from ...core.search.scope import Scope, ScopeKind
from ...core.values.units import format_offset
from ..action import Action
from ..hex.paint.geometry import Pane
from ..hex.widget import HexView
from ..session.search_request import SearchRequest
from ..session.session import Session
from ..session.write_requests import SHOW_PROGRESS_NS
from .find_bar import FindBar

LONGEST_TAKEN = 256  # bytes of a selection that become a needle


class Finder(QObject):
    """Searches for one view.

    Signals:
        hit_found(int, int): Select this hit, and bring it into sight.
        list_wanted(SearchRequest): All hits are wanted.
        locked(): Replacing was refused because writing is locked.
    """

    hit_found = Signal(object, object)
    list_wanted = Signal(object)
    locked = Signal()

    def __init__(self, view: HexView, bar: FindBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.bar = bar
        self._view = view
        self._session: Session | None = None
        self._request = self._turn = 0
        self._since_ns = 0
        self._selected = (0, 0)  # which a search in the selection means, while hits are selected
        self._hit: Hit | None = None
        bar.find_wanted.connect(self.find)
        bar.all_wanted.connect(self.list_all)
        bar.replace_wanted.connect(self.replace)
        bar.stop_wanted.connect(self.stop)
        bar.since_wanted.connect(self.mark_moment)

    def own_actions(self) -> tuple[Action, ...]:
        """For the window's table."""

        def act(name: str, text: str, keys: tuple[str, ...], call: Callable[[], object]) -> Action:
            return Action(
                name, text, keys, call, group="Edit", section=3, icon="", needs_session=True
            )

        return (
            act("find", "Find…", ("Ctrl+F",), self.open),
            act("find_next", "Find next", ("F3",), lambda: self.find(False)),
            act("find_previous", "Find previous", ("Shift+F3",), lambda: self.find(True)),
            act("replace", "Replace…", ("Ctrl+H",), lambda: self.open(replace=True)),
        )

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        self._session, self._request, self._hit = session, 0, None
        self._turn += 1
        self._selected = (0, 0)
        self.bar.set_working(False)

    # -- opening ----------------------------------------------------------------------------------

    def open(self, replace: bool = False) -> None:
        """Show the bar; what is selected becomes the needle."""
        session = self._session
        if session is None or session.info is None:
            return
        start, length = self._view.selection()
        self._selected = (start, length)
        if not 0 < length <= LONGEST_TAKEN or self._is_hit(start, length):
            self.bar.open(replace=replace)
            return
        take = partial(self._open_with, replace)
        offset, shown = self._view.shown(start, length)
        if offset == start and len(shown) == length:
            take(shown)  # what a person sees is what they mean
        else:
            session.ask(msg.Read(start, length), take)

    def _is_hit(self, start: int, length: int) -> bool:
        return self._hit is not None and (self._hit.offset, self._hit.length) == (start, length)

    def _open_with(self, replace: bool, data: bytes) -> None:
        text = data.decode("ascii", "replace")
        if self._view.surface.pane is Pane.TEXT and text.isprintable() and "\ufffd" not in text:
            self.bar.open((NeedleKind.TEXT, text), replace=replace)
        else:
            self.bar.open((NeedleKind.BYTES, data.hex(" ").upper()), replace=replace)

    def mark_moment(self) -> None:
        """Only what changes from now on is searched."""
        self._since_ns = monotonic_ns()
        self.bar.set_since(time.strftime("%H:%M:%S"))

    # -- finding ----------------------------------------------------------------------------------

    def scope(self) -> Scope | None:
        """Where the bar says to search; None where that is nowhere, which is told."""
        session = self._session
        assert session is not None
        assert session.info is not None
        match self.bar.scope_name:
            case "selection":
                start, length = self._view.selection()
                if length and not self._is_hit(start, length):
                    self._selected = (start, length)
                if not self._selected[1]:
                    self.bar.report("Nothing is selected.", "warning")
                    return None
                return Scope(ScopeKind.RANGE, *self._selected)
            case "cursor":
                cursor = self._view.cursor()
                return Scope(ScopeKind.RANGE, cursor, session.info.size - cursor)
            case "changing":
                return Scope(ScopeKind.CHANGING)
            case "since":
                return Scope(ScopeKind.SINCE, since_ns=self._since_ns)
        return Scope()

    def find(self, backwards: bool) -> None:
        """Go to the next hit; without a needle, ask for one."""
        session = self._session
        if session is None or session.info is None:
            return
        if self.bar.isHidden() and (not self.bar.edit.text() or self.bar.problem()):
            self.open()
            return
        start, length = self._view.selection()
        at = start if length else self._view.cursor()
        scope = self.scope()
        if scope is None:
            return
        if self.bar.scope_name == "cursor":  # the hits behind it, and round again
            scope = Scope()
        needle = self.bar.needle
        # The byte under the cursor may be the hit's first, unless it is the hit that is selected.
        before = at if backwards or length else at - 1
        command = FindNext(needle, before, length, backwards, scope)
        self._begin(command, partial(self._found, needle))

    def _begin(self, command: FindNext, done: Callable[[Hit | None], None]) -> None:
        session = self._session
        assert session is not None
        self.stop()
        self._turn += 1
        turn, began_ns = self._turn, monotonic_ns()

        def progress(now: int, total: int) -> None:
            if turn == self._turn and monotonic_ns() - began_ns >= SHOW_PROGRESS_NS:
                self.bar.set_working(True)
                self.bar.report(f"Searching… {now * 100 // max(1, total)} %")

        def ended(hit: Hit | None) -> None:
            if turn == self._turn:  # else a later search was begun
                done(hit)

        def failed(error: ScopeError) -> None:
            if turn == self._turn:
                self._failed(error)

        self._request = session.ask(command, ended, failed, progress)

    def _found(self, needle: Needle, hit: Hit | None) -> None:
        self._end()
        self._hit = hit
        if hit is None:
            self.bar.report(f"Not found: {needle.label}.", "warning")
            if self.bar.isHidden():
                self.bar.open()
            return
        round_it = ", round the end of it" if hit.wrapped else ""
        self.bar.report(f"{format_offset(hit.offset)}{round_it}", "good")
        self.hit_found.emit(hit.offset, hit.length)

    def _failed(self, error: ScopeError) -> None:
        self._end()
        if isinstance(error, LockedError):
            self.locked.emit()
        stopped = isinstance(error, CancelledError)
        self.bar.report("Stopped." if stopped else str(error), "quiet" if stopped else "fault")

    def _end(self) -> None:
        self._request = 0
        self.bar.set_working(False)

    def stop(self) -> None:
        """End the search that goes on, if one does."""
        if self._request and self._session is not None:
            self._session.cancel(self._request)

    # -- all of them ------------------------------------------------------------------------------

    def list_all(self) -> None:
        """All hits are wanted in a list."""
        scope = self.scope() if self._session is not None and self._session.info else None
        if scope is not None:
            self.list_wanted.emit(SearchRequest(self.bar.needle, scope))

    def replace(self, everything: bool) -> None:
        """Write over the hit that is selected, and find the next; or over all of them."""
        session = self._session
        if session is None or session.info is None:
            return
        if session.locked:
            self.locked.emit()
            return
        text = self.bar.by.text()
        if everything:
            scope = self.scope()
            if scope is not None:
                self.list_wanted.emit(SearchRequest(self.bar.needle, scope, text))
            return
        hit = self._hit
        if hit is None or not self._is_hit(*self._view.selection()):
            self.find(False)
            return
        command = ReplaceOne(self.bar.needle, hit, text)
        session.ask(command, self._replaced, self._failed)

    def _replaced(self, outcome: ReplaceOutcome) -> None:
        if outcome.replaced:
            self.find(False)
        else:
            self.bar.report(outcome.sentence, "warning")
