"""The demo's file: whose it is, and removal of those that no process owns any more.

Its name has its starter's process id, and starter and peer each hold a shared lock on it as long as
they live. A file is stale only if that process is gone and no lock is held: a process of another
container has the same id as one of ours, or none, but its lock is seen.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import struct
import sys
import tempfile
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]

from ..protocols import demo_layout

if sys.platform != "win32":
    import fcntl

_NAME: Final = re.compile(rf"{re.escape(demo_layout.PREFIX)}(\d+)-[0-9a-f]+")
_FLAGS: Final = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_LOOK: Final = _FLAGS | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


def place() -> Path:
    """The folder of the demos' files."""
    shm = "/dev/shm"  # noqa: S108 - it is the place
    return Path(shm if os.access(shm, os.W_OK) else tempfile.gettempdir())


def make() -> tuple[int, Path]:
    """A new empty file that is ours: its descriptor, which holds the lock, and its path.

    Raises:
        OSError: As opening does.
    """
    path = place() / f"{demo_layout.PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    handle = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    lock(handle)
    return handle, path


def lock(handle: int) -> None:
    """Say that this process uses the file, until the descriptor is closed."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)


def remove_stale() -> None:
    """Remove this user's files whose starter and peer have ended, in whatever way."""
    for path in place().glob(f"{demo_layout.PREFIX}*"):
        with contextlib.suppress(OSError):
            handle = os.open(path, _LOOK)
            try:
                stale = _stale(path, handle)
            finally:
                os.close(handle)
            if stale:
                path.unlink()


def _stale(path: Path, handle: int) -> bool:
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or (os.name != "nt" and status.st_uid != _user()):
        return False
    owners = [pid for pid in (_starter(path), _peer(handle)) if pid is not None]
    # Without a process to ask for it is no demo's file.
    return bool(owners) and not any(map(psutil.pid_exists, owners)) and not _locked(handle)


def _starter(path: Path) -> int | None:
    name = _NAME.fullmatch(path.name)
    return int(name.group(1)) if name else None


def _peer(handle: int) -> int | None:
    """The peer's process id by the header; None before the peer wrote it."""
    head = os.read(handle, 16)
    if len(head) < 16:
        return None
    magic, _, pid = struct.unpack("<8sII", head)
    return int(pid) if magic == demo_layout.MAGIC else None


def _locked(handle: int) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _user() -> int:
    return int(getattr(os, "geteuid", lambda: 0)())
