"""Large writes of the command line, part by part.

Each part has a journal of its own: the command line has no undo, so the old bytes of 16 GiB need
not be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from ..core.errors import CancelledError
from ..core.region.region import Region
from ..core.values.units import format_short_offset, format_size
from ..core.write.bulk_writes import OnProgress
from ..core.write.journal import Journal
from ..core.write.patterns import Pattern
from ..core.write.record import WriteOutcome, WriteRecord
from .interrupts import InterruptGuard
from .progress_line import ProgressLine

PART: Final = 32 << 20


def unlocked(region: Region) -> Journal:
    """A journal that writes: asking for a write on the command line is the unlocking."""
    region.info.need_writable()
    journal = Journal(region)
    journal.set_locked(False)
    return journal


@dataclass(frozen=True, slots=True)
class OffsetPattern:
    """The rest of a pattern, without its first `by` bytes."""

    pattern: Pattern
    by: int

    @property
    def label(self) -> str:
        """As the whole."""
        return self.pattern.label

    def chunk(self, offset: int, length: int) -> bytes:
        """Bytes of the whole pattern."""
        return self.pattern.chunk(self.by + offset, length)


# journal, offset in the range, size, progress, whether to stop
Part = Callable[[Journal, int, int, OnProgress, Callable[[], bool]], WriteRecord]


class ChunkedWrite:
    """Writes a range part by part; Ctrl+C ends it between two chunks, with a report."""

    def __init__(self, region: Region, verb: str, start: int, total: int) -> None:
        self._region = region
        self._verb = verb
        self._start = start
        self._total = total
        self._show = ProgressLine(verb)
        self._done = 0

    def write(self, part: Part) -> WriteRecord:
        """Call `part(journal, at, size, progress, cancelled)` until all is written."""
        whole: WriteRecord | None = None
        with InterruptGuard() as guard, self._show:
            for at in range(0, self._total, PART):
                size = min(PART, self._total - at)
                journal = unlocked(self._region)
                try:
                    record = part(journal, at, size, self._progress(at), guard.cancelled)
                except CancelledError:
                    raise self._stopped() from None
                whole = record if whole is None else _joined(whole, record)
        assert whole is not None
        return replace(whole, offset=self._start, length=self._total)

    def _progress(self, before: int) -> OnProgress:
        def step(done: int, _of: int) -> None:
            self._done = before + done
            self._show(self._done, self._total)

        return step

    def _stopped(self) -> CancelledError:
        if not self._done:
            return CancelledError(f"{self._verb} was stopped; nothing was changed.")
        return CancelledError(
            f"{self._verb} was stopped: {format_size(self._done)} at "
            f"{format_short_offset(self._start)} are changed, the other "
            f"{format_size(self._total - self._done)} are as they were."
        )


def _joined(first: WriteRecord, later: WriteRecord) -> WriteRecord:
    return first if first.outcome is later.outcome else replace(first, outcome=WriteOutcome.PART)
