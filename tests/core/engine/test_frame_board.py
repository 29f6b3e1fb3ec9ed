"""Frames through shared memory: whole or not at all, newest wins."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import Connection

import numpy as np
import pytest

from app.core.engine.frame_board import MAX_SPAN, FrameBoard, NewestBoard
from app.core.watch.frame import Activity, Frame, Health, Level, Traffic


def make_frame(number: int, size: int = 64, activity_number: int = 1) -> Frame:
    data = np.full(size, number & 0xFF, np.uint8)
    flags = np.zeros(size, np.bool_)
    activity = Activity(
        number=activity_number,
        region_size=1 << 20,
        cell_bytes=4096,
        rate=np.full(256, number, np.float32),
        changed_ns=np.arange(256, dtype=np.int64),
        seen_ns=np.ones(256, np.int64),
        allocated=np.ones(256, np.bool_),
        sweep_ns=5,
        exact=True,
    )
    return Frame(
        number=number,
        time_ns=10 * number,
        period_ns=16,
        start=4096,
        data=data,
        flux=flags,
        changed=~flags,
        changed_ns=np.full(size, number, np.int64),
        mine=flags,
        activity=activity,
        traffic=Traffic(1, 2.0, 3.0, 4.0, 0.5, 6.0),
        health=Health(Level.WARNING, "truncated", "Ü", "hint"),
        paused=True,
        writes=7,
        locked=False,
    )


def test_a_frame_comes_out_as_it_went_in() -> None:
    board = FrameBoard()
    sent = make_frame(3)
    board.publish(sent)
    got = board.fetch()
    assert got is not None
    for name in (
        "number",
        "time_ns",
        "period_ns",
        "start",
        "traffic",
        "health",
        "paused",
        "writes",
        "locked",
    ):
        assert getattr(got, name) == getattr(sent, name), name
    for name in ("data", "flux", "changed", "changed_ns", "mine"):
        np.testing.assert_array_equal(getattr(got, name), getattr(sent, name))
    np.testing.assert_array_equal(got.activity.rate, sent.activity.rate)
    assert got.activity.region_size == 1 << 20
    assert not got.data.flags.writeable
    assert board.fetch() is None
    board.close()


@pytest.mark.parametrize("size", [0, 1, 5, MAX_SPAN])
def test_any_span_fits(size: int) -> None:
    board = FrameBoard()
    board.publish(make_frame(9, size))
    got = board.fetch()
    assert got is not None
    assert len(got.data) == size
    board.close()


def test_newest_wins_and_the_activity_stays() -> None:
    board = FrameBoard()
    for number in range(1, 8):
        board.publish(make_frame(number, activity_number=1))
    got = board.fetch()
    assert got is not None
    assert got.number == 7
    assert got.activity.rate[0] == 1.0  # sent once, with the first
    board.close()


def test_too_large_a_message_is_refused_and_the_last_stays() -> None:
    board = NewestBoard(64)
    assert board.publish([b"whole"])
    assert not board.publish([bytes(65)])
    assert board.fetch() == b"whole"
    board.close()
    board.close()


def test_a_writer_that_died_within_a_slot_leaves_nothing() -> None:
    board = NewestBoard(64)
    board.publish([b"old"])
    at = 64 + 2 * (64 + 64)  # slot of message 2: begun, not ended
    head = board._view[at : at + 64].cast("Q")
    head[0], head[1], head[2] = 2, 0, 3
    head.release()
    board._words[0] = 2
    assert board.fetch() is None
    board.close()


def _write_forever(pipe: Connection, board: NewestBoard) -> None:
    number = 0
    while not pipe.poll(0):
        number += 1
        board.publish([bytes([number & 0xFF]) * 3000])


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
                assert len(set(message)) == 1
                got += 1
        timer.cancel()
        assert got == 300
    finally:
        ours.send("stop")
        child.join(5)
        board.close()
