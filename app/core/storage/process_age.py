"""When a process began: tells it from a later one with the same number."""

from __future__ import annotations

import sys

import psutil  # type: ignore[import-untyped]


def began_s(pid: int) -> float:
    """When a process began; on Linux since the boot, as setting the clock moves both alike.

    Raises:
        psutil.Error, OverflowError: There is none, or it may not be asked.
    """
    began: float = psutil.Process(pid).create_time()
    return began if sys.platform == "win32" else began - psutil.boot_time()


def has_ended(pid: int, began: float) -> bool:
    """Whether the process that had this number then has ended."""
    try:
        return abs(began_s(pid) - began) > 1.0
    except (psutil.NoSuchProcess, OverflowError):  # no process has such a number
        return True
    except psutil.Error:
        return False
