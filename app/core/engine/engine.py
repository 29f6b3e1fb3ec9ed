"""Engine: one region's Region, Sampler and Journal put together.

It takes commands (messages.py) and answers them; it never raises into its caller. It runs as
it is in the caller's process (library, command line, tests), and behind a pipe in a process
of its own (process.py).

Threads: the caller's, which hands over commands and never waits; the scheduler's workers
(scheduler.py says which command runs where); the sampler's; one for each running test signal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar

from ..backends.open_region import open_region
from ..errors import ScopeError
from ..region.region import Region, RegionInfo, RegionSpec
from ..watch.frame import Frame
from ..watch.sampler import Sampler
from ..write.journal import Journal
from ..write.test_signals import Repeaters
from . import messages as msg
from .command_table import TABLE, CommandTable
from .scheduler import Scheduler

Report = Callable[[msg.Answer], None]


class EnginePart(Protocol):
    """What a room of commands keeps in an engine, from its first command to the engine's end."""

    @classmethod
    def for_engine(cls, engine: Engine) -> Self:
        """Made when first needed."""

    def lock(self) -> None:
        """Writing was locked; must not wait."""

    def close(self, wait_s: float) -> None:
        """The engine ends. Safe to call twice."""


P = TypeVar("P", bound=EnginePart)


class Engine:
    """One open region, watched and written.

    Args:
        spec: What to open.
        report: Called with each answer, from any of the engine's threads.
        publish: Called with each Frame, from the sampler's thread.
        table: Who carries out which command.

    Attributes:
        region: What was opened.
        journal: The one writer for a person.
        signals: The running test signals.
        scheduler: What runs now, and what waits.
    """

    def __init__(
        self,
        spec: RegionSpec,
        report: Report,
        publish: Callable[[Frame], None] | None = None,
        table: CommandTable = TABLE,
    ) -> None:
        self.spec = spec
        self.report = report
        self._table = table
        self.region: Region = open_region(spec)
        self.journal = Journal(self.region, on_write=self.note_write)
        self.sampler = Sampler(self.region, status=self._status, publish=publish)
        self.signals = Repeaters(self.journal, self.region)
        self.scheduler = Scheduler(self, report, lambda: self.journal.count)
        self._parts: dict[type, EnginePart] = {}
        self._making = threading.Lock()
        self._closing = False

    @property
    def info(self) -> RegionInfo:
        """What was opened."""
        return self.region.info

    def start(self) -> None:
        """Begin to watch and to take commands."""
        self.report(msg.Opened(self.info))
        self.sampler.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop tests, signals, sampler and workers, then give the region back.

        In this order: a test puts back the bytes under its lane. Safe to call twice.
        """
        with self._making:
            if self._closing:
                return
            self._closing = True
            parts = list(self._parts.values())
        for part in parts:
            part.close(timeout_s)
        self.signals.stop_all()
        self.sampler.stop(timeout_s)
        self.scheduler.close(timeout_s)
        self.region.close()
        self.journal.close()

    def handle(self, request: int, command: msg.Command[Any]) -> None:
        """Take a command; its row in the table says where it is carried out."""
        row = self._table.row(type(command))
        if row is None:
            text = f"The engine does not know {type(command).__name__}."
            self.report(msg.Failed(request, ScopeError(text, "This is a bug; report it.")))
        else:
            self.scheduler.submit(request, command, row)

    def part(self, kind: type[P]) -> P:
        """What this engine keeps for a room, made when first asked for."""
        with self._making:
            part = self._parts.get(kind)
            if part is None:
                part = self._parts[kind] = kind.for_engine(self)
        assert isinstance(part, kind)
        return part

    def set_locked(self, locked: bool) -> None:
        """Lock or unlock writing; locking ends whatever writes by itself."""
        self.journal.set_locked(locked)
        if locked:
            self.signals.stop_all()
            for part in list(self._parts.values()):
                part.lock()

    def note_write(self, offset: int, length: int) -> None:
        """Bytes are about to be written from here: the sampler shows them as ours."""
        self.sampler.note_write(offset, length)

    def _status(self) -> tuple[int, bool]:
        return self.journal.count, self.journal.locked
