"""Logging to a file that all processes of the program share, in the platform's place."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import sys
from itertools import pairwise
from pathlib import Path
from typing import Final

from ...version import __version__
from .folder_lock import folder_lock
from .paths import log_dir

NAME: Final = "ivshmem-scope.log"
SIZE: Final = 512 * 1024
_KEPT: Final = 3
_LOCK_S: Final = 0.1


class SharedLog(logging.Handler):
    """Appends to a rotating file into which several processes write.

    The file is opened for each line, so that any of the processes can rename it, on Windows too.
    The program logs events, never what happens many times a second.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a disk that is full costs the line, nothing else."""
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            with folder_lock(self.path.parent, _LOCK_S):
                self._rotate(len(line))
                with self.path.open("ab") as file:
                    file.write(line)
        except OSError:
            return
        except Exception:  # noqa: BLE001 - an argument that cannot be formatted
            self.handleError(record)

    def _rotate(self, more: int) -> None:
        try:
            if self.path.stat().st_size + more <= SIZE:
                return
        except OSError:
            return
        names = [self.path, *(self.path.with_name(f"{NAME}.{n}") for n in range(1, _KEPT + 1))]
        for old, new in reversed(list(pairwise(names))):
            with contextlib.suppress(OSError):
                old.replace(new)


def start(
    role: str = "window", *, verbose: bool = False, directory: Path | None = None
) -> Path | None:
    """Log to the shared file; its path, or None where no file can be written.

    Args:
        role: What this process is, `window` or `engine`; it stands in each line.
        verbose: Log details as well.
        directory: Another place than the platform's.
    """
    root = logging.getLogger()
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    path = (directory or log_dir()) / NAME
    if any(isinstance(old, SharedLog) and old.path == path for old in root.handlers):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError:
        return None
    handler = SharedLog(path)
    form = f"%(asctime)s {role} {os.getpid()} %(levelname)s %(name)s: %(message)s"
    handler.setFormatter(logging.Formatter(form))
    root.addHandler(handler)
    logging.getLogger(__name__).info("IVSHMEM Scope %s on %s", __version__, describe_system())
    return path


def is_verbose() -> bool:
    """Whether this process logs details; its children do as it does."""
    return logging.getLogger().level == logging.DEBUG


def describe_system() -> str:
    """One line for reports. platform.platform() asks WMI on Windows, which may hang; avoid it."""
    python = ".".join(map(str, sys.version_info[:3]))
    if sys.platform == "win32":
        version = sys.getwindowsversion()
        system = f"Windows {version.major}.{version.minor}.{version.build}"
    else:
        system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return f"{system}, Python {python}"
