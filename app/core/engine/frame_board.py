"""Frames from one process to another: a few newest-wins slots in ordinary shared memory.

The writer never waits for the reader, the reader never waits for the writer, and a writer that
ends in the middle of a slot leaves no slot that is taken for a Frame: each slot carries its number
before and behind the bytes, and a copy counts only if both were equal before and after copying.

A Frame is pickled by protocol 5 with its arrays out of band: they are copied once into the slot,
once out of it, and never through the pickle. Only a copy that counts is unpickled.

The memory has no name in /dev/shm (it would show up in our own device list): on Linux it is a
memfd inherited by the child, on Windows a page-file mapping with a random tag.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import secrets
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from multiprocessing import reduction
from operator import attrgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..watch.frame import Activity, Frame, Health, RangeSample, Traffic, empty_activity

SLOTS: Final = 3
MAX_SPAN: Final = 256 << 10
_MAX_CELLS: Final = 16384
# One byte of span costs data 1 + flux 1 + changed 1 + changed_ns 8 + mine 1; the rest is headroom.
_FRAME_BYTES: Final = MAX_SPAN * 12 + 65536
_ACTIVITY_BYTES: Final = _MAX_CELLS * (4 + 1 + 8 + 8 + 1) + 4096
_HEADER: Final = 64
_SLOT_HEADER: Final = 64

Part = memoryview | bytes


class NewestBoard:
    """Messages of a few parts each, newest wins. One writing process, one reading process.

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

    def publish(self, parts: Sequence[Part]) -> None:
        """Put a message into the next slot; each part begins at a multiple of 8 there.

        Raises:
            ValueError: It does not fit; what was published before stays.
        """
        lengths = [len(part) for part in parts]
        table = struct.pack(f"<{1 + len(lengths)}Q", len(lengths), *lengths)
        length = len(table) + sum(map(_padded, lengths))
        if length > self._slot_bytes:
            raise ValueError(f"{length} bytes do not fit into a slot of {self._slot_bytes}.")
        number = self._words[0] + 1
        at = _HEADER + (number % SLOTS) * (_SLOT_HEADER + self._slot_bytes)
        head = self._view[at : at + _SLOT_HEADER].cast("Q")
        head[1] = 0
        head[0] = number
        head[2] = length
        place = at + _SLOT_HEADER
        for part in (table, *parts):
            self._view[place : place + len(part)] = part
            place += _padded(len(part))
        head[1] = number
        self._words[0] = number
        head.release()

    def beat(self) -> None:
        """Writer: store the time of this heartbeat."""
        self._words[1] = time.monotonic_ns()

    # -- reader -------------------------------------------------------------------------------

    @property
    def last_beat_ns(self) -> int:
        """Time of the writer's last heartbeat; 0: none yet."""
        return self._words[1]

    def fetch(self) -> list[memoryview] | None:
        """The parts of the newest message, read-only, if it was not fetched before."""
        for _ in range(SLOTS):
            number = self._words[0]
            if number == self._fetched:
                return None
            message = self._copy(number)
            if message is not None:
                self._fetched = number
                return _parts(message)
        return None

    def _copy(self, number: int) -> bytes | None:
        """The message of this number; None where it is not there whole, all the while."""
        at = _HEADER + (number % SLOTS) * (_SLOT_HEADER + self._slot_bytes)
        head = self._view[at : at + _SLOT_HEADER].cast("Q")
        try:
            length = head[2]
            if head[0] != number or head[1] != number or length > self._slot_bytes:
                return None
            message = bytes(self._view[at + _SLOT_HEADER : at + _SLOT_HEADER + length])
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


def _parts(message: bytes) -> list[memoryview]:
    (count,) = struct.unpack_from("<Q", message)
    view, at, parts = memoryview(message), 8 * (1 + count), []
    for length in struct.unpack_from(f"<{count}Q", message, 8):
        parts.append(view[at : at + length])
        at += _padded(length)
    return parts


def _padded(length: int) -> int:
    return (length + 7) & ~7


def _pack_array(array: npt.NDArray[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Pack a one-dimensional array; numpy's own pickling costs three times as much."""
    return np.frombuffer, (pickle.PickleBuffer(array.data), array.dtype.char)


def _by_fields(kind: type) -> Callable[[Any], tuple[type, tuple[Any, ...]]]:
    """Pickles a dataclass as a call with its fields, at half the cost of the usual way."""
    values = attrgetter(*(each.name for each in fields(kind)))
    return lambda thing: (kind, values(thing))


_REDUCERS: Final[dict[type, Callable[[Any], tuple[Any, ...]]]] = {
    np.ndarray: _pack_array,
    **{kind: _by_fields(kind) for kind in (Activity, Health, RangeSample, Traffic)},
}
_BESIDE_ACTIVITY: Final = tuple(each.name for each in fields(Frame) if each.name != "activity")
_values_beside_activity: Final = attrgetter(*_BESIDE_ACTIVITY)


def _pack(value: Any) -> list[Part]:
    """The pickle, then the arrays' own memory."""
    arrays: list[pickle.PickleBuffer] = []
    file = io.BytesIO()
    pickler = pickle.Pickler(file, protocol=5, buffer_callback=arrays.append)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(value)
    return [file.getbuffer(), *(array.raw() for array in arrays)]


def _unpack(parts: Sequence[Part]) -> Any:
    # Written by our own child a moment ago, into memory that only it and we can reach, and whole.
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301


class FrameBoard:
    """Frames on two boards: the activity, which changes less often, has one of its own."""

    def __init__(self) -> None:
        self._frames = NewestBoard(_FRAME_BYTES)
        self._activities = NewestBoard(_ACTIVITY_BYTES)
        self._sent = -1
        self._activity: Activity | None = None

    def publish(self, frame: Frame) -> None:
        """Writer: show a Frame.

        Raises:
            ValueError: Its sample or its activity is too large for a slot; nothing was shown.
        """
        activity = frame.activity
        if activity.number != self._sent:
            self._activities.publish(_pack(activity))
            self._sent = activity.number
        self._frames.publish(_pack((activity.region_size, _values_beside_activity(frame))))

    def beat(self) -> None:
        """Writer: send a heartbeat."""
        self._frames.beat()

    @property
    def last_beat_ns(self) -> int:
        """Reader: time of the engine's last heartbeat; 0: none yet."""
        return self._frames.last_beat_ns

    def fetch(self) -> Frame | None:
        """Reader: the newest Frame, if it was not fetched before; its arrays are read-only."""
        parts = self._frames.fetch()
        if parts is None:
            return None
        newest = self._activities.fetch()
        if newest is not None:
            self._activity = _unpack(newest)
        region_size, values = _unpack(parts)
        activity = self._activity or empty_activity(region_size)
        return Frame(activity=activity, **dict(zip(_BESIDE_ACTIVITY, values, strict=True)))

    def close(self) -> None:
        """Unmap both. Safe to call twice."""
        self._frames.close()
        self._activities.close()
