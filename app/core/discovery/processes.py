"""Processes: the running QEMUs, and the files that processes map.

Everything is read from a `/proc` tree given as a path, so that tests can use their own. Processes
that must not be read are counted, and are not an error.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .qemu_options import Backend, QemuOptions, parse_options

_QEMU_RE: Final = re.compile(r"^(qemu-system-[\w.-]+|qemu-kvm|kvm)$")
# proc(5): address range, permissions, offset, major:minor, inode, path.
_MAP_RE: Final = re.compile(
    rb"^([0-9a-f]+-[0-9a-f]+) ..(.)([sp]) [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) ([1-9]\d*) +(/.*)$",
    re.MULTILINE,
)
# Only Linux has a /proc, but the module is imported on Windows too.
_makedev: Final[Callable[[int, int], int]] = getattr(os, "makedev", lambda *numbers: hash(numbers))
_DELETED: Final = " (deleted)"
FileId = tuple[int, int]


@dataclass(frozen=True, slots=True)
class User:
    """A process that maps a file.

    Attributes:
        pid: Process id.
        program: Its name.
        guest: Guest name when it is a QEMU that has one.
    """

    pid: int
    program: str
    guest: str = ""

    @property
    def is_qemu(self) -> bool:
        """Whether it is a QEMU, by its name."""
        return bool(_QEMU_RE.match(self.program))

    def __str__(self) -> str:
        name = f"{self.program} {self.pid}"
        return f"{name} ({self.guest})" if self.guest else name


@dataclass(frozen=True, slots=True)
class QemuProcess:
    """A running QEMU and what its command line shares.

    Attributes:
        pid: Process id.
        program: Its name.
        options: What its command line shares.
        directory: Its working directory.
        elsewhere: It has a mount namespace of its own (a container): its paths may name other
            files than ours.
        started_s: Time of its start, as files have it.
    """

    pid: int
    program: str
    options: QemuOptions
    directory: str = "/"
    elsewhere: bool = False
    started_s: float = 0.0

    @property
    def user(self) -> User:
        """The same process as a user of a file."""
        return User(self.pid, self.program, self.options.guest)

    def path_of(self, backend: Backend) -> str:
        """The backend's path, absolute also when QEMU was given a relative one."""
        return str(Path(self.directory) / backend.path) if backend.path else ""


@dataclass(slots=True)
class Mapped:
    """A file that is mapped.

    Attributes:
        path: As the kernel names it, without "(deleted)".
        identity: (device number, inode).
        deleted: It has no name any more.
        users: The processes that map it.
        ranges: (pid, address range) of one mapping by each user.
        shared_by: Process ids that map it MAP_SHARED; the others have a private copy.
    """

    path: str
    identity: FileId
    deleted: bool
    users: list[User] = field(default_factory=list)
    ranges: list[tuple[int, str]] = field(default_factory=list)
    shared_by: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Processes:
    """The result of one scan of all processes.

    Attributes:
        qemus: The QEMU processes.
        mapped: Mapped files by (device number, inode): all that are mapped shared, and
            all that a QEMU maps.
        unreadable: Processes whose mappings could not be read.
    """

    qemus: tuple[QemuProcess, ...] = ()
    mapped: dict[FileId, Mapped] = field(default_factory=dict)
    unreadable: int = 0

    def notice(self) -> str:
        """A sentence about processes that could not be read; empty when there are none.

        It has no number: that would change with each scan, and with it the whole list.
        """
        if not self.unreadable:
            return ""
        return "Some processes could not be looked into; run as root to see all users."


@dataclass(frozen=True, slots=True)
class _Known:
    """What never changes while a process runs."""

    program: str
    qemu: QemuProcess | None


