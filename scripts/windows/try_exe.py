"""Tries a built executable on Windows as a person would.

Its properties, its command line, its self-test and its window:

    python scripts/windows/try_exe.py dist/ivshmem-scope.exe OUTPUT_FOLDER

Leaves report.json and window.png in the output folder; exits with 1 at the first thing wrong.
Runs on a real Windows and inside the rig's machine alike.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import time
from ctypes import wintypes
from pathlib import Path

TITLE = "IVSHMEM Scope"
WM_CLOSE = 0x0010
START_S = 30
END_S = 15


def main() -> int:
    """All steps in order."""
    exe, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    for step in (properties, version, self_test, picture, window):
        started = time.monotonic()
        told = step(exe, out)
        print(f"{step.__name__}: {told} ({time.monotonic() - started:.1f} s)", flush=True)
    return 0


def properties(exe: Path, _out: Path) -> str:
    """The checksum is right and the version resource says who it is."""
    import pefile

    with pefile.PE(str(exe)) as image:
        need(image.verify_checksum(), "the PE checksum is wrong")
        need(image.OPTIONAL_HEADER.Subsystem == 2, "it is no windowed program")
        texts = {
            key.decode(): value.decode()
            for info in image.FileInfo[0]
            if info.Key == b"StringFileInfo"
            for table in info.StringTable
            for key, value in table.entries.items()
        }
    need(texts.get("ProductName") == TITLE, f"the version resource says {texts}")
    return texts["FileVersion"]


def version(exe: Path, _out: Path) -> str:
    """`--version` writes to where the output goes."""
    done = subprocess.run(
        [exe, "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    need(done.returncode == 0 and TITLE in done.stdout, f"{done.returncode}: {done.stdout}")
    return done.stdout.strip()


def self_test(exe: Path, out: Path) -> str:
    """Every step of the program's own test passes."""
    report = out / "report.json"
    done = subprocess.run([exe, "--self-test", report], timeout=120, check=False)
    steps = json.loads(report.read_text(encoding="utf-8"))["steps"]
    failed = [step for step in steps if step["status"] == "failed"]
    need(not failed, json.dumps(failed, indent=1))
    need(done.returncode == 0, f"exit code {done.returncode}")
    return f"{len(steps)} steps"


def picture(exe: Path, out: Path) -> str:
    """A picture of the window on a live demo region."""
    file = out / "window.png"
    done = subprocess.run([exe, "--demo", "--screenshot", file], timeout=120, check=False)
    need(done.returncode == 0 and file.stat().st_size > 10_000, f"exit code {done.returncode}")
    return file.name


def window(exe: Path, _out: Path) -> str:
    """A real start: the window shows, is told to close, and the process is gone."""
    started = time.monotonic()
    program = subprocess.Popen([exe])
    try:
        handle = wait(lambda: find_window(TITLE), START_S, "the window did not show")
        shown = time.monotonic() - started
        ctypes.WinDLL("user32").PostMessageW(wintypes.HWND(handle), WM_CLOSE, 0, 0)
        wait(lambda: program.poll() is not None, END_S, "the process did not end")
    finally:
        program.kill()
    need(program.returncode == 0, f"exit code {program.returncode}")
    return f"first window after {shown:.1f} s"


def find_window(title: str) -> int:
    """The first visible top-level window whose title holds the text; 0 when there is none."""
    user32 = ctypes.WinDLL("user32")
    found: list[int] = []

    @ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)
    def look(handle: int, _more: int) -> bool:
        text = ctypes.create_unicode_buffer(512)
        user32.GetWindowTextW(wintypes.HWND(handle), text, 512)
        if title in text.value and user32.IsWindowVisible(wintypes.HWND(handle)):
            found.append(handle)
        return True

    user32.EnumWindows(look, 0)
    return found[0] if found else 0


def wait(true, limit_s: float, otherwise: str):
    """Wait for a fact and return it."""
    end = time.monotonic() + limit_s
    while not (value := true()):
        need(time.monotonic() < end, otherwise)
        time.sleep(0.05)
    return value


def need(true: object, otherwise: str) -> None:
    """Stop when something is not as it must be."""
    if not true:
        raise SystemExit(f"FAILED: {otherwise}")


if __name__ == "__main__":
    sys.exit(main())
