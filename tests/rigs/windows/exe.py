"""The executable, built inside the machine and kept until a source of it changes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from scripts import build_kernel
from tests.rigs.windows.build import CannotBuildError, Layers, build
from tests.rigs.windows.machine import Machine
from tests.rigs.windows.places import REPOSITORY, cache_folder, digest, layer

NAME = "ivshmem-scope"
SOURCES = ("app", "resources", "scripts/windows", "scripts/build_kernel.py", "pyinstaller.spec")


def build_exe(layers: Layers | None = None, *, folder: bool = True) -> Path:
    """A folder with the executable and, when wanted, its folder form.

    Raises:
        CannotBuildError: PyInstaller failed; the text is the end of its output.
    """
    layers = layers or build()
    sources = [REPOSITORY / name for name in SOURCES if (REPOSITORY / name).exists()]
    key = digest(layers.python.name, str(folder), *sources)
    return layer("exe", key, lambda place: _make(place, layers, folder=folder))


def _make(place: Path, layers: Layers, *, folder: bool) -> None:
    work = Path(tempfile.mkdtemp(prefix="exe-", dir=cache_folder()))
    try:
        kernel = build_kernel.build(windows=True, out=work / "_kernel.dll")
        if kernel is None:
            raise CannotBuildError("The C kernel of the measurements was not built.")
        with Machine(layers, work) as machine:
            done = machine.python(
                "-m",
                "PyInstaller",
                "--noconfirm",
                "--log-level=WARN",
                "--distpath=Z:\\out\\dist",
                "--workpath=Z:\\out\\work",
                "Z:\\src\\pyinstaller.spec",
                limit_s=600,
                SCOPE_FOLDER="1" if folder else "0",
                SCOPE_KERNEL="Z:\\out\\_kernel.dll",
            )
        if not (work / "dist" / f"{NAME}.exe").is_file():
            raise CannotBuildError(f"PyInstaller made no executable:\n{done.stdout[-3000:]}")
        for item in (work / "dist").iterdir():
            shutil.move(item, place / item.name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
