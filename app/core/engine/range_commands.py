"""The rows of what is asked about a range of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ..analysis import pictures, range_reader, tails, waveforms
from ..errors import OutOfRangeError
from ..protocols.known_pictures import known_pictures
from ..values.units import format_size
from ..write import block_writes
from ..write.record import WriteRecord
from . import messages as msg
from . import range_messages as rm
from .command_rows import Pace, Queue, Row, Rows

if TYPE_CHECKING:
    from ..analysis.pictures import Picture
    from ..analysis.statistics import Statistics
    from ..analysis.tails import Tail
    from ..analysis.waveforms import Wave
    from ..protocols.known_pictures import KnownPicture
    from .engine import Engine
    from .scheduler import Job


_MOST_SIDE: Final = 2048  # pixels of a picture that is answered


def _read_block(engine: Engine, command: rm.ReadBlock, _job: Job) -> bytes:
    if command.block.length > msg.MAX_INLINE:
        raise OutOfRangeError(
            f"{format_size(command.block.length)} are more than can be copied at once "
            f"({format_size(msg.MAX_INLINE)}).",
            "Save the range to a file.",
        )
    return range_reader.read_block(engine.region, command.block)


def _describe(engine: Engine, command: rm.Describe, job: Job) -> Statistics:
    return range_reader.statistics_of(
        engine.region,
        command.block,
        command.wanted,
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _fill_block(engine: Engine, command: rm.FillBlock, job: Job) -> WriteRecord:
    return block_writes.fill_block(
        engine.journal,
        engine.region,
        command.block,
        command.pattern,
        command.label,
        seen=None if command.force else command.seen,
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _render_picture(engine: Engine, command: rm.RenderPicture, _job: Job) -> Picture:
    most = min(command.most_width, _MOST_SIDE), min(command.most_height, _MOST_SIDE)
    return pictures.render(engine.region, command.layout, *most)


def _find_stride(engine: Engine, command: rm.FindStride, _job: Job) -> int | None:
    data = np.zeros(min(command.length, pictures.SAMPLED), np.uint8)
    range_reader.read_range(engine.region, command.start, data)
    return pictures.find_stride(data, command.format)


def _render_wave(engine: Engine, command: rm.RenderWave, _job: Job) -> Wave:
    return waveforms.envelope(engine.region, command.signal, command.columns)


def _read_tail(engine: Engine, command: rm.ReadTail, job: Job) -> Tail:
    return tails.tail_of(
        engine.region, command.start, command.length, command.most, cancelled=job.cancelled
    )


def _find_pictures(engine: Engine, command: rm.FindPictures, _job: Job) -> tuple[KnownPicture, ...]:
    return known_pictures(engine.region, command.at)


_LONG: Final = Pace.LONG

ROWS: Rows = (
    Row(rm.ReadBlock, _read_block, Pace.QUICK, cancellable=True),
    Row(rm.Describe, _describe, _LONG, Queue.STATISTICS, cancellable=True),
    Row(rm.FillBlock, _fill_block, _LONG, Queue.WRITES, cancellable=True),
    Row(rm.RenderPicture, _render_picture, _LONG, Queue.PREVIEW, cancellable=True),
    Row(rm.FindStride, _find_stride, _LONG, Queue.PREVIEW, cancellable=True),
    Row(rm.RenderWave, _render_wave, _LONG, Queue.PREVIEW, cancellable=True),
    Row(rm.FindPictures, _find_pictures, _LONG, Queue.PREVIEW, cancellable=True),
    Row(rm.ReadTail, _read_tail, _LONG, Queue.PREVIEW, cancellable=True),
)
