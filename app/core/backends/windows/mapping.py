"""The process's only mapping of a device: guarded copies, and an ordered release.

The driver gives one mapping per device (or per handle, in the builds of 2024), so a process keeps
one per device; sharing.py counts its users. Every copy is guarded (copies.py). The order of a
release: no new copies, wait for the running ones, RELEASE_MMAP, CloseHandle.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ...errors import ClosedError, ReplacedError, ScopeError, UnpluggedError
from ...region.region import CacheMode
from ...values.units import format_size
from .abi import driver_error
from .api import Win32, Win32Error
from .copies import BY_ITSELF, GuardedCopies
from .notices import (
    QUERY_FAILED,
    QUERY_REMOVE,
    REMOVED,
    DeviceWatch,
    watch_device,
)
from .requests import (
    ask_peer,
    register_event,
    release_map,
    request_map,
    ring,
)

CHUNK: Final = 1 << 20  # one copy's length: a release waits for no more than this
_DRAIN_S: Final = 5.0  # the slowest uncached chunk that was measured took 0.1 s
_LOOK_S: Final = 0.5  # how often check() really asks the driver
_BACK_S: Final = 1.0  # how often check() tries to map a device again that was gone
PLANNED_S: Final = 10.0  # after an announced stop or sleep, do not map it again before
_NEVER_S: Final = float("inf")


class DeviceMapping:
    """One device, opened and mapped.

    Attributes:
        path: Interface path.
        name: The device's name for people.
        cache: Mode in force.
        size: Bytes.
        peer: Our own peer number.
        vectors: Interrupt vectors; 0 is a plain device.
        api: The Windows calls.
    """

    def __init__(self, path: str, name: str, cache: CacheMode, api: Win32) -> None:
        self.path = path
        self.name = name
        self.size = 0
        self.peer = 0
        self.vectors = 0
        self.users = 0
        self.cache = cache
        self.api = api
        self._copies = GuardedCopies(api, name)
        self._handle = 0
        self._pointer = 0
        self._running = 0
        self._looked_s = 0.0
        self._back_s = _NEVER_S
        self._away: ScopeError = ClosedError(f"{name} is closed.", "Open it again.")
        self._gate = threading.Condition()
        self._change = threading.RLock()  # one change of state at a time
        self._events: dict[tuple[int, int], int] = {}  # by vector and waiter
        self._watch: DeviceWatch | None = None
        self._old_watches: list[DeviceWatch] = []
        self._map(cache)

    # -- state -----------------------------------------------------------------------------------

    @property
    def handle(self) -> int:
        """The open device handle; 0 while released."""
        return self._handle

    @property
    def released(self) -> bool:
        """Whether it is not mapped at the moment."""
        return not self._pointer

    def release(self, why: ScopeError, back_s: float = _NEVER_S) -> None:
        """Unmap the device; from now on every access raises `why`. Safe to call twice.

        Args:
            why: The error of later accesses.
            back_s: After how many seconds `check()` begins to try to map it again.
        """
        with self._change:
            self._back_s = time.monotonic() + back_s
            with self._gate:
                self._away = why
                mapped, self._pointer = self._pointer, 0
                self._gate.wait_for(lambda: not self._running, _DRAIN_S)
            handle, self._handle = self._handle, 0
            if mapped:
                with contextlib.suppress(Win32Error):  # gone already; closing undoes it too
                    release_map(self.api, handle)
            if handle:
                self.api.close(handle)
            if self._watch:  # not ended here: this may run in its own callback
                self._old_watches.append(self._watch)
                self._watch = None

    def reopen(self) -> None:
        """Map it again after `release`, as large as it was and with the same events.

        Raises:
            ReplacedError: The device has another size now.
            ScopeError: As opening does.
        """
        with self._change:
            if self._pointer:
                return
            size = self.size
            self._map(self.cache)
            if self.size != size:
                now = format_size(self.size)
                self.size = size
                gone = ReplacedError(
                    f"{self.name} has {now} now; it had {format_size(size)} when it was opened.",
                    "Try again to open it as it is now.",
                )
                self.release(gone)
                raise gone
            for (vector, _), event in self._events.items():
                self._register(vector, event)
        self._end_watches()

    def forget(self) -> None:
        """Unmap for good, and close the events."""
        self.release(ClosedError(f"{self.name} is closed.", "Open it again."))
        self._end_watches()
        for event in self._events.values():
            self.api.close(event)
        self._events.clear()

    def check(self) -> None:
        """Ask the driver twice a second whether the device is there; map it again when it is back.

        Raises:
            RegionGoneError: It is not there, or it is released.
            HeldByAnotherError: It came back, and another program mapped it first.
        """
        now = time.monotonic()
        if self.released and now >= self._back_s:
            self._come_back(now)
        with self._use():
            if now - self._looked_s < _LOOK_S:
                return
            self._looked_s = now
            try:
                ask_peer(self.api, self._handle, self.name)
                return
            except UnpluggedError as error:
                lost = UnpluggedError(error.message, BY_ITSELF)
        self.release(lost, _BACK_S)
        raise lost

    def _come_back(self, now: float) -> None:
        self._back_s = now + _BACK_S
        try:
            self.reopen()
        except (UnpluggedError, ReplacedError):
            pass  # not yet; or never automatically, which reopen() has noted
        except ScopeError as error:
            self._away = error

    def _map(self, cache: CacheMode) -> None:
        try:
            self._handle = self.api.open_device(self.path)
        except Win32Error as error:
            raise driver_error(error.number, "open the device", self.name) from error
        try:
            mode, answer = request_map(self.api, self._handle, self.name, cache)
        except BaseException:
            self.api.close(self._handle)  # unmaps too, if it was mapped
            self._handle = 0
            raise
        self.cache, self.size = mode, int(answer.size)
        self.peer, self.vectors = int(answer.peer), int(answer.vectors)
        self._watch = watch_device(self._handle, self.notice)
        with self._gate:
            self._pointer = int(answer.pointer)

    def notice(self, action: int) -> None:
        """Handle a notice: release before the device is removed, map again if it is not."""
        if action in (QUERY_REMOVE, REMOVED):
            planned = action == QUERY_REMOVE
            did = "disables or ejects it" if planned else "removed it"
            why = UnpluggedError(f"{self.name} was given back because Windows {did}.", BY_ITSELF)
            self.release(why, PLANNED_S if planned else _BACK_S)
        elif action == QUERY_FAILED:
            self.reopen()

    def _end_watches(self) -> None:
        """Not under the lock: ending waits for a callback, which may wait for the lock."""
        with self._change:
            old, self._old_watches = self._old_watches, []
        for watch in old:
            watch.end()

    # -- copies ----------------------------------------------------------------------------------

    @contextmanager
    def _use(self) -> Iterator[int]:
        with self._gate:
            if not self._pointer:
                raise type(self._away)(self._away.message, self._away.hint)
            pointer = self._pointer
            self._running += 1
        try:
            yield pointer
        finally:
            with self._gate:
                self._running -= 1
                if not self._running:
                    self._gate.notify_all()

    @contextmanager
    def _access(self) -> Iterator[int]:
        """As `_use`; a fault releases the device at once, for all its users.

        Windows may use the freed addresses for our own next allocation: another reader would then
        read our heap without a fault, and a writer would corrupt it.
        """
        try:
            with self._use() as pointer:
                yield pointer
        except UnpluggedError as error:
            if not self.released:
                self.release(error, _BACK_S)
            raise

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill the buffer. Raises UnpluggedError when the memory is gone."""
        view = buffer.cast("B")
        room = (ctypes.c_char * len(view)).from_buffer(view)
        address = ctypes.addressof(room)
        for at in range(0, len(view), CHUNK):
            length = min(CHUNK, len(view) - at)
            with self._access() as pointer:
                self._copies.read(pointer, offset + at, address + at, length)

    def write(self, offset: int, data: memoryview) -> None:
        """Copy the data in. Raises as `read_into`; chunks before that were written then."""
        for at in range(0, len(data), CHUNK):
            part = data[at : at + CHUNK]
            kind = ctypes.c_char * len(part)
            # ctypes gives no address of read-only memory; such data is copied first.
            chunk = kind.from_buffer_copy(part) if part.readonly else kind.from_buffer(part)
            with self._access() as pointer:
                self._copies.write(pointer, offset + at, ctypes.addressof(chunk), len(chunk))

    def load(self, offset: int, width: int) -> int:
        """One load."""
        with self._access() as pointer:
            return self._copies.load(pointer, offset, width)

    def store(self, offset: int, width: int, value: int) -> None:
        """One store."""
        with self._access() as pointer:
            self._copies.store(pointer, offset, width, value)

    @contextmanager
    def window(self, offset: int, length: int) -> Iterator[memoryview[int]]:
        """The memory itself, for a measurement's loop; it counts as a running copy.

        Access to a page that is gone is an access violation, so the loop calls `check()` often.
        """
        with self._use() as pointer:
            memory = (ctypes.c_char * length).from_address(pointer + offset)
            with memoryview(memory) as typed, typed.cast("B") as view:
                yield view

    # -- doorbell --------------------------------------------------------------------------------

    def ring(self, peer: int, vector: int) -> None:
        """Ring a peer; the driver reports no error when there is no such peer."""
        with self._use():
            ring(self.api, self._handle, self.name, peer, vector)

    def event(self, vector: int, waiter: int = 0) -> int:
        """The handle of a waiter's repeating event for this vector, registered at its first use.

        It is kept as long as the mapping, because the driver frees a repeating event only when its
        handle is closed, and has 32 of them.
        """
        with self._change:
            if (vector, waiter) not in self._events:
                event = self.api.create_event()
                try:
                    self._register(vector, event)
                except BaseException:
                    self.api.close(event)
                    raise
                self._events[vector, waiter] = event
            return self._events[vector, waiter]

    def _register(self, vector: int, event: int) -> None:
        with self._use():
            register_event(self.api, self._handle, self.name, vector, event)
