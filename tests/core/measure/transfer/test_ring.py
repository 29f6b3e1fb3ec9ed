"""The ring's shape, and both engines' loops stepped by hand in one process: what they count."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import LaneError, MeasureOptionError
from app.core.measure.lane.layout import Lane, Side, Slot
from app.core.measure.lane.peer_card import EngineKind
from app.core.measure.transfer import ring_python
from app.core.measure.transfer.ring import HEAD, MAX_MESSAGE, Half, Layout, Source
from app.core.measure.transfer.ring_transfer import COUNT, TO_MASTER, TO_OWNER, Lines, RingLoop
from app.core.native.kernel import Slice, kernel
from app.core.region.region import Region
from tests.core.measure.peer_programs import opened

MakeFile = Callable[..., Path]
ENGINES = [EngineKind.KERNEL, EngineKind.PYTHON]
LANE = Lane(0, 64 << 10, 1)
RUN = 0x1234_5678_9ABC_DEF1


# -- shape -----------------------------------------------------------------------------------------


@given(units=st.integers(1, MAX_MESSAGE // 64), pages=st.integers(2, 1 << 14))
def test_a_ring_fits_into_its_half(units: int, pages: int) -> None:
    half = pages * 4096
    layout = Layout.of(units * 64, half)
    assert layout.pieces * layout.piece == layout.message == units * 64
    assert layout.piece % 64 == 0
    assert layout.cells >= 4
    assert layout.length <= half
    assert layout.cells_at >= layout.cells * HEAD
    assert 1 <= layout.batch <= layout.cells
    # An old cell never holds what the next turn should bring.
    assert layout.cells % layout.sources
    assert layout.sources % layout.pieces == 0


def test_pages_lie_on_pages() -> None:
    assert Layout.of(64 << 10, 1 << 20).cells_at % 4096 == 0
    assert Layout.of(64 << 10, 1 << 20).pieces == 1
    assert Layout.of(1 << 20, 1 << 20).pieces > 1


@pytest.mark.parametrize("message", [0, 8, 100, MAX_MESSAGE + 64, -64])
def test_sizes_that_cannot_be_sent(message: int) -> None:
    with pytest.raises(MeasureOptionError, match="cannot be sent"):
        Layout.of(message, 1 << 20)


@pytest.mark.parametrize("half", [0, 4096, -4096])
def test_a_half_that_is_too_small(half: int) -> None:
    with pytest.raises(LaneError, match="too small for a ring"):
        Layout.of(64, half)


def test_both_sides_make_the_same_messages() -> None:
    layout = Layout.of(4096, 1 << 20)
    one, other = Source.of(layout, RUN), Source.of(layout, RUN)
    assert np.array_equal(one.data, other.data)
    assert np.array_equal(one.sums, other.sums)
    assert not np.array_equal(one.data, Source.of(layout, RUN + 2).data)
    assert len(set(one.sums.tolist())) == layout.sources


# -- the loops -------------------------------------------------------------------------------------


class Ends:
    """Initiator and responder of one slot, stepped in turn."""

    def __init__(
        self, region: Region, slot: Slot, initiator: RingLoop, responder: RingLoop
    ) -> None:
        self.region, self.slot = region, slot
        self.initiator, self.responder = initiator, responder

    def step(self, loop: RingLoop) -> Slice:
        return loop.run(time.perf_counter_ns() + 10_000_000)

    @property
    def cells(self) -> int:
        """Where the initiator's cells begin."""
        return Half.of(self.initiator.layout, self.slot.data(Side.INITIATOR)).cells.offset

    @property
    def heads(self) -> int:
        """Where the initiator's heads begin."""
        return Half.of(self.initiator.layout, self.slot.data(Side.INITIATOR)).heads.offset


@contextmanager
def both_ends(
    path: Path, ours: EngineKind, theirs: EngineKind, directions: int = TO_OWNER, message: int = 64
) -> Iterator[Ends]:
    if EngineKind.KERNEL in (ours, theirs) and kernel() is None:
        pytest.skip("no kernel here")
    slot = LANE.slot(0)
    layout = Layout.of(message, slot.data(Side.INITIATOR).length)
    with opened(path) as region, region.window(LANE.offset, LANE.size) as window:
        loops = []
        for side, engine in ((Side.INITIATOR, ours), (Side.RESPONDER, theirs)):
            Lines(region, slot, side).begin(RUN, 0, 0)
            loops.append(
                RingLoop(region, window, slot, side, layout, RUN, directions, wanted=engine)
            )
        try:
            yield Ends(region, slot, *loops)
        finally:
            for loop in loops:
                loop.close()


@pytest.fixture
def path(shm_file: MakeFile) -> Path:
    return shm_file(64 << 10)


