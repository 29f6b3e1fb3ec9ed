"""The process's one mapping of a device: shared by all its Regions, copied safely, given back in order.

The driver gives one mapping per device (or per handle, in the builds of 2024), so a process keeps
one per device and counts who uses it. Every copy is made by the kernel (ReadProcessMemory and
WriteProcessMemory on our own process), because the driver may take the pages away at any moment
(Device.c:249) and a plain access would then end the program. Giving back goes: no new copies,
wait for the running ones, RELEASE_MMAP, CloseHandle.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from app.core.errors import ClosedError, DriverError, ReplacedError, ScopeError, UnpluggedError
from app.core.region import PAGE, CacheMode
from app.core.units import format_offset, format_size
from app.core.windows_abi import (
    CACHE_CODES,
    DEFAULT_CACHE,
    EVENT_SLOTS,
    REGISTER_EVENT,
    RELEASE_MMAP,
    REQUEST_MMAP,
    REQUEST_PEERID,
    REQUEST_SIZE,
    RING_DOORBELL,
    Ring,
    check_answered,
    check_size,
    driver_error,
    event_request,
    mmap_answer,
)
from app.core.windows_api import Win32, Win32Error, win32

CHUNK: Final = 1 << 20  # one copy's length: a release waits for no more than this
_DRAIN_S: Final = 5.0  # the slowest uncached chunk that was ever measured takes 0.1 s
_LOOK_S: Final = 0.5  # how often check() really asks the driver
_FALLBACKS: Final = (DEFAULT_CACHE, CacheMode.WRITE_COMBINED, CacheMode.UNCACHED)
_CANNOT_CACHE: Final = (87, 1117)  # the driver refused the mode, or could not map with it


def ask_size(api: Win32, handle: int, name: str) -> int:
    """REQUEST_SIZE; works without a mapping, also while another program has it."""
    size = ctypes.c_uint64(0)
    _ask(api, handle, REQUEST_SIZE, size, "read the size", name)
    return size.value


def ask_peer(api: Win32, handle: int, name: str) -> int:
    """REQUEST_PEERID: our own peer number; 0 also when the device has no interrupts."""
    peer = ctypes.c_uint16(0)
    _ask(api, handle, REQUEST_PEERID, peer, "read the peer id", name)
    return peer.value


def _ask(
    api: Win32, handle: int, code: int, answer: Any, doing: str, name: str, request: bytes = b""
) -> None:
    try:
        answered = api.control(handle, code, request, answer)
    except Win32Error as error:
        raise driver_error(error.number, doing, name) from error
    check_answered(answered, ctypes.sizeof(answer), doing, name)


class DeviceMapping:
    """One device, opened and mapped.

    Attributes:
        path: Interface path.
        name: The device's name for people.
        cache: Mode in force.
        size: Bytes.
        peer: Our own peer number.
        vectors: Interrupt vectors; 0 is a plain device.
    """

    def __init__(self, path: str, name: str, cache: CacheMode, api: Win32) -> None:
        self.path = path
        self.name = name
        self.size = 0
        self.peer = 0
        self.vectors = 0
        self.users = 0
        self.cache = cache
        self._api = api
        self._handle = 0
        self._pointer = 0
        self._copies = 0
        self._looked_s = 0.0
        self._away: ScopeError = ClosedError(f"{name} is closed.", "Open it again.")
        self._gate = threading.Condition()
        self._change = threading.RLock()  # one change of state at a time
        self._events: dict[int, int] = {}
        self._map(cache)

    # -- state ----------------------------------------------------------------------------------

    @property
    def handle(self) -> int:
        """The open device handle; 0 while released."""
        return self._handle

    @property
    def released(self) -> bool:
        """Whether the mapping is given back at the moment."""
        return not self._pointer

    def release(self, why: ScopeError) -> None:
        """Give the device back; from now on every access raises `why`. Safe to call twice."""
        with self._change:
            with self._gate:
                self._away = why
                mapped, self._pointer = self._pointer, 0
                self._gate.wait_for(lambda: not self._copies, _DRAIN_S)
            handle, self._handle = self._handle, 0
            if mapped:
                with contextlib.suppress(Win32Error):  # it may be gone already; closing undoes it too
                    self._api.control(handle, RELEASE_MMAP, b"", None)
            if handle:
                self._api.close(handle)

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
                    "Press Retry to open it as it is now.",
                )
                self.release(gone)
                raise gone
            for vector, event in self._events.items():
                self._register(vector, event, single_shot=False)

    def forget(self) -> None:
        """The end: give back for good, and the events with it."""
        self.release(ClosedError(f"{self.name} is closed.", "Open it again."))
        for event in self._events.values():
            self._api.close(event)
        self._events.clear()

    def check(self) -> None:
        """Ask the driver now and then whether the device is still there.

        Raises:
            RegionGoneError: It is not, or it is released.
        """
        now = time.monotonic()
        with self._use():
            if now - self._looked_s < _LOOK_S:
                return
            self._looked_s = now
            ask_peer(self._api, self._handle, self.name)

    def _map(self, cache: CacheMode) -> None:
        try:
            self._handle = self._api.open_device(self.path)
        except Win32Error as error:
            raise driver_error(error.number, "open the device", self.name) from error
        try:
            told = ask_size(self._api, self._handle, self.name)
            check_size(told, self.name)
            pointer = self._request_map(cache, told)
        except BaseException:
            self._api.close(self._handle)  # unmaps too, when it came to that
            self._handle = 0
            raise
        with self._gate:
            self._pointer = pointer

    def _request_map(self, cache: CacheMode, told: int) -> int:
        answer = mmap_answer(ctypes.sizeof(ctypes.c_void_p))
        modes = _FALLBACKS if cache is CacheMode.DEFAULT else (cache,)
        for mode in modes:
            try:
                answered = self._api.control(
                    self._handle, REQUEST_MMAP, bytes([CACHE_CODES[mode]]), answer
                )
            except Win32Error as error:
                if error.number in _CANNOT_CACHE and mode is not modes[-1]:
                    continue
                raise driver_error(error.number, "map the memory", self.name) from error
            check_answered(answered, ctypes.sizeof(answer), "map the memory", self.name)
            self.cache = mode
            break
        self._accept(answer, told)
        return int(answer.pointer)

    def _accept(self, answer: Any, told: int) -> None:
        if not answer.pointer:
            raise DriverError(
                f"The driver mapped {self.name} and told no address.", "Press Retry; note the driver's version."
            )
        if answer.size != told:
            raise DriverError(
                f"The driver tells two sizes for {self.name}: {told} bytes, and {answer.size} when mapping.",
                "Press Retry; note the driver's version.",
            )
        last = ctypes.create_string_buffer(1)
        try:
            self._api.read_memory(answer.pointer + told - 1, last, 1)
        except Win32Error as error:
            raise DriverError(
                f"The driver mapped less of {self.name} than the {format_size(told)} that it tells.",
                "Press Retry; note the driver's version.",
            ) from error
        self.size, self.peer, self.vectors = told, answer.peer, answer.vectors

    # -- copies -----------------------------------------------------------------------------------

    @contextmanager
    def _use(self) -> Iterator[int]:
        with self._gate:
            if not self._pointer:
                raise type(self._away)(self._away.message, self._away.hint)
            pointer = self._pointer
            self._copies += 1
        try:
            yield pointer
        finally:
            with self._gate:
                self._copies -= 1
                if not self._copies:
                    self._gate.notify_all()

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill the buffer. Raises UnpluggedError when the memory is not there any more."""
        view = buffer.cast("B")
        room = (ctypes.c_char * len(view)).from_buffer(view)
        address = ctypes.addressof(room)
        for at in range(0, len(view), CHUNK):
            length = min(CHUNK, len(view) - at)
            with self._use() as pointer:
                self._copy(self._api.read_memory, pointer, offset + at, address + at, length)

    def write(self, offset: int, data: memoryview) -> None:
        """Copy the data in. Raises as `read_into`; the chunks before have landed then."""
        for at in range(0, len(data), CHUNK):
            chunk = ctypes.create_string_buffer(bytes(data[at : at + CHUNK]), min(CHUNK, len(data) - at))
            with self._use() as pointer:
                self._copy(
                    self._api.write_memory, pointer, offset + at, ctypes.addressof(chunk), len(chunk)
                )

    def _copy(
        self, call: Callable[[int, int, int], None], pointer: int, offset: int, ours: int, length: int
    ) -> None:
        """One guarded copy; when it fails it goes page by page, as Windows copies all or nothing."""
        try:
            call(pointer + offset, ours, length)
            return
        except Win32Error:
            pass
        done = 0
        while done < length:
            step = min(PAGE - (offset + done) % PAGE, length - done)
            try:
                call(pointer + offset + done, ours + done, step)
            except Win32Error as error:
                raise self._fault(offset + done) from error
            done += step

    def load(self, offset: int, width: int) -> int:
        """One load: the C runtime moves 1, 2, 4 and 8 bytes in one instruction, and ctypes turns
        an access violation inside a call into OSError."""
        value = ctypes.c_uint64(0)
        with self._use() as pointer:
            try:
                ctypes.memmove(ctypes.addressof(value), pointer + offset, width)
            except OSError as error:
                raise self._fault(offset) from error
        return value.value

    def store(self, offset: int, width: int, value: int) -> None:
        """One store; see `load`."""
        number = ctypes.c_uint64(value)
        with self._use() as pointer:
            try:
                ctypes.memmove(pointer + offset, ctypes.addressof(number), width)
            except OSError as error:
                raise self._fault(offset) from error

    def _fault(self, offset: int) -> UnpluggedError:
        return UnpluggedError(
            f"The memory of {self.name} is gone at {format_offset(offset)}: the device was disabled or removed.",
            "Enable it in the Device Manager or plug it in, then press Retry.",
        )

    # -- doorbell -----------------------------------------------------------------------------------

    def ring(self, peer: int, vector: int) -> None:
        """Ring a peer; nobody there is silence, as in hardware (ivshmem.md 1.4)."""
        with self._use():
            try:
                self._api.control(self._handle, RING_DOORBELL, bytes(Ring(peer, vector)), None)
            except Win32Error as error:
                raise driver_error(error.number, "ring the doorbell", self.name) from error

    def event(self, vector: int) -> int:
        """The handle of this vector's repeating event, registered at its first use.

        It is one per vector and lives as long as the mapping, because the driver takes
        a repeating event back only with the handle, and has 32 places.
        """
        with self._change:
            if vector not in self._events:
                if len(self._events) >= EVENT_SLOTS:
                    raise driver_error(1450, "register an event", self.name)
                event = self._api.create_event()
                try:
                    self._register(vector, event, single_shot=False)
                except BaseException:
                    self._api.close(event)
                    raise
                self._events[vector] = event
            return self._events[vector]

    def register_once(self, vector: int, event: int) -> None:
        """Register an event of the caller's that leaves the driver with its first interrupt."""
        self._register(vector, event, single_shot=True)

    def _register(self, vector: int, event: int, *, single_shot: bool) -> None:
        request = event_request(
            vector, event, single_shot=single_shot, windows_64=self._api.windows_is_64bit()
        )
        with self._use():
            try:
                self._api.control(self._handle, REGISTER_EVENT, bytes(request), None)
            except Win32Error as error:
                raise driver_error(error.number, "register an event", self.name) from error


