"""Notices from Windows: the device is about to be removed, the machine is about to sleep.

They are callbacks in the process that has the mapping, which needs no window for them (the engine
has none). A mapping must be released before its device is disabled or ejected, because the driver
then unmaps the pages from any thread (Device.c:249).
Sources: cfgmgr32.h and winuser.h; "Registering for Notification of Device Interface Arrival and
Device Removal", "PowerRegisterSuspendResumeNotification" (Microsoft).
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from ctypes import POINTER, byref, c_uint32, c_void_p
from typing import Any, Final

from .api import ON_WINDOWS, declare, library

QUERY_REMOVE: Final = 2  # CM_NOTIFY_ACTION_DEVICEQUERYREMOVE
QUERY_FAILED: Final = 3  # CM_NOTIFY_ACTION_DEVICEQUERYREMOVEFAILED
REMOVED: Final = 5  # CM_NOTIFY_ACTION_DEVICEREMOVECOMPLETE
SUSPEND: Final = 4  # PBT_APMSUSPEND
RESUME: Final = (7, 18)  # PBT_APMRESUMESUSPEND, PBT_APMRESUMEAUTOMATIC
_BY_HANDLE: Final = 1  # CM_NOTIFY_FILTER_TYPE_DEVICEHANDLE
_BY_CALLBACK: Final = 2  # DEVICE_NOTIFY_CALLBACK
_ID_BYTES: Final = 400  # WCHAR InstanceId[MAX_DEVICE_ID_LEN], the union's largest member

log = logging.getLogger(__name__)
_callback = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)
_DeviceCallback = _callback(c_uint32, c_void_p, c_void_p, c_uint32, c_void_p, c_uint32)
_PowerCallback = _callback(c_uint32, c_void_p, c_uint32, c_void_p)


class _Target(ctypes.Union):
    _fields_ = (("handle", c_void_p), ("instance", ctypes.c_uint8 * _ID_BYTES))


class NotifyFilter(ctypes.Structure):
    """CM_NOTIFY_FILTER; 416 bytes."""

    _fields_ = (
        ("size", c_uint32),
        ("flags", c_uint32),
        ("kind", c_uint32),
        ("reserved", c_uint32),
        ("target", _Target),
    )


class _Subscription(ctypes.Structure):
    """DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS."""

    _fields_ = (("callback", _PowerCallback), ("context", c_void_p))


class DeviceWatch:
    """A registration for the notices of one open device; made by `watch_device`."""

    def __init__(self, setup: Any, handle: int, told: Callable[[int], None]) -> None:
        self._setup = setup
        self._keep = _DeviceCallback(lambda _h, _c, action, _d, _s: _safely(told, action))
        self._token = c_void_p()
        wanted = NotifyFilter(ctypes.sizeof(NotifyFilter), 0, _BY_HANDLE, 0)
        wanted.target.handle = handle
        register = declare(
            setup.CM_Register_Notification,
            c_uint32,
            POINTER(NotifyFilter),
            c_void_p,
            _DeviceCallback,
            POINTER(c_void_p),
        )
        result = register(byref(wanted), None, self._keep, byref(self._token))
        if result:
            raise OSError(f"CM_Register_Notification: {result}")

    def end(self) -> None:
        """Stop; waits for a running callback, and must not be called inside one."""
        token, self._token = self._token, c_void_p()
        if token.value:
            declare(self._setup.CM_Unregister_Notification, c_uint32, c_void_p)(token)


def watch_device(handle: int, told: Callable[[int], None]) -> DeviceWatch | None:
    """Call `told` with QUERY_REMOVE, QUERY_FAILED or REMOVED of an open device.

    None where Windows (before 8, or Wine) does not offer it: the copies are safe anyway.
    """
    if not ON_WINDOWS:
        return None
    try:
        return DeviceWatch(library("cfgmgr32"), handle, told)
    except (OSError, AttributeError) as error:
        log.info("No notice of device removal: %s", error)
        return None


_power: list[Any] = []  # keeps the callbacks that Windows calls referenced


def watch_power(sleep: Callable[[], object], wake: Callable[[], object]) -> bool:
    """Call `sleep` before the machine sleeps and `wake` after; once per process."""
    if _power or not ON_WINDOWS:
        return bool(_power)

    def told(kind: int) -> None:
        if kind == SUSPEND:
            sleep()
        elif kind in RESUME:
            wake()

    callback = _PowerCallback(lambda _context, kind, _setting: _safely(told, kind))
    wanted, token = _Subscription(callback, None), c_void_p()
    try:
        register = declare(
            library("powrprof").PowerRegisterSuspendResumeNotification,
            c_uint32,
            c_uint32,
            POINTER(_Subscription),
            POINTER(c_void_p),
        )
        result = register(_BY_CALLBACK, byref(wanted), byref(token))
    except (OSError, AttributeError) as error:
        result = error
    if result:
        log.info("No notice of sleep: %s", result)
        return False
    _power.extend((callback, wanted, token))
    return True


def _safely(told: Callable[[int], None], what: int) -> int:
    try:
        told(what)
    except Exception:  # must not be raised into Windows' thread
        log.exception("A notice of Windows (%d) could not be met", what)
    return 0
