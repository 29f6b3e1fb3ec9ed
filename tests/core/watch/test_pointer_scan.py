"""What points here: against a plain loop over the same bytes, at the borders of slices too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.backends.open_region import open_region
from app.core.errors import CancelledError
from app.core.region.region import Region, RegionKind, RegionSpec
from app.core.values.pointer import POINTER_KINDS, PointerForm, PointingPlaces
from app.core.values.value_type import Endian
from app.core.watch import pointer_scan
from app.core.watch.pointer_scan import find_pointers

ShmFile = Callable[..., Path]


class Bytes:
    """As much of a Region as the scan uses, over bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read(self, offset: int, length: int) -> bytes:
        assert 0 <= offset <= offset + length <= self.size
        return self.data[offset : offset + length]

    def extents(self, start: int, end: int) -> list[tuple[int, int]]:
        return [(start, end)]


forms = st.builds(
    PointerForm,
    st.sampled_from(POINTER_KINDS),
    st.sampled_from(Endian),
    st.none() | st.integers(-40, 200),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 2, 3, 16, 64, 255]), max_size=120).map(bytes),
    forms,
    st.integers(0, 130),
    st.booleans(),
    st.sampled_from([8, 16, 40, 1 << 20]),
)
def test_it_finds_what_a_plain_loop_finds(
    data: bytes, form: PointerForm, target: int, aligned: bool, chunk: int
) -> None:
    step = form.width if aligned else 1
    wanted = [
        at
        for at in range(0, len(data) - form.width + 1, step)
        if form.target(data[at : at + form.width], at) == target
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pointer_scan, "CHUNK", chunk)
        region: Region = Bytes(data)  # type: ignore[assignment]
        found = find_pointers(region, target, form, aligned=aligned)
    assert found == PointingPlaces(tuple(wanted), more=False, scanned=len(data))


def test_a_real_region_with_holes(shm_file: ShmFile) -> None:
    path = shm_file(1 << 20)
    with path.open("r+b") as file:
        for at in (0x10, 0x8000, 0xFFFF8):
            file.seek(at)
            file.write((0x12340).to_bytes(8, "little"))
    before = path.stat().st_blocks
    steps: list[tuple[int, int]] = []
    with open_region(RegionSpec(RegionKind.FILE, str(path))) as region:
        progress = lambda done, total: steps.append((done, total))  # noqa: E731
        found = find_pointers(region, 0x12340, PointerForm(), progress=progress)
        assert found.offsets == (0x10, 0x8000, 0xFFFF8)
        assert found.scanned < 1 << 20, "holes are not read"
        assert steps[-1] == (found.scanned, found.scanned)
        few = find_pointers(region, 0x12340, PointerForm(), most=2)
        assert (few.offsets, few.more) == ((0x10, 0x8000), True)
        with pytest.raises(CancelledError):
            find_pointers(region, 0, PointerForm(), cancelled=lambda: True)
    assert path.stat().st_blocks == before
