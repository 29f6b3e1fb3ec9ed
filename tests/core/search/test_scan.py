"""Searches through real files: slices, holes, changes and cuts, against a naive search."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.backends.open_region import open_region
from app.core.errors import TruncatedError, ValueFormatError
from app.core.native import kernel as kernel_module
from app.core.region.region import PAGE, Region
from app.core.search import regex as regex_module
from app.core.search.find import Hit, find_all, find_next
from app.core.search.needle import Endians, Needle, NeedleKind, parse_needle
from app.core.search.patterns import Found, MaskedPattern, RangePattern, Slice
from app.core.search.regex_text import compiled
from app.core.search.regex_worker import matches
from app.core.search.scan import SLICE, Scan
from tests.core.search.searching import ShmFile, spec_of, starts_in

BYTES = NeedleKind.BYTES


class Memory(Region):
    """Bytes as a region; what lies in `holes` (whole pages) is zeros that must not be read."""

    def __init__(self, data: bytes, holes: frozenset[int] = frozenset(), page: int = 8) -> None:
        self._bytes, self._holes, self._page = data, holes, page
        from app.core.region.region import RegionInfo, RegionKind, RegionSpec

        spec = RegionSpec(RegionKind.FILE, "memory")
        super().__init__(RegionInfo(spec, "memory", "host", "memory", len(data), False))

    def extents(self, start: int, end: int) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for at in range(start, end):
            if at // self._page not in self._holes:
                if found and found[-1][1] == at:
                    found[-1] = (found[-1][0], at + 1)
                else:
                    found.append((at, at + 1))
        return found

    def check(self) -> None: ...

    def _raw_read(self, offset: int, buffer: memoryview) -> None:
        for at in range(offset, offset + buffer.nbytes):
            assert at // self._page not in self._holes, "a hole was read"
        buffer[:] = self._bytes[offset : offset + buffer.nbytes]

    def _raw_write(self, offset: int, data: memoryview) -> None:
        raise NotImplementedError

    def _raw_load(self, offset: int, width: int) -> int:
        raise NotImplementedError

    def _raw_store(self, offset: int, width: int, value: int) -> None:
        raise NotImplementedError

    def _raw_close(self) -> None: ...


def collected(scan: Scan, *, backwards: bool = False) -> list[tuple[int, int]]:
    parts = [found for found, _ in (scan.backward() if backwards else scan.forward())]
    if backwards:
        parts.reverse()
    return [
        pair
        for found in parts
        for pair in zip(found.starts.tolist(), found.lengths.tolist(), strict=True)
    ]


def naive(pattern: MaskedPattern | RangePattern, data: bytes) -> list[tuple[int, int]]:
    def fits(at: int) -> bool:
        part = data[at : at + pattern.reach]
        if at % pattern.align or len(part) < pattern.reach:
            return False
        if isinstance(pattern, MaskedPattern):
            trio = zip(part, pattern.value, pattern.mask, strict=True)
            return all(byte & mask == value for byte, value, mask in trio)
        word = int.from_bytes(part, "big" if pattern.big else "little")
        return (word - pattern.low) % (1 << 8 * pattern.width) <= pattern.span

    return [(at, pattern.reach) for at in range(len(data)) if fits(at)]


FEW = st.integers(0, 3)


@st.composite
def patterns(draw: st.DrawFn) -> MaskedPattern | RangePattern:
    align = draw(st.sampled_from((1, 1, 1, 2, 3, 4, 8)))
    if draw(st.booleans()):
        value = draw(st.lists(FEW, min_size=1, max_size=6))
        mask = draw(
            st.lists(st.sampled_from((0, 1, 3, 255, 255)), min_size=len(value), max_size=len(value))
        )
        mask[draw(st.integers(0, len(value) - 1))] = 255
        pairs = zip(value, mask, strict=True)
        return MaskedPattern(bytes(v & m for v, m in pairs), bytes(mask), align)
    width = draw(st.sampled_from((1, 2, 3, 4, 6, 8)))
    low = draw(st.integers(0, (1 << 8 * width) - 1))
    span = draw(st.sampled_from((0, 1, 255, 1 << (8 * width - 2), (1 << 8 * width) - 1)))
    return RangePattern(width, draw(st.booleans()), low, span, align)


MODEL = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("with_kernel", [True, False], ids=["kernel", "numpy"])
@MODEL
@given(
    pattern=patterns(),
    data=st.lists(FEW, min_size=1, max_size=200).map(bytes),
    holes=st.frozensets(st.integers(0, 25), max_size=6),
    slice_bytes=st.sampled_from((1, 3, 7, 16, 64, 1000)),
)
def test_slices_holes_and_borders_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
    with_kernel: bool,
    pattern: MaskedPattern | RangePattern,
    data: bytes,
    holes: frozenset[int],
    slice_bytes: int,
) -> None:
    """The same hits as a search through everything; what lies in holes alone is left out."""
    if with_kernel and kernel_module.kernel() is None:
        pytest.skip("no C kernel here")
    monkeypatch.setattr(
        "app.core.search.byte_search.kernel", kernel_module.kernel if with_kernel else lambda: None
    )
    whole = bytes(0 if at // 8 in holes else byte for at, byte in enumerate(data))
    region = Memory(whole, holes)
    wanted = [
        (at, size)
        for at, size in naive(pattern, whole)
        if any(place // 8 not in holes for place in range(at, at + size))
    ]
    everything = [(0, len(data))]
    found = collected(Scan(region, pattern, everything, slice_bytes=slice_bytes))
    assert found == wanted
    back = Scan(region, pattern, everything, slice_bytes=slice_bytes)
    assert collected(back, backwards=True) == wanted
    assert back.tally.searched == back.tally.wanted


@MODEL
@given(
    data=st.lists(st.sampled_from(b"ab1\n\x00"), max_size=300).map(bytes),
    expression=st.sampled_from((r"a+b", r"^a", r"b$", r"(?<=a)b+", r"[ab]{2,5}", r"\d(?!b)")),
    slice_bytes=st.sampled_from((5, 16, 64, 1000)),
)
def test_an_expression_matches_the_same_in_any_slices(
    data: bytes, expression: str, slice_bytes: int
) -> None:
    region = Memory(data + b"\x00")
    pattern = InThisProcess(expression)
    wanted = [one.span() for one in compiled(expression).finditer(data + b"\x00")]
    found = collected(Scan(region, pattern, [(0, region.size)], slice_bytes=slice_bytes))
    assert [(at, at + size) for at, size in found] == wanted


class InThisProcess:
    """An expression without its process."""

    lead, reach, chained = 8, 600, True

    def __init__(self, text: str) -> None:
        self._compiled = compiled(text)

    def find(self, part: Slice) -> Found:
        found = list(
            matches(
                self._compiled, part.data.tobytes(), part.first - part.base, part.last - part.base
            )
        )
        starts = np.array([start + part.base for start, _ in found], np.int64)
        return Found(starts, np.array([end - start for start, end in found], np.int32))

    def glimpse(self, _region: Region, _first: int, _last: int) -> None: ...

    def close(self) -> None: ...


@MODEL
@given(
    text=st.lists(st.sampled_from(("a", "é", "€", "😀", "\x00", "\t", "ab", "\x07")), max_size=80),
    encoding=st.sampled_from(("ascii", "utf-8", "utf-16-le", "utf-16-be", "latin-1", "cp437")),
    slice_bytes=st.sampled_from((5, 16, 64, 1000)),
)
def test_strings_are_the_printable_runs(text: list[str], encoding: str, slice_bytes: int) -> None:
    data = "".join(text).encode(encoding, "replace") + bytes(4)
    needle = Needle(NeedleKind.STRINGS, encoding=encoding, least=3)
    pattern = parse_needle(needle)
    whole = pattern.find(Slice(np.frombuffer(data, np.uint8), 0, 0, len(data)))
    found = collected(Scan(Memory(data), pattern, [(0, len(data))], slice_bytes=slice_bytes))
    assert found == list(zip(whole.starts.tolist(), whole.lengths.tolist(), strict=True))
    for at, size in found:
        shown = data[at : at + size].decode(encoding)
        assert len(shown) >= 3
        assert all(char.isprintable() or char in "\t\n\r" for char in shown)
    if encoding == "utf-8":
        runs = "".join(text).replace("\x00", "\x07").split("\x07")
        assert len(found) == sum(len(run) >= 3 for run in runs)


# -- real memory -------------------------------------------------------------------------------


def hits(region: Region, needle: Needle, **more: object) -> list[int]:
    found: list[int] = []

    def take(part: Found, _slice: Slice) -> bool:
        found.extend(part.starts.tolist())
        return True

    find_all(region, needle, [(0, region.size)], take, **more)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("read_only", [True, False], ids=["copies", "in place"])
def test_searching_a_sparse_file_allocates_nothing(shm_file: ShmFile, read_only: bool) -> None:
    path = shm_file(64 << 20)
    with path.open("r+b") as file:
        file.seek(33 * PAGE - 2)
        file.write(b"NEEDLE")
    blocks = os.stat(path).st_blocks
    with open_region(spec_of(path, read_only=read_only)) as region:
        assert hits(region, Needle(BYTES, "4E 45 ?? 44")) == [33 * PAGE - 2]
        # It begins in a hole, and ends in one.
        assert hits(region, Needle(BYTES, "00 4E 45")) == [33 * PAGE - 3]
        tally = find_all(region, Needle(BYTES, "FF"), [(0, region.size)], lambda *_: True)
    assert os.stat(path).st_blocks == blocks
    assert tally.holes == (64 << 20) - 2 * PAGE


def test_what_the_kernel_finds_in_place_is_what_a_copy_has(shm_file: ShmFile) -> None:
    """Also around the borders of slices, strides and the region, and after a hole came to be."""
    path, size = shm_file(8 << 20), 8 << 20
    noise = np.random.default_rng(5)
    data = noise.integers(0, 255, size, np.uint8)  # no 0xFF, but where it is put
    places = [0, 1, SLICE - 2, SLICE, 4 * SLICE - 1, 8 * SLICE - 3, 8 * SLICE, size - 4]
    for at in places:
        data[at : at + 4] = 255
    data.tofile(path)
    full = data == 255
    wanted = np.flatnonzero(full[:-3] & full[1:-2] & full[2:-1] & full[3:]).tolist()
    needle = Needle(BYTES, "FF FF FF FF")
    value = Needle(NeedleKind.VALUE, "0xFFFFFFFF", type_name="u32")
    between = Needle(NeedleKind.VALUE, "0xFFFFFFFE..0xFFFFFFFF", type_name="u32", align=2)
    with open_region(spec_of(path)) as region:
        assert hits(region, needle) == hits(region, value) == wanted
        assert hits(region, between) == [at for at in wanted if at % 2 == 0]
        backwards = parse_needle(needle)
        assert [
            at for at, _ in collected(Scan(region, backwards, [(0, size)]), backwards=True)
        ] == wanted
        os.truncate(path, SLICE)
        os.truncate(path, size)
        blocks = os.stat(path).st_blocks
        assert hits(region, needle) == [at for at in wanted if at + 4 <= SLICE]
        assert os.stat(path).st_blocks == blocks


def test_next_and_previous_go_round(shm_file: ShmFile) -> None:
    path = shm_file(4 * PAGE)
    with path.open("r+b") as file:
        for at in (100, 9000):
            file.seek(at)
            file.write(b"\xab\xcd")
    with open_region(spec_of(path, read_only=True)) as region:
        needle, everything = Needle(BYTES, "AB CD"), [(0, region.size)]
        assert find_next(region, needle, everything, 0) == Hit(100, 2)
        assert find_next(region, needle, everything, 100) == Hit(9000, 2)
        assert find_next(region, needle, everything, 9000) == Hit(100, 2, wrapped=True)
        assert find_next(region, needle, everything, 9000, backwards=True) == Hit(100, 2)
        assert find_next(region, needle, everything, 100, backwards=True) == Hit(9000, 2, True)
        assert find_next(region, needle, [(0, 101)], 0) is None  # its second byte is outside
        assert find_next(region, Needle(BYTES, "AB CE"), everything, 0) is None


def test_a_file_that_is_cut_while_it_is_searched_is_an_error_with_a_name(shm_file: ShmFile) -> None:
    path = shm_file(4 << 20, fill=b"x" * 4096)
    with open_region(spec_of(path, read_only=True)) as region:
        found: list[int] = []

        def take(part: Found, _slice: Slice) -> bool:
            found.extend(part.starts.tolist())
            os.truncate(path, PAGE)
            return True

        with pytest.raises(TruncatedError):
            find_all(region, Needle(NeedleKind.TEXT, "xxxx", align=4096), [(0, region.size)], take)
    assert found  # what was found until then was there


def test_what_is_gone_at_the_second_look_is_counted(shm_file: ShmFile) -> None:
    path = shm_file(PAGE, fill=b"hit.")
    with open_region(spec_of(path)) as region:
        pattern = parse_needle(Needle(NeedleKind.TEXT, "hit."))
        inner = pattern.find

        def find(part: Slice) -> Found:
            found = inner(part)
            with path.open("r+b") as file:
                file.write(b"gone")
            return found

        pattern.find = find  # type: ignore[method-assign]
        scan = Scan(region, pattern, [(0, PAGE)])
        assert len(collected(scan)) == PAGE // 4
    assert scan.tally.unsteady == 1


def test_progress_and_cancel(shm_file: ShmFile) -> None:
    path = shm_file(8 << 20, fill=b"abc")
    seen: list[tuple[int, int]] = []
    with open_region(spec_of(path, read_only=True)) as region:
        assert hits(region, Needle(BYTES, "FF"), progress=lambda *done: seen.append(done)) == []
        assert seen
        assert seen[0][1] == 8 << 20
        some = hits(region, Needle(BYTES, "61 62", align=1 << 18), cancelled=lambda: bool(seen))
        assert some == []


# -- expressions that explode -------------------------------------------------------------------


def test_an_expression_that_explodes_is_ended_and_can_be_cancelled(
    shm_file: ShmFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regex_module, "ALLOWED_S", 0.2)
    path = shm_file(PAGE, fill=b"a" * 60 + b"\x00b12 ")
    with open_region(spec_of(path, read_only=True)) as region:
        # In a process of its own, and as the plain ones match.
        assert hits(region, Needle(NeedleKind.REGEX, r"B\d+", ignore_case=True))[:2] == [61, 126]
        with pytest.raises(ValueFormatError, match="takes too long"):
            hits(region, Needle(NeedleKind.REGEX, r"(a+)+$"))
        stop = threading.Event()
        timer = threading.Timer(0.3, stop.set)
        timer.start()
        monkeypatch.setattr(regex_module, "ALLOWED_S", 60)
        assert hits(region, Needle(NeedleKind.REGEX, r"(a|a)*c"), cancelled=stop.is_set) == []
        timer.join()
    assert no_workers_left()


def no_workers_left() -> bool:
    import multiprocessing

    return not [one for one in multiprocessing.active_children() if "regex" in one.name]


def test_no_word_of_a_pattern_is_lost_where_hits_are_dense() -> None:
    data = bytes(300_000)
    assert len(starts_in(parse_needle(Needle(BYTES, "00 00")), data)) == 299_999
    both = Needle(NeedleKind.VALUE, "0..1", type_name="u16", endians=Endians.BOTH)
    assert len(starts_in(parse_needle(both), data)) == 299_999


def test_both_ways_choose_rare_bytes() -> None:
    from app.core.search.byte_search import rarest

    data = np.frombuffer(bytes(4000) + b"\x11" * 90 + b"\x22" * 6, np.uint8)
    assert set(rarest(data, b"\x00\x22\x00\x00\x11", b"\xff" * 5)) == {1, 4}
    assert rarest(data, b"\x05", b"\xff") == (0, 0)
