"""Decorations at a glance: on strips and maps on which a pixel stands for many bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from ...style.theme import Theme
from ..paint import styles
from ..paint.glyph_atlas import packed
from .decorated_cells import top_tints
from .decorations import Decorations, Hits
from .range_index import I64, greatest


def _shown_tints(hits: Hits) -> I64:
    """Here a range without a tint is drawn too."""
    return np.maximum(hits.tints, 1)


def tint_colors(theme: Theme, behind: str) -> npt.NDArray[np.uint32]:
    """By tint: pixels of marks on a ground (`#RRGGBB`); the first, of no tint, is transparent."""
    ground = styles.rgb(behind)
    tints = range(1, len(theme.tints) + 1)
    marks = [packed(styles.mark_color(theme, tint, ground)) for tint in tints]
    return np.array([0, *marks], np.uint32)


def to_image(pixels: npt.NDArray[np.uint32]) -> QImage:
    """A copy as an image with transparency."""
    rows, columns = pixels.shape
    flat = np.ascontiguousarray(pixels)
    return QImage(flat.data, columns, rows, columns * 4, QImage.Format.Format_ARGB32).copy()


def tint_strip(decorations: Decorations, size: int, rows: int, least: int, start: int = 0) -> I64:
    """The tint of each row of a strip that shows a region, or a part of it.

    Args:
        decorations: What is shown.
        size: Bytes of that part.
        rows: Rows of the strip.
        least: No range is shown by fewer rows.
        start: Where the part begins.
    """
    hits = decorations.hits(start, size)
    scale = rows / size
    first = (np.maximum(hits.starts - start, 0) * scale).astype(np.int64)
    behind = np.ceil(np.minimum(hits.ends - start, size) * scale).astype(np.int64)
    short = np.maximum(least - (behind - first), 0)
    first = np.clip(first - short // 2, 0, max(0, rows - least))
    behind = np.minimum(np.maximum(behind, first + least), rows)
    return top_tints(first, behind, _shown_tints(hits), rows)


@dataclass(frozen=True, slots=True)
class MapShape:
    """A map of a region: cells in reading order.

    Attributes:
        cells, cell_bytes: How many, and what each stands for.
        columns, rows: How they lie; the last row may be incomplete.
        width, height: Pixels.
        start: Offset of the first cell.
    """

    cells: int
    cell_bytes: int
    columns: int
    rows: int
    width: int
    height: int
    start: int = 0


def map_outlines(decorations: Decorations, shape: MapShape, least: int, line: int) -> I64:
    """The tint of each pixel of a map: lines around ranges, 0 between them.

    Where cells are smaller than `least` pixels, several of them share an outline.

    Args:
        decorations: What is shown.
        shape: The map.
        least: No outline is smaller, in pixels.
        line: Thickness of lines, in pixels.
    """
    hits = decorations.hits(shape.start, shape.cells * shape.cell_bytes, outlined=True)
    first = np.maximum(hits.starts - shape.start, 0) // shape.cell_bytes
    behind = np.minimum((hits.ends - shape.start - 1) // shape.cell_bytes + 1, shape.cells)
    tops = np.full(shape.rows * shape.columns, -1, np.int64)
    tops[: shape.cells] = greatest(first, behind, np.arange(len(hits)), shape.cells)
    grid = tops.reshape(shape.rows, shape.columns)
    down, across = max(1, shape.height // least), max(1, shape.width // least)
    for axis, count in ((0, min(shape.rows, down)), (1, min(shape.columns, across))):
        # A cell belongs to the tile that its middle is in.
        edges = -((count - 2 * np.arange(count) * grid.shape[axis]) // (2 * count))
        grid = np.maximum.reduceat(grid, edges, axis=axis)
    y = np.arange(shape.height) * grid.shape[0] // shape.height
    x = np.arange(shape.width) * grid.shape[1] // shape.width
    tiles = grid[y][:, x]
    padded = np.pad(tiles, line, constant_values=-1)
    edge = np.zeros(tiles.shape, np.bool_)
    for step in range(1, line + 1):
        for dy, dx in ((step, 0), (-step, 0), (0, step), (0, -step)):
            low, left = line + dy, line + dx
            edge |= padded[low : low + shape.height, left : left + shape.width] != tiles
    tints = np.append(_shown_tints(hits), 0)[tiles]  # -1 finds the last
    outlines: I64 = np.where(edge, tints, 0)
    return outlines
