"""Runs before the program in the executable: gives its command line the console it came from.

A windowed executable has no streams of its own. Started from cmd or PowerShell with words behind
its name, it attaches to that console; started by a double click, it stays without.
"""

import ctypes
import os
import sys

_MAY_ASK = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION


def _parent_of(process: int) -> int:
    """Who started a process; 0 when it cannot be known (PROCESS_BASIC_INFORMATION, winternl.h)."""
    kernel32, ntdll = ctypes.WinDLL("kernel32"), ctypes.WinDLL("ntdll")
    kernel32.OpenProcess.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(kernel32.OpenProcess(_MAY_ASK, False, process))
    if not handle:
        return 0
    about = (ctypes.c_size_t * 6)()
    failed = ntdll.NtQueryInformationProcess(handle, 0, about, ctypes.sizeof(about), None)
    kernel32.CloseHandle(handle)
    return 0 if failed else about[5]


def _attach_console() -> bool:
    """The console of whoever started us: behind a one-file executable's starter, its own parent."""
    parent = os.getppid()
    attach = ctypes.WinDLL("kernel32").AttachConsole
    return bool(attach(parent) or attach(_parent_of(parent)))


def _attach() -> None:
    if sys.platform != "win32" or len(sys.argv) < 2 or sys.argv[1].startswith("--multiprocessing"):
        return
    if sys.stdout is not None and sys.stderr is not None:
        return  # redirected to a file or a pipe: that is where it belongs
    if not _attach_console():
        return
    for name, device, mode in (
        ("stdin", "CONIN$", "r"),
        ("stdout", "CONOUT$", "w"),
        ("stderr", "CONOUT$", "w"),
    ):
        if getattr(sys, name) is None:
            try:
                stream = open(  # noqa: SIM115, PTH123  a stream for the program's life
                    device, mode, encoding="utf-8", errors="replace", buffering=1
                )
            except OSError:
                continue
            setattr(sys, name, stream)


_attach()
