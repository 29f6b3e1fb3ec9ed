"""Frames from one process to another: a few newest-wins slots in ordinary shared memory.

The writer never waits for the reader, the reader never waits for the writer, and a writer that
ends in the middle of a slot leaves no slot that is taken for a Frame: each slot carries its number
before and behind the bytes, and a copy counts only if both were equal before and after copying.

The memory has no name in /dev/shm (it would show up in our own device list): on Linux it is a
memfd inherited by the child, on Windows a page-file mapping with a random tag.
"""

from __future__ import annotations

import mmap
import os
import pickle
import secrets
import struct
import sys
import time
from multiprocessing import reduction
from typing import Any, Final

import numpy as np

from ..watch.frame import Activity, Frame, Traffic, empty_activity

SLOTS: Final = 3
MAX_SPAN: Final = 256 << 10
_MAX_CELLS: Final = 16384
# One byte of span costs data 1 + flux 1 + changed 1 + changed_ns 8 + mine 1; the rest is headroom.
_FRAME_BYTES: Final = MAX_SPAN * 12 + 65536
_ACTIVITY_BYTES: Final = _MAX_CELLS * (4 + 8 + 8 + 1) + 4096
_WORD: Final = struct.Struct("<Q")
_HEADER: Final = 64
_SLOT_HEADER: Final = 64


class NewestBoard:
    """Byte strings, newest wins. One writing process, one reading process.

    Can be pickled only while a child process is being spawned (it passes on the descriptor).
    """

    def __init__(self, slot_bytes: int) -> None:
        self._slot_bytes = slot_bytes
        self._size = _HEADER + SLOTS * (_SLOT_HEADER + slot_bytes)
        self._tag = f"ivshmem-scope-{os.getpid()}-{secrets.token_hex(8)}"
        self._fd = -1
        if sys.platform != "win32":
            self._fd = os.memfd_create("ivshmem-scope-frames", os.MFD_CLOEXEC)
            os.ftruncate(self._fd, self._size)
        self._attach()

    def _attach(self) -> None:
        if sys.platform == "win32":
            self._map = mmap.mmap(-1, self._size, tagname=self._tag)
        else:
            self._map = mmap.mmap(self._fd, self._size)
        self._view = memoryview(self._map)
        self._words = self._view[:_HEADER].cast("Q")
        self._fetched = 0

    # -- writer ------------------------------------------------------------------------------

    def publish(self, parts: list[memoryview | bytes]) -> bool:
        """Put a message, given in parts, into the next slot; False when it does not fit."""
        length = sum(len(part) for part in parts)
        if length > self._slot_bytes:
            return False
        number = self._words[0] + 1
        at = _HEADER + (number % SLOTS) * (_SLOT_HEADER + self._slot_bytes)
        head = self._view[at : at + _SLOT_HEADER].cast("Q")
        head[1] = 0
        head[0] = number
        head[2] = length
        place = at + _SLOT_HEADER
        for part in parts:
            self._view[place : place + len(part)] = part
            place += len(part)
        head[1] = number
        self._words[0] = number
        head.release()
        return True

    def beat(self) -> None:
        """Writer: store the time of this heartbeat."""
        self._words[1] = time.monotonic_ns()

    # -- reader -------------------------------------------------------------------------------

    @property
    def last_beat_ns(self) -> int:
        """Time of the writer's last heartbeat; 0: none yet."""
        return self._words[1]

    def fetch(self) -> bytearray | None:
        """The newest message, if it was not fetched before."""
        for _ in range(SLOTS):
            number = self._words[0]
            if number == self._fetched:
                return None
            message = self._copy(number)
            if message is not None:
                self._fetched = number
                return message
        return None

    def _copy(self, number: int) -> bytearray | None:
        at = _HEADER + (number % SLOTS) * (_SLOT_HEADER + self._slot_bytes)
        head = self._view[at : at + _SLOT_HEADER].cast("Q")
        try:
            length = head[2]
            if head[0] != number or head[1] != number or length > self._slot_bytes:
                return None
            message = bytearray(self._view[at + _SLOT_HEADER : at + _SLOT_HEADER + length])
            return message if head[0] == number else None
        finally:
            head.release()

    # -- life ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Unmap. Safe to call twice."""
        if self._size:
            self._size = 0
            self._words.release()
            self._view.release()
            self._map.close()
            if self._fd >= 0:
                os.close(self._fd)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "slot_bytes": self._slot_bytes,
            "size": self._size,
            "tag": self._tag,
        }
        if sys.platform != "win32":
            state["fd"] = reduction.DupFd(self._fd)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._slot_bytes = state["slot_bytes"]
        self._size = state["size"]
        self._tag = state["tag"]
        self._fd = state["fd"].detach() if sys.platform != "win32" else -1
        self._attach()


