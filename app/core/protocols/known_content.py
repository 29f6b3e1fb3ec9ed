"""Known content: whose bytes are these, from a bounded look that allocates nothing.

A recogniser is one function of a ContentSample; RECOGNISERS lists them, the surest first. Only
extents that hold data are read, and never more than `limit` bytes.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from ..errors import ScopeError
from .demo_layout import MAGIC as DEMO_MAGIC

LIMIT: Final = 4 << 20
_HEAD: Final = 4096
_CHUNK: Final = 256 << 10
_MAX_EXTENTS: Final = 1024
# Windows has neither; there every byte of a file counts as written.
_SEEK_DATA: Final[int | None] = getattr(os, "SEEK_DATA", None)
_SEEK_HOLE: Final[int | None] = getattr(os, "SEEK_HOLE", None)
# O_NONBLOCK: a pipe of that name must not hold us up before fstat tells.
_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NONBLOCK", "O_BINARY")
)
LGMP_MAGIC: Final = b"LGMP"  # gnif/LGMP lgmp/src/headers.h: u32 0x504d474c, then u32 version
LGMP_NEWEST: Final = 64  # versions 1 to 10 were seen; leave room, refuse noise
KVMFR_MAGIC: Final = b"KVMFR---"  # LookingGlass common/include/common/KVMFR.h
SCREAM_MAGIC: Final = 0x11112014  # duncanthrax/scream; jack-ivshmem reads the same ring
# magic, write_idx, offset, max_chunks, chunk_size, rate, bits, channels, channel_map with the
# compiler's padding.
_SCREAM: Final = struct.Struct("<IHBxHxxIBBBxH")
_HEADERS: Final = {"LGMP": 8, "KVMFR": 12, "Scream": _SCREAM.size, "Demo": 24}


@dataclass(frozen=True, slots=True)
class Content:
    """What was recognised.

    Attributes:
        name: Short name ("LGMP", "KVMFR", "Scream", "Demo", "text", "zeros").
        detail: A few words more ("version 10", "48 kHz, 16 bit, 2 channels").
        offset: Where it starts.
    """

    name: str
    detail: str = ""
    offset: int = 0

    @property
    def protocol(self) -> bool:
        """Whether only programs that share memory with a guest write such bytes."""
        return self.name not in ("text", "zeros")

    @property
    def header_bytes(self) -> int:
        """How many bytes from `offset` on told what it is; 0 when no header did."""
        return _HEADERS.get(self.name, 0)

    def __str__(self) -> str:
        return f"{self.name}, {self.detail}" if self.detail else self.name


class Source(Protocol):
    """What can be looked at: every Region, and a file by `identify_file`."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def read(self, offset: int, length: int, /) -> bytes:
        """Copy bytes out."""
        ...

    def extents(self, start: int, end: int, /) -> list[tuple[int, int]]:
        """Ranges that hold data."""
        ...


class ContentSample:
    """A bounded look at a source; holes stand as zeros and are never read."""

    def __init__(self, source: Source, limit: int = LIMIT) -> None:
        self._source = source
        self.size = source.size
        self._limit = limit

    @cached_property
    def head(self) -> bytes:
        """The first bytes."""
        end = min(self.size, _HEAD)
        head = bytearray(end)
        for low, high in self._source.extents(0, end):
            head[low:high] = self._source.read(low, high - low)
        return bytes(head)

    @cached_property
    def complete(self) -> bool:
        """Whether `chunks` covers everything that was ever written."""
        return sum(high - low for low, high in self._extents) <= self._limit

    @cached_property
    def _extents(self) -> list[tuple[int, int]]:
        return self._source.extents(0, self.size)

    def chunks(self, overlap: int = 0) -> Iterator[tuple[int, bytes]]:
        """(offset, bytes) of written extents, `overlap` bytes repeated, within the limit."""
        left = self._limit
        for low, high in self._extents:
            at = low
            while at < high and left > 0:
                count = min(_CHUNK, high - at, left)
                yield at, self._source.read(at, count)
                left -= count
                done = at + count >= high
                at = at + count if done else max(at + 1, at + count - overlap)


Recogniser = Callable[[ContentSample], Content | None]


