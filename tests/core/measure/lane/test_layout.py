"""The lane's layout against its page, and its parsers against any bytes."""

from __future__ import annotations

import contextlib
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.backends.open_region import open_region
from app.core.errors import LaneError, LaneVersionError, ReadOnlyError
from app.core.measure.lane import layout
from app.core.measure.lane.hold import create_lane
from app.core.measure.lane.layout import ByteRange, Lane, Line, Side, build_head, parse_head
from app.core.measure.lane.peer_card import Capability, PeerCard, build_card, parse_card
from app.core.measure.lane.placement import (
    LaneSearch,
    default_lane,
    find_lane,
    find_lanes,
    lane_at,
    place_lane,
)
from app.core.measure.lane.requests import (
    VALUES,
    Command,
    Message,
    Refusal,
    build_message,
    parse_message,
    refusal_of,
)
from app.core.region.region import RegionKind, RegionSpec
from tests.core.measure.peer_programs import opened

MakeFile = Callable[..., Path]
PAGE = (Path(__file__).resolve().parents[4] / "docs" / "lane.md").read_text(encoding="utf-8")
words = st.integers(0, (1 << 64) - 1)
geometries = st.tuples(st.integers(1, 64), st.integers(0, 1 << 20)).map(
    lambda pair: (4096 + pair[0] * 12288 + pair[1] * 8, pair[0])
)


def test_the_page_names_what_the_code_has() -> None:
    for line in Line:
        assert f"| {line.name} | 0x{line * layout.LINE:03X} |" in PAGE
    assert "`IVSCLANE`" in PAGE
    assert layout.MAGIC == b"IVSCLANE"
    for what, at in (("token", 0x30), ("check", 0x38), ("stride", 0x28), ("state", 0x100)):
        assert re.search(rf"\| 0x{at:02X} \| {what}", PAGE, re.IGNORECASE), what
    for number, name in ((c.value, c.name.lower()) for c in Command):
        assert f"{number} {name}" in PAGE


def test_no_two_writers_share_a_line_or_a_byte() -> None:
    lane = Lane(0x10000, 1 << 20, 3)
    spans = [lane.head]
    for slot in lane.all_slots():
        spans += [slot.side(Side.RESPONDER), slot.side(Side.INITIATOR), slot.data(Side.RESPONDER)]
        spans.append(slot.data(Side.INITIATOR))
        for side in Side:
            assert all(slot.line(side, line) % 128 == 0 for line in Line)
            assert slot.side(side).length == 128 * len(Line)
    assert all(a is b or not a.overlaps(b) for a in spans for b in spans)
    assert all(lane.offset <= span.offset and span.end <= lane.span.end for span in spans)


@settings(deadline=None)
@given(geometries, st.integers(0, 1 << 40).map(lambda n: n * 4096), words)
def test_a_head_comes_back_as_it_went(shape: tuple[int, int], offset: int, token: int) -> None:
    lane = Lane(offset, *shape, token | 1)
    assert parse_head(build_head(lane), offset) == lane


@settings(deadline=None)
@given(st.binary(max_size=160) | st.binary(max_size=120).map(lambda b: layout.MAGIC + b))
def test_any_bytes_are_a_lane_or_a_lane_error(data: bytes) -> None:
    with contextlib.suppress(LaneError):
        parse_head(data, 0)


@settings(deadline=None)
@given(st.lists(words, min_size=6, max_size=6))
def test_any_numbers_with_a_fitting_check_are_a_sound_lane_or_an_error(numbers: list[int]) -> None:
    body = layout.MAGIC + struct.pack("<6Q", *numbers)
    try:
        lane = parse_head(body + struct.pack("<Q", zlib.crc32(body)), 4096)
    except LaneError:
        return
    assert lane.token
    assert all(slot.control.end <= lane.span.end for slot in lane.all_slots())


def test_another_major_version_is_named() -> None:
    body = layout.MAGIC + struct.pack("<6Q", 2, 5, 1 << 20, 1, 1044480, 7)
    with pytest.raises(LaneVersionError, match=r"version 2\.5"):
        parse_head(body + struct.pack("<Q", zlib.crc32(body)), 0)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_card_or_none(data: bytes) -> None:
    card = parse_card(data)
    assert card is None or str(card)


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=40), words, words)
def test_cards_come_back(name: str, version: str, token: int, beat: int) -> None:
    card = PeerCard(
        token | 1,
        beat,
        Capability.ECHO | Capability.KERNEL,
        "guest",
        "Windows",
        "write-combined",
        3,
        4,
        5,
        6,
        name,
        version,
    )
    back = parse_card(build_card(card))
    assert back is not None
    assert (back.token, back.beat, back.capabilities) == (card.token, beat, card.capabilities)
    if name.isprintable() and len(name.encode()) <= 64:
        assert back.name == name
    assert str(back).isprintable()


def test_a_card_reads_as_a_sentence() -> None:
    card = PeerCard(
        1, system="guest", platform="Windows", cache="cached", name="WIN11-DEV", version="0.1"
    )
    assert str(card) == "guest WIN11-DEV, Windows, scope 0.1, cached mapping"


def test_unknown_capabilities_and_codes_mean_nothing() -> None:
    data = bytearray(build_card(PeerCard(1)))
    data[16:24] = b"\xff" * 8
    data[24:32] = b"\xff" * 8
    card = parse_card(bytes(data))
    assert card is not None
    assert card.capabilities == sum(Capability)
    assert (card.system, card.platform, card.cache) == ("", "", "")


