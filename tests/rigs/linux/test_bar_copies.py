"""A BAR is copied as fast as a loop in C copies it: nothing goes byte by byte."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rigs.linux.copying import LOOPS, REFERENCE
from tests.rigs.linux.guest import Guest

pytestmark = [pytest.mark.rig, pytest.mark.timeout(400)]
BAR = "0000:01:00.0"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The loops to compare with, where the guest can load them."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler here")
    source, built = tmp_path / "loops.c", tmp_path / "loops.so"
    source.write_text(REFERENCE, encoding="utf-8")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", built, source], check=True)
    return built


@pytest.mark.parametrize("switch", ["1", "0"])
def test_the_bars_copies_are_right_and_their_speed_is_told(
    guest: Guest, library: Path, big: Path, switch: str
) -> None:
    command = (sys.executable, "-m", "tests.rigs.linux.copying", BAR, str(library))
    result = guest.run(*command, env={"IVSHMEM_SCOPE_KERNEL": switch})
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert set(found) == {
        f"{mode} {way}" for mode in ("uncached", "write-combined") for way in ("read", "write")
    }
    for name, rates in found.items():
        shares = ", ".join(f"{rates[f'share of {loop}']:.2f} of {loop}" for loop in LOOPS)
        print(f"kernel {switch}, {name}: {rates['region'] / 1e6:.0f} MB/s, {shares}")