def _lgmp(sample: ContentSample) -> Content | None:
    if sample.head[:4] != LGMP_MAGIC or len(sample.head) < 8:
        return None
    (version,) = struct.unpack_from("<I", sample.head, 4)
    return Content("LGMP", f"version {version}") if 0 < version <= LGMP_NEWEST else None


def _demo(sample: ContentSample) -> Content | None:
    if not sample.head.startswith(DEMO_MAGIC):
        return None
    return Content("Demo", "a peer of ours writes it")


def _scream(sample: ContentSample) -> Content | None:
    if len(sample.head) < _SCREAM.size:
        return None
    magic, _, offset, chunks, chunk_size, rate, bits, channels, _ = _SCREAM.unpack_from(sample.head)
    if magic != SCREAM_MAGIC or not chunks or not chunk_size:
        return None
    fits = offset >= _SCREAM.size and offset + chunks * chunk_size <= sample.size
    if not fits or bits not in (0, 16, 24, 32) or channels > 16:
        return None
    if not rate % 128:
        return Content("Scream", "audio ring, nothing played yet")
    hertz = (44100 if rate >= 128 else 48000) * (rate % 128)
    return Content("Scream", f"{hertz / 1000:g} kHz, {bits} bit, {channels} channels")


def _kvmfr(sample: ContentSample) -> Content | None:
    # KVMFR is user data inside LGMP: somewhere in the first MiBs, never at a known place.
    for base, chunk in sample.chunks(overlap=len(KVMFR_MAGIC) + 3):
        at = chunk.find(KVMFR_MAGIC)
        if at >= 0 and at + 12 <= len(chunk):
            (version,) = struct.unpack_from("<I", chunk, at + 8)
            lgmp = "in LGMP, " if sample.head[:4] == LGMP_MAGIC else ""
            return Content("KVMFR", f"{lgmp}version {version}", base + at)
    return None


def _zeros(sample: ContentSample) -> Content | None:
    # A source cut short under the look gives no bytes; what is not there is not "zeros".
    if not sample.size or not sample.complete or any(any(chunk) for _, chunk in sample.chunks()):
        return None
    return Content("zeros", "nothing written yet")


def _text(sample: ContentSample) -> Content | None:
    text = sample.head.rstrip(b"\0")
    if len(text) < 4 or b"\0" in text:
        return None
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(text) - 3 or len(sample.head) < _HEAD:
            return None
        decoded = text[: error.start].decode("utf-8")
    if not all(char.isprintable() or char in "\t\r\n" for char in decoded):
        return None
    return Content("text", decoded.splitlines()[0][:40] if decoded.strip() else "")


# KVMFR before LGMP: the inner protocol says more.
RECOGNISERS: list[Recogniser] = [_demo, _scream, _kvmfr, _lgmp, _zeros, _text]


def identify(source: Source, limit: int = LIMIT) -> Content | None:
    """Recognise what is in a Region or file; None when nobody knows it.

    A source that fails while it is looked at is not recognised.
    """
    sample = ContentSample(source, limit)
    try:
        return next((c for c in (known(sample) for known in RECOGNISERS) if c), None)
    except (ScopeError, OSError):
        return None


class _File:
    """A file as a Source: plain reads, and SEEK_DATA for extents."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        return os.read(self._descriptor, length)

    def extents(self, start: int, end: int) -> list[tuple[int, int]]:
        if _SEEK_DATA is None or _SEEK_HOLE is None:
            return [(start, end)]
        found: list[tuple[int, int]] = []
        at = start
        while at < end:
            try:
                low = os.lseek(self._descriptor, at, _SEEK_DATA)
            except OSError:  # ENXIO: only a hole until the end
                break
            if low >= end:
                break
            at = min(end, os.lseek(self._descriptor, low, _SEEK_HOLE))
            if len(found) >= _MAX_EXTENTS:
                # Millions of runs would take seconds to list; call the rest data.
                found.append((low, end))
                break
            found.append((low, at))
            if at <= low:
                break
        return found


def identify_file(path: str | Path, limit: int = LIMIT) -> Content | None:
    """Recognise a regular file by path; None when it cannot be read or nobody knows it."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        entry = os.fstat(descriptor)
        if not stat.S_ISREG(entry.st_mode):
            return None
        return identify(_File(descriptor, entry.st_size), limit)
    finally:
        os.close(descriptor)
