"""The wheel, built from a copy of this tree and installed in an environment of its own.

Nothing is fetched: the builder is this environment's, and so are the packages it depends on, which
stand behind the installed wheel on the new environment's path.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEEDED = (
    "app",
    "resources",
    "pyproject.toml",
    "hatch_build.py",
    "README.md",
    "LICENSE",
    "Makefile",
    ".gitignore",
)
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
FOREIGN = 'NAME = "the project of whoever uses the library"\n'


def _done(command: list[str | Path], **more: object) -> str:
    ended = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, **more
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def _environment(place: Path) -> Path:
    """An empty environment; its folder of programs."""
    venv.create(place, with_pip=False, symlinks=True)
    return place / "bin"


def _behind(place: Path) -> Path:
    """Let this environment's packages follow those of another; the other's folder of packages."""
    (site,) = place.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return site


def copy_of_tree(folder: Path) -> Path:
    """What a checkout holds that the wheel is made of; nothing that was built here."""
    tree = folder / "checkout"
    tree.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "_kernel.*")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=ignored)
        else:
            shutil.copy2(ROOT / name, tree / name)
    (tree / "scripts").mkdir()
    shutil.copy2(ROOT / "scripts" / "build_kernel.py", tree / "scripts")
    return tree


def build_wheel(folder: Path) -> Path:
    """`pip wheel` of a copy of this tree; the wheel."""
    tree = copy_of_tree(folder)
    options = ["--no-index", "--no-build-isolation", "--no-deps"]
    _done([*PIP, "wheel", *options, "-w", folder / "dist", tree])
    (wheel,) = (folder / "dist").iterdir()
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """A new environment with the wheel, beside a foreign package `app`; its folder of programs."""
    place = folder / "venv"
    programs = _environment(place)
    into = ["--python", programs / "python", "install", "--no-index", "--no-deps", wheel]
    _done([*PIP, *into])
    site = _behind(place)
    (site / "app").mkdir()
    (site / "app" / "__init__.py").write_text(FOREIGN)
    return programs


def readme_examples() -> tuple[str, str]:
    """The two blocks of code of README's chapter on the library: the host's and the guest's."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    host, guest = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return host, guest


def install_editable(folder: Path) -> tuple[Path, Path]:
    """A copy of this tree as `make run` installs a new checkout; it, and its folder of programs."""
    tree = copy_of_tree(folder)
    programs = _environment(tree / ".venv")
    _behind(tree / ".venv")  # first: the builder is there
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed"]
    _done([*PIP, "--python", programs / "python", "install", *options, "-e", tree])
    return tree, programs
