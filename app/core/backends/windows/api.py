"""The few Windows calls that the driver's client needs, with full argument types.

The only module, with setup.py and notices.py, that loads Windows libraries. It can be imported on
every system; only making a Win32 object is refused elsewhere. Failures are Win32Error with the
number that Windows gave; abi.py has their meanings for a person.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import POINTER, byref, c_int, c_uint32, c_void_p, c_wchar_p
from functools import cache
from typing import Any, Final

from ...errors import UnsuitableError

INVALID_HANDLE: Final = c_void_p(-1).value
PARTIAL_COPY: Final = 299  # ERROR_PARTIAL_COPY
WAIT_TIMEOUT: Final = 0x102
_OPEN_EXISTING: Final = 3
_SHARE_ALL: Final = 7  # FILE_SHARE_READ | WRITE | DELETE
ON_WINDOWS: Final[bool] = sys.platform == "win32"
_ctypes: Any = ctypes  # WinDLL and get_last_error exist on Windows only
_NOT_WINDOWS: Final = (
    "This device is reached through a Windows driver, and this system is not Windows."
)


class Win32Error(Exception):
    """A Windows call failed.

    Attributes:
        number: GetLastError().
        call: Name of the function.
    """

    def __init__(self, number: int, call: str) -> None:
        super().__init__(number, call)
        self.number = number
        self.call = call


def library(name: str) -> Any:
    """A Windows library whose calls keep their error number.

    Raises:
        UnsuitableError: This system is not Windows.
    """
    if not ON_WINDOWS:
        raise UnsuitableError(_NOT_WINDOWS, "Open it in the Windows guest.")
    return _ctypes.WinDLL(name, use_last_error=True)


def declare(function: Any, result: Any, *arguments: Any) -> Any:
    """Give a library function its types; 64-bit handles and pointers are cut without them."""
    function.restype = result
    function.argtypes = arguments
    return function


def last_error() -> int:
    """GetLastError() of the calling thread's last declared call."""
    return int(_ctypes.get_last_error())


class Win32:
    """kernel32, as far as the driver's client needs it."""

    def __init__(self) -> None:
        k = library("kernel32")
        handle, flag = c_void_p, c_int
        self._create_file = declare(
            k.CreateFileW,
            handle,
            c_wchar_p,
            c_uint32,
            c_uint32,
            c_void_p,
            c_uint32,
            c_uint32,
            handle,
        )
        self._control = declare(
            k.DeviceIoControl,
            flag,
            handle,
            c_uint32,
            c_void_p,
            c_uint32,
            c_void_p,
            c_uint32,
            POINTER(c_uint32),
            c_void_p,
        )
        self._close = declare(k.CloseHandle, flag, handle)
        self._create_event = declare(k.CreateEventW, handle, c_void_p, flag, flag, c_wchar_p)
        self._wait = declare(k.WaitForSingleObject, c_uint32, handle, c_uint32)
        self._is_wow64 = declare(k.IsWow64Process, flag, handle, POINTER(c_int))
        self._self = declare(k.GetCurrentProcess, handle)()

    # -- the device ------------------------------------------------------------------------------

    def open_device(self, path: str) -> int:
        """Open a device interface with no access rights, which every IOCTL of the driver allows.

        The handle is not inherited: a mapping may only be undone by the process that has it.
        """
        handle = self._create_file(path, 0, _SHARE_ALL, None, _OPEN_EXISTING, 0, None)
        if handle in (INVALID_HANDLE, None):
            raise Win32Error(last_error(), "CreateFileW")
        return int(handle)

    def control(
        self, handle: int, code: int, request: bytes | ctypes.Structure, answer: Any
    ) -> int:
        """DeviceIoControl; fills `answer` (a ctypes object or None), returns the bytes filled."""
        given = (
            ctypes.create_string_buffer(bytes(request), len(bytes(request)))
            if bytes(request)
            else None
        )
        answered = c_uint32(0)
        done = self._control(
            handle,
            code,
            given,
            ctypes.sizeof(given) if given is not None else 0,
            byref(answer) if answer is not None else None,
            ctypes.sizeof(answer) if answer is not None else 0,
            byref(answered),
            None,
        )
        if not done:
            raise Win32Error(last_error(), "DeviceIoControl")
        return answered.value

    def close(self, handle: int) -> None:
        """CloseHandle; a failure would be a bug, and is ignored."""
        self._close(handle)

    # -- memory: a bad page is an error and no crash ----------------------------------------------

    def read_memory(self, address: int, buffer: int, length: int) -> None:
        """Copy from a mapping to our own memory.

        Raises:
            Win32Error: A page is not there; part may have been copied.
        """
        _copy(buffer, address, length)

    def write_memory(self, address: int, buffer: int, length: int) -> None:
        """Copy memory of our own to a mapping; raises as `read_memory`."""
        _copy(address, buffer, length)

    # -- events ----------------------------------------------------------------------------------

    def create_event(self, *, manual_reset: bool = False) -> int:
        """A new event that is not set."""
        handle = self._create_event(None, int(manual_reset), 0, None)
        if not handle:
            raise Win32Error(last_error(), "CreateEventW")
        return int(handle)

    def wait(self, handle: int, timeout_ms: int) -> bool:
        """Whether the event was set within the time."""
        result = self._wait(handle, timeout_ms)
        if result not in (0, WAIT_TIMEOUT):
            raise Win32Error(last_error(), "WaitForSingleObject")
        return bool(result == 0)

    def windows_is_64bit(self) -> bool:
        """Whether the system, not this process, has 64 bits: the event structure depends on it."""
        if ctypes.sizeof(c_void_p) == 8:
            return True
        under = c_int(0)
        return bool(self._is_wow64(self._self, byref(under)) and under.value)


def _copy(to: int, source: int, length: int) -> None:
    """The C runtime's memmove, without the GIL and at its full speed.

    ctypes runs each call inside a structured exception handler and turns an access violation
    into OSError (documentation of ctypes, "Calling functions"). ReadProcessMemory on our own
    process would do the same at a half of the speed, WriteProcessMemory at a thirtieth (in Wine).
    """
    try:
        ctypes.memmove(to, source, length)
    except OSError as error:
        raise Win32Error(PARTIAL_COPY, "memmove") from error


@cache
def win32() -> Win32:
    """The calls of this process.

    Raises:
        UnsuitableError: This system is not Windows.
    """
    return Win32()
