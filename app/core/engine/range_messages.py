"""Commands about a range of bytes: its bytes row by row, what it is, filling it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..analysis.pictures import Layout, Picture
from ..analysis.statistics import Statistics, Wanted
from ..analysis.tails import Tail
from ..analysis.waveforms import Signal, Wave
from ..protocols.known_pictures import KnownPicture
from ..values.byte_block import ByteBlock
from ..write.record import Seen, WriteRecord
from .messages import Command

if TYPE_CHECKING:
    from ..write.patterns import Pattern


@dataclass(frozen=True, slots=True)
class ReadBlock(Command[bytes]):
    """The bytes of a block, row behind row, at most MAX_INLINE of them."""

    block: ByteBlock


@dataclass(frozen=True, slots=True)
class Describe(Command[Statistics]):
    """Statistics and checksums of a block. Progress while it is read."""

    block: ByteBlock
    wanted: Wanted = field(default_factory=Wanted)


@dataclass(frozen=True, slots=True)
class FillBlock(Command[WriteRecord]):
    """Fill the rows of a block with a pattern that goes on from row to row. Progress meanwhile.

    Attributes:
        label: What the person did, where that is no fill.
        seen: What a person saw of the range that it spans; ConflictError when a byte of its rows
            is not so any more.
        force: Write all the same.
    """

    block: ByteBlock
    pattern: Pattern
    label: str = ""
    seen: Seen | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class RenderPicture(Command[Picture]):
    """A range as a picture, no finer than so many pixels."""

    layout: Layout
    most_width: int
    most_height: int


@dataclass(frozen=True, slots=True)
class FindStride(Command[int | None]):
    """Bytes from row to row of a picture that lies in a range; None where none is found."""

    start: int
    length: int
    format: str


@dataclass(frozen=True, slots=True)
class RenderWave(Command[Wave]):
    """A range as the envelope of a signal, in so many columns at most."""

    signal: Signal
    columns: int


@dataclass(frozen=True, slots=True)
class ReadTail(Command[Tail]):
    """The last bytes of a range that are not zero, at most `most`."""

    start: int
    length: int
    most: int


@dataclass(frozen=True, slots=True)
class FindPictures(Command[tuple[KnownPicture, ...]]):
    """The pictures that known programs keep in the region, the newest first.

    Attributes:
        at: Headers of frames that were found before: only these are looked at again.
    """

    at: tuple[int, ...] = ()
