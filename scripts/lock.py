"""Pins what we run, test, lint and build with, by version and hash, into requirements/.

Run it in an environment that has `uv`; it asks the package index that pip is set up for, and
writes no address. What ships is what was tested: the Windows rig runs exactly these versions.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Wine 10 runs PySide6 6.9.3 and numpy 2.1.3 and nothing newer; Python 3.14 has no wheels of them.
PINS = """\
PySide6-Essentials==6.9.3; python_version < "3.14"
shiboken6==6.9.3; python_version < "3.14"
PySide6-Essentials==6.11.3; python_version >= "3.14"
numpy==2.1.3; python_version < "3.14"
pyqtgraph==0.14.0
hatchling
editables
"""
SETS = {
    "run": (),
    "test": ("test",),
    "lint": ("test", "lint"),
    "build": ("build",),
}


def main() -> None:
    """Write the four files."""
    with tempfile.TemporaryDirectory() as place:
        for name, extras in SETS.items():
            target = ROOT / "requirements" / f"{name}.txt"
            pins = Path(place) / "pins.in"
            pins.write_text(PINS, encoding="utf-8")
            command = [
                "uv",
                "pip",
                "compile",
                "--quiet",
                "--universal",
                "--generate-hashes",
                "--no-emit-index-url",
                "--no-emit-find-links",
                "--no-header",
                "--no-annotate",
                "--python-version",
                "3.11",
                str(ROOT / "pyproject.toml"),
                str(pins),
                "--output-file",
                str(target),
            ]
            for extra in extras:
                command += ["--extra", extra]
            subprocess.run(command, check=True)
            text = target.read_text(encoding="utf-8")
            target.write_text(f"# Made by scripts/lock.py; do not edit.\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
