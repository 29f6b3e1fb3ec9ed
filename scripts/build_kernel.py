"""Builds the C kernel of the measurements beside its source; the program is whole without it.

    python scripts/build_kernel.py            for this machine: app/core/native/_kernel.so (or .dll)
    python scripts/build_kernel.py --windows  app/core/native/_kernel.dll with mingw, for the .exe

Takes $CC, cc, gcc or clang, whichever is there, or the PyPI package ziglang when it is installed.
Without any compiler it says so and ends with 0: a missing kernel is no failure.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "app" / "core" / "native" / "kernel.c"
FLAGS = ("-O2", "-s", "-std=gnu11", "-Wall", "-Wextra", "-fvisibility=hidden", "-shared")
MINGW = "x86_64-w64-mingw32-gcc"


def compiler(*, windows: bool) -> list[str] | None:
    """The command that compiles for the wanted system; None when there is none."""
    here = windows == (sys.platform == "win32")
    names = [os.environ.get("CC", ""), "cc", "gcc", "clang"] if here else [MINGW]
    for name in names:
        if name and shutil.which(name.split()[0]):
            return name.split()
    if importlib.util.find_spec("ziglang"):
        machine = platform.machine().lower().replace("amd64", "x86_64").replace("arm64", "aarch64")
        target = f"{machine}-windows-gnu" if windows else f"{machine}-linux-gnu.2.17"
        return [sys.executable, "-m", "ziglang", "cc", "-target", target]
    return None


def build(*, windows: bool, out: Path | None = None) -> Path | None:
    """Compile; the library, or None with the reason on stderr."""
    target = out or SOURCE.with_name("_kernel.dll" if windows else "_kernel.so")
    command = compiler(windows=windows)
    if command is None:
        print("No C compiler: measurements run in Python only.", file=sys.stderr)
        return None
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    flags = [*FLAGS, f"-DSCOPE_SOURCE={zlib.crc32(SOURCE.read_bytes())}u"]
    flags += ["-static-libgcc"] if windows else ["-fPIC"]
    done = subprocess.run(
        [*command, *flags, "-o", str(draft), str(SOURCE)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        draft.unlink(missing_ok=True)
        print(f"The C kernel was not built:\n{done.stdout}", file=sys.stderr)
        return None
    if done.stdout:
        print(done.stdout, file=sys.stderr)
    draft.replace(target)
    return target


def main() -> int:
    """Build for this system, or for Windows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", action="store_true", help="for the Windows executable")
    options = parser.parse_args()
    built = build(windows=options.windows or sys.platform == "win32")
    if built is not None:
        print(built)
    return 0


if __name__ == "__main__":
    sys.exit(main())
