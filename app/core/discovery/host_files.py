"""Host files that guests share: gathered from folders, QEMU's arguments and its mappings.

The same memory is found several times (a name in /dev/shm, a `mem-path=`, a line of
/proc/PID/maps), so candidates are kept by device number and inode. A file that was deleted, or
never had a name, is opened through /proc of a process that has it open.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .device import SystemPaths
from .processes import FileId, Mapped, Processes, QemuProcess, way_in
from .qemu_options import FILE_BACKEND, Backend

MOST_FILES: Final = 2000
_DEEPEST: Final = 3  # hugetlbfs: libvirt/qemu/N-guest/file
_MEMFD: Final = "/memfd:"


@dataclass(slots=True)
class Candidate:
    """A file that may be shared memory.

    Attributes:
        location: A path that opens it; empty when there is none.
        label: Its name, its former name, or the name that its process gives it.
        status: Its stat; None when that fails.
        mapped: The processes that map it; None when none was seen.
        claims: QEMU backends that name it.
        lost: It has no name; `location` is below /proc.
        huge: It is on hugetlbfs.
        doorbells: Sockets of the doorbell servers to which the QEMUs that map it are connected.
    """

    location: str
    label: str
    status: os.stat_result | None
    mapped: Mapped | None = None
    claims: list[tuple[QemuProcess, Backend]] = field(default_factory=list)
    lost: bool = False
    huge: bool = False
    doorbells: tuple[str, ...] = ()


class HostFiles:
    """Collects the candidates of one search.

    Attributes:
        problems: Sentences about what could not be searched.
    """

    def __init__(self, places: SystemPaths, processes: Processes) -> None:
        self._places = places
        self._processes = processes
        self._found: dict[FileId, Candidate] = {}
        self._unseen: list[Candidate] = []
        self.problems: list[str] = []

    def gather(self) -> list[Candidate]:
        """All candidates, each file once."""
        self._from_folders()
        for qemu in self._processes.qemus:
            for backend in qemu.options.backends:
                self._from_backend(qemu, backend)
        self._from_mappings()
        return [*self._found.values(), *self._unseen]

    def candidate(self, path: str) -> Candidate:
        """One file that a person named, with its users and claims."""
        self.gather()
        status = _stat(path)
        same = self._found.get((status.st_dev, status.st_ino)) if status else None
        if same is not None:
            same.location = path
            return same
        return Candidate(path, Path(path).name, status)

    # -- folders ---------------------------------------------------------------------------------

    def _from_folders(self) -> None:
        for folder in self._places.shm:
            self._from_folder(folder, huge=False)
        for folder in huge_folders(self._places.proc):
            self._from_folder(folder, huge=True)

    def _from_folder(self, folder: Path, *, huge: bool) -> None:
        for count, path in enumerate(_files_under(folder, _DEEPEST, self.problems)):
            if count >= MOST_FILES:
                self.problems.append(f"Only {MOST_FILES} files of {folder} are listed.")
                return
            status = _stat(path)
            if status is not None and stat.S_ISREG(status.st_mode):
                self._add(path, status, huge=huge)

    def _add(self, path: str, status: os.stat_result, *, huge: bool = False) -> Candidate:
        identity = (status.st_dev, status.st_ino)
        known = self._found.get(identity)
        if known is None:
            mapped = self._processes.mapped.get(identity)
            known = Candidate(path, Path(path).name, status, mapped, huge=huge)
            self._found[identity] = known
        return known

    # -- from QEMU's command line ----------------------------------------------------------------

    def _from_backend(self, qemu: QemuProcess, backend: Backend) -> None:
        path = qemu.path_of(backend)
        item = self._item_of(qemu, backend, path)
        if item is not None and (item.deleted or backend.kind != FILE_BACKEND):
            self._nameless(item, path or f"{backend.identity or 'memfd'}").claims.append(
                (qemu, backend)
            )
            return
        status = _stat(path) if path else None
        if status is not None and stat.S_ISREG(status.st_mode):
            self._add(path, status).claims.append((qemu, backend))
        elif status is None and path and backend.ivshmem:
            self._unseen.append(Candidate("", path, None, item, [(qemu, backend)]))

    def _item_of(self, qemu: QemuProcess, backend: Backend, path: str) -> Mapped | None:
        """The file that this QEMU maps for this backend, when its mappings could be read."""
        mine = [item for item in self._processes.mapped.values() if qemu.user in item.users]
        if backend.kind != FILE_BACKEND:
            return next((i for i in mine if self._is_memfd_of(i, backend)), None)
        identity = _identity(_stat(path))
        exact = next((item for item in mine if item.identity == identity), None)
        if exact is not None:
            return exact
        real = os.path.realpath(path)
        if Path(path).is_dir():  # QEMU makes a file without a name in it
            return next((i for i in mine if i.deleted and i.path.startswith(f"{real}/")), None)
        return next((item for item in mine if item.path in (path, real)), None)

    def _is_memfd_of(self, item: Mapped, backend: Backend) -> bool:
        taken = self._found.get(item.identity)
        if not item.path.startswith(_MEMFD) or (taken is not None and taken.claims):
            return False
        status = _stat(way_in(item, self._places.proc))
        return status is None or backend.size in (None, status.st_size)

    def _nameless(self, item: Mapped, label: str) -> Candidate:
        known = self._found.get(item.identity)
        if known is None:
            way = way_in(item, self._places.proc)
            name = Path(label).name or label
            known = Candidate(way, name, _stat(way), item, lost=True)
            self._found[item.identity] = known
        return known

    # -- what QEMU maps beside -------------------------------------------------------------------

    def _from_mappings(self) -> None:
        """Add files that are on no command line: passed by a server, or added by the monitor."""
        for item in self._processes.mapped.values():
            qemus = [q for q in self._processes.qemus if q.pid in item.shared_by]
            candidate = self._found.get(item.identity)
            if not qemus or (candidate is not None and candidate.claims):
                continue
            candidate = candidate or self._from_mapping(item)
            if candidate is not None:
                sockets = {socket for qemu in qemus for socket in qemu.options.doorbells}
                candidate.doorbells = tuple(sorted(sockets))

    def _from_mapping(self, item: Mapped) -> Candidate | None:
        status = None if item.deleted else _stat(item.path)
        if status is not None and _identity(status) == item.identity:
            return self._add(item.path, status) if stat.S_ISREG(status.st_mode) else None
        status = _stat(way_in(item, self._places.proc))
        if status is None or not stat.S_ISREG(status.st_mode):
            return None
        return self._nameless(item, item.path.removeprefix(_MEMFD))


def huge_folders(proc: Path) -> list[Path]:
    """Where hugetlbfs is mounted (proc(5) mounts: device, folder, type, ...)."""
    try:
        text = (proc / "mounts").read_text("utf-8", "surrogateescape")
    except OSError:
        return []
    rows = (line.split() for line in text.splitlines())
    return [Path(_unescape(row[1])) for row in rows if len(row) > 2 and row[2] == "hugetlbfs"]


def _unescape(text: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text


def _files_under(folder: Path, depth: int, problems: list[str]) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        # A private folder inside (0700) belongs to another user; only the mount point matters.
        if depth == _DEEPEST:
            problems.append(f"{folder} cannot be listed ({error.strerror}).")
        return
    for entry in entries:
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
        except OSError:
            continue
        if not is_folder:
            yield entry.path
        elif depth > 1:
            yield from _files_under(Path(entry.path), depth - 1, problems)


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path) if path else None  # noqa: PTH116 - a plain call, many times
    except (OSError, ValueError):
        return None


def _identity(status: os.stat_result | None) -> FileId | None:
    return (status.st_dev, status.st_ino) if status else None
