"""Whether anybody has a file open: the kernel knows, also about processes of other users."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path


def is_open(path: str | Path) -> bool:
    """Whether a process has the file open or mapped; False where that cannot be told.

    The kernel gives a write lease (fcntl(2)) only for a file that nobody else has open, and only
    to the file's owner. It is given back at once.
    """
    if sys.platform != "linux":
        return False
    else:  # noqa: RET505 - the type checker reads platforms by branches
        import fcntl

        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # Whoever opens it meanwhile makes the kernel send a signal; this one is ignored.
            fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
        finally:
            os.close(handle)
        return False
