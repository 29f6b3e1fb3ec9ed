"""Runs before the program in the executable: gives its command line the console it came from.

A windowed executable has no streams of its own. Started from cmd or PowerShell with words behind
its name, it attaches to that console; started by a double click, it stays without.
"""

import ctypes
import sys

_PARENT = -1  # ATTACH_PARENT_PROCESS


def _attach() -> None:
    if sys.platform != "win32" or len(sys.argv) < 2 or sys.argv[1].startswith("--multiprocessing"):
        return
    if sys.stdout is not None and sys.stderr is not None:
        return  # redirected to a file or a pipe: that is where it belongs
    if not ctypes.WinDLL("kernel32").AttachConsole(_PARENT):
        return
    for name, device, mode in (
        ("stdin", "CONIN$", "r"), ("stdout", "CONOUT$", "w"), ("stderr", "CONOUT$", "w"),
    ):  # fmt: skip
        if getattr(sys, name) is None:
            try:
                stream = open(  # noqa: SIM115, PTH123  a stream for the program's life
                    device, mode, encoding="utf-8", errors="replace", buffering=1
                )
            except OSError:
                continue
            setattr(sys, name, stream)


_attach()
