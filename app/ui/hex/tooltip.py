"""The tool tip of a byte: its offset, its value, when it changed last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...core.values.column_forms import WIDTHS
from ...core.values.units import (
    format_age,
    format_offset,
    format_rate,
    format_short_offset,
    format_size,
)
from ...core.watch.frame import Frame
from .decorations.decorations import Decoration
from .page_rate import rate_text, undersampled_text
from .paint.cell_states import CellStates
from .paint.geometry import Pane
from .paint.surface import Surface

CACHE_LINE: Final = 64
_MOST_RANGES: Final = 6
_LEAST_RATE: Final = 0.1
_NAMES = {
    0: "NUL",
    9: "tab",
    10: "line feed",
    13: "carriage return",
    27: "escape",
    32: "space",
    127: "DEL",
}


def character(value: int) -> str:
    """A byte as a character in words that can be read."""
    if value in _NAMES:
        return _NAMES[value]
    if 32 < value < 127:
        return f"'{chr(value)}'"
    return f"control {value}" if value < 32 else "not ASCII"


def offset_text(offset: int) -> str:
    """`offset 0x0000'0040 (64)`."""
    return f"offset {format_offset(offset)} ({offset})"


def range_text(item: Decoration) -> str:
    """One decoration: `slot 2, 64 KiB at 0x3F0000: answered by guest vm1`."""
    where = f"{format_size(item.length)} at {format_short_offset(item.start)}"
    head = f"{item.label}, {where}" if item.label else where
    return f"{head}: {item.tip}" if item.tip else head


def ranges_text(items: Sequence[Decoration]) -> str:
    """Some decorations, a line each; of many the first ones and how many more there are."""
    lines = [range_text(item) for item in items[:_MOST_RANGES]]
    if len(items) > _MOST_RANGES:
        lines.append(f"and {len(items) - _MOST_RANGES} more")
    return "\n".join(lines)


def byte_text(picture: CellStates, offset: int, clock_ns: int) -> str:
    """Everything about one byte, in lines."""
    seen = picture.seen(offset, 1)
    frame = picture.frame
    if seen is None or frame is None:
        return f"{offset_text(offset)}\nnot read yet"
    value = seen[0]
    forms = f"0x{value:02X}   {value}   {value:08b}b   {character(value)}"
    if value > 127:
        forms = f"0x{value:02X}   {value} (i8 {value - 256})   {value:08b}b   {character(value)}"
    history = _history(frame, offset, picture.now_ns(clock_ns)) + often_text(picture, offset)
    return f"{offset_text(offset)}\n{forms}\n{history}{_page(frame, offset)}"


def often_text(picture: CellStates, offset: int) -> str:
    """`, 431 times since it is shown, 12.5 changes/s`; empty for what was not seen to change."""
    counted = picture.rates.at(offset)
    if counted is None or not counted[0]:
        return ""
    times = "once" if counted[0] == 1 else f"{counted[0]} times"
    rate = f", {format_rate(counted[1], 'changes/s')}" if counted[1] >= _LEAST_RATE else ""
    return f", {times} while shown{rate}"


def value_text(surface: Surface, pane: Pane, offset: int) -> str:
    """One line about the value of a pane that a byte belongs to; empty for single bytes."""
    layout = surface.grid.layouts[pane]
    if layout.form is None or layout.unit == 1:
        return ""
    start = layout.value_start(offset)
    data = surface.cells.seen(start, layout.unit)
    if data is None:
        return ""
    why = split_store(start, layout.unit)
    about = f"\n{layout.form.label} at {format_short_offset(start)}: {layout.form.text(data)}"
    return f"{about}\n{why}" if why else about


def split_store(start: int, length: int) -> str:
    """Why a value is not written by one store; empty where it is."""
    line = start // CACHE_LINE
    if line != (start + length - 1) // CACHE_LINE:
        edge = format_short_offset((line + 1) * CACHE_LINE)
        return f"crosses the cache line at {edge}: a peer can see half of a write"
    if length not in WIDTHS or start % length:
        return "not aligned: a peer can see half of a write"
    return ""


def _history(frame: Frame, offset: int, now_ns: int) -> str:
    at = offset - frame.start
    changed = int(frame.sample.changed_ns[at])
    if frame.sample.flux[at]:
        return "in flux: two reads in a row differed"
    if not changed:
        return "not seen to change"
    who = "written here" if frame.sample.mine[at] else "changed by the peer"
    return f"{who} {format_age(max(0, now_ns - changed))} ago"


def _page(frame: Frame, offset: int) -> str:
    """How often the page changes; more than that is not counted."""
    activity = frame.activity
    cell = min(offset // activity.cell_bytes, len(activity.rate) - 1)
    if not activity.rate[cell] > 0:
        return ""
    why = undersampled_text(activity, cell)
    return "\n".join([f"\npage: {rate_text(activity, cell)} seen", *([why] if why else [])])
