"""Advice for a person who may not read or write a host's file, a BAR or a kvmfr node.

One sentence, what to do about it, and the command that does it; the same where a device is
listed and where it is opened.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from ..errors import AccessDeniedError
from ..region.region import MEND

UDEV_RULE: Final = 'SUBSYSTEM=="kvmfr", GROUP="kvm", MODE="0660", TAG+="uaccess"'
_HUGE_BLOCK: Final = 1 << 20  # only hugetlbfs has blocks of this size and more


class Guarded(Enum):
    """What the system keeps from us."""

    FILE = "file"
    HUGE_FILE = "file in hugetlbfs"
    WINDOWS_FILE = "file on Windows"
    NODE = "kvmfr node"
    BAR = "files of a BAR in sysfs"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to say.

    Attributes:
        text: What is not permitted.
        hint: What to do.
        command: A command that does it; empty where there is none.
    """

    text: str
    hint: str
    command: str

    @property
    def error(self) -> AccessDeniedError:
        """For what cannot even be read."""
        return AccessDeniedError(self.text, self.hint, command=self.command)

    @property
    def reason(self) -> str:
        """For a region that is open for reading only."""
        # No full stop behind what is to be copied.
        end = f"{MEND}{self.command}" if self.command else "."
        return f"The system permits reading only{end}"


def kind_of_file(path: str) -> Guarded:
    """How a host's file may be given."""
    if sys.platform == "win32":
        return Guarded.WINDOWS_FILE
    else:  # noqa: RET505 - the type checker reads platforms by branches
        try:
            block = os.statvfs(Path(path).parent).f_bsize
        except (OSError, ValueError):
            return Guarded.FILE
        return Guarded.HUGE_FILE if block >= _HUGE_BLOCK else Guarded.FILE


def may_not_read(what: str, path: str, kind: Guarded, *, owner: str = "") -> Advice:
    """Reading is not permitted, and so nothing is.

    Args:
        what: The name to show.
        path: What is guarded; a pattern of the shell for both files of a BAR.
        kind: How it may be given.
        owner: Whose it is, when that is known.
    """
    return Advice(_NOT_READ[kind].format(what, _whose(owner)), _PERMIT[kind], _command(path, kind))


def may_not_write(what: str, path: str, kind: Guarded, *, owner: str = "") -> Advice:
    """Reading is permitted, writing is not. Arguments as `may_not_read`."""
    text = f"You may read {what}, but not write to it{_whose(owner)}."
    return Advice(text, f"It opens read-only; {_WHO[kind]} can permit more.", _command(path, kind))


_ROOT_FIRST: Final = "You may not {} {{0}}; at first only root may{{1}}."
_NOT_READ: Final = {
    Guarded.FILE: "You may not read {0}{1}.",
    Guarded.HUGE_FILE: "You may not read {0}{1}.",
    Guarded.WINDOWS_FILE: "You may not read {0}{1}.",
    Guarded.NODE: _ROOT_FIRST.format("read"),
    Guarded.BAR: _ROOT_FIRST.format("map"),
}
_WHO: Final = {
    Guarded.FILE: "its owner or root",
    Guarded.HUGE_FILE: "its owner or root",
    Guarded.WINDOWS_FILE: "its owner",
    Guarded.NODE: "root",
    Guarded.BAR: "root",
}
_PERMIT: Final = {
    Guarded.FILE: "Its owner or root can permit it.",
    Guarded.HUGE_FILE: "Its owner or root can permit it.",
    Guarded.WINDOWS_FILE: "Its owner can permit it.",
    Guarded.NODE: f"For good: put the line {UDEV_RULE} into /etc/udev/rules.d/70-kvmfr.rules.",
    Guarded.BAR: "Start IVSHMEM Scope with sudo, or take the device's file; for good by a udev "
    "rule (README, Permissions).",
}


def _whose(owner: str) -> str:
    return f" (it belongs to {owner})" if owner else ""


# hugetlbfs and sysfs know owners and modes, but no access lists; Windows has no one command that
# is right for every file.
_VERBS: Final = {
    Guarded.FILE: "setfacl -m u:$USER:rw",
    Guarded.HUGE_FILE: "chmod o+rw",
    Guarded.NODE: "setfacl -m u:$USER:rw",
    Guarded.BAR: "chown $USER",
}


def _command(path: str, kind: Guarded) -> str:
    if kind not in _VERBS:
        return ""
    # The files of a BAR are a pattern, and their names need no quotes.
    return f"sudo {_VERBS[kind]} {path if kind is Guarded.BAR else shlex.quote(path)}"
