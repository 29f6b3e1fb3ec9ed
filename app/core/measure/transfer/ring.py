"""The ring of a transfer: its shape in a data half, and the messages that are sent through it.

A half holds a table of heads and the cells behind it. A cell carries a message, or a piece of one
that is too long for a quarter of the ring; its head carries a number, which cannot be there by
chance, and the checksum (xxh3) of the cell. Both sides generate the same messages from the
run's number, so that a receiver knows every byte that should arrive: the kernel compares bytes,
Python compares checksums. A cell never carries the same message twice in a row, so that an old
one cannot be taken for a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from ...errors import LaneError, MeasureOptionError
from ...region.buffers import aligned_bytes
from ...values.units import format_size
from ..lane.layout import ALIGN, ByteRange

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

MIN_MESSAGE: Final = 64
MAX_MESSAGE: Final = 16 << 20
MESSAGE_UNIT: Final = 64
HEAD: Final = 16
MAX_CELLS: Final = 4096
_LEAST_CELLS: Final = 4
_SOURCE_BYTES: Final = 1 << 20
_BATCH_BYTES: Final = 128 << 10
_LEAST_BATCH: Final = 16  # Python's overhead for a batch is what C needs for 64 KiB


def check_message(message: int) -> None:
    """Whether messages of that size can be sent.

    Raises:
        MeasureOptionError: They cannot.
    """
    if not MIN_MESSAGE <= message <= MAX_MESSAGE or message % MESSAGE_UNIT:
        raise MeasureOptionError(
            f"Messages of {message} bytes cannot be sent.",
            f"{MIN_MESSAGE} bytes to {format_size(MAX_MESSAGE)}, a multiple of {MESSAGE_UNIT}.",
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """A ring in a data half; both sides compute it from the same two numbers.

    Attributes:
        message: Bytes of a message.
        pieces: Cells that a message takes.
        cells: Cells of the ring.
        sources: Pieces of all messages, which are sent again and again.
        batch: Cells that are passed on at once.
    """

    message: int
    pieces: int
    cells: int
    sources: int
    batch: int

    @classmethod
    def of(cls, message: int, half: int) -> Layout:
        """The ring for messages of a size in a half of a size.

        Raises:
            MeasureOptionError: Not a size of messages.
            LaneError: The half is too small.
        """
        check_message(message)
        longest = (half - _LEAST_CELLS * HEAD - ALIGN) // _LEAST_CELLS // MESSAGE_UNIT
        if half < 2 * ALIGN or longest < 1:
            raise LaneError(
                f"A data area of {format_size(max(0, half))} is too small for a ring.",
                "Lay a larger lane, or one with fewer slots.",
            )
        units = message // MESSAGE_UNIT
        pieces = next(n for n in range(-(-units // longest), units + 1) if units % n == 0)
        piece = message // pieces
        cells = min(MAX_CELLS, (half - ALIGN) // (piece + HEAD))
        batch = max(1, min(cells // _LEAST_CELLS, max(_LEAST_BATCH, _BATCH_BYTES // piece)))
        messages = max(2, min(64, _SOURCE_BYTES // message))
        while cells % (messages * pieces) == 0:
            messages += 1
        return cls(message, pieces, cells, messages * pieces, batch)

    @property
    def piece(self) -> int:
        """Bytes of a cell."""
        return self.message // self.pieces

    @property
    def cells_at(self) -> int:
        """Where in the half the cells begin; on a page's start when they are pages."""
        unit = ALIGN if self.piece % ALIGN == 0 else MESSAGE_UNIT
        return -(-self.cells * HEAD // unit) * unit

    @property
    def length(self) -> int:
        """Bytes of the half that are written."""
        return self.cells_at + self.cells * self.piece

    def as_values(self) -> tuple[int, ...]:
        """The values of the request; both sides must compute the same."""
        return self.message, self.piece, self.cells, self.sources, self.batch


@dataclass(frozen=True, slots=True)
class Source:
    """The messages of a run, piece by piece, and their checksums.

    Attributes:
        data: (sources * piece,) bytes.
        sums: (sources,) xxh3_64 of each piece.
    """

    data: U8
    sums: U64

    @classmethod
    def of(cls, layout: Layout, run: int) -> Source:
        """Generate them; the same run gives the same bytes on every machine."""
        words = layout.sources * layout.piece // 8
        data = aligned_bytes(8 * words)  # a copy from anywhere else may take ten times as long
        data.view("<u8")[:] = np.random.PCG64(run).random_raw(words)
        pieces = data.reshape(layout.sources, layout.piece)
        sums = np.fromiter(map(xxh3_64_intdigest, pieces), np.uint64, layout.sources)
        return cls(data, sums)


@dataclass(frozen=True, slots=True)
class Half:
    """One direction's ring in the region: where its heads and cells are."""

    heads: ByteRange
    cells: ByteRange

    @classmethod
    def of(cls, layout: Layout, data: ByteRange) -> Half:
        """The ring at the start of a data half."""
        heads = ByteRange(data.offset, layout.cells * HEAD)
        return cls(heads, ByteRange(data.offset + layout.cells_at, layout.cells * layout.piece))
