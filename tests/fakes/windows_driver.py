"""A driver and a SetupAPI that answer as Windows does, for tests on any system.

The memory is real: a buffer of this process, which the fake's copies guard as the kernel does.
"""

from __future__ import annotations

import ctypes
from typing import Any

from app.core.backends.windows.abi import (
    REGISTER_EVENT,
    RELEASE_MMAP,
    REQUEST_MMAP,
    REQUEST_PEERID,
    REQUEST_SIZE,
    RING_DOORBELL,
)
from app.core.backends.windows.api import Win32Error
from app.core.backends.windows.setup import FoundDevice


class FakeDriver:
    """Stands for Win32; `fail` maps a request's code, or "open", to the error that it answers.

    Attributes:
        calls: What was called, in order: "open", "close", "release", "map".
        gone: From this offset on the pages are gone.
        rung: Peers and vectors that were rung.
    """

    def __init__(self, size: int = 64 << 10, peer: int = 3, vectors: int = 2) -> None:
        self.memory = (ctypes.c_uint8 * size)()
        self.size = size
        self.peer = peer
        self.vectors = vectors
        self.fail: dict[int | str, int] = {}
        self.refused_modes: set[int] = set()
        self.calls: list[str] = []
        self.gone = size
        self.owner = 0
        self.mode = -1
        self.rung: list[tuple[int, int]] = []
        self.events: list[int] = []
        self._handles = 100
        self.largest = size

    @property
    def address(self) -> int:
        """Where the memory lies."""
        return ctypes.addressof(self.memory)

    def open_device(self, path: str) -> int:
        self._may("open")
        self._handles += 1
        self.calls.append("open")
        return self._handles

    def close(self, handle: int) -> None:
        self.calls.append("close")
        if handle == self.owner:
            self.owner = 0

    def control(self, handle: int, code: int, request: Any, answer: Any) -> int:
        self._may(code)
        data = bytes(request)
        if code == REQUEST_PEERID:
            answer.value = self.peer
            return 2
        if code == REQUEST_SIZE:
            answer.value = self.size
            return 8
        if code == REQUEST_MMAP:
            return self._map(handle, data, answer)
        if code == RELEASE_MMAP:
            self.calls.append("release")
            self.owner = 0
        if code == RING_DOORBELL:
            self.rung.append(
                (int.from_bytes(data[:2], "little"), int.from_bytes(data[2:], "little"))
            )
        if code == REGISTER_EVENT:
            self.events.append(len(data))
        return 0

    def _map(self, handle: int, data: bytes, answer: Any) -> int:
        if self.owner:
            raise Win32Error(548, "DeviceIoControl")
        if data[0] in self.refused_modes:
            raise Win32Error(87, "DeviceIoControl")
        self.calls.append("map")
        self.owner, self.mode = handle, data[0]
        answer.peer, answer.vectors = self.peer, self.vectors
        answer.size, answer.pointer = self.size, self.address
        return ctypes.sizeof(answer)

    def _may(self, what: int | str) -> None:
        if what in self.fail:
            raise Win32Error(self.fail[what], str(what))

    def _guard(self, address: int, length: int) -> None:
        start = address - self.address
        if start < 0 or start + length > self.gone or length > self.largest:
            raise Win32Error(299, "ReadProcessMemory")

    def read_memory(self, address: int, buffer: Any, length: int) -> None:
        self._guard(address, length)
        ctypes.memmove(buffer, address, length)

    def write_memory(self, address: int, buffer: Any, length: int) -> None:
        self._guard(address, length)
        ctypes.memmove(address, buffer, length)

    def create_event(self, *, manual_reset: bool = False) -> int:
        self._handles += 1
        return self._handles

    def wait(self, handle: int, timeout_ms: int) -> bool:
        return bool(self.rung)

    def windows_is_64bit(self) -> bool:
        return True


class FakeSetup:
    """Stands for SetupApi."""

    def __init__(self, driven: list[FoundDevice], on_pci: list[FoundDevice] | None = None) -> None:
        self._driven = sorted(driven, key=lambda device: device.order)
        self._on_pci = on_pci if on_pci is not None else driven

    def driven(self) -> list[FoundDevice]:
        return self._driven

    def on_pci(self) -> list[FoundDevice]:
        return self._on_pci
