"""Known content: which program's bytes these are, by reading a limited part, never a hole.

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
from .demo_layout import USED as DEMO_USED
from .looking_glass import (
    KVMFR_MAGIC,
    RECOVERY_BYTES,
    RECOVERY_MAGIC,
    SEARCHED,
    LgmpHeader,
    find_lgmp,
    kvmfr_version,
    recovery_offset,
)

LIMIT: Final = 4 << 20
_HEAD: Final = 4096
_CHUNK: Final = 256 << 10
_MAX_EXTENTS: Final = 1024
# Windows has neither; there every byte of a file counts as written.
_SEEK_DATA: Final[int | None] = getattr(os, "SEEK_DATA", None)
_SEEK_HOLE: Final[int | None] = getattr(os, "SEEK_HOLE", None)
# O_NONBLOCK: opening a pipe of that name must not wait; fstat then shows what it is.
_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NONBLOCK", "O_BINARY")
)
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
        claimed: (start, length) of the bytes that its programs may write, in the whole region.
    """

    name: str
    detail: str = ""
    offset: int = 0
    claimed: tuple[tuple[int, int], ...] = ()

    @property
    def protocol(self) -> bool:
        """Whether only programs that share memory with a guest write such bytes."""
        return self.name not in ("text", "zeros")

    @property
    def header_bytes(self) -> int:
        """Length of the header at `offset` that was recognised; 0 when there was none."""
        return _HEADERS.get(self.name, 0)

    def __str__(self) -> str:
        return f"{self.name}, {self.detail}" if self.detail else self.name


class Source(Protocol):
    """What can be identified: a Region, or a file (by `identify_file`)."""

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
    """A limited part of a source; holes count as zeros and are never read."""

    def __init__(self, source: Source, limit: int = LIMIT) -> None:
        self._source = source
        self.size = source.size
        self._limit = limit

    @cached_property
    def head(self) -> bytes:
        """The first 4 KiB."""
        return self.part(0, _HEAD)

    @cached_property
    def lgmp(self) -> LgmpHeader | None:
        """LGMP's header, of any known version."""
        return find_lgmp(self.part(0, SEARCHED))

    def part(self, start: int, length: int) -> bytes:
        """Bytes from `start`, fewer where the source ends; holes read as zeros."""
        end = min(self.size, start + length)
        part = bytearray(max(0, end - start))
        for low, high in self._source.extents(start, end):
            part[low - start : high - start] = self._source.read(low, high - low)
        return bytes(part)

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
    if sample.lgmp is None:
        return None
    whole = ((0, sample.size),)  # its frame buffers take all that is left
    return Content("LGMP", f"version {sample.lgmp.version}", sample.lgmp.offset, whole)


def _demo(sample: ContentSample) -> Content | None:
    if not sample.head.startswith(DEMO_MAGIC):
        return None
    return Content("Demo", "a peer of ours writes it", 0, ((0, min(sample.size, DEMO_USED)),))


def _scream(sample: ContentSample) -> Content | None:
    if len(sample.head) < _SCREAM.size:
        return None
    magic, _, offset, chunks, chunk_size, rate, bits, channels, _ = _SCREAM.unpack_from(sample.head)
    if magic != SCREAM_MAGIC or not chunks or not chunk_size:
        return None
    fits = offset >= _SCREAM.size and offset + chunks * chunk_size <= sample.size
    if not fits or bits not in (0, 16, 24, 32) or channels > 16:
        return None
    ring = ((0, offset + chunks * chunk_size),)
    if not rate % 128:
        return Content("Scream", "audio ring, nothing played yet", 0, ring)
    hertz = (44100 if rate >= 128 else 48000) * (rate % 128)
    return Content("Scream", f"{hertz / 1000:g} kHz, {bits} bit, {channels} channels", 0, ring)


def _kvmfr(sample: ContentSample) -> Content | None:
    """User data of LGMP: behind its header where the version is known, else searched for."""
    lgmp, whole = sample.lgmp, ((0, sample.size),)
    where = f"in LGMP {lgmp.version}, " if lgmp else ""
    known = lgmp.user_data if lgmp else None
    if known is not None and (version := kvmfr_version(sample.part(known, 12))) is not None:
        return Content("KVMFR", f"{where}version {version}", known, whole)
    for base, chunk in sample.chunks(overlap=len(KVMFR_MAGIC) + 3):
        at = chunk.find(KVMFR_MAGIC)
        if at >= 0 and (version := kvmfr_version(chunk, at)) is not None:
            return Content("KVMFR", f"{where}version {version}", base + at, whole)
    return None


def _recovery(sample: ContentSample) -> Content | None:
    """Looking Glass's recovery area, which remains when its host program has ended."""
    at = recovery_offset(sample.size)
    if at is None or sample.part(at, len(RECOVERY_MAGIC)) != RECOVERY_MAGIC:
        return None
    return Content("Looking Glass", "recovery area", at, ((at, RECOVERY_BYTES),))


def _zeros(sample: ContentSample) -> Content | None:
    # A source that was truncated meanwhile gives no bytes, which are not "zeros".
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
RECOGNISERS: list[Recogniser] = [_demo, _scream, _kvmfr, _lgmp, _recovery, _zeros, _text]


def identify(source: Source, limit: int = LIMIT) -> Content | None:
    """Recognise the content of a Region or file; None when it is unknown.

    A source that fails while it is read is unknown.
    """
    sample = ContentSample(source, limit)
    try:
        return next((c for c in (known(sample) for known in RECOGNISERS) if c), None)
    except (ScopeError, OSError):
        return None


def recognised(source: Source, limit: int = LIMIT) -> list[Content]:
    """Every protocol that is recognised in a Region or file, with the bytes that it claims."""
    sample = ContentSample(source, limit)
    found = (known(sample) for known in (_demo, _scream, _kvmfr, _lgmp, _recovery))
    return [content for content in found if content is not None]


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
    """Recognise a regular file by path; None when it cannot be read or is unknown."""
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