@pytest.mark.parametrize(("ours", "theirs"), list(itertools.product(ENGINES, ENGINES)))
@pytest.mark.parametrize("message", [64, 192, 4096])
def test_all_that_is_sent_arrives(
    path: Path, ours: EngineKind, theirs: EngineKind, message: int
) -> None:
    with both_ends(path, ours, theirs, TO_OWNER | TO_MASTER, message) as ends:
        for _ in range(6):
            assert ends.step(ends.initiator) is Slice.AGAIN
            assert ends.step(ends.responder) is Slice.AGAIN
        ends.initiator.state.end_ns = 1  # over: what is on its way is waited for
        assert ends.step(ends.initiator) is Slice.DONE
        one, other = ends.initiator.state, ends.responder.state
        assert one.filled == other.taken == other.good == one.confirmed
        assert one.filled > ends.initiator.layout.cells  # more than one turn
        assert one.taken == one.good > ends.initiator.layout.cells
        for state in (one, other):
            assert (state.bad, state.out_of_order, state.unexpected) == (0, 0, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_full_ring_is_not_overwritten(path: Path, engine: EngineKind) -> None:
    with both_ends(path, engine, engine) as ends:
        for _ in range(2):
            ends.step(ends.initiator)
        layout, state = ends.initiator.layout, ends.initiator.state
        assert layout.cells - layout.batch < state.filled <= layout.cells
        assert state.confirmed == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_one_changed_bit_is_a_bad_message(path: Path, engine: EngineKind) -> None:
    with both_ends(path, engine, engine) as ends:
        ends.step(ends.initiator)
        at = ends.cells + 3 * 64 + 17
        ends.region.write(at, bytes([ends.region.read(at, 1)[0] ^ 4]))
        sum_at = ends.heads + 5 * HEAD + 8
        ends.region.store(sum_at, 8, ends.region.load(sum_at, 8) ^ 1)
        ends.step(ends.responder)
        state = ends.responder.state
        assert (state.bad, state.out_of_order) == (2, 0)
        assert state.good == state.taken - 2
        lines = Lines(ends.region, ends.slot, Side.RESPONDER)
        assert [lines.taken(word) for word in (2, 3, 4)] == [state.good, 2, 0]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_number_out_of_order_is_counted(path: Path, engine: EngineKind) -> None:
    with both_ends(path, engine, engine) as ends:
        ends.step(ends.initiator)
        for cell, number in ((2, RUN + 3), (3, RUN + 2)):
            ends.region.store(ends.heads + cell * HEAD, 8, number)
        ends.step(ends.responder)
        state = ends.responder.state
        assert (state.bad, state.out_of_order, state.good) == (0, 2, state.taken - 2)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("word", [(1 << 64) - 1, 1 << 63, 5000])
def test_a_count_that_cannot_be_is_ignored(path: Path, engine: EngineKind, word: int) -> None:
    with both_ends(path, engine, engine) as ends:
        ends.step(ends.initiator)
        filled = ends.initiator.state.filled
        lines = {side: Lines(ends.region, ends.slot, side) for side in Side}
        lines[Side.RESPONDER].put(lines[Side.RESPONDER].take, COUNT, word)
        lines[Side.INITIATOR].put(lines[Side.INITIATOR].send, COUNT, word)
        ends.step(ends.initiator)
        ends.step(ends.responder)
        assert (ends.initiator.state.filled, ends.initiator.state.confirmed) == (filled, 0)
        assert ends.responder.state.taken == 0
        assert ends.initiator.state.unexpected == ends.responder.state.unexpected == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_loop_ends_when_it_is_told_to(path: Path, engine: EngineKind) -> None:
    with both_ends(path, engine, engine) as ends:
        ends.responder.stop()
        assert ends.responder.run(time.perf_counter_ns() + 10**12) is Slice.STOPPED


@pytest.mark.parametrize("group_bytes", [64, 32 << 10], ids=["singly", "many at once"])
def test_an_error_in_the_loop_is_told_and_lets_the_region_close(
    path: Path, monkeypatch: pytest.MonkeyPatch, group_bytes: int
) -> None:
    """Its traceback keeps the loop alive, which had views of the region's memory."""

    def broken(_piece: memoryview) -> int:
        raise RuntimeError("a bug")

    monkeypatch.setattr(ring_python, "_GROUP_BYTES", group_bytes)
    with both_ends(path, EngineKind.PYTHON, EngineKind.PYTHON) as ends:
        ends.step(ends.initiator)
        monkeypatch.setattr(ring_python, "xxh3_64_intdigest", broken)
        with pytest.raises(RuntimeError, match="a bug") as caught:
            ends.step(ends.responder)
    assert caught.traceback[-1].name == "broken"


def test_a_side_that_restarts_keeps_its_counts(path: Path) -> None:
    with both_ends(path, EngineKind.PYTHON, EngineKind.PYTHON) as ends:
        ends.step(ends.initiator)
        ends.step(ends.responder)
        good = ends.responder.state.good
        lines = Lines(ends.region, ends.slot, Side.RESPONDER)
        lines.begin(RUN, 0, good, 7)
        assert [lines.taken(word) for word in (2, 5)] == [good, 7]
        lines.begin(RUN + 2, 0, 0)
        assert [lines.taken(word) for word in (2, 5)] == [0, 0]


@pytest.mark.parametrize("engine", ENGINES)
def test_counts_that_somebody_made_up_go_round(path: Path, engine: EngineKind) -> None:
    """A run may begin from any word that a peer, or whoever wrote over ours, left there."""
    last = (1 << 64) - 3
    with both_ends(path, engine, engine, TO_OWNER | TO_MASTER) as ends:
        lines = {side: Lines(ends.region, ends.slot, side) for side in Side}
        for side in Side:
            lines[side].begin(RUN, last, last)
            for word in (2, 3, 4):
                lines[side].put(lines[side].take, word, last)
        for loop in (ends.initiator, ends.responder):
            state = loop.state
            state.filled = state.confirmed = state.taken = last
            state.good = state.bad = state.out_of_order = -3
        for _ in range(4):
            assert ends.step(ends.initiator) is Slice.AGAIN
            assert ends.step(ends.responder) is Slice.AGAIN
        one, other = ends.initiator.state, ends.responder.state
        assert 0 < one.taken < 1 << 32
        assert 0 < other.filled < 1 << 32
        assert lines[Side.RESPONDER].taken(COUNT) == other.taken
        assert lines[Side.INITIATOR].sent(COUNT) == one.filled
        assert lines[Side.RESPONDER].taken(3) == other.bad % (1 << 64)
