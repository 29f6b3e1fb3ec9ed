"""The rows of what every engine does: watch, read, write, save, and signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import LockedError, OutOfRangeError
from ..values.pointer import PointingPlaces
from ..values.units import format_size
from ..watch.entropy import sample_entropy
from ..watch.frame import F32
from ..write import bulk_writes
from ..write.record import FreezeState, RepeatState, WriteRecord
from . import messages as msg
from .command_rows import Later, Pace, Queue, Row, Rows
from .frame_board import MAX_SPAN

if TYPE_CHECKING:
    from ..measure.bandwidth.mapping_speed import MappingSpeed
    from ..write.turn import Turn
    from .engine import Engine
    from .scheduler import Job

# -- watching -------------------------------------------------------------------------------------


def _watch_range(engine: Engine, command: msg.WatchRange, _job: Job) -> None:
    engine.sampler.watch_range(command.start, min(command.length, MAX_SPAN))


def _set_rate(engine: Engine, command: msg.SetRate, _job: Job) -> None:
    engine.sampler.set_rate(command.hz)


def _set_paused(engine: Engine, command: msg.SetPaused, _job: Job) -> None:
    engine.sampler.set_paused(command.paused)


def _step(engine: Engine, _command: msg.Step, _job: Job) -> None:
    engine.sampler.step()


def _set_budget(engine: Engine, command: msg.SetBudget, _job: Job) -> None:
    engine.sampler.set_budget(command.share)


def _set_locked(engine: Engine, command: msg.SetLocked, _job: Job) -> None:
    engine.set_locked(command.locked)


def _cancel(engine: Engine, command: msg.Cancel, _job: Job) -> None:
    engine.scheduler.cancel(command.request)


# -- reading --------------------------------------------------------------------------------------


def _need_inline(length: int) -> None:
    if length > msg.MAX_INLINE:
        raise OutOfRangeError(
            f"{format_size(length)} are more than can be copied at once "
            f"({format_size(msg.MAX_INLINE)}).",
            "Save the range to a file.",
        )


def _read(engine: Engine, command: msg.Read, _job: Job) -> bytes:
    _need_inline(command.length)
    return engine.region.read(command.start, command.length)


def _read_ranges(engine: Engine, command: msg.ReadRanges, _job: Job) -> tuple[bytes, ...]:
    _need_inline(sum(length for _start, length in command.ranges))
    region = engine.region
    inside = ((start, min(length, region.size - start)) for start, length in command.ranges)
    return tuple(
        region.read(start, length) if start >= 0 and length > 0 else b"" for start, length in inside
    )


def _find_change(engine: Engine, command: msg.FindChange, _job: Job) -> int | None:
    return engine.sampler.find_change(command.start, command.backwards, command.within_ns)


def _find_pointers(engine: Engine, command: msg.FindPointers, job: Job) -> PointingPlaces:
    from ..watch.pointer_scan import find_pointers

    return find_pointers(
        engine.region,
        command.target,
        command.form,
        aligned=command.aligned,
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _save_file(engine: Engine, command: msg.SaveFile, job: Job) -> int:
    return bulk_writes.save_file(
        engine.region,
        command.path,
        command.start,
        command.length,
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _measure_speed(engine: Engine, command: msg.MeasureSpeed, job: Job) -> MappingSpeed:
    from ..measure.bandwidth.mapping_speed import measure_mapping

    if not command.length:
        return measure_mapping(engine.region, cancelled=job.cancelled)
    if engine.journal.locked:
        raise LockedError("Writing is locked; only reading can be measured.")
    lane = (command.start, command.length)
    try:
        return measure_mapping(engine.region, lane, cancelled=job.cancelled)
    finally:
        engine.note_write(*lane)


def _sample_entropy(engine: Engine, command: msg.SampleEntropy, job: Job) -> F32:
    return sample_entropy(engine.region, command.parts, job.cancelled)


# -- writing --------------------------------------------------------------------------------------


def _write(engine: Engine, command: msg.Write, _job: Job) -> WriteRecord:
    return engine.journal.write(
        command.offset,
        command.data,
        seen=command.seen,
        force=command.force,
        width=command.width,
        label=command.label,
        go=command.go,
    )


def _list_writes(engine: Engine, command: msg.ListWrites, _job: Job) -> tuple[WriteRecord, ...]:
    return tuple(engine.journal.records(after=command.after))


def _fill(engine: Engine, command: msg.Fill, job: Job) -> WriteRecord:
    return bulk_writes.fill(
        engine.journal,
        engine.region,
        command.start,
        command.length,
        command.pattern,
        seen=None if command.force else command.seen,
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _load_file(engine: Engine, command: msg.LoadFile, job: Job) -> WriteRecord:
    return bulk_writes.load_file(
        engine.journal,
        engine.region,
        command.path,
        command.start,
        command.length,
        command.file_offset,
        seen=None if command.force else command.seen,
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _copy_range(engine: Engine, command: msg.CopyRange, job: Job) -> WriteRecord:
    return bulk_writes.copy_range(
        engine.journal,
        engine.region,
        command.source,
        command.target,
        command.length,
        seen=None if command.force else command.seen,
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _undo(engine: Engine, command: msg.Undo, job: Job) -> WriteRecord | Later[WriteRecord]:
    turn = engine.journal.begin_undo(command.force, command.number, since=_since(engine))
    return _turn(turn, job)


def _redo(engine: Engine, command: msg.Redo, job: Job) -> WriteRecord | Later[WriteRecord]:
    turn = engine.journal.begin_redo(command.force, command.number, since=_since(engine))
    return _turn(turn, job)


def _since(engine: Engine) -> int:
    """Only what was written after this entry of the journal can be undone now.

    A long write that was asked for after it waits or is under way, and is what an undo would have
    to take back first.
    """
    return max((job.after for job in engine.scheduler.waiting(Queue.WRITES)), default=0)


def _turn(turn: Turn, job: Job) -> WriteRecord | Later[WriteRecord]:
    """What was written by one quick command is undone at once; the rest is long."""
    if turn.is_short:
        return turn.run()
    return Later(lambda: turn.run(progress=job.progress, cancelled=job.cancelled))


# -- signals --------------------------------------------------------------------------------------


def _start_repeat(engine: Engine, command: msg.StartRepeat, _job: Job) -> int:
    return engine.signals.start(command.repeat, None if command.force else command.seen)


def _start_freeze(engine: Engine, command: msg.StartFreeze, _job: Job) -> int:
    return engine.signals.start(command.freeze)


def _stop_repeat(engine: Engine, command: msg.StopRepeat, _job: Job) -> WriteRecord | None:
    return engine.signals.stop(command.number)


def _list_repeats(
    engine: Engine, _command: msg.ListRepeats, _job: Job
) -> tuple[RepeatState | FreezeState, ...]:
    return (*engine.signals.states(), *engine.signals.frozen())


_NOW, _QUICK, _LONG, _EITHER = Pace.IMMEDIATE, Pace.QUICK, Pace.LONG, Pace.EITHER

ROWS: Rows = (
    Row(msg.WatchRange, _watch_range, _NOW),
    Row(msg.SetRate, _set_rate, _NOW),
    Row(msg.SetPaused, _set_paused, _NOW),
    Row(msg.Step, _step, _NOW),
    Row(msg.SetBudget, _set_budget, _NOW),
    Row(msg.SetLocked, _set_locked, _NOW),
    Row(msg.Cancel, _cancel, _NOW),
    Row(msg.Read, _read, _QUICK, cancellable=True),
    Row(msg.ReadRanges, _read_ranges, _QUICK, cancellable=True),
    Row(msg.FindChange, _find_change, _QUICK, cancellable=True),
    Row(msg.FindPointers, _find_pointers, _LONG, Queue.POINTERS, cancellable=True),
    Row(msg.Write, _write, _QUICK),
    Row(msg.Undo, _undo, _EITHER, Queue.WRITES, cancellable=True),
    Row(msg.Redo, _redo, _EITHER, Queue.WRITES, cancellable=True),
    Row(msg.ListWrites, _list_writes, _QUICK),
    Row(msg.Fill, _fill, _LONG, Queue.WRITES, cancellable=True),
    Row(msg.LoadFile, _load_file, _LONG, Queue.WRITES, cancellable=True),
    Row(msg.CopyRange, _copy_range, _LONG, Queue.WRITES, cancellable=True),
    Row(msg.SaveFile, _save_file, _LONG, Queue.SAVES, cancellable=True),
    Row(msg.StartRepeat, _start_repeat, _QUICK),
    Row(msg.StartFreeze, _start_freeze, _QUICK),
    Row(msg.StopRepeat, _stop_repeat, _QUICK),
    Row(msg.ListRepeats, _list_repeats, _QUICK),
    Row(msg.SampleEntropy, _sample_entropy, _LONG, Queue.SURVEYS, cancellable=True),
    Row(msg.MeasureSpeed, _measure_speed, _LONG, Queue.SPEED, cancellable=True),
)
