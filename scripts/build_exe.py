"""Builds the Windows executable: natively on Windows, through the Windows rig on Linux.

Leaves in dist/: ivshmem-scope.exe, ivshmem-scope-VERSION-windows.zip (the folder form) and
SHA256SUMS. The same spec and the same script either way.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
NAME = "ivshmem-scope"
LIMIT = 42 << 20  # the goal for the one-file executable


def main() -> int:
    """Build, collect, tell the sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where it goes")
    parser.add_argument("--no-folder", action="store_true", help="only the one-file executable")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        built = build_here(options.out, folder=not options.no_folder)
    else:
        from tests.rigs.windows.exe import build_exe

        built = build_exe(folder=not options.no_folder)
    for file in collect(built, options.out):
        print(f"{file}  {file.stat().st_size / (1 << 20):.1f} MiB")
    return 0


def build_here(out: Path, *, folder: bool) -> Path:
    """Run PyInstaller in this Python."""
    from scripts import build_kernel

    work = ROOT / "build" / "exe"
    build_kernel.build(windows=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "PyInstaller",
            "--noconfirm",
            "--log-level=WARN",
            f"--distpath={work / 'dist'}",
            f"--workpath={work / 'work'}",
            str(ROOT / "pyinstaller.spec"),
        ],
        check=True,
        cwd=ROOT,
        env={**os.environ, "SCOPE_FOLDER": "1" if folder else "0"},
    )
    return work / "dist"


def collect(built: Path, out: Path) -> list[Path]:
    """Copy the executable, zip the folder, write the sums."""
    from app import __version__

    files = [out / f"{NAME}.exe"]
    if (built / f"{NAME}.exe").resolve() != files[0].resolve():
        shutil.copyfile(built / f"{NAME}.exe", files[0])
    folder = built / f"{NAME}-folder"
    if folder.is_dir():
        base = out / f"{NAME}-{__version__}-windows"
        files.append(Path(shutil.make_archive(str(base), "zip", built, folder.name)))
    sums = out / "SHA256SUMS"
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    sums.write_text("".join(lines), encoding="utf-8")
    return [*files, sums]


if __name__ == "__main__":
    sys.exit(main())
