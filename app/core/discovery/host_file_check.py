"""From a candidate file to a Device: whether it is a guest's memory, and whether it can be opened.

Each check is one function that returns a Health or None; CHECKS lists them, the worst first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..backends.permission import Guarded, may_not_read, may_not_write
from ..errors import AccessDeniedError, CannotFindError, UnsuitableError
from ..health import Health, health_of
from ..protocols.demo_layout import PREFIX as DEMO_PREFIX
from ..protocols.known_content import Content
from ..region.region import PAGE, RegionKind, RegionSpec
from ..values.units import exact_size, format_size
from .device import GOOD, Access, Device, may_access, warning
from .file_contents import FileContents
from .host_files import Candidate
from .processes import User
from .write_access import lacking_pages, lacking_space, write_obstacle

# Shared memory of other kinds: semaphores, audio, browsers, tracing, databases, Python, MPI.
_OTHERS: Final = re.compile(
    r"^(sem\.|pulse-shm|pipewire|snd-|jack|lttng|\.?org\.chromium|\.?com\.google|\.?com\.microsoft"
    r"|org\.mozilla|wayland\.|mono\.|PostgreSQL\.|psm_|pym-|mp-|sd-|u\d+-|cuda|nccl|nvidia|vader"
    r"|openmpi|boost_|fastrtps|fastdds|aeron|dbus|shm_|memfd:|\.)",
    re.IGNORECASE,
)
# Names under which the field's own programs make their files (also still empty, by tmpfiles.d).
_OURS: Final = re.compile(r"^(looking-glass|ivshmem|scream|kvmfr|jack-ivshmem)", re.IGNORECASE)


class FileVerdict:
    """A candidate, with the facts that the checks need."""

    def __init__(self, candidate: Candidate, contents: FileContents, access: Access) -> None:
        self.of = candidate
        self.size = candidate.status.st_size if candidate.status else None
        self.readable = bool(candidate.location) and access(candidate.location, os.R_OK)
        permitted = bool(candidate.location) and access(candidate.location, os.W_OK)
        self.obstacle = self._obstacle(permitted=permitted)
        self.writable = permitted and self.obstacle is None
        self.users = self._users()
        self.claimed = [backend for _, backend in candidate.claims]
        self.guests_own = bool(self.claimed) and all(
            backend.guest_ram and not backend.ivshmem for backend in self.claimed
        )
        self.by_qemu = bool(candidate.claims) or self._qemu_maps()
        self.share = self._share()
        self.content = self._content(contents)

    @property
    def path(self) -> str:
        """Its name in a sentence."""
        return self.of.label if self.of.lost or not self.of.location else self.of.location

    @property
    def in_pages(self) -> bool:
        """Whether its size is a whole number of pages, and at least one."""
        return bool(self.size) and not (self.size or 0) % PAGE

    def _obstacle(self, *, permitted: bool) -> Health | None:
        """What keeps a write from it, other than permission."""
        path, status = self.of.location, self.of.status
        if not path or status is None or not self.readable:
            return None
        mapped = self.of.mapped
        # Who maps it has reserved its pages; they serve every writer.
        if self.of.huge and not (mapped and mapped.shared_by):
            pages = lacking_pages(path, status, self.of.sys)
            return write_obstacle(path, status, permitted=permitted) or pages
        return write_obstacle(path, status, permitted=permitted)

    def _users(self) -> tuple[User, ...]:
        seen = list(self.of.mapped.users) if self.of.mapped else []
        told = [qemu.user for qemu, _ in self.of.claims]
        return tuple(dict.fromkeys(seen + told))

    def _qemu_maps(self) -> bool:
        return any(user.is_qemu for user in self.users)

    def _share(self) -> bool | None:
        mapped = self.of.mapped
        told = [
            qemu.pid in mapped.shared_by
            if mapped is not None and qemu.user in mapped.users
            else backend.share
            for qemu, backend in self.of.claims
        ]
        if told:
            return all(told)
        if mapped is None or not self.by_qemu:
            return None
        return all(user.pid in mapped.shared_by for user in self.users if user.is_qemu)

    def _content(self, contents: FileContents) -> Content | None:
        # Guest RAM is not shared with anyone, and huge.
        if not self.readable or self.of.status is None or not self.in_pages or self.guests_own:
            return None
        return contents.of(self.of.location, self.of.status)

    def likely_shared(self) -> bool:
        """Whether it looks like memory that a guest shares."""
        if any(backend.ivshmem for backend in self.claimed):
            return True
        if self.guests_own or (self.of.lost and not self.claimed and self.by_qemu):
            # QEMU has more memory without a name than what it shares by ivshmem.
            doorbell = bool(self.of.doorbells) and power_of_two(self.size or 0)
            return doorbell or bool(self.content and self.content.protocol)
        if self.size == 0:
            demo = self.of.label.startswith(DEMO_PREFIX)  # of a demo that did not start
            return bool(_OURS.match(self.of.label)) and not demo
        if not self.in_pages:
            return False
        if self.by_qemu or (self.content is not None and self.content.protocol):
            return True
        if _OTHERS.match(self.of.label) and not _OURS.match(self.of.label):
            return False
        return power_of_two(self.size or 0)


def power_of_two(size: int) -> bool:
    """Whether a BAR can have this size."""
    return size > 0 and not size & (size - 1)


def file_device(
    candidate: Candidate, contents: FileContents, access: Access = may_access
) -> Device:
    """Check one candidate."""
    judge = FileVerdict(candidate, contents, access)
    location = candidate.location or candidate.label
    spec = RegionSpec(RegionKind.FILE, location)
    return Device(
        kind=RegionKind.FILE,
        name=_name(candidate),
        location=location,
        size=judge.size,
        spec=spec,
        users=judge.users,
        content=judge.content,
        health=next((bad for check in CHECKS if (bad := check(judge))), GOOD),
        likely_shared=judge.likely_shared(),
        writable=judge.writable if candidate.status else None,
        share=judge.share,
        notes=tuple(_notes(judge)),
    )


def _name(candidate: Candidate) -> str:
    if candidate.label.startswith(DEMO_PREFIX):
        return f"Demo {candidate.label.removeprefix(DEMO_PREFIX)}"
    return candidate.label if candidate.location else Path(candidate.label).name


# -- what stands in the way ------------------------------------------------------------------------


def _out_of_sight(judge: FileVerdict) -> Health | None:
    if judge.of.location or not judge.of.claims:
        return None
    qemu, _ = judge.of.claims[0]
    if judge.of.lost:
        return health_of(
            AccessDeniedError(
                f"{qemu.user} shares memory without a name, which only root can reach.",
                "Start IVSHMEM Scope as root, or give mem-path= the name of a file.",
            )
        )
    return health_of(
        CannotFindError(
            f"{qemu.user} shares {judge.path}, but there is no such file here.",
            "It was deleted, or QEMU runs in a container. Start IVSHMEM Scope as root, or there.",
        )
    )


def _no_reading(judge: FileVerdict) -> Health | None:
    if judge.readable:
        return None
    return health_of(
        may_not_read(judge.path, judge.of.location, _guarded(judge), owner=_owner(judge)).error
    )


def _empty(judge: FileVerdict) -> Health | None:
    if judge.size:
        return None
    return health_of(
        UnsuitableError(
            f"{judge.path} is empty.",
            "QEMU gives it its size when the guest starts; wait for that.",
        )
    )


def _lost(judge: FileVerdict) -> Health | None:
    if not judge.of.lost or not any(backend.path for backend in judge.claimed):
        return None
    qemu, backend = judge.of.claims[0]
    path = qemu.path_of(backend)
    if Path(path).is_dir():  # mem-path=/dev/hugepages: a file that never had a name
        return None
    newer = " Another file has that name now." if Path(path).exists() else ""
    return warning(
        "deleted",
        f"{qemu.user} uses a file that was deleted: {path}.{newer}",
        "This entry opens the guest's own; others get a different one until the VM restarts.",
    )


def _private(judge: FileVerdict) -> Health | None:
    if judge.share is not False or judge.guests_own:
        return None
    return warning(
        "private-copy",
        "The guest has a private copy: what it writes never arrives here.",
        "Start it with share=on at its memory-backend-file (QEMU's default is off).",
    )


def _read_only(judge: FileVerdict) -> Health | None:
    if judge.writable or judge.obstacle is not None:
        return judge.obstacle
    advice = may_not_write(judge.path, judge.of.location, _guarded(judge), owner=_owner(judge))
    return warning("read-only", advice.text, advice.hint, advice.command)


def _full(judge: FileVerdict) -> Health | None:
    if judge.of.status is None or judge.of.huge:
        return None
    return lacking_space(judge.of.location, judge.of.status)


def _odd_size(judge: FileVerdict) -> Health | None:
    size = judge.size or 0
    if not judge.in_pages or power_of_two(size) or judge.by_qemu:
        return None
    near = format_size(max(PAGE, 1 << size.bit_length()))
    said = exact_size(size)
    return warning(
        "odd-size",
        f"{said}{',' if ',' in said else ''} is no power of two, as an ivshmem device's size is.",
        f"The guest cannot see all of it; {near} would do.",
    )


CHECKS: list[Callable[[FileVerdict], Health | None]] = [
    _out_of_sight,
    _no_reading,
    _empty,
    _lost,
    _private,
    _read_only,
    _full,
    _odd_size,
]


def _guarded(judge: FileVerdict) -> Guarded:
    return Guarded.HUGE_FILE if judge.of.huge else Guarded.FILE


def _owner(judge: FileVerdict) -> str:
    return user_name(judge.of.status.st_uid) if judge.of.status else ""


def user_name(number: int) -> str:
    """The user's name, or the number where it has none (a container's)."""
    try:
        import pwd

        return str(pwd.getpwuid(number).pw_name)  # type: ignore[attr-defined, unused-ignore]
    except (ImportError, KeyError):
        return f"user {number}"


def _notes(judge: FileVerdict) -> list[str]:
    notes = []
    size = judge.size or 0
    told = [b.size for b in judge.claimed if b.ivshmem and b.size and b.size < size]
    if told:
        notes.append(f"The guest sees the first {exact_size(min(told))} of it.")
    if judge.of.lost:
        notes.append("It has no name; it is reached by way of the process that holds it.")
    if judge.of.elsewhere:
        notes.append(
            "It has a name in another mount namespace only (a container's); it is reached by way "
            "of a process there."
        )
    if judge.guests_own:
        notes.append("It is the guest's own main memory, not an ivshmem device.")
    notes += [f"Its guest has a doorbell server at {socket}." for socket in judge.of.doorbells]
    if any(backend.read_only for backend in judge.claimed):
        notes.append("The guest may only read it (readonly=on).")
    return notes
