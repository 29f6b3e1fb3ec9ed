"""Host files that guests share: gathered from folders, QEMU's arguments and its mappings.

The same memory is found several times (a name in /dev/shm, a `mem-path=`, a line of
/proc/PID/maps), so candidates are kept by device number and inode. A file that was deleted, or
never had a name, is opened through /proc of a process that has it open.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .device import SystemPaths
from .processes import FileId, Mapped, Processes, QemuProcess, way_in
from .qemu_options import FILE_BACKEND, MEMFD_BACKEND, SHM_BACKEND, Backend

MOST_FILES: Final = 2000
_DEEPEST: Final = 3  # hugetlbfs: libvirt/qemu/N-guest/file
_TICK_S: Final = 0.02  # of the clocks by which files and processes are dated
_MEMFD: Final = "/memfd:"
# How the memory of backends without a path is called in /proc/PID/maps (QEMU: qemu_memfd_create,
# and qemu_shm_alloc, which unlinks the name at once).
_UNNAMED: Final = {
    MEMFD_BACKEND: re.compile(r"^/memfd:"),
    SHM_BACKEND: re.compile(r"/qemu-\d+-shm-\d+$"),
}


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
        elsewhere: It has a name only in another mount namespace; `location` is below /proc.
        huge: It is on hugetlbfs.
        sys: Where the kernel tells of free huge pages.
        doorbells: Sockets of the doorbell servers to which the QEMUs that map it are connected.
    """

    location: str
    label: str
    status: os.stat_result | None
    mapped: Mapped | None = None
    claims: list[tuple[QemuProcess, Backend]] = field(default_factory=list)
    lost: bool = False
    elsewhere: bool = False
    huge: bool = False
    sys: Path = Path("/sys")
    doorbells: tuple[str, ...] = ()