class ProcessScanner:
    """Scans all processes; keeps command lines by process id and start time.

    Args:
        proc: The tree.
        family_of: A process that is left out with its children: else the window's own engines
            and demo would appear as users in its list.
    """

    def __init__(self, proc: Path = Path("/proc"), *, family_of: int | None = None) -> None:
        self.proc = self._proc = proc
        self._family_of = family_of
        self._known: dict[tuple[int, str], _Known] = {}

    def scan(self) -> Processes:
        """Scan once; processes that end meanwhile are left out."""
        found = Processes()
        known: dict[tuple[int, str], _Known] = {}
        qemus: list[QemuProcess] = []
        unreadable = 0
        for pid in self._pids():
            parent, start = self._birth(pid)
            key = (pid, start)
            entry = known[key] = self._known.get(key) or self._look(pid, start)
            if entry.qemu is not None:
                qemus.append(entry.qemu)
            elif self._family_of in (pid, parent):
                continue
            try:
                self._add_maps(found.mapped, pid, entry)
            except PermissionError:
                unreadable += 1
            except OSError:
                continue
        self._known = known
        return Processes(tuple(qemus), found.mapped, unreadable)

    def _pids(self) -> list[int]:
        try:
            return sorted(int(path.name) for path in self._proc.iterdir() if path.name.isdigit())
        except OSError:
            return []

    def _bytes(self, pid: int, name: str) -> bytes:
        return (self._proc / str(pid) / name).read_bytes()

    def _birth(self, pid: int) -> tuple[int, str]:
        """Parent, and a text that differs from an earlier process with the same id."""
        # Fields 4 and 22 of proc(5) stat; the program's name before them may hold anything, so
        # count from its closing bracket. execve keeps the start time, so the name is in it.
        try:
            text = self._bytes(pid, "stat").decode("utf-8", "replace")
        except OSError:
            return -1, ""
        head, _, tail = text.rpartition(")")
        fields = tail.split()
        if len(fields) <= 19 or not fields[1].isdigit():
            return -1, ""
        return int(fields[1]), f"{fields[19]} {head}"

    def _look(self, pid: int, start: str) -> _Known:
        try:
            raw = self._bytes(pid, "cmdline")
        except OSError:
            raw = b""
        argv = [os.fsdecode(word) for word in raw.rstrip(b"\0").split(b"\0")]
        program = Path(argv[0]).name or self._comm(pid)
        if not _QEMU_RE.match(program):
            return _Known(program, None)
        try:
            directory = str((self._proc / str(pid) / "cwd").readlink())
        except OSError:
            directory = "/"
        elsewhere = self._namespace(str(pid)) not in ("", self._namespace("self"))
        options = parse_options(argv)
        qemu = QemuProcess(pid, program, options, directory, elsewhere, _started_s(start))
        return _Known(program, qemu)

    def _namespace(self, process: str) -> str:
        """Its mount namespace; empty where that may not be asked."""
        try:
            return str((self._proc / process / "ns" / "mnt").readlink())
        except OSError:
            return ""

    def _comm(self, pid: int) -> str:
        try:
            return self._bytes(pid, "comm").decode("utf-8", "replace").strip()
        except OSError:
            return "?"

    def _add_maps(self, mapped: dict[FileId, Mapped], pid: int, entry: _Known) -> None:
        user = entry.qemu.user if entry.qemu else User(pid, entry.program)
        for line in _MAP_RE.finditer(self._bytes(pid, "maps")):
            span, executable, share, major, minor, inode, raw_path = line.groups()
            # Programs and libraries are private or executable; only a QEMU's private
            # mappings matter (share=off).
            if executable == b"x" or (share == b"p" and entry.qemu is None):
                continue
            identity = (_makedev(int(major, 16), int(minor, 16)), int(inode))
            path = os.fsdecode(raw_path.replace(b"\\012", b"\n"))
            item = mapped.get(identity)
            if item is None:
                deleted = path.endswith(_DELETED)
                item = Mapped(path.removesuffix(_DELETED), identity, deleted)
                mapped[identity] = item
            if user not in item.users:
                item.users.append(user)
                item.ranges.append((pid, span.decode()))
            if share == b"s":
                item.shared_by.add(pid)


def _started_s(start: str) -> float:
    """The time of clock ticks since boot."""
    ticks, clock = start.partition(" ")[0], getattr(time, "CLOCK_BOOTTIME", None)
    if not ticks.isdigit() or clock is None:
        return 0.0
    since_boot_s: float = time.clock_gettime(clock)  # type: ignore[attr-defined, unused-ignore]
    per_s: int = os.sysconf("SC_CLK_TCK")  # type: ignore[attr-defined, unused-ignore]
    return time.time() - since_boot_s + int(ticks) / per_s


def way_in(item: Mapped, proc: Path = Path("/proc")) -> str:
    """A path below /proc that opens a mapped file without a name; empty when there is none."""
    return next(_ways_in(item, proc), "")


def _ways_in(item: Mapped, proc: Path) -> Iterator[str]:
    for user in item.users:
        folder = proc / str(user.pid) / "fd"
        for name in _listed(folder):
            try:
                entry = (folder / name).stat()
            except OSError:
                continue
            if (entry.st_dev, entry.st_ino) == item.identity:
                yield str(folder / name)
    for pid, span in item.ranges:
        # A mapping whose descriptor was closed: /proc/PID/map_files, for root.
        way = proc / str(pid) / "map_files" / span
        if os.access(way, os.R_OK):
            yield str(way)


def _listed(folder: Path) -> Iterable[str]:
    try:
        return sorted((path.name for path in folder.iterdir()), key=lambda name: (len(name), name))
    except OSError:
        return ()
