"""What stands in a row and under the cursor, as text: for the cursor itself and screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic_ns

from ....core.values.column_forms import HEX, ColumnForm
from ....core.values.text_encodings import TextEncoding
from ..decorations.decorations import Decoration
from .cell_states import CellStates
from .geometry import Grid, Pane, address_text
from .history_text import history_texts
from .pane_layout import PaneLayout


def value_text(cells: CellStates, layout: PaneLayout, encoding: TextEncoding, offset: int) -> str:
    """The value of a pane that a byte belongs to, as wide as it is shown; empty if not read."""
    start = layout.value_start(offset)
    data = cells.seen(start, layout.unit)
    if data is None:
        return ""
    if layout.form is not None:
        return _text(cells, layout.form, start, data)
    return encoding.text(cells.seen(start, encoding.longest) or data, "·")[:1]


def _text(cells: CellStates, form: ColumnForm, start: int, data: bytes) -> str:
    """A value; of what is told of changes a dash where there was none."""
    if not form.told:
        return form.text(data)
    now_ns = cells.now_ns(monotonic_ns())
    told = history_texts(form, cells.frame, cells.rates, start, 1, now_ns)
    return told.tobytes().decode("ascii").strip() or "-"


def describe_row(cells: CellStates, grid: Grid, ranges: Sequence[Decoration], offset: int) -> str:
    """The row of an offset in words: its place, its byte, and all that its columns show.

    Args:
        cells: The bytes.
        grid: The columns.
        ranges: The decorations over the byte, the topmost first.
        offset: A byte of the row.
    """
    start, length = grid.span(grid.row_of(offset), 1)
    data = cells.seen(start, length)
    head = f"Offset {offset:#x}, row {address_text(start, grid.digits)}"
    if data is None:
        return f"{head}, not read yet"
    names = [item.label for item in ranges if item.label]
    head = ", in ".join([head, *names])
    parts = [f"{head}, byte {data[offset - start]:02X}"]
    for pane, layout in grid.layouts.items():
        if layout.form is not None:
            parts.append(_values(cells, layout, layout.form, start, length))
        else:
            words = "" if pane is Pane.TEXT and grid.text.name == "ascii" else f"{grid.text.label} "
            parts.append(words + grid.text.text(data))
    return "; ".join(parts)


def _values(
    cells: CellStates, layout: PaneLayout, form: ColumnForm, start: int, length: int
) -> str:
    """All values of a row; those that reach behind what was read are left out."""
    first = start + layout.origin
    found = ((at, cells.seen(at, form.width)) for at in range(first, first + length, form.width))
    texts = " ".join(_text(cells, form, at, data) for at, data in found if data is not None)
    return texts if form == HEX else f"{form.label} {texts}"