class HostFiles:
    """Collects the candidates of one search.

    Attributes:
        problems: Sentences about what could not be searched.
    """

    def __init__(self, places: SystemPaths, processes: Processes) -> None:
        self._places = places
        self._processes = processes
        self._huge = huge_folders(places.proc)
        self._found: dict[FileId, Candidate] = {}
        self._unseen: list[Candidate] = []
        self.problems: list[str] = []

    def gather(self) -> list[Candidate]:
        """All candidates, each file once."""
        for qemu in self._processes.qemus:
            for backend in qemu.options.backends:
                self._from_backend(qemu, backend)
        self._from_mappings()
        self._from_folders()  # last: a flood of files there takes no guest's memory away
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
        for folder in dict.fromkeys((*self._places.shm, *self._huge)):
            self._from_folder(folder)

    def _from_folder(self, folder: Path) -> None:
        for item in self._processes.mapped.values():
            if not item.deleted and item.path.startswith(f"{folder}/"):
                self._add_same(item.path, item.identity)
        for count, path in enumerate(_files_under(folder, _DEEPEST, self.problems)):
            if count >= MOST_FILES:
                self.problems.append(f"Only {MOST_FILES} files of {folder} are listed.")
                return
            self._add_same(path, None)

    def _add_same(self, path: str, identity: FileId | None) -> None:
        """Add a regular file, if it is that one."""
        status = _stat(path)
        if (
            status is not None
            and stat.S_ISREG(status.st_mode)
            and identity in (None, _identity(status))
        ):
            self._add(path, status)

    def _add(self, path: str, status: os.stat_result) -> Candidate:
        identity = (status.st_dev, status.st_ino)
        known = self._found.get(identity)
        if known is None:
            mapped = self._processes.mapped.get(identity)
            huge = any(Path(path).is_relative_to(folder) for folder in self._huge)
            known = Candidate(
                path, Path(path).name, status, mapped, huge=huge, sys=self._places.sys
            )
            self._found[identity] = known
        elif known.lost or known.elsewhere:  # it has another name, which is one of ours
            known.location, known.label, known.status = path, Path(path).name, status
            known.lost = known.elsewhere = False
        return known

    # -- from QEMU's command line ----------------------------------------------------------------

    def _from_backend(self, qemu: QemuProcess, backend: Backend) -> None:
        path = qemu.path_of(backend)
        item = self._item_of(qemu, backend, path)
        candidate = self._mapped_backend(qemu, backend, item, path) if item else None
        if candidate is None and path:
            candidate = self._named_backend(qemu, path)
        if candidate is not None:
            candidate.claims.append((qemu, backend))
        elif path and backend.ivshmem and _stat(path if not qemu.elsewhere else "") is None:
            self._add_unseen(path, item, (qemu, backend))

    def _mapped_backend(
        self, qemu: QemuProcess, backend: Backend, item: Mapped, path: str
    ) -> Candidate | None:
        """The file that it maps; None when that is the one that the path names here."""
        if item.deleted or backend.kind != FILE_BACKEND:
            return self._nameless(item, path or backend.identity or "memory")
        if item.path not in (path, os.path.realpath(path)) and not qemu.elsewhere:
            return self._from_mapping(item)  # renamed since
        if not qemu.elsewhere or _identity(_stat(path)) == item.identity:
            return None
        return self._beyond(item.identity, path, self._root(qemu, path), item)

    def _named_backend(self, qemu: QemuProcess, path: str) -> Candidate | None:
        """The file that the path names for this QEMU."""
        status = _stat(path)
        if qemu.elsewhere:
            way = self._root(qemu, path)
            there = _stat(way)
            if there is None or not stat.S_ISREG(there.st_mode):
                return None
            if _identity(there) != _identity(status):
                return self._beyond((there.st_dev, there.st_ino), path, way, None)
        return self._add(path, status) if status and stat.S_ISREG(status.st_mode) else None

    def _root(self, qemu: QemuProcess, path: str) -> str:
        """The path as that QEMU's mount namespace has it."""
        return f"{self._places.proc}/{qemu.pid}/root{path}"

    def _beyond(self, identity: FileId, path: str, way: str, item: Mapped | None) -> Candidate:
        """A file of another mount namespace, opened by way of a process in it."""
        known = self._found.get(identity)
        if known is None:
            if _identity(_stat(way)) != identity and item is not None:
                way = way_in(item, self._places.proc)
            mapped = item or self._processes.mapped.get(identity)
            known = Candidate(way, Path(path).name, _stat(way), mapped, elsewhere=True)
            self._found[identity] = known
        return known

    def _add_unseen(
        self, path: str, item: Mapped | None, claim: tuple[QemuProcess, Backend]
    ) -> None:
        for candidate in self._unseen:
            if candidate.label == path:
                candidate.claims.append(claim)
                return
        self._unseen.append(Candidate("", path, None, item, [claim]))

    def _item_of(self, qemu: QemuProcess, backend: Backend, path: str) -> Mapped | None:
        """The file that this QEMU maps for this backend, when its mappings could be read."""
        mine = [item for item in self._processes.mapped.values() if qemu.user in item.users]
        if backend.kind != FILE_BACKEND:
            return next((i for i in mine if self._is_unnamed_of(i, backend)), None)
        seen = _stat(self._root(qemu, path)) if qemu.elsewhere else _stat(path)
        exact = next((item for item in mine if item.identity == _identity(seen)), None)
        if exact is not None:
            return exact
        real = path if qemu.elsewhere else os.path.realpath(path)
        if seen is not None and stat.S_ISDIR(seen.st_mode):  # QEMU makes a file without a name
            return next((i for i in mine if i.deleted and i.path.startswith(f"{real}/")), None)
        same = next((item for item in mine if item.path in (path, real)), None)
        if same is not None or (seen is not None and seen.st_ctime < qemu.started_s + _TICK_S):
            return same
        return next((i for i in mine if self._is_renamed(i, qemu, backend, real)), None)

    def _is_renamed(self, item: Mapped, qemu: QemuProcess, backend: Backend, path: str) -> bool:
        """Whether this is the backend's file under another name in its folder.

        The old name may be that of a file by now which is newer than the QEMU.
        """
        taken = self._found.get(item.identity)
        status = _stat(item.path)
        return (
            not qemu.elsewhere
            and not (taken is not None and taken.claims)
            and Path(item.path).parent == Path(path).parent
            and _identity(status) == item.identity
            and status is not None
            and status.st_size == backend.size
            and all(item.path != qemu.path_of(other) for other in qemu.options.backends)
        )

    def _is_unnamed_of(self, item: Mapped, backend: Backend) -> bool:
        """Whether a memfd, or a POSIX shared memory that QEMU unlinked, is of this backend."""
        taken = self._found.get(item.identity)
        if not _UNNAMED[backend.kind].search(item.path) or (taken is not None and taken.claims):
            return False
        if backend.kind == SHM_BACKEND and not item.deleted:
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

    # -- what else QEMU maps ----------------------------------------------------------------------

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
        if not item.deleted and not item.path.startswith(_MEMFD):
            return self._beyond(item.identity, item.path, "", item)
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
