"""The entries of a journal: numbered without gaps, the newest of them kept."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from typing import Final

from .journal_file import JournalLog
from .record import WriteOutcome, WriteRecord
from .steps import Tally

MAX_RECORDS: Final = 100_000


class Entries:
    """What was written, oldest first.

    Attributes:
        count: Entries so far; also the number of the newest.

    Args:
        log: Notes each of them in the journal's file.
        clock: Monotonic, nanoseconds.
    """

    def __init__(self, log: JournalLog, clock: Callable[[], int]) -> None:
        self._log = log
        self._clock = clock
        self._records: deque[WriteRecord] = deque(maxlen=MAX_RECORDS)
        self.count = 0

    def take_over(self, records: Iterable[WriteRecord]) -> None:
        """Begin with the entries of an earlier engine."""
        self._records.extend(records)
        self.count = self._records[-1].number if self._records else 0

    @property
    def kept(self) -> deque[WriteRecord]:
        """Those that are kept."""
        return self._records

    def after(self, number: int) -> list[WriteRecord]:
        """Those whose number is above this, oldest first."""
        return list(islice(self._records, max(0, number - self._first), None))

    @property
    def _first(self) -> int:
        return self.count - len(self._records)

    def add(
        self,
        label: str,
        tally: Tally,
        outcome: WriteOutcome,
        undoes: int = 0,
        leaves: WriteOutcome | None = None,
        joins: int = 0,
    ) -> WriteRecord:
        """A new entry; the last four arguments are as in WriteRecord."""
        self.count += 1
        record = WriteRecord(
            number=self.count,
            time_ns=self._clock(),
            clock_s=time.time(),
            offset=tally.offset,
            length=tally.length,
            old=tally.old,
            new=tally.new,
            outcome=outcome,
            label=label,
            undoes=undoes,
            leaves=leaves,
            joins=joins,
        )
        self._records.append(record)
        self._log.record(record)
        return record

    def mark(self, number: int, outcome: WriteOutcome) -> None:
        """Another outcome for an entry, if it is still kept: it was undone or redone."""
        index = number - 1 - self._first
        if index >= 0:
            self._records[index] = replace(self._records[index], outcome=outcome)
            self._log.mark(number, outcome)
