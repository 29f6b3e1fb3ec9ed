"""kvmfr nodes (/dev/kvmfrN), on a host or in a guest: found and asked for their size."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..backends.permission import Guarded, may_not_read, may_not_write
from ..errors import UnsuitableError
from ..health import Health, health_of
from ..region.region import RegionKind, RegionSpec
from .device import GOOD, Access, Device, may_access, warning
from .processes import Processes

_NAME: Final = re.compile(r"^kvmfr\d+$")


def find_kvmfr(
    dev: Path,
    processes: Processes,
    access: Access = may_access,
    ask: Callable[[str], int | None] | None = None,
) -> tuple[list[Device], list[str]]:
    """All nodes, and sentences about what failed."""
    try:
        nodes = sorted(path for path in dev.iterdir() if _NAME.match(path.name))
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [f"{dev} cannot be listed ({error.strerror})."]
    # A second name, a link or a node of the same number is the same memory.
    first: dict[tuple[int, int], Path] = {}
    for node in nodes:
        first.setdefault(_number(node), node)
    devices = (_device(str(node), processes, access, ask or ask_size) for node in first.values())
    return [device for device in devices if device is not None], []


def _number(node: Path) -> tuple[int, int]:
    """What the name stands for: a driver's node by its number, a file by its inode."""
    try:
        status = node.stat()
    except OSError:
        return -1, hash(node)
    device = getattr(status, "st_rdev", 0)
    if stat.S_ISCHR(status.st_mode) and device:
        return -2, int(device)
    return status.st_dev, status.st_ino


def ask_size(path: str) -> int | None:
    """The node's size by its ioctl; None when that fails."""
    if os.name != "posix":
        return None
    from ..backends import kvmfr

    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    try:
        return kvmfr.ask_size(descriptor) or None  # type: ignore[attr-defined, unused-ignore]
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _device(
    path: str, processes: Processes, access: Access, ask: Callable[[str], int | None]
) -> Device | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - like os.open and os.access
    except OSError:
        return None
    readable, writable = access(path, os.R_OK), access(path, os.W_OK)
    node = stat.S_ISCHR(status.st_mode)
    size = ask(path) if node and readable else None
    mapped = processes.mapped.get((status.st_dev, status.st_ino))
    return Device(
        kind=RegionKind.KVMFR,
        name=Path(path).name,
        location=path,
        size=size,
        spec=RegionSpec(RegionKind.KVMFR, path),
        users=tuple(mapped.users) if mapped else (),
        health=_health(path, node=node, readable=readable, writable=writable),
        writable=writable,
    )


def _health(path: str, *, node: bool, readable: bool, writable: bool) -> Health:
    if not node:
        # QEMU makes a regular file of that name when it starts before the module is loaded.
        return health_of(
            UnsuitableError(
                f"{path} is a file, not the kvmfr driver's node: a VM started before the driver.",
                "Stop the VM, remove the file and load the driver.",
                command=f"sudo rm {path} && sudo modprobe kvmfr",
            )
        )
    if readable and writable:
        return GOOD
    if readable:
        advice = may_not_write(path, path, Guarded.NODE)
        return warning("read-only", advice.text, advice.hint, advice.command)
    return health_of(may_not_read(path, path, Guarded.NODE).error)
