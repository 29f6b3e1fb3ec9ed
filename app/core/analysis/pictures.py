"""A range of bytes as a picture: pixel formats, pixels in rows, and the stride found by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import OutOfRangeError, ValueFormatError
from ..region.region import Region
from ..values.units import format_size
from .range_reader import read_range

U8 = npt.NDArray[np.uint8]

MAX_SIDE: Final = 32768
MAX_READ: Final = 16 << 20
"""Bytes that one picture is made of at most, after rows were left out."""
SAMPLED: Final = 512 << 10  # bytes that a stride is looked for in
_LEAST_PIXELS: Final = 16
_NEAR: Final = 8  # pixels beside a row's length where it must fit worse


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How pixels lie in a row.

    Attributes:
        name: As people call it.
        bits: Of one pixel in a row; of NV12 those of its first plane.
        to_rgb: From (rows, bytes) and the columns wanted to (rows, columns, 3).
        planes: 2 where a plane of half the rows follows (NV12).
    """

    name: str
    bits: int
    to_rgb: Callable[[U8, npt.NDArray[np.int64]], U8]
    planes: int = 1

    def row_bytes(self, width: int) -> int:
        """Bytes that so many pixels take."""
        return -(-width * self.bits // 8)


def _channels(size: int, *order: int) -> Callable[[U8, npt.NDArray[np.int64]], U8]:
    def convert(rows: U8, columns: npt.NDArray[np.int64]) -> U8:
        pixels = rows[:, : rows.shape[1] // size * size].reshape(len(rows), -1, size)
        found: U8 = pixels[:, columns][:, :, list(order)]
        return found

    return convert


def _rgb565(rows: U8, columns: npt.NDArray[np.int64]) -> U8:
    words = np.ascontiguousarray(rows[:, : rows.shape[1] // 2 * 2]).view("<u2")[:, columns]
    red, green, blue = words >> 11, words >> 5 & 63, words & 31
    parts = (red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2)
    found: U8 = np.stack(parts, axis=-1).astype(np.uint8)
    return found


def _bits(rows: U8, columns: npt.NDArray[np.int64]) -> U8:
    lit = rows[:, columns // 8] >> (7 - columns % 8).astype(np.uint8) & 1
    return np.repeat((lit * 255)[:, :, None], 3, axis=2).astype(np.uint8)


FORMATS: Final = {
    one.name: one
    for one in (
        PixelFormat("BGRA", 32, _channels(4, 2, 1, 0)),
        PixelFormat("RGBA", 32, _channels(4, 0, 1, 2)),
        PixelFormat("BGR", 24, _channels(3, 2, 1, 0)),
        PixelFormat("RGB", 24, _channels(3, 0, 1, 2)),
        PixelFormat("RGB565", 16, _rgb565),
        PixelFormat("NV12", 8, _channels(1, 0, 0, 0), planes=2),
        PixelFormat("grey", 8, _channels(1, 0, 0, 0)),
        PixelFormat("1 bit", 1, _bits),
    )
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the pixels of a picture lie.

    Attributes:
        start: Offset of the first.
        length: Bytes of the range that it is in; its rows follow from that.
        format: Name of a pixel format.
        width: Pixels in a row.
        stride: Bytes from row to row; 0 is as many as a row takes.
    """

    start: int
    length: int
    format: str
    width: int
    stride: int = 0

    def checked(self) -> Layout:
        """The same with its stride.

        Raises:
            ValueFormatError: These numbers make no picture; the message says why.
        """
        pixels = FORMATS.get(self.format)
        if pixels is None:
            raise ValueFormatError(f"{self.format!r} is no pixel format.", ", ".join(FORMATS))
        if not 1 <= self.width <= MAX_SIDE:
            raise ValueFormatError(f"A width of {self.width} pixels.", f"1 to {MAX_SIDE}.")
        if pixels.planes == 2 and self.width % 2:
            raise ValueFormatError(f"{self.format} has an even number of pixels in a row.")
        row = pixels.row_bytes(self.width)
        stride = self.stride or row
        if stride < row:
            raise ValueFormatError(
                f"A row of {self.width} pixels {self.format} takes {row} bytes, more than the "
                f"stride of {stride}."
            )
        made = Layout(self.start, self.length, self.format, self.width, stride)
        if made.height < 1:
            raise ValueFormatError(
                f"The range of {format_size(self.length)} holds not one row of {stride} bytes.",
                "Select more, or choose fewer pixels in a row.",
            )
        return made

    @property
    def height(self) -> int:
        """Whole rows in the range."""
        pixels = FORMATS[self.format]
        stride = max(1, self.stride)
        if pixels.planes == 2:
            return min(MAX_SIDE, self.length * 2 // (3 * stride) // 2 * 2)
        behind = self.length - pixels.row_bytes(self.width)
        return min(MAX_SIDE, behind // stride + 1) if behind >= 0 else 0

    def offset_of(self, x: int, y: int) -> int:
        """Offset of a pixel's first byte, in the first plane."""
        return self.start + y * self.stride + x * FORMATS[self.format].bits // 8


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture to be shown.

    Attributes:
        layout: Where its pixels lie.
        step: Every so many-th pixel and row is in it.
        width, height: Of what is in it.
        rgb: Red, green and blue of each, row by row.
    """

    layout: Layout
    step: int
    width: int
    height: int
    rgb: bytes


def render(region: Region, layout: Layout, most_width: int, most_height: int) -> Picture:
    """Read a picture, no finer than it can be shown.

    Raises:
        ValueFormatError: These numbers make no picture.
        OutOfRangeError: It is outside of the region, or too large.
        RegionGoneError: As Region.read_into.
    """
    layout = layout.checked()
    pixels = FORMATS[layout.format]
    width, height = layout.width, layout.height
    step = max(1, -(-width // max(1, most_width)), -(-height // max(1, most_height)))
    if pixels.planes == 2:
        step += step % 2 if step > 1 else 0
    rows = _rows(region, layout, layout.start, height, step)
    columns = np.arange(0, width, step)
    if pixels.planes == 2:
        chroma = _rows(
            region, layout, layout.start + height * layout.stride, height // 2, max(1, step // 2)
        )
        rgb = _nv12(rows, chroma, columns, step)
    else:
        rgb = pixels.to_rgb(rows, columns)
    return Picture(layout, step, rgb.shape[1], rgb.shape[0], np.ascontiguousarray(rgb).tobytes())


def _rows(region: Region, layout: Layout, start: int, height: int, step: int) -> U8:
    """Every so many-th row: (rows, bytes)."""
    size = FORMATS[layout.format].row_bytes(layout.width)
    count = -(-height // step)
    stride = layout.stride * step
    if count * size > MAX_READ:
        raise OutOfRangeError(
            f"{count} rows of {format_size(size)} are more than can be shown at once "
            f"({format_size(MAX_READ)})."
        )
    together = count > 1 and stride < 2 * size and (count - 1) * stride + size <= MAX_READ
    if together:
        whole = np.zeros(count * stride, np.uint8)
        read_range(region, start, whole[: (count - 1) * stride + size])
        return whole.reshape(count, stride)[:, :size]
    rows = np.zeros((count, size), np.uint8)
    for number in range(count):
        read_range(region, start + number * stride, rows[number])
    return rows


def _nv12(luma: U8, chroma: U8, columns: npt.NDArray[np.int64], step: int) -> U8:
    """Video range of BT.601, in whole numbers."""
    lines = np.minimum(np.arange(len(luma)) * step // 2 // max(1, step // 2), len(chroma) - 1)
    pair = columns // 2 * 2
    pair = np.minimum(pair, chroma.shape[1] // 2 * 2 - 2)
    y = (luma[:, columns].astype(np.int32) - 16) * 298
    u = chroma[lines][:, pair].astype(np.int32) - 128
    v = chroma[lines][:, pair + 1].astype(np.int32) - 128
    parts = (y + 409 * v, y - 100 * u - 208 * v, y + 516 * u)
    rgb = np.stack([np.clip(one + 128 >> 8, 0, 255) for one in parts], axis=-1)
    found: U8 = rgb.astype(np.uint8)
    return found


def find_stride(data: U8, format_name: str) -> int | None:
    """Bytes from row to row of a picture in these bytes; None where no row is like the next.

    A row is like the one before it, more than like what lies a few pixels beside that: the
    distance at which bytes agree best with themselves, and sharply so, is the stride.
    """
    pixel = max(1, FORMATS[format_name].bits // 8)
    whole = min(len(data), SAMPLED) // pixel * pixel
    part = data[:whole].astype(np.float32)
    near, least = _NEAR * pixel, _LEAST_PIXELS * pixel
    if len(part) < 4 * (least + near):
        return None
    # Channels that never change, as alpha, are alike at every distance of whole pixels.
    channels = part.reshape(-1, pixel)
    channels -= channels.mean(axis=0)
    size = 1 << (2 * len(part) - 1).bit_length()
    spectrum = np.fft.rfft(part, size)
    most = len(part) // 2
    agreement = np.fft.irfft(spectrum * spectrum.conj(), size)[: most + near]
    if agreement[0] <= 0:
        return None
    agreement *= len(part) / (len(part) - np.arange(len(agreement))) / agreement[0]
    lags = np.arange(least + near, most, pixel)
    sharp = agreement[lags] - 0.5 * (agreement[lags - near] + agreement[lags + near])
    if not len(sharp) or sharp.max() < 0.05:
        return None
    good = np.flatnonzero(sharp >= 0.8 * sharp.max())
    # Of a peak that is a few pixels wide its top, and of several the first.
    first = good[0]
    peak = good[(good >= first) & (good <= first + _NEAR)]
    best = int(lags[peak[np.argmax(agreement[lags[peak]])]])
    return best if agreement[best] > 0.2 else None
