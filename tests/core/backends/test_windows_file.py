"""The plain file Region that Windows uses, on whatever system this is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.core.backends.windows_file import open_windows_file
from app.core.errors import (
    CannotFindError,
    ClosedError,
    DeletedError,
    MisalignedError,
    OutOfRangeError,
    ReadOnlyError,
    TruncatedError,
    UnsuitableError,
)
from app.core.region.region import RegionKind, RegionSpec


def test_it_reads_writes_loads_stores(tmp_path: Path) -> None:
    path = tmp_path / "Gerät.bin"
    path.write_bytes(bytes(range(256)) * 64)
    with open_windows_file(RegionSpec(RegionKind.FILE, str(path), start=4096)) as region:
        assert region.size == 12_288
        assert region.read(1, 3) == b"\1\2\3"
        region.write(0, b"hello")
        for width in (1, 2, 4, 8):
            region.store(64, width, -3)
            assert region.load(64, width) == (1 << 8 * width) - 3
        assert region.extents(0, 100) == [(0, 100)]
        with region.window(8, 16) as window:
            window.words[window.index(8)] = 7
        assert region.load(8, 8) == 7
        region.check()
        with pytest.raises(OutOfRangeError):
            region.read(12_288, 1)
    assert path.read_bytes()[4096:4101] == b"hello"
    with pytest.raises(ClosedError):
        region.read(0, 1)
    region.close()


def test_what_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    for location, kind in (
        (path, UnsuitableError),
        (tmp_path, UnsuitableError),
        (tmp_path / "none", CannotFindError),
        (f"{path}\0", CannotFindError),
    ):
        with pytest.raises(kind):
            open_windows_file(RegionSpec(RegionKind.FILE, str(location)))
    path.write_bytes(bytes(8192))
    with pytest.raises(MisalignedError):
        open_windows_file(RegionSpec(RegionKind.FILE, str(path), start=8))
    with pytest.raises(OutOfRangeError):
        open_windows_file(RegionSpec(RegionKind.FILE, str(path), length=8193))


def test_read_only_and_what_the_owner_does(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"keep" * 2048)
    with open_windows_file(RegionSpec(RegionKind.FILE, str(path), read_only=True)) as region:
        assert region.load(0, 4) == int.from_bytes(b"keep", "little")
        with pytest.raises(ReadOnlyError):
            region.write(0, b"x")
        os.truncate(path, 4096)  # Windows would refuse it
        with pytest.raises(TruncatedError):
            region.check()
        os.truncate(path, 8192)
        path.unlink()
        with pytest.raises(DeletedError):
            region.check()
