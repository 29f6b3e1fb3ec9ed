"""One list of hits in the engine, as the window sees it: begun, growing, ended, read by rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QTimer, Signal

from ....core.engine.search_messages import (
    PAGE_HITS,
    ExportHits,
    FilterHits,
    FindAll,
    FindSummary,
    ForgetHits,
    HitPage,
    ListHits,
    ReadHits,
    ReplaceHits,
)
from ....core.errors import EngineGoneError, ScopeError
from ....core.search.hits import HitRow
from ....core.search.needle import Needle
from ....core.search.replace import ReplaceOutcome
from ....core.search.scope import Scope
from ...session.session import Session

I64 = npt.NDArray[np.int64]
_ROWS_MS: Final = 250  # what is on the screen is read so often
_NUMBERS: Final = itertools.count(1)  # of searches; windows that share an engine share it


class HitSource(QObject):
    """A search and its hits.

    Signals:
        began(): Another search; the hits are gone.
        grew(int): So many hits now.
        progressed(int): Percent.
        ended(FindSummary | ScopeError): Nothing more is found.
        rows_came(int, tuple[HitRow, ...]): The first one's number, and what stands there now.
        ranges_came(I64, I64): All starts and lengths, after the end.
    """

    began = Signal()
    grew = Signal(object)
    progressed = Signal(int)
    ended = Signal(object)
    rows_came = Signal(object, object)
    ranges_came = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session: Session | None = None
        self.needle: Needle | None = None
        self.scope = Scope()
        self.count = 0
        self._search = 0  # that was begun
        self._shown = 0  # whose hits are shown: that one, or a filter of it
        self._request = 0
        self._wanted = (0, 0)
        self._reading = False
        self._pages: list[HitPage] = []
        self._timer = QTimer(self, interval=_ROWS_MS)
        self._timer.timeout.connect(self._read)

    @property
    def works(self) -> bool:
        """Whether a search or a filter goes on."""
        return bool(self._request)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none: forget all."""
        self.session = None  # which keeps nothing any more
        self._begin(0, 0)
        self.session = session
        self.needle = None
        self._request = 0
        self._timer.stop()

    def _begin(self, search: int, shown: int) -> None:
        """Another list; the engine need not keep what is not shown any more."""
        before = {self._search, self._shown}
        self._search, self._shown, self.count, self._pages = search, shown, 0, []
        self._reading = False
        if self.session is not None:
            for number in before - {0, search, shown}:
                self.session.ask(ForgetHits(number), None, lambda _error: None)
        self.began.emit()

    def clear(self) -> None:
        """Forget the list; its marks go too."""
        self.stop()
        self.needle, self._request = None, 0
        self._begin(0, 0)

    # -- searching --------------------------------------------------------------------------------

    def find(self, needle: Needle, scope: Scope) -> None:
        """Search; what was found before is forgotten."""
        self.stop()
        self.needle, self.scope = needle, scope
        number = next(_NUMBERS)
        self._begin(number, number)
        self._ask(FindAll(self._search, needle, scope))

    def filter(self, text: str) -> None:
        """Show only hits with a text in them; an empty one shows all."""
        if not self._search:
            return
        self.stop()
        if not text:
            self._begin(self._search, self._search)
            self._fetch(0, self._shown)
            return
        self._begin(self._search, next(_NUMBERS))
        self._ask(FilterHits(self._search, self._shown, text))

    def _ask(self, command: FindAll | FilterHits) -> None:
        session, shown = self.session, self._shown
        if session is None:
            return

        def mine(call: Callable[..., None]) -> Callable[..., None]:
            """Answers to an older search come too late."""
            return lambda *values: call(*values) if shown == self._shown else None

        asked: FindAll = command  # type: ignore[assignment]  # both results are told alike
        self._request = session.ask(
            asked, mine(self._done), mine(self._failed), mine(self._progress)
        )
        self._timer.start()

    def stop(self) -> None:
        """End what goes on; what was found stays."""
        if self._request and self.session is not None:
            self.session.cancel(self._request)

    def _progress(self, done: int, total: int) -> None:
        self.progressed.emit(done * 100 // max(1, total))
        if self.session is not None:
            shown = self._shown
            self.session.ask(
                ListHits(shown, 1 << 60),
                lambda page: self._counted(shown, page),
                lambda _error: None,
            )

    def _counted(self, shown: int, page: HitPage) -> None:
        if shown == self._shown and page.total > self.count:
            self.count = page.total
            self.grew.emit(self.count)

    def _done(self, summary: FindSummary | int) -> None:
        self._finish(summary)

    def _failed(self, error: ScopeError) -> None:
        self._finish(error)

    def _finish(self, outcome: object) -> None:
        self._request = 0
        self.ended.emit(outcome)
        if not isinstance(outcome, EngineGoneError):
            self._fetch(0, self._shown)

    # -- ranges, for marks ------------------------------------------------------------------------

    def _fetch(self, first: int, shown: int) -> None:
        """All offsets, page by page, so that no answer is large."""
        if self.session is not None:
            self.session.ask(
                ListHits(shown, first),
                lambda page: self._page_came(shown, page),
                lambda _error: None,
            )

    def _page_came(self, shown: int, page: HitPage) -> None:
        if shown != self._shown:
            return
        self._counted(shown, page)
        self._pages.append(page)
        behind = page.first + PAGE_HITS
        if behind < page.total:
            self._fetch(behind, shown)
            return
        pages, self._pages = self._pages, []
        starts = np.concatenate([np.frombuffer(one.starts, "<i8") for one in pages])
        lengths = np.concatenate([np.frombuffer(one.lengths, "<i4") for one in pages])
        self.ranges_came.emit(starts.astype(np.int64), lengths.astype(np.int64))
        self._timer.start()

    # -- rows -------------------------------------------------------------------------------------

    def watch(self, first: int, count: int) -> None:
        """These rows are on the screen; they are read now, and again and again."""
        if (first, count) != self._wanted:
            self._wanted = (first, count)
            self._read()

    def _read(self) -> None:
        first, count = self._wanted
        session = self.session
        if session is None or self._reading or not count or not self.count:
            return
        shown, self._reading = self._shown, True

        def came(rows: tuple[HitRow, ...]) -> None:
            if shown == self._shown:
                self._reading = False
                self.rows_came.emit(first, rows)

        def failed(_error: ScopeError) -> None:
            if shown == self._shown:
                self._reading = False

        session.ask(ReadHits(shown, first, count), came, failed)

    def rows(self, first: int, count: int, take: Callable[[tuple[HitRow, ...]], object]) -> None:
        """Read some rows once."""
        if self.session is not None:
            self.session.ask(ReadHits(self._shown, first, count), take)

    # -- all of them ------------------------------------------------------------------------------

    def export(
        self,
        path: str,
        form: str,
        done: Callable[[int], object],
        failed: Callable[[ScopeError], None],
    ) -> None:
        """Write the hits that are shown to a file."""
        if self.session is not None:
            self.session.ask(ExportHits(self._shown, path, form), done, failed)

    def replace(
        self,
        text: str,
        done: Callable[[ReplaceOutcome], object],
        failed: Callable[[ScopeError], None],
    ) -> None:
        """Replace the hits that are shown."""
        if self.session is None:
            return
        request = 0

        def over() -> None:
            if self._request == request:  # else another search was begun meanwhile
                self._request = 0

        def replaced(outcome: ReplaceOutcome) -> None:
            over()
            done(outcome)

        def refused(error: ScopeError) -> None:
            over()
            failed(error)

        command = ReplaceHits(self._shown, text)
        request = self.session.ask(command, replaced, refused, self._progress_of_writing)
        self._request = request

    def _progress_of_writing(self, done: int, total: int) -> None:
        self.progressed.emit(done * 100 // max(1, total))
