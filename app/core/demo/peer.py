"""The demo's peer: a process that writes into the region as real users of ivshmem do.

It ends when its pipe to the starter closes, whatever ended the starter, and removes the file.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import random
import signal
import struct
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ..protocols import demo_layout
from . import stale_files

TICK_S: Final = 0.002
# FILETIME counts 100 ns from 1601-01-01; [MS-DTYP] 2.3.3.
_FILETIME_EPOCH: Final = 116_444_736_000_000_000
_MESSAGES: Final = (
    "scope: hello from the peer",
    "audio: 48000 Hz, 2 channels, period 256",
    "video: frame delivered",
    "pointer: moved",
    "clipboard: 12 bytes of text",
    "host: heartbeat",
)


class Peer:
    """Writes all parts, each at its own pace."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory
        view = memoryview(memory)
        self._u64 = view.cast("Q")
        self._u32 = view.cast("I")
        self._u16 = view.cast("H")
        self._random = random.Random(1)  # noqa: S311 - a test picture, the same each time
        self._walk = 0.0
        self._log_at = 0
        self._ticks = 0
        self._messages = 0
        self._pixels: npt.NDArray[np.uint8] = np.frombuffer(
            memory, np.uint8, demo_layout.WIDTH * demo_layout.HEIGHT * 4, demo_layout.PICTURE
        ).reshape(demo_layout.HEIGHT, demo_layout.WIDTH, 4)
        self._x = np.arange(demo_layout.WIDTH)[None, :]
        self._y = np.arange(demo_layout.HEIGHT)[:, None]
        # Every N-th tick of 2 ms; the comments in demo_layout.py name the rates.
        self._parts: tuple[tuple[int, Callable[[], None]], ...] = (
            (1, self.count),
            (5, self.count_slowly),
            (5, self.ring),
            (10, self.floats),
            (25, self.picture),
            (100, self.mail),
            (80, self.log),
        )
        self._header()

    def _header(self) -> None:
        struct.pack_into(
            "<8sIIQ",
            self._memory,
            0,
            demo_layout.MAGIC,
            demo_layout.VERSION,
            os.getpid(),
            demo_layout.SIZE,
        )
        self._u64[demo_layout.RING_CAPACITY // 8] = demo_layout.RING_SIZE

    def tick(self) -> None:
        """One step of 2 ms."""
        for every, part in self._parts:
            if self._ticks % every == 0:
                part()
        self._ticks += 1

    def count(self) -> None:
        """The fast counter: one aligned store."""
        self._u64[demo_layout.COUNTERS // 8] = self._ticks

    def count_slowly(self) -> None:
        """The slower ones and the toggle."""
        self._u32[(demo_layout.COUNTERS + 8) // 4] = self._ticks // 5
        self._u16[(demo_layout.COUNTERS + 12) // 2] = self._ticks // 50 & 0xFFFF
        seconds = self._ticks // 500
        self._memory[demo_layout.COUNTERS + 14] = seconds & 0xFF
        self._memory[demo_layout.COUNTERS + 15] = seconds & 1

    def floats(self) -> None:
        """Signals and time stamps."""
        now = time.time()
        self._walk += self._random.uniform(-1, 1)
        triangle = abs((self._ticks / 500) % 2 - 1)
        struct.pack_into(
            "<dffIIQQ",
            self._memory,
            demo_layout.FLOATS,
            math.sin(2 * math.pi * self._ticks / 1000),
            triangle,
            self._walk,
            int(now),
            0,
            int(now * 1000),
            int(now * 10_000_000) + _FILETIME_EPOCH,
        )

    def ring(self) -> None:
        """Produce a message, consume what is half a ring behind."""
        head = self._u64[demo_layout.RING_HEAD // 8]
        body = struct.pack("<IQ", self._messages & 0xFFFFFFFF, time.monotonic_ns())
        message = body + bytes(self._random.randrange(256) for _ in range(20))
        at = demo_layout.RING_DATA + head % demo_layout.RING_SIZE
        self._memory[at : at + 32] = message
        self._messages += 1
        self._u64[demo_layout.RING_HEAD // 8] = head + 32
        tail = self._u64[demo_layout.RING_TAIL // 8]
        lag = demo_layout.RING_SIZE * (3 + math.sin(self._ticks / 700)) / 6
        if head - tail > lag:
            self._u64[demo_layout.RING_TAIL // 8] = head - int(lag) // 32 * 32

    def mail(self) -> None:
        """A mailbox under a sequence lock: odd while it is being written."""
        sequence = self._u64[demo_layout.MAILBOX // 8]
        text = f"{self._random.choice(_MESSAGES)} #{self._messages}".encode().ljust(64, b"\0")
        self._u64[demo_layout.MAILBOX // 8] = sequence + 1
        struct.pack_into("<I", self._memory, demo_layout.MAILBOX + 8, len(text.rstrip(b"\0")))
        self._memory[demo_layout.MAILBOX + 16 : demo_layout.MAILBOX + 16 + len(text)] = text
        self._u64[demo_layout.MAILBOX // 8] = sequence + 2

    def log(self) -> None:
        """A line of text; the newest overwrites the oldest."""
        stamp = time.strftime("%H:%M:%S")
        line = f"{stamp} {self._random.choice(_MESSAGES)}\n".encode()
        if self._log_at + len(line) > demo_layout.LOG_SIZE:
            self._log_at = 0
        at = demo_layout.LOG + self._log_at
        self._memory[at : at + len(line)] = line
        self._log_at += len(line)

    def picture(self) -> None:
        """A moving picture: a ball over a sliding gradient."""
        shift = self._ticks // 25
        drawn = np.empty_like(self._pixels)
        drawn[..., 0] = (self._x + shift) & 0xFF
        drawn[..., 1] = (self._y + 2 * shift) & 0xFF
        drawn[..., 2] = 64
        drawn[..., 3] = 255
        x = demo_layout.WIDTH // 2 + int(90 * math.cos(shift / 9))
        y = demo_layout.HEIGHT // 2 + int(60 * math.sin(shift / 7))
        drawn[max(0, y - 12) : y + 12, max(0, x - 12) : x + 12, :3] = 255
        self._pixels[:] = drawn  # at once, so that a reader rarely gets half of a new picture


def run(path: str, life: Connection) -> None:
    """Main function of the process: write until `life` closes, then remove the file."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError, ValueError), Path(path).open("r+b") as file:
        stale_files.lock(file.fileno())
        memory = mmap.mmap(file.fileno(), demo_layout.SIZE)
        peer = Peer(memory)
        life.send("ready")
        due = time.perf_counter()
        while not _ended(life, due - time.perf_counter()):
            peer.tick()
            due = max(due + TICK_S, time.perf_counter() - 0.1)
    with contextlib.suppress(OSError):
        Path(path).unlink()


def _ended(life: Connection, wait_s: float) -> bool:
    """Wait until the next tick; True when the starter closed the pipe."""
    try:
        return life.poll(max(0.0, wait_s)) and life.recv() is None
    except (EOFError, OSError):
        return True
