"""Runs every checker, all at once, and prints only what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
CHECKS: dict[str, list[str]] = {
    "ruff check": [str(BIN / "ruff"), "check", "--quiet"],
    "ruff format": [str(BIN / "ruff"), "format", "--check", "--quiet"],
    "mypy (linux)": [str(BIN / "mypy"), "--platform", "linux", "--cache-dir", ".mypy_cache/linux"],
    "mypy (win32)": [str(BIN / "mypy"), "--platform", "win32", "--cache-dir", ".mypy_cache/win32"],
    "import contracts": [str(BIN / "lint-imports"), "--cache-dir", ".mypy_cache/imports"],
}


def main() -> int:
    """Start all, wait for all; 1 when one of them found something."""
    running = {
        name: subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name, command in CHECKS.items()
    }
    bad = 0
    for name, process in running.items():
        output, _ = process.communicate()
        print(f"{'ok  ' if process.returncode == 0 else 'FAIL'} {name}")
        if process.returncode:
            bad = 1
            print(output)
    return bad


if __name__ == "__main__":
    sys.exit(main())
