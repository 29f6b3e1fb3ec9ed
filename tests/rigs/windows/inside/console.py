"""Runs a command in a console of its own, as cmd would, and prints what stands on that console.

console.py EXE ARGUMENTS...
"""

import ctypes
import subprocess
import sys
from ctypes import wintypes

kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
for name in ("GetStdHandle", "CreateFileW"):
    getattr(kernel32, name).restype = wintypes.HANDLE
kernel32.FreeConsole()
if not kernel32.AllocConsole():
    sys.exit(f"no console: {ctypes.get_last_error()}")
# Without handles of our own given on, as cmd starts a windowed program.
done = subprocess.run(sys.argv[1:], check=False, close_fds=True)
screen = kernel32.CreateFileW("CONOUT$", 0xC0000000, 3, None, 3, 0, None)
text = ctypes.create_unicode_buffer(80 * 300 + 1)
read = wintypes.DWORD()
kernel32.ReadConsoleOutputCharacterW(
    wintypes.HANDLE(screen), text, 80 * 300, wintypes.DWORD(0), ctypes.byref(read)
)
shown = text.value[: read.value]
with open(r"Z:\out\console.txt", "w", encoding="utf-8") as file:
    file.write(f"{done.returncode}\n")
    file.writelines(shown[at : at + 80].rstrip() + "\n" for at in range(0, len(shown), 80))
