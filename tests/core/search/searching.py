"""What the tests of the search share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.core.region.region import RegionKind, RegionSpec
from app.core.search.patterns import Pattern, Slice

ShmFile = Callable[..., Path]


def starts_in(pattern: Pattern, data: bytes) -> list[int]:
    """All hits in some bytes, in one slice."""
    part = Slice(np.frombuffer(data, np.uint8), 0, 0, len(data))
    try:
        return pattern.find(part).starts.tolist()
    finally:
        pattern.close()


def spec_of(path: Path, *, read_only: bool = False) -> RegionSpec:
    return RegionSpec(RegionKind.FILE, str(path), read_only=read_only)


def poke(path: Path, offset: int, data: bytes) -> None:
    """Write as a peer does."""
    with path.open("r+b", buffering=0) as file:
        os.pwrite(file.fileno(), data, offset)


def peek(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        return os.pread(file.fileno(), length, offset)
