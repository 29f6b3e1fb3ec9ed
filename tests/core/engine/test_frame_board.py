"""Frames through shared memory: whole or not at all, newest wins."""

from __future__ import annotations

import dataclasses
import multiprocessing
import pickle
import struct
import threading
from multiprocessing.connection import Connection

import numpy as np
import pytest

from app.core.engine.frame_board import MAX_SPAN, SLOTS, FrameBoard, NewestBoard
from app.core.watch.frame import Activity, Frame, Health, Level, RangeSample, Traffic


def make_frame(number: int, size: int = 64, *, activity_number: int = 1, cells: int = 256) -> Frame:
    data = np.full(size, number & 0xFF, np.uint8)
    flags = np.zeros(size, np.bool_)
    activity = Activity(
        number=activity_number,
        region_size=1 << 20,
        cell_bytes=4096,
        rate=np.full(cells, number, np.float32),
        changed_ns=np.arange(cells, dtype=np.int64),
        seen_ns=np.ones(cells, np.int64),
        allocated=np.ones(cells, np.bool_),
        sweep_ns=5,
        exact=True,
    )
    return Frame(
        number=number,
        period_ns=16,
        sample=RangeSample(
            start=4096,
            time_ns=10 * number,
            data=data,
            flux=flags,
            changed=~flags,
            changed_ns=np.full(size, number, np.int64),
            mine=flags,
        ),
        activity=activity,
        traffic=Traffic(1, 2.0, 3.0, 4.0, 0.5),
        health=Health(Level.WARNING, "truncated", "Ü", "hint"),
        paused=True,
        writes=7,
        locked=False,
    )


def assert_same(got: object, sent: object) -> None:
    """Every field, also one that is added later; what arrives cannot be written to."""
    assert type(got) is type(sent)
    for each in dataclasses.fields(sent):
        mine, theirs = getattr(got, each.name), getattr(sent, each.name)
        if isinstance(theirs, np.ndarray):
            np.testing.assert_array_equal(mine, theirs)
            assert mine.dtype == theirs.dtype
            assert mine.flags.aligned
            assert not mine.flags.writeable
            with pytest.raises(ValueError, match="WRITEABLE"):
                mine.flags.writeable = True
        elif isinstance(theirs, RangeSample | Activity):
            assert_same(mine, theirs)
        else:
            assert mine == theirs, each.name


@pytest.mark.parametrize("size", [0, 1, 5, 64, MAX_SPAN])
def test_a_frame_comes_out_as_it_went_in(size: int) -> None:
    board = FrameBoard()
    sent = make_frame(3, size)
    board.publish(sent)
    got = board.fetch()
    assert got is not None
    assert_same(got, sent)
    assert board.fetch() is None
    board.close()


def test_what_was_fetched_outlives_the_board_and_later_frames() -> None:
    board = FrameBoard()
    board.publish(make_frame(1, activity_number=1))
    got = board.fetch()
    assert got is not None
    for number in range(2, 9):
        board.publish(make_frame(number, activity_number=number))
    board.close()
    assert_same(got, make_frame(1))


def test_newest_wins_and_the_activity_stays() -> None:
    board = FrameBoard()
    for number in range(1, 8):
        board.publish(make_frame(number, activity_number=1))
    got = board.fetch()
    assert got is not None
    assert got.number == 7
    assert got.activity.rate[0] == 1.0  # sent once, with the first
    board.close()


def test_a_frame_is_shown_before_the_region_was_looked_at() -> None:
    board = FrameBoard()
    board._activities.publish = lambda parts: None  # type: ignore[method-assign] # as if torn
    board.publish(make_frame(1))
    got = board.fetch()
    assert got is not None
    assert got.activity.region_size == 1 << 20
    assert got.activity.number == 0
    board.close()


def test_too_large_a_message_is_an_error_and_the_last_stays() -> None:
    board = NewestBoard(64)
    board.publish([b"whole", b"", b"parts"])
    with pytest.raises(ValueError, match="do not fit"):
        board.publish([bytes(49)])  # and 16 bytes of table
    assert board.fetch() == [b"whole", b"", b"parts"]
    board.publish([bytes(48)])
    assert board.fetch() == [bytes(48)]
    board.close()
    board.close()


@pytest.mark.parametrize("cells", [256, 40_000], ids=["sample", "activity"])
def test_too_large_a_frame_is_an_error_and_the_last_stays(cells: int) -> None:
    board = FrameBoard()
    board.publish(make_frame(1))
    large = make_frame(2, 2 * MAX_SPAN if cells == 256 else 64, activity_number=2, cells=cells)
    with pytest.raises(ValueError, match="do not fit"):
        board.publish(large)
    got = board.fetch()
    assert got is not None
    assert_same(got.sample, make_frame(1).sample)
    board.publish(make_frame(3, activity_number=3))
    again = board.fetch()
    assert again is not None
    assert_same(again, make_frame(3, activity_number=3))
    board.close()


def _spoil(board: NewestBoard, number: int, *, before: int, behind: int, length: int) -> None:
    """A slot whose writer stopped halfway, full of what must never be unpickled."""
    at = 64 + (number % SLOTS) * (64 + board._slot_bytes)
    head = board._view[at : at + 64].cast("Q")
    head[0], head[1], head[2] = before, behind, length
    head.release()
    bomb = pickle.dumps(_Bomb())
    board._view[at + 64 : at + 80] = struct.pack("<2Q", 1, len(bomb))
    board._view[at + 80 : at + 80 + len(bomb)] = bomb
    board._words[0] = number


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("bytes were unpickled that are not a whole message",)


@pytest.mark.parametrize(
    ("before", "behind", "length"),
    [(2, 0, 1024), (2, 1, 1024), (1, 2, 1024), (5, 2, 1024), (5, 5, 1024), (2, 2, 1 << 62)],
    ids=["begun", "older behind", "older before", "newer before", "newer", "endless"],
)
def test_a_writer_that_died_within_a_slot_leaves_nothing(
    before: int, behind: int, length: int
) -> None:
    board = FrameBoard()
    board.publish(make_frame(1))
    _spoil(board._frames, 2, before=before, behind=behind, length=length)
    assert board.fetch() is None
    board.publish(make_frame(3))
    got = board.fetch()
    assert got is not None
    assert_same(got.sample, make_frame(3).sample)
    board.close()


def _write_forever(pipe: Connection, board: NewestBoard) -> None:
    number = 0
    while not pipe.poll(0):
        number += 1
        board.publish([bytes([number & 0xFF]) * 1501, bytes([number & 0xFF]) * 1502])


def test_no_torn_message_between_two_processes() -> None:
    context = multiprocessing.get_context("spawn")
    board = NewestBoard(4096)
    ours, theirs = context.Pipe()
    child = context.Process(target=_write_forever, args=(theirs, board), daemon=True)
    child.start()
    try:
        got = 0
        deadline = threading.Event()
        timer = threading.Timer(15, deadline.set)
        timer.start()
        while got < 300 and not deadline.is_set():
            message = board.fetch()
            if message is not None:
                assert [len(part) for part in message] == [1501, 1502]
                assert len(set(b"".join(message))) == 1
                got += 1
        timer.cancel()
        assert got == 300
    finally:
        ours.send("stop")
        child.join(5)
        board.close()
