"""Engine: one region's Region, Sampler and Journal put together.

It takes commands (messages.py) and answers them; it never raises into its caller. It runs as
it is in the caller's process (library, command line, tests), and behind a pipe in a process
of its own (process.py).

Threads: the caller's, which hands over commands and never waits; one worker that carries out
what takes time, in the order asked; the sampler's; one for each running test signal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import singledispatchmethod
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from ..backends.open_region import open_region
from ..errors import CancelledError, LockedError, OutOfRangeError, ScopeError
from ..measure.bandwidth.mapping_speed import MappingSpeed, measure_mapping
from ..region.region import Region, RegionInfo, RegionSpec
from ..values.units import format_size
from ..watch.frame import Frame
from ..watch.sampler import Sampler
from ..write import bulk_writes
from ..write.journal import Journal
from ..write.record import RepeatState, WriteRecord
from ..write.test_signals import Repeaters
from . import messages as msg
from .frame_board import MAX_SPAN

if TYPE_CHECKING:
    from .measurements import MeasurementService

Report = Callable[[msg.Answer], None]


class Engine:
    """One open region, watched and written.

    Args:
        spec: What to open.
        report: Called with each answer, from any of the engine's threads.
        publish: Called with each Frame, from the sampler's thread.
    """

    def __init__(
        self, spec: RegionSpec, report: Report, publish: Callable[[Frame], None] | None = None
    ) -> None:
        self.spec = spec
        self._report = report
        self._region: Region = open_region(spec)
        self.journal = Journal(self._region, on_write=self._note_write)
        self.sampler = Sampler(self._region, status=self._status, publish=publish)
        self._repeaters = Repeaters(self.journal, self._region)
        self._measurements: MeasurementService | None = None
        self._jobs: SimpleQueue[tuple[int, msg.Command] | None] = SimpleQueue()
        self._cancelled: set[int] = set()
        self._closing = threading.Event()
        self._worker = threading.Thread(target=self._work, name="engine-worker", daemon=True)

    @property
    def info(self) -> RegionInfo:
        """What was opened."""
        return self._region.info

    def start(self) -> None:
        """Begin to watch and to take commands."""
        self._worker.start()
        self._report(msg.Opened(self.info))
        self.sampler.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop tests, signals, sampler and worker, then close the region. Safe to call twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._jobs.put(None)
        if self._measurements is not None:
            self._measurements.close(timeout_s)  # first: it restores the bytes under its lane
        self._repeaters.stop_all()
        self.sampler.stop(timeout_s)
        if self._worker.is_alive():
            self._worker.join(timeout_s)
        self._region.close()
        self.journal.close()

    def handle(self, request: int, command: msg.Command) -> None:
        """Take a command: watching commands act at once, the others are queued and answered."""
        if isinstance(command, msg.Cancel):
            self._cancelled.add(command.request)
        elif isinstance(command, msg.MeasurementCommand):
            self._measuring().handle(request, command)
        elif not self._watch(command):
            self._jobs.put((request, command))

    def _measuring(self) -> MeasurementService:
        """The measuring part, made when first used: most engines never measure."""
        if self._measurements is None:
            from .measurements import MeasurementService

            self._measurements = MeasurementService(
                self._region, self._report, lambda: self.journal.locked
            )
        return self._measurements

    def _watch(self, command: msg.Command) -> bool:
        sampler = self.sampler
        match command:
            case msg.WatchRange(start, length):
                sampler.watch_range(start, min(length, MAX_SPAN))
            case msg.SetRate(hz):
                sampler.set_rate(hz)
            case msg.SetPaused(paused):
                sampler.set_paused(paused)
            case msg.Step():
                sampler.step()
            case msg.SetBudget(share):
                sampler.set_budget(share)
            case msg.SetLocked(locked):
                self.journal.set_locked(locked)
                if locked:
                    self._repeaters.stop_all()
                    if self._measurements is not None:
                        self._measurements.lock()
            case _:
                return False
        return True

    # -- the worker ------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            request, command = job
            try:
                value = self._do(command, request)
            except ScopeError as error:
                self._report(msg.Failed(request, error))
            except Exception as error:  # noqa: BLE001 - a bug must not end the worker
                text = f"{type(error).__name__} in {type(command).__name__}: {error}"
                self._report(msg.Failed(request, ScopeError(text, "This is a bug; report it.")))
            else:
                self._report(msg.Done(request, value))
            self._cancelled.discard(request)

    def _progress(self, request: int) -> dict[str, Any]:
        def progress(done: int, total: int) -> None:
            self._report(msg.Progress(request, done, total))

        def cancelled() -> bool:
            return request in self._cancelled or self._closing.is_set()

        return {"progress": progress, "cancelled": cancelled}

    @singledispatchmethod
    def _do(self, command: msg.Command, request: int) -> Any:
        raise ScopeError(f"The engine does not know {type(command).__name__}.")

    @_do.register
    def _(self, command: msg.Read, request: int) -> bytes:
        if command.length > msg.MAX_INLINE:
            raise OutOfRangeError(
                f"{format_size(command.length)} are more than can be copied at once "
                f"({format_size(msg.MAX_INLINE)}).",
                "Save the range to a file.",
            )
        if request in self._cancelled:
            raise CancelledError("Stopped before it began.")
        return self._region.read(command.start, command.length)

    @_do.register
    def _(self, command: msg.FindChange, request: int) -> int | None:
        return self.sampler.find_change(command.start, command.backwards, command.within_ns)

    @_do.register
    def _(self, command: msg.Write, request: int) -> WriteRecord:
        return self.journal.write(
            command.offset,
            command.data,
            seen=command.seen,
            force=command.force,
            width=command.width,
            label=command.label,
        )

    @_do.register
    def _(self, command: msg.Undo, request: int) -> WriteRecord:
        return self.journal.undo(force=command.force)

    @_do.register
    def _(self, command: msg.Redo, request: int) -> WriteRecord:
        return self.journal.redo(force=command.force)

    @_do.register
    def _(self, command: msg.ListWrites, request: int) -> tuple[WriteRecord, ...]:
        return tuple(self.journal.records(after=command.after))

    @_do.register
    def _(self, command: msg.Fill, request: int) -> WriteRecord:
        return bulk_writes.fill(
            self.journal,
            self._region,
            command.start,
            command.length,
            command.pattern,
            **self._progress(request),
        )

    @_do.register
    def _(self, command: msg.LoadFile, request: int) -> WriteRecord:
        return bulk_writes.load_file(
            self.journal,
            self._region,
            command.path,
            command.start,
            command.length,
            command.file_offset,
            **self._progress(request),
        )

    @_do.register
    def _(self, command: msg.SaveFile, request: int) -> int:
        return bulk_writes.save_file(
            self._region,
            command.path,
            command.start,
            command.length,
            **self._progress(request),
        )

    @_do.register
    def _(self, command: msg.CopyRange, request: int) -> WriteRecord:
        return bulk_writes.copy_range(
            self.journal,
            self._region,
            command.source,
            command.target,
            command.length,
            **self._progress(request),
        )

    @_do.register
    def _(self, command: msg.StartRepeat, request: int) -> int:
        return self._repeaters.start(command.repeat)

    @_do.register
    def _(self, command: msg.StopRepeat, request: int) -> WriteRecord | None:
        return self._repeaters.stop(command.number)

    @_do.register
    def _(self, command: msg.ListRepeats, request: int) -> tuple[RepeatState, ...]:
        return self._repeaters.states()

    @_do.register
    def _(self, command: msg.MeasureSpeed, request: int) -> MappingSpeed:
        cancelled = self._progress(request)["cancelled"]
        if not command.length:
            return measure_mapping(self._region, cancelled=cancelled)
        if self.journal.locked:
            raise LockedError("Writing is locked; only reading can be measured.")
        lane = (command.start, command.length)
        try:
            return measure_mapping(self._region, lane, cancelled=cancelled)
        finally:
            self._note_write(*lane)

    # -- between journal and sampler -------------------------------------------------------------

    def _note_write(self, offset: int, length: int) -> None:
        self.sampler.note_write(offset, length)

    def _status(self) -> tuple[int, bool]:
        return self.journal.count, self.journal.locked