class FrameBoard:
    """Frames on two boards: the visible bytes, and the activity, which changes less often."""

    def __init__(self) -> None:
        self._frames = NewestBoard(_FRAME_BYTES)
        self._activities = NewestBoard(_ACTIVITY_BYTES)
        self._sent = -1
        self._activity: Activity | None = None

    def publish(self, frame: Frame) -> None:
        """Writer: show a Frame."""
        activity = frame.activity
        if activity.number != self._sent and self._activities.publish(_pack_activity(activity)):
            self._sent = activity.number
        self._frames.publish(_pack_frame(frame))

    def beat(self) -> None:
        """Writer: send a heartbeat."""
        self._frames.beat()

    @property
    def last_beat_ns(self) -> int:
        """Reader: time of the engine's last heartbeat; 0: none yet."""
        return self._frames.last_beat_ns

    def fetch(self) -> Frame | None:
        """Reader: the newest Frame, if it was not fetched before."""
        message = self._frames.fetch()
        if message is None:
            return None
        newest = self._activities.fetch()
        if newest is not None:
            self._activity = _unpack_activity(newest)
        return _unpack_frame(message, self._activity)

    def close(self) -> None:
        """Unmap both. Safe to call twice."""
        self._frames.close()
        self._activities.close()


def _head(values: tuple[Any, ...]) -> list[memoryview | bytes]:
    blob = pickle.dumps(values, protocol=5)
    blob += bytes(-len(blob) % 8)
    return [_WORD.pack(len(blob)), blob]


def _split(message: bytearray) -> tuple[tuple[Any, ...], int]:
    length = _WORD.unpack_from(message)[0]
    # Written by our own child a moment ago, into memory that only it and we can reach.
    return pickle.loads(memoryview(message)[8 : 8 + length]), 8 + length  # noqa: S301


def _bytes(array: np.ndarray[Any, Any]) -> memoryview:
    return np.ascontiguousarray(array).data.cast("B")


def _array(message: bytearray, dtype: Any, count: int, at: int) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = np.frombuffer(message, dtype, count, at)
    array.flags.writeable = False
    return array


def _pack_frame(frame: Frame) -> list[memoryview | bytes]:
    traffic = frame.traffic
    parts = _head(
        (
            frame.number,
            frame.time_ns,
            frame.period_ns,
            frame.start,
            len(frame.data),
            frame.paused,
            frame.writes,
            frame.locked,
            frame.health,
            frame.activity.region_size,
            (
                traffic.over_ns,
                traffic.observed_bytes_per_s,
                traffic.read_bytes_per_s,
                traffic.written_bytes_per_s,
                traffic.cost,
                traffic.read_ns_per_mib,
            ),
        )
    )
    arrays = (frame.changed_ns, frame.data, frame.flux, frame.changed, frame.mine)
    return parts + [_bytes(array) for array in arrays if len(array)]


def _unpack_frame(message: bytearray, activity: Activity | None) -> Frame:
    values, at = _split(message)
    (
        number,
        time_ns,
        period_ns,
        start,
        count,
        paused,
        writes,
        locked,
        health,
        size,
        rates,
    ) = values
    changed_ns = _array(message, np.int64, count, at)
    at += 8 * count
    data = _array(message, np.uint8, count, at)
    flux, changed, mine = (
        _array(message, np.bool_, count, at + index * count) for index in (1, 2, 3)
    )
    return Frame(
        number=number,
        time_ns=time_ns,
        period_ns=period_ns,
        start=start,
        data=data,
        flux=flux,
        changed=changed,
        changed_ns=changed_ns,
        mine=mine,
        activity=activity or empty_activity(size),
        traffic=Traffic(*rates),
        health=health,
        paused=paused,
        writes=writes,
        locked=locked,
    )


def _pack_activity(activity: Activity) -> list[memoryview | bytes]:
    parts = _head(
        (
            activity.number,
            activity.region_size,
            activity.cell_bytes,
            len(activity.rate),
            activity.sweep_ns,
            activity.exact,
        )
    )
    arrays = (activity.changed_ns, activity.seen_ns, activity.rate, activity.allocated)
    return parts + [_bytes(array) for array in arrays]


def _unpack_activity(message: bytearray) -> Activity:
    (number, size, cell_bytes, count, sweep_ns, exact), at = _split(message)
    changed_ns = _array(message, np.int64, count, at)
    seen_ns = _array(message, np.int64, count, at + 8 * count)
    rate = _array(message, np.float32, count, at + 16 * count)
    allocated = _array(message, np.bool_, count, at + 20 * count)
    return Activity(
        number=number,
        region_size=size,
        cell_bytes=cell_bytes,
        rate=rate,
        changed_ns=changed_ns,
        seen_ns=seen_ns,
        allocated=allocated,
        sweep_ns=sweep_ns,
        exact=exact,
    )
