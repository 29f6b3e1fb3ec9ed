"""Keeps the list of devices up to date, on a thread of its own.

Twice a second cheap facts are compared (which files, devices, nodes and QEMUs there are). Only when
they differ, or after a while, a complete search follows. It reads /proc of every process, so its
interval depends on its cost: a fiftieth of one core at most.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from .device import Device, DeviceList, SystemPaths

log = logging.getLogger(__name__)
PERIOD_S: Final = 0.5
IDLE_S: Final = 3.0
# On Windows a search sends requests to every device; the system gives notice of changes anyway.
IDLE_WINDOWS_S: Final = 15.0
_SHARE: Final = 50
_MOST_FILES: Final = 4000


class Finder(Protocol):
    """The search: DeviceFinder, or a test's own."""

    def find(self) -> DeviceList:
        """Search once."""
        ...


class Watcher:
    """Calls back with the list after the first search, and whenever it has changed.

    Args:
        callback: Called on the watcher's thread.
        finder: Searches for devices.
        places: Folders whose cheap facts are compared.
        period_s: Interval of the comparisons.
        idle_s: Longest time until the next complete search.
    """

    def __init__(
        self,
        callback: Callable[[DeviceList], object],
        *,
        finder: Finder | None = None,
        places: SystemPaths | None = None,
        period_s: float = PERIOD_S,
        idle_s: float | None = None,
    ) -> None:
        self._callback = callback
        self._places = places or SystemPaths()
        self._finder = finder
        self._period_s = period_s
        self._idle_s = idle_s or (IDLE_WINDOWS_S if os.name == "nt" else IDLE_S)
        self._wake = threading.Event()
        self._requests = 0
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._qemus = _Qemus(self._places.proc)

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._run, name="device-watch", daemon=True)
            self._thread.start()

    def rescan(self) -> None:
        """Search now, and call back even when nothing changed."""
        self._requests += 1
        self._wake.set()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End, from any thread; whether the thread ended in time. Safe to call twice."""
        self._stopped = True
        self._wake.set()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    # -- its thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        shown: Hashable = None
        facts: Hashable = None
        due_s, answered = 0.0, 0
        finder = self._finder or _device_finder(self._places)
        while not self._stopped:
            self._wake.clear()
            requests = self._requests
            asked, answered = requests != answered, requests
            # Before the search: changes during it are seen the next time.
            now = self._facts()
            if asked or now != facts or time.monotonic() >= due_s:
                facts = now
                begun_s = time.monotonic()
                found = self._find(finder)
                ended_s = time.monotonic()
                due_s = ended_s + max(self._idle_s, _SHARE * (ended_s - begun_s))
                essence = found and _essence(found)
                if found is not None and (asked or essence != shown):
                    shown = essence
                    self._tell(found)
            self._wake.wait(self._period_s)

    def _find(self, finder: Finder) -> DeviceList | None:
        try:
            return finder.find()
        except Exception:  # one failed search must not end the thread
            log.exception("looking for devices failed")
            return None

    def _tell(self, found: DeviceList) -> None:
        if self._stopped:
            return
        try:
            self._callback(found)
        except Exception:  # the window may just have been closed
            log.exception("the list of devices could not be delivered")

    def _facts(self) -> Hashable:
        from .host_files import huge_folders

        places = self._places
        return (
            tuple(_files(folder) for folder in (*places.shm, *huge_folders(places.proc))),
            _names(places.sys / "bus" / "pci" / "devices"),
            frozenset(name for name in _names(places.dev) if name.startswith("kvmfr")),
            self._qemus.running(),
        )


def _device_finder(places: SystemPaths) -> Finder:
    """Import it on the thread, so that no window waits for it, and before a search is timed."""
    from .finder import DeviceFinder

    return DeviceFinder(places)


class _Qemus:
    """The running QEMUs; each process's name is read once."""

    def __init__(self, proc: Path) -> None:
        self._proc = proc
        self._known: dict[str, bool] = {}

    def running(self) -> frozenset[str]:
        """Their process ids."""
        now = {name for name in _names(self._proc) if name.isdigit()}
        self._known = {
            pid: self._known[pid] if pid in self._known else self._is_qemu(pid) for pid in now
        }
        return frozenset(pid for pid, is_qemu in self._known.items() if is_qemu)

    def _is_qemu(self, pid: str) -> bool:
        try:
            name = (self._proc / pid / "comm").read_bytes()  # cut to 15 bytes: qemu-system-x86
        except OSError:
            return False
        return name.startswith((b"qemu", b"kvm"))


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        return frozenset()


def _files(folder: Path) -> Hashable:
    """A set of files for comparison, without times, which each write may change."""
    seen = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                seen.append(
                    (
                        entry.name,
                        status.st_ino,
                        status.st_size,
                        status.st_mode,
                        status.st_uid,
                        status.st_gid,
                    )
                )
                if len(seen) >= _MOST_FILES:
                    break
    except OSError:
        return ()
    return frozenset(seen)


def _essence(found: DeviceList) -> Hashable:
    """The list for comparison, without texts that change all the time."""
    return tuple(_still(device) for device in found.devices), found.problems


def _still(device: Device) -> Device:
    content = device.content
    if content is None:
        return device
    return replace(device, content=None if content.name == "text" else content)
