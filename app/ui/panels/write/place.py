"""Where a write tool works: start and length as they are typed, also of a rectangle."""

from __future__ import annotations

from dataclasses import dataclass

from ....core.errors import OutOfRangeError, UnsuitableError
from ....core.values.byte_block import ByteBlock, parse_shape
from ....core.values.expressions import evaluate
from ....core.values.units import format_short_offset, format_size
from .tool_form import ToolForm


@dataclass(frozen=True, slots=True)
class Place:
    """What was typed, which need not be inside the region.

    Attributes:
        start: Offset.
        length: Bytes.
        block: Their rows, when it is a rectangle with gaps between them.
    """

    start: int
    length: int
    block: ByteBlock | None = None

    @property
    def span(self) -> int:
        """Bytes from the first to the last."""
        return self.length if self.block is None else self.block.span

    @property
    def sentence(self) -> str:
        """`16 bytes at 0x40 to 0x4F`."""
        last = format_short_offset(self.start + max(0, self.span - 1))
        rows = "" if self.block is None else f" in {self.block.rows} rows"
        return f"{self.length:,} bytes{rows} at {format_short_offset(self.start)} to {last}"

    def need_inside(self, size: int) -> None:
        """Raise OutOfRangeError unless there is something, inside a region of this size."""
        if self.start < 0 or self.length <= 0 or self.start + self.span > size:
            raise OutOfRangeError(
                f"{self.length} bytes at {format_short_offset(self.start)} are not inside the "
                f"region ({format_size(size)})."
            )


def place_of(
    tool: ToolForm, start_text: str, length_text: str, selected: ByteBlock, cursor: int, size: int
) -> Place:
    """What the two fields say for this tool.

    Args:
        tool: Whose place.
        start_text: As typed.
        length_text: As typed; may be `8 x 4 every 16`.
        selected: The name `sel`, and the rows' distance where none is typed.
        cursor: What + and - count from.
        size: Bytes in the region.

    Raises:
        ExpressionError: One of them makes no sense.
        UnsuitableError: It is a rectangle, and the tool takes none.
    """
    selection = (selected.start, selected.span) if selected.length else None
    start = evaluate(start_text, cursor=cursor, size=size, selection=selection)
    if not tool.needs_length:
        return Place(start, tool.own_length())

    def number(text: str) -> int:
        return evaluate(text, size=size, selection=selection)

    block = parse_shape(length_text, max(0, start), number, selected.stride)
    if block is None:
        return Place(start, number(length_text))
    if block.whole:
        return Place(start, block.length)
    if not tool.takes_blocks:
        raise UnsuitableError(
            f"{tool.title} takes one range without gaps, no rectangle.",
            "Type its length in bytes.",
        )
    return Place(start, block.length, block)
