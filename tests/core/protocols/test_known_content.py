"""Whose bytes are these: real files, never allocated by looking."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import RegionGoneError
from app.core.protocols import demo_layout
from app.core.protocols.known_content import Content, identify, identify_file

MakeFile = Callable[..., Path]


class Bytes:
    """A source in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]

    def extents(self, start: int, end: int) -> list[tuple[int, int]]:
        return [(start, end)]


def _put(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def _scream(**changes: int) -> bytes:
    fields = {
        "magic": 0x11112014,
        "index": 3,
        "offset": 24,
        "chunks": 40,
        "size": 1152,
        "rate": 1,
        "bits": 16,
        "channels": 2,
        "map": 3,
    } | changes
    return struct.pack("<IHBxHxxIBBBxH", *fields.values())


def _name(content: Content | None) -> str:
    return content.name if content else "-"


def test_lgmp(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20)
    _put(path, 0, b"LGMP" + struct.pack("<I", 10))
    assert str(identify_file(path)) == "LGMP, version 10"


@pytest.mark.parametrize("version", [0, 65, 0xFFFFFFFF])
def test_a_wild_version_is_no_lgmp(version: int) -> None:
    assert _name(identify(Bytes(b"LGMP" + struct.pack("<I", version) + bytes(4088)))) != "LGMP"


@pytest.mark.parametrize("offset", [0x1000, (256 << 10) - 5, (1 << 20) - 12])
def test_kvmfr_is_found_where_it_lies_also_across_chunks(shm_file: MakeFile, offset: int) -> None:
    path = shm_file(1 << 20, fill=b"\x01")
    _put(path, 0, b"LGMP" + struct.pack("<I", 10))
    _put(path, offset, b"KVMFR---" + struct.pack("<I", 34))
    content = identify_file(path)
    assert content == Content("KVMFR", "in LGMP 10, version 34", offset, ((0, 1 << 20),))


@pytest.mark.parametrize(
    ("version", "magic", "user_data"),
    [
        (2, 0, 1636),
        (3, 0, 5076),
        (4, 0, 5116),
        (5, 0, 5756),
        (6, 0, 5756),
        (7, 0, 5748),
        (8, 0, 7788),
        (9, 8, 8068),
        (10, 8064, 8084),
    ],
)
def test_each_version_of_lgmp_is_found_where_it_keeps_its_magic(
    shm_file: MakeFile, version: int, magic: int, user_data: int
) -> None:
    path = shm_file(1 << 20)
    _put(path, magic, b"LGMP" + struct.pack("<I", version))
    found = identify_file(path)
    assert found is not None
    assert (str(found), found.offset) == (f"LGMP, version {version}", magic)
    _put(path, user_data, b"KVMFR---" + struct.pack("<I", 20))
    found = identify_file(path)
    assert found is not None
    assert (found.name, found.offset) == ("KVMFR", user_data)
    assert found.claimed == ((0, 1 << 20),)


def test_a_version_that_nobody_listed_is_searched_in_the_first_64_kib(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20)
    _put(path, 9664, b"LGMP" + struct.pack("<I", 12))
    assert str(identify_file(path)) == "LGMP, version 12"
    _put(path, 9664, b"LGMP" + struct.pack("<I", 65))
    assert _name(identify_file(path)) == "-"


def test_text_that_says_lgmp_does_not_hide_the_header_in_its_place(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20)
    _put(path, 512, b"LGMP" + struct.pack("<I", 3))
    _put(path, 8064, b"LGMP" + struct.pack("<I", 10))
    assert str(identify_file(path)) == "LGMP, version 10"


def test_looking_glass_recovery_area_at_the_end(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20)
    _put(path, (1 << 20) - 65536, b"KVMFRRCV")
    found = identify_file(path)
    assert found is not None
    assert str(found) == "Looking Glass, recovery area"
    assert found.claimed == (((1 << 20) - 65536, 65536),)
    short = shm_file(65536)
    _put(short, 0, b"KVMFRRCV")
    assert _name(identify_file(short)) == "text"


def test_scream_ring_which_jack_ivshmem_reads_too(shm_file: MakeFile) -> None:
    path = shm_file(2 << 20)
    _put(path, 0, _scream())
    assert str(identify_file(path)) == "Scream, 48 kHz, 16 bit, 2 channels"
    _put(path, 0, _scream(rate=128 + 2, bits=24))
    assert str(identify_file(path)) == "Scream, 88.2 kHz, 24 bit, 2 channels"
    _put(path, 0, _scream(rate=0, bits=0))
    assert str(identify_file(path)) == "Scream, audio ring, nothing played yet"


@pytest.mark.parametrize(
    "change",
    [
        {"magic": 1},
        {"chunks": 0},
        {"size": 0},
        {"size": 1 << 30},
        {"offset": 2},
        {"bits": 9},
        {"channels": 200},
    ],
)
def test_a_broken_scream_header_is_none(change: dict[str, int]) -> None:
    assert _name(identify(Bytes(_scream(**change).ljust(1 << 20, b"\xff")))) != "Scream"


def test_our_demo() -> None:
    content = identify(Bytes(demo_layout.MAGIC.ljust(4096, b"\0")))
    assert content is not None
    assert content.name == "Demo"
    assert content.protocol


def test_text(shm_file: MakeFile) -> None:
    path = shm_file(8192)
    _put(path, 0, "grüße\nzwei".encode())
    assert identify_file(path) == Content("text", "grüße")
    assert not Content("text").protocol


def test_text_cut_in_the_middle_of_a_character() -> None:
    text = ("x" * 4095 + "ü").encode()
    assert _name(identify(Bytes(text))) == "text"


def test_zeros_only_when_everything_was_looked_at(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20, fill=b"\0")
    assert _name(identify_file(path)) == "zeros"
    assert identify_file(path, limit=64 << 10) is None
    _put(path, (1 << 20) - 1, b"\x01")
    assert identify_file(path) is None


def test_garbage_empty_and_tiny() -> None:
    assert identify(Bytes(os.urandom(64) * 64)) is None
    assert identify(Bytes(b"")) is None
    assert identify(Bytes(b"\x80")) is None


def test_holes_are_not_allocated(shm_file: MakeFile) -> None:
    path = shm_file(1 << 30)
    _put(path, 512 << 20, b"\x07")
    before = path.stat().st_blocks
    assert before < 100
    assert identify_file(path) is None
    assert path.stat().st_blocks == before


def test_thousands_of_runs_end_soon_and_are_not_called_zeros(shm_file: MakeFile) -> None:
    path = shm_file(32 << 20)
    with path.open("r+b") as file:
        for page in range(0, 8192, 2):
            os.pwrite(file.fileno(), b"\0", page * 4096)
    before = path.stat().st_blocks
    identify_file(path, limit=1 << 20)
    assert path.stat().st_blocks == before


def test_what_is_no_file(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, tmp_path / "none", Path("/dev/zero")):
        assert identify_file(path) is None


def test_a_source_that_fails_is_not_recognised() -> None:
    class Gone(Bytes):
        def read(self, offset: int, length: int) -> bytes:
            raise RegionGoneError("gone")

    assert identify(Gone(bytes(4096))) is None


@given(st.binary(max_size=300), st.sampled_from([b"", b"LGMP", b"KVMFR---", b"\x14\x20\x11\x11"]))
def test_nothing_raises(data: bytes, magic: bytes) -> None:
    identify(Bytes(magic + data))
