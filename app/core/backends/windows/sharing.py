"""The devices that this process has mapped: one mapping each, with a count of its users.

The driver gives one mapping per device, so all regions on it in one process share one. When the
machine is about to sleep, all of them are released here.
"""

from __future__ import annotations

import atexit
import threading

from ...errors import ScopeError, UnpluggedError
from ...region.region import CacheMode
from .api import Win32, win32
from .mapping import PLANNED_S, DeviceMapping
from .notices import watch_power

_shared: dict[str, DeviceMapping] = {}
_sharing = threading.RLock()


def share(path: str, name: str, cache: CacheMode, api: Win32 | None = None) -> DeviceMapping:
    """This process's mapping of the device, made at the first use; pair it with `give_back`."""
    with _sharing:
        key = path.lower()
        mapping = _shared.get(key)
        if mapping is None:
            mapping = DeviceMapping(path, name, cache, api or win32())
            watch_power(lambda: release_all("the machine goes to sleep"), reopen_all)
            _shared[key] = mapping
        elif mapping.released:
            mapping.reopen()
        mapping.users += 1
        return mapping


def give_back(mapping: DeviceMapping) -> None:
    """One user less; after the last one the device is unmapped."""
    with _sharing:
        mapping.users -= 1
        if mapping.users <= 0:
            _shared.pop(mapping.path.lower(), None)
            mapping.forget()


def mappings() -> list[DeviceMapping]:
    """The mappings of this process."""
    with _sharing:
        return list(_shared.values())


def release_all(why: str) -> None:
    """Release every device for a while: the machine is about to sleep, or the device to stop."""
    for mapping in mappings():
        mapping.release(
            UnpluggedError(f"{mapping.name} was given back: {why}.", "It opens again by itself."),
            PLANNED_S,
        )


def reopen_all() -> list[ScopeError]:
    """Map the released devices again; returns the errors of those that stay released."""
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
