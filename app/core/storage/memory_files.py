"""Files that are memory: mapped by a process, named by a QEMU, or made by a driver.

A result that is saved under the name of such a file would take the name away from the memory, or
write over it. Whether it is one is asked by device number and inode, so that a link, a bind mount
or a path below /proc is no way around it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from .open_files import is_open

_PROC: Final = Path("/proc")
_SHM: Final = "/dev/shm"  # noqa: S108 - the place of POSIX shared memory
_QEMU: Final = re.compile(r"^(qemu-system-[\w.-]+|qemu-kvm|kvm)$")
_MEM_PATH: Final = re.compile(r"(?:^|,)mem-path=((?:[^,]|,,)*)")
# File systems whose files are memory or the kernel's own.
_KERNEL: Final = frozenset(
    ("hugetlbfs", "sysfs", "proc", "debugfs", "tracefs", "configfs", "securityfs", "efivarfs")
)
# Character devices that take a stream of bytes (the kernel's devices.txt): null, zero, full and
# random, terminals and serial lines. All others may be memory, as /dev/mem and /dev/kvmfr0 are.
_STREAMS_OF_MEM: Final = (3, 5, 7, 8, 9)
_TERMINALS: Final = frozenset((4, 5, *range(136, 144), 166, 188, 204))
# Only Linux has device numbers in two parts, but the module is imported on Windows too.
_makedev: Final[Callable[[int, int], int]] = getattr(os, "makedev", lambda *numbers: hash(numbers))
_major: Final[Callable[[int], int]] = getattr(os, "major", lambda number: number)
_minor: Final[Callable[[int], int]] = getattr(os, "minor", lambda number: number)


def memory_use(path: str | Path) -> str:
    """Why the file is shared memory ("qemu-system-x86_64 42 maps it"); empty when it is not.

    Processes that this user may not look into are asked for their command line only; about a file
    in /dev/shm the kernel is asked in their place.

    Raises:
        OSError, ValueError: As os.stat does, when there is no such file.
    """
    status = Path(path).stat()
    if os.name == "nt":  # a mapped file cannot be replaced there
        return ""
    if stat.S_ISCHR(status.st_mode):
        return "" if _takes_a_stream(_device(status)) else "it is a device, not a file"
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISBLK(status.st_mode):
        return ""
    mounts = _mounts().get(status.st_dev, [])
    kernel = next((kind for _, kind in mounts if kind in _KERNEL), "")
    if kernel:
        return f"it is memory of the system, on {kernel}"
    return _used_by_process(str(path), status, in_shm=any(at == _SHM for at, _ in mounts))


def _device(status: os.stat_result) -> int:
    """The number of the device that a node stands for; Windows has none."""
    return int(getattr(status, "st_rdev", 0))


def _takes_a_stream(device: int) -> bool:
    major, minor = _major(device), _minor(device)
    return major in _TERMINALS or (major == 1 and minor in _STREAMS_OF_MEM)


def _mounts() -> dict[int, list[tuple[str, str]]]:
    """Mount points and types of the file systems, by device number (proc(5), mountinfo)."""
    found: dict[int, list[tuple[str, str]]] = {}
    with contextlib.suppress(OSError):
        text = (_PROC / "self" / "mountinfo").read_text("utf-8", "surrogateescape")
        for line in text.splitlines():
            head, _, tail = line.partition(" - ")
            fields, kind = head.split(), tail.split()
            major, _, minor = fields[2].partition(":")
            found.setdefault(_makedev(int(major), int(minor)), []).append((fields[4], kind[0]))
    return found


# -- the processes ---------------------------------------------------------------------------------


def _used_by_process(path: str, status: os.stat_result, *, in_shm: bool) -> str:
    hidden = False
    for pid in _pids():
        try:
            if _maps(pid, path, status):
                return f"{_program(pid)} maps it"
        except PermissionError:
            hidden = True
        except OSError:
            pass  # it ended
        # Some programs share memory by reading and writing it, without a mapping.
        if in_shm and _has_open(pid, status):
            return f"{_program(pid)} has it open"
        if _names(pid, status):
            return f"{_program(pid)} shares it with its guest"
    return "a program of another user has it open" if hidden and in_shm and is_open(path) else ""


def _pids() -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(_PROC) if name.isdigit())  # noqa: PTH208
    except OSError:
        return []


def _program(pid: int) -> str:
    if _ours(pid):
        return "this program"
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        name = Path(os.fsdecode(words[0])).name or (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        name = "process"
    return f"{name} {pid}"


def _maps(pid: int, path: str, status: os.stat_result) -> bool:
    """Whether a process maps the file shared, so that stores of others reach it."""
    folder = _PROC / str(pid)
    text = (folder / "maps").read_bytes()
    if b" %d " % status.st_ino not in text:
        return False
    for line in text.splitlines():
        fields = line.split(None, 5)
        if len(fields) < 6 or fields[1][3:4] != b"s" or int(fields[4]) != status.st_ino:
            continue
        major, _, minor = fields[3].partition(b":")
        if _makedev(int(major, 16), int(minor, 16)) == status.st_dev:
            return True
        # btrfs and overlayfs give files another device number than the mapping shows.
        if _same(folder / "map_files" / os.fsdecode(fields[0]), status):
            return True
        if os.fsdecode(fields[5]) == os.path.realpath(path):
            return True
    return False


def _same(path: Path, status: os.stat_result) -> bool:
    try:
        other = path.stat()
    except (OSError, ValueError):
        return False
    if stat.S_ISBLK(status.st_mode):
        return stat.S_ISBLK(other.st_mode) and _device(other) == _device(status)
    return os.path.samestat(other, status)


def _has_open(pid: int, status: os.stat_result) -> bool:
    """Whether a process has the file open for reading; its standard streams do not count."""
    folder = _PROC / str(pid)
    try:
        numbers = [int(name) for name in os.listdir(folder / "fd")]  # noqa: PTH208 - names only
    except OSError:
        return False
    return any(
        number > 2
        and _same(folder / "fd" / str(number), status)
        and _readable(folder / "fdinfo" / str(number))
        for number in numbers
    )


def _readable(info: Path) -> bool:
    try:
        flags = re.search(rb"^flags:\s*([0-7]+)", info.read_bytes(), re.MULTILINE)
    except OSError:
        return False
    return flags is not None and int(flags.group(1), 8) & os.O_ACCMODE != os.O_WRONLY  # type: ignore[attr-defined, unused-ignore]


def _ours(pid: int) -> bool:
    """Whether it is this process, one of its engines, or in an engine the window or another one."""
    heads = {os.getpid()}
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        heads.add(parent.pid)
    return pid in heads or (_parent(pid) in heads and b"multiprocessing" in _command(pid))


def _command(pid: int) -> bytes:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


def _parent(pid: int) -> int:
    try:
        tail = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return int(tail[1])
    except (OSError, ValueError, IndexError):
        return -1


# -- what a QEMU names -----------------------------------------------------------------------------


def _names(pid: int, status: os.stat_result) -> bool:
    """Whether a process is a QEMU that names the file as memory of its guest."""
    folder = _PROC / str(pid)
    try:
        words = [os.fsdecode(w) for w in (folder / "cmdline").read_bytes().split(b"\0")]
    except OSError:
        return False
    if not _QEMU.match(Path(words[0]).name):
        return False
    return any(_same(_seen_by(folder, path), status) for path in _memory_paths(words))


def _seen_by(folder: Path, path: str) -> Path:
    """The path as that process sees it; as this one does where that may not be asked."""
    try:
        where = (folder / "cwd").readlink() / path
        os.stat(folder / "root")  # noqa: PTH116 - only whether it may be entered
    except OSError:
        return Path(path)
    return folder / "root" / str(where).lstrip("/")


def _memory_paths(words: list[str]) -> Iterator[str]:
    for word, value in itertools.pairwise(words):
        name = word.lstrip("-")
        if name == "mem-path":
            yield value
        elif name == "object" and value.lstrip().startswith("{"):
            with contextlib.suppress(ValueError, RecursionError, AttributeError):
                yield str(json.loads(value).get("mem-path", ""))
        elif name == "object" and (found := _MEM_PATH.search(value)):
            yield found.group(1).replace(",,", ",")
