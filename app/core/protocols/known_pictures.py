"""Pictures that known programs keep in the memory: where they lie, and how their pixels do.

The demo's picture stands in its layout. A Looking Glass host puts each frame behind a header of its
own (KVMFRFrame, common/include/common/KVMFR.h) at the start of a page; where its queues say so
differs with every version of LGMP, so that the headers are recognised by their numbers, which have
to agree with each other in five ways.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from .demo_layout import HEIGHT, MAGIC, PICTURE, WIDTH
from .known_content import Source
from .looking_glass import SEARCHED, find_lgmp

LOOKING_GLASS: Final = "Looking Glass frame"
_PAGE: Final = 4096
_MOST_PAGES: Final = 1 << 17  # 512 MiB; no frame header of a larger region is farther back
_FRAME: Final = struct.Struct("<13I")
_TYPES: Final = {1: "BGRA", 2: "RGBA"}
_WIDEST: Final = 16384
_COUNTER: Final = 4  # bytes in front of the pixels that say how many are there already
# Numbers in front of the frame's size, and whether the packed size stands in front of it, too.
_LAYOUTS: Final = (7, 5)


@dataclass(frozen=True, slots=True)
class KnownPicture:
    """A picture that was recognised.

    Attributes:
        name: What it is; the frames of one program have the same.
        start: Offset of its first pixel.
        format: BGRA or RGBA.
        width, height: Pixels.
        stride: Bytes from row to row.
        serial: Grows with each frame of a program that numbers them.
        header: Offset of what tells all this; its own start where nothing in the memory does.
    """

    name: str
    start: int
    format: str
    width: int
    height: int
    stride: int
    serial: int = 0
    header: int = 0

    @property
    def length(self) -> int:
        """Bytes from its first pixel to its last."""
        return (self.height - 1) * self.stride + 4 * self.width


def known_pictures(source: Source, at: tuple[int, ...] = ()) -> tuple[KnownPicture, ...]:
    """What is recognised in a region, the newest frame first. Reads no hole.

    Args:
        source: The region.
        at: Headers of frames that were found before: only these are looked at again.
    """
    if at:
        again = (_frame(_part(source, page, _FRAME.size), page, source.size) for page in at)
        return _newest_first(filter(None, again))
    head = _part(source, 0, min(source.size, SEARCHED))
    if head[: len(MAGIC)] == MAGIC:
        picture = KnownPicture("Demo picture", PICTURE, "BGRA", WIDTH, HEIGHT, 4 * WIDTH)
        return (picture,) if PICTURE + picture.length <= source.size else ()
    if find_lgmp(head) is None:
        return ()
    return _newest_first(_frames(source))


def _newest_first(frames: Iterable[KnownPicture]) -> tuple[KnownPicture, ...]:
    return tuple(sorted(frames, key=lambda one: (-one.serial, one.start)))


def _part(source: Source, start: int, length: int) -> bytes:
    part = bytearray(length)
    for low, high in source.extents(start, start + length):
        part[low - start : high - start] = source.read(low, high - low)
    return bytes(part)


def _frames(source: Source) -> Iterator[KnownPicture]:
    last = min(source.size, _MOST_PAGES * _PAGE)
    skip = 0  # pages inside of a frame's pixels hold no header
    for low, high in source.extents(0, last):
        for page in range(max(low, skip) // _PAGE * _PAGE, high, _PAGE):
            if page < skip or page + _FRAME.size > source.size:
                continue
            found = _frame(source.read(page, _FRAME.size), page, source.size)
            if found is not None:
                skip = found.start + found.length
                yield found


def _frame(header: bytes, at: int, size: int) -> KnownPicture | None:
    words = _FRAME.unpack(header)
    serial, kind = words[1], _TYPES.get(words[2])
    if kind is None:
        return None
    for place in _LAYOUTS:
        width, height, rotation, stride, pitch, offset = words[place : place + 6]
        start = at + offset + _COUNTER
        if (
            0 < width <= stride <= _WIDEST
            and 0 < height <= _WIDEST
            and rotation <= 3
            and pitch == 4 * stride
            and 0 < offset <= 1 << 20
            and start % 64 == 0
            and start + height * pitch <= size
        ):
            return KnownPicture(LOOKING_GLASS, start, kind, width, height, pitch, serial, at)
    return None