@settings(deadline=None)
@given(words, words, words, st.lists(words, max_size=VALUES))
def test_messages_come_back(number: int, code: int, to: int, values: list[int]) -> None:
    back = parse_message(build_message(Message(number, code, to, tuple(values))))
    if not number:
        assert back is None
        return
    assert back is not None
    assert back.values[: len(values)] == tuple(values)
    assert (back.number, back.code, back.addressee) == (number, code, to)


@settings(deadline=None)
@given(st.binary(min_size=120, max_size=140), st.integers(0, 127), st.integers(1, 255))
def test_torn_and_foreign_messages_are_none(data: bytes, at: int, flip: int) -> None:
    assert parse_message(data) is None
    line = bytearray(build_message(Message(7, 1, 2, (3,))))
    line[at] ^= flip
    assert parse_message(bytes(line)) is None


def test_values_and_refusals() -> None:
    assert refusal_of(Message(1, 3, 0, (2,))) is Refusal.PARAMETER
    assert refusal_of(Message(1, 3, 0, (99,))) is Refusal.UNKNOWN
    assert all(refusal.sentence for refusal in Refusal)


# -- places --------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 1 << 45))
def test_the_default_place_is_inside_and_sound(size: int) -> None:
    if size // 4096 * 4096 < layout.MIN_SIZE:
        with pytest.raises(LaneError, match="no room"):
            default_lane(size)
        return
    lane = default_lane(size)
    assert lane.span.end <= size
    assert lane.size <= 4 << 20
    assert lane.offset % 4096 == 0
    assert parse_head(build_head(lane), lane.offset) == lane


@pytest.mark.parametrize(
    ("offset", "size", "slots", "says"),
    [
        (1 << 21, None, None, "lane of 16 KiB at 0x200000 is not inside"),
        ((1 << 20) - 4096, None, None, "lane of 16 KiB at 0xFF000 is not inside"),
        (-4096, 65536, None, "not inside"),
        (0, 2 << 20, None, "not inside"),
        (0, 0, None, "not inside"),
        (100, 65536, None, "not aligned"),
        (0, 8192, None, "too small"),
        (0, 65536, 9, "too small"),
        (0, 65536, 0, "cannot have 0 slots"),
        (0, 65536, 65, "cannot have 65 slots"),
    ],
)
def test_places_that_are_none(
    shm_file: MakeFile, offset: int, size: int | None, slots: int | None, says: str
) -> None:
    with opened(shm_file(1 << 20)) as region, pytest.raises(LaneError, match=says) as caught:
        place_lane(region, offset, size, slots)
    assert caught.value.message.endswith(".")


def test_a_place_that_a_person_chose(shm_file: MakeFile) -> None:
    with opened(shm_file(1 << 20)) as region:
        assert place_lane(region, 8192, 65536, 2).span == ByteRange(8192, 65536)
        assert place_lane(region).span == ByteRange(0xC0000, 0x40000)
        assert place_lane(region, size=65536).span.end == 1 << 20
        with pytest.raises(LaneError, match="a lane at 0x2000 already"):
            place_lane(region, 0, 65536, others=(Lane(8192, 65536),))


def test_a_region_that_cannot_be_written_has_no_place(shm_file: MakeFile) -> None:
    spec = RegionSpec(RegionKind.FILE, str(shm_file(1 << 20)), read_only=True)
    with open_region(spec) as region, pytest.raises(ReadOnlyError):
        place_lane(region)


def test_lanes_are_found_by_their_magic_and_holes_stay_holes(
    shm_file: MakeFile, tmp_path: Path
) -> None:
    path = shm_file(64 << 20)
    with opened(path) as region:
        assert find_lane(region) is None
        assert path.stat().st_blocks == 0
        first = create_lane(region, place_lane(region, 1 << 20, 65536), tmp_path)
        usual = create_lane(region, place_lane(region), tmp_path)
        region.store(0x500000, 8, int.from_bytes(layout.MAGIC, "little"))
        found = list(find_lanes(region))
        assert found[0] == usual.lane
        assert first.lane in found
        assert sum(isinstance(one, LaneError) for one in found) == 1
        assert not list(find_lanes(region, cancelled=lambda: True))[1:]


def test_a_lane_that_reaches_out_is_an_error(shm_file: MakeFile) -> None:
    with opened(shm_file(1 << 20)) as region:
        region.write(0xF0000, build_head(Lane(0xF0000, 1 << 20)))
        with pytest.raises(LaneError, match="reaches out"):
            lane_at(region, 0xF0000)
        with pytest.raises(LaneError, match="no lane"):
            lane_at(region, 4)


@pytest.mark.parametrize("cache", ["", "uncached: each access goes out by itself"])
def test_a_search_goes_on_where_it_stopped(shm_file: MakeFile, tmp_path: Path, cache: str) -> None:
    """Word by word where bytes are dear, else whole pages; never all at once."""
    path = shm_file(8 << 20, fill=b"full ")
    with opened(path) as region:
        region.info = replace(region.info, cache=cache)
        empty = LaneSearch(region)
        steps = 0
        while not empty.over:
            assert empty.go_on(0) is None
            steps += 1
        assert steps > 4
        hold = create_lane(region, place_lane(region, 5 << 20, 65536), tmp_path)
        region.store(0x200000, 8, int.from_bytes(layout.MAGIC, "little"))  # damaged, before it
        search = LaneSearch(region)
        found = None
        while found is None:
            assert not search.over
            found = search.go_on(0)
        assert (found, search.over) == (hold.lane, True)
        assert [type(one) for one in find_lanes(region)] == [LaneError, Lane]
        hold.close()
        damaged = LaneSearch(region)

        def to_the_end() -> None:
            while not damaged.over:
                damaged.go_on(0)

        with pytest.raises(LaneError, match="damaged"):
            to_the_end()
        assert damaged.over