# -- who has what in this process -----------------------------------------------------------------------

_shared: dict[str, DeviceMapping] = {}
_sharing = threading.RLock()


def share(path: str, name: str, cache: CacheMode, api: Win32 | None = None) -> DeviceMapping:
    """This process's mapping of the device, made at the first use; pair it with `give_back`."""
    with _sharing:
        key = path.lower()
        mapping = _shared.get(key)
        if mapping is None:
            mapping = DeviceMapping(path, name, cache, api or win32())
            _shared[key] = mapping
        elif mapping.released:
            mapping.reopen()
        mapping.users += 1
        return mapping


def give_back(mapping: DeviceMapping) -> None:
    """One user less; the last one gives the device back."""
    with _sharing:
        mapping.users -= 1
        if mapping.users <= 0:
            _shared.pop(mapping.path.lower(), None)
            mapping.forget()


def mappings() -> list[DeviceMapping]:
    """What this process has open."""
    with _sharing:
        return list(_shared.values())


def release_all(why: str) -> None:
    """Give every device back for a while: the machine is about to sleep, or the device to stop."""
    for mapping in mappings():
        mapping.release(UnpluggedError(f"{mapping.name} was given back: {why}.", "It opens again by itself."))


def reopen_all() -> list[ScopeError]:
    """Map again what was given back; what failed stays released and says why."""
    failed = []
    for mapping in mappings():
        try:
            mapping.reopen()
        except ScopeError as error:
            failed.append(error)
    return failed


@atexit.register
def _at_exit() -> None:
    for mapping in mappings():
        mapping.forget()
