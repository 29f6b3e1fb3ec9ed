"""Logging to a rotating file in the platform's folder, and crash reports in the same folder."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import logging.handlers
import platform
import sys
from pathlib import Path
from typing import Final, TextIO

from ...version import __version__
from .paths import log_dir

_SIZE: Final = 512 * 1024
_crash_file: TextIO | None = None


def start(*, verbose: bool = False, directory: Path | None = None) -> Path | None:
    """Log to a file; the file's path, or None where no file can be written.

    Hard crashes (a fault in native code) leave the threads' stacks in `crash.log`.
    """
    global _crash_file
    root = logging.getLogger()
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    place = directory or log_dir()
    try:
        place.mkdir(parents=True, exist_ok=True)
        path = place / "ivshmem-scope.log"
        if str(path.absolute()) in {getattr(old, "baseFilename", "") for old in root.handlers}:
            return path
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=_SIZE, backupCount=3, encoding="utf-8", delay=True
        )
        if _crash_file is None:
            _crash_file = (place / "crash.log").open("a", encoding="utf-8")
            faulthandler.enable(_crash_file)
    except OSError:
        with contextlib.suppress(RuntimeError, ValueError, AttributeError):
            faulthandler.enable()
        return None
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    )
    root.addHandler(handler)
    logging.getLogger(__name__).info("IVSHMEM Scope %s on %s", __version__, describe_system())
    return path


def describe_system() -> str:
    """One line for reports. platform.platform() asks WMI on Windows, which may hang; avoid it."""
    python = ".".join(map(str, sys.version_info[:3]))
    if sys.platform == "win32":
        version = sys.getwindowsversion()
        system = f"Windows {version.major}.{version.minor}.{version.build}"
    else:
        system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return f"{system}, Python {python}"
