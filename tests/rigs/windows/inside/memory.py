"""Tells what each process of the program uses, as JSON.

`private` is what Windows calls private bytes, less the program files that are loaded: Wine copies
those into each process, where Windows shares them from the file.
"""

import ctypes
import json
from ctypes import wintypes

import psutil

kernel32, psapi = ctypes.WinDLL("kernel32"), ctypes.WinDLL("psapi")
kernel32.OpenProcess.restype = wintypes.HANDLE
psapi.EnumProcessModulesEx.argtypes = (
    wintypes.HANDLE,
    ctypes.c_void_p,
    wintypes.DWORD,
    ctypes.POINTER(wintypes.DWORD),
    wintypes.DWORD,
)


class ModuleInfo(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", wintypes.DWORD), ("entry", ctypes.c_void_p))


psapi.GetModuleInformation.argtypes = (
    wintypes.HANDLE,
    wintypes.HMODULE,
    ctypes.POINTER(ModuleInfo),
    wintypes.DWORD,
)


def images(pid):
    """Bytes of the loaded program files that were carried along, not Wine's own."""
    process = kernel32.OpenProcess(0x0410, False, pid)
    modules, needed = (wintypes.HMODULE * 1024)(), wintypes.DWORD()
    psapi.EnumProcessModulesEx(process, modules, ctypes.sizeof(modules), ctypes.byref(needed), 3)
    total = 0
    for module in modules[: needed.value // ctypes.sizeof(wintypes.HMODULE)]:
        name = ctypes.create_unicode_buffer(1024)
        psapi.GetModuleFileNameExW(wintypes.HANDLE(process), wintypes.HMODULE(module), name, 1024)
        info = ModuleInfo()
        psapi.GetModuleInformation(process, module, ctypes.byref(info), ctypes.sizeof(info))
        if "\\windows\\" not in name.value.lower():
            total += info.size
    kernel32.CloseHandle(wintypes.HANDLE(process))
    return total


found = []
for process in psutil.process_iter():
    if "ivshmem-scope" in process.name():
        memory = process.memory_info()
        engine = any("multiprocessing" in word for word in process.cmdline())
        found.append(
            {
                "pid": process.pid,
                "engine": engine,
                "commit": memory.vms,
                "resident": memory.rss,
                "images": images(process.pid),
            }
        )
print(json.dumps(found))
