"""The bookmarks of the region that is open: changed at once, kept by a thread, with an undo."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from ....core.annotations.bookmark import Bookmark, Change, applied, difference
from ....core.annotations.bookmark_file import BookmarkFile, RegionKey
from ....core.errors import StorageError
from ....core.region.region import RegionInfo, RegionKind

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

POLL_MS: Final = 1000
_MOST_STEPS: Final = 200


def region_key(info: RegionInfo) -> RegionKey:
    """What bookmarks of this region go by: PCI address where there is one, else its path."""
    location = info.path if info.address is None else str(info.address)
    if info.spec.kind is RegionKind.FILE:
        location = os.path.realpath(location)
    return RegionKey(info.spec.kind.value, location, info.spec.start)


@dataclass(frozen=True, slots=True)
class _Step:
    """What an undo takes back: its words, and the changes each way."""

    text: str
    back: tuple[Change, ...]
    again: tuple[Change, ...]


class BookmarkStore(QObject):
    """What is shown is what is in the file, with the changes on top that are on their way there.

    Signals:
        changed(): Other bookmarks than before, by whatever program.
        problem(str): Why they could not be read or kept.
    """

    changed = Signal()
    problem = Signal(str)
    _arrived = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.marks: tuple[Bookmark, ...] = ()
        self._file: list[BookmarkFile] = []  # empty until the thread has opened it
        self._turn = 0  # of the region that is open; what comes of an earlier one is dropped
        self._worker: ThreadPoolExecutor | None = None
        self._stored: tuple[Bookmark, ...] = ()
        self._pending: list[Change] = []  # not in the file yet
        self._sent = 0  # of these, what the thread has
        self._stamp = (0, 0, 0)
        self._undo: deque[_Step] = deque(maxlen=_MOST_STEPS)
        self._redo: list[_Step] = []
        self._told = ""
        self._arrived.connect(self._take)
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self._look)

    # -- the region ------------------------------------------------------------------------------

    def open(self, info: RegionInfo | None) -> None:
        """Another region, or none; what was changed before is still brought into its file."""
        self._send()
        self._turn += 1
        self._stored, self._pending, self._sent = (), [], 0
        self._undo.clear()
        self._redo.clear()
        self._told, self._file = "", []
        if info is None:
            self._poll.stop()
            worker, self._worker = self._worker, None
            if worker is not None:
                worker.shutdown(wait=False)  # what was sent is still done
        else:
            if self._worker is None:
                from concurrent.futures import ThreadPoolExecutor

                self._worker = ThreadPoolExecutor(1, thread_name_prefix="bookmarks")
            self._poll.start()
            self._worker.submit(self._open, self._turn, self._file, info)
        self._show()

    # -- changes -----------------------------------------------------------------------------------

    def change(self, changes: Iterable[Change], text: str) -> None:
        """Make changes, which one undo takes back; `text` says what they are."""
        made = tuple(changes)
        after = applied(self.marks, made)
        back = difference(after, self.marks)
        if back:
            self._undo.append(_Step(text, back, made))
            self._redo.clear()
            self._add(made)

    def undo(self) -> str:
        """Take the last change back; what it was, empty when there is none."""
        if not self._undo:
            return ""
        step = self._undo.pop()
        self._redo.append(step)
        self._add(step.back)
        return step.text

    def redo(self) -> str:
        """Make it again; as undo."""
        if not self._redo:
            return ""
        step = self._redo.pop()
        self._undo.append(step)
        self._add(step.again)
        return step.text

    def _add(self, changes: tuple[Change, ...]) -> None:
        self._pending += changes
        self._show()
        self._send()

    def _show(self) -> None:
        marks = applied(self._stored, self._pending)
        if marks != self.marks:
            self.marks = marks
            self.changed.emit()

    # -- the file ----------------------------------------------------------------------------------

    def _send(self) -> None:
        """Give the thread what it does not have yet; after a failure also what it had."""
        if self._worker is not None and len(self._pending) > self._sent:
            part = tuple(self._pending[self._sent :])
            self._sent = len(self._pending)
            self._worker.submit(self._write, self._turn, self._file, part)

    def _look(self) -> None:
        """Whether another program has changed the file; the thread asks it."""
        if self._worker is not None and not self._sent:
            self._worker.submit(self._reread, self._turn, self._file, self._stamp)

    def _take(self, turn: int, result: _Result) -> None:
        if turn != self._turn:
            return
        self._stamp = result.stamp
        if result.marks is not None:
            self._stored = result.marks
            del self._pending[: result.kept]
            self._sent -= result.kept
        else:
            self._sent = 0  # all of it again with the next change
        if result.problem != self._told:
            self._told = result.problem
            if result.problem:
                self.problem.emit(result.problem)
        self._show()

    # -- on the thread -----------------------------------------------------------------------------

    def _open(self, turn: int, files: list[BookmarkFile], info: RegionInfo) -> None:
        files.append(BookmarkFile(region_key(info)))
        self._reread(turn, files, None)

    def _reread(
        self, turn: int, files: list[BookmarkFile], known: tuple[int, int, int] | None
    ) -> None:
        (file,) = files
        stamp = file.stamp()
        if stamp != known:
            marks = file.load()
            self._arrived.emit(turn, _Result(stamp, marks, problem=file.problem))

    def _write(self, turn: int, files: list[BookmarkFile], part: tuple[Change, ...]) -> None:
        (file,) = files
        try:
            marks = file.change(part)
        except StorageError as error:
            result = _Result(file.stamp(), None, problem=str(error))
        else:
            result = _Result(file.stamp(), marks, len(part), file.problem)
        self._arrived.emit(turn, result)


@dataclass(frozen=True, slots=True)
class _Result:
    """What the thread has done.

    Attributes:
        stamp: The file's stamp then.
        marks: What is in it now; None when it could not be written.
        kept: How many of the pending changes are in it.
        problem: What went wrong, empty when nothing.
    """

    stamp: tuple[int, int, int]
    marks: tuple[Bookmark, ...] | None
    kept: int = 0
    problem: str = ""
