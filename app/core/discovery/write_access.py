"""Whether a file can be written: found out as a write would, but without writing or mapping.

Opening for writing changes no byte; seals and free pages are asked of the kernel. Mapping a file on
hugetlbfs would already reserve pages, and storing to a hole would allocate one.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path
from typing import Final

from ..health import Health
from ..storage.os_errors import meaning
from ..values.units import exact_size
from .device import warning

if sys.platform != "win32":
    import fcntl

# linux/fcntl.h: F_LINUX_SPECIFIC_BASE + 10, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE.
_F_GET_SEALS: Final = 1034
_WRITE_SEALS: Final = 0x0008 | 0x0010
_BLOCK: Final = 512  # unit of st_blocks, whatever the file system's own
_FLAGS: Final = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_READ_ONLY: Final = getattr(os, "ST_RDONLY", 1)


def write_obstacle(path: str, status: os.stat_result, *, permitted: bool) -> Health | None:
    """What keeps this process from writing to a file; None if nothing, or permission alone.

    The Health's code is `read-only`.
    """
    if os.name == "nt" or not stat.S_ISREG(status.st_mode):
        return None
    if _mounted_read_only(path):
        return warning(
            "read-only",
            f"{path} is on a file system that is mounted read-only.",
            "It opens read-only; mount it writable to write.",
        )
    if not permitted:
        return None
    try:
        handle = os.open(path, _FLAGS)
    except OSError as error:
        return warning(
            "read-only",
            f"{path} cannot be opened for writing ({meaning(error)}).",
            "It opens read-only.",
        )
    try:
        return _sealed(path, handle)
    finally:
        os.close(handle)


def lacking_pages(path: str, status: os.stat_result, sys_folder: Path) -> Health | None:
    """Whether a file on hugetlbfs has pages to come, and the system none that are free."""
    missing = status.st_size - getattr(status, "st_blocks", 0) * _BLOCK
    page = getattr(status, "st_blksize", 0)
    if missing <= 0 or page <= 0:
        return None
    pool = sys_folder / "kernel" / "mm" / "hugepages" / f"hugepages-{page >> 10}kB"
    free = _number(pool / "free_hugepages") - _number(pool / "resv_hugepages")
    over = _number(pool / "nr_overcommit_hugepages") - _number(pool / "surplus_hugepages")
    have = max(0, free) + max(0, over)
    wanted = -(-missing // page)
    if have >= wanted:
        return None
    return warning(
        "no-huge-pages",
        f"{exact_size(missing)} of {path} have no memory yet, and of the {wanted} huge pages of "
        f"{exact_size(page)} for it {have} are free.",
        "It opens read-only until there are more.",
        f"sudo sysctl vm.nr_hugepages=$(($(sysctl -n vm.nr_hugepages) + {wanted - have}))"
        if page == 2 << 20
        else f"echo $(($(cat {pool}/nr_hugepages) + {wanted - have})) | "
        f"sudo tee {pool}/nr_hugepages",
    )


def lacking_space(path: str, status: os.stat_result) -> Health | None:
    """Whether a file has bytes without memory, and its file system is full."""
    missing = status.st_size - getattr(status, "st_blocks", status.st_size) * _BLOCK
    if missing <= 0 or not _full(path):
        return None
    return warning(
        "no-space",
        f"{exact_size(missing)} of it have no memory yet, and its file system is full.",
        f"What was written before can be written again; free some space in {Path(path).parent}.",
    )


def _full(path: str) -> bool:
    try:
        space = os.statvfs(path)  # type: ignore[attr-defined, unused-ignore]
    except OSError:
        return False
    return bool(space.f_blocks) and not space.f_bavail


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _mounted_read_only(path: str) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & _READ_ONLY)  # type: ignore[attr-defined, unused-ignore]
    except OSError:
        return False


def _sealed(path: str, handle: int) -> Health | None:
    if not _seals(handle) & _WRITE_SEALS:
        return None
    return warning(
        "read-only",
        f"{path} is sealed against writing.",
        "It opens read-only; a seal cannot be taken away.",
    )


def _seals(handle: int) -> int:
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # a file system without seals
            return fcntl.fcntl(handle, _F_GET_SEALS)
    return 0
