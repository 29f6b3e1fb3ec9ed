"""A BAR in a real Linux guest: the Region's copies against loops in C on the same mapping.

The guest is emulated and needs what the Linux rig needs; where that is missing there are no rows.
What is compared runs in turns inside the guest, on `resource2` and on `resource2_wc`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.bench.harness import Row, c_compiler
from tests.rigs.linux.build import RigError, build
from tests.rigs.linux.copying import LOOPS, REFERENCE
from tests.rigs.linux.guest import Guest, Shared

BAR: Final = "0000:01:00.0"
MIB: Final = 64
FLOOR, GOAL = 0.4, 0.8


def measure() -> dict[str, dict[str, float]]:
    """Bytes per second by `mode way` and by who copied."""
    memory = Path(f"/dev/shm/ivshmem-scope-rig-bench-{os.getpid()}")
    with tempfile.TemporaryDirectory(prefix="ivshmem-scope-bench-") as folder:
        source, library = Path(folder) / "loops.c", Path(folder) / "loops.so"
        source.write_text(REFERENCE, encoding="utf-8")
        command = [c_compiler(), "-O2", "-shared", "-fPIC", "-o", str(library), str(source)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        try:
            with Guest(build(), [Shared(memory, MIB)]) as guest:
                module = (sys.executable, "-m", "tests.rigs.linux.copying", BAR, str(library))
                result = guest.run(*module)
        finally:
            memory.unlink(missing_ok=True)
    if result.code:
        raise RuntimeError(result.err)
    return dict(json.loads(result.out))


def rows(*, quick: bool = False) -> list[Row]:
    """All rows; `quick` changes nothing, as most of the time is the guest's start."""
    try:
        found = measure()
    except RigError as error:
        print(f"no guest: {error}", file=sys.stderr)
        return []
    made = []
    for name, rates in found.items():
        detail = ", ".join(f"{who} {rates[who] / 1e6:.0f} MB/s" for who in ("region", *LOOPS))
        ratio = rates["share of by_memcpy"]
        made.append(Row(f"guest's BAR, {name}", ratio, "x", "C memcpy", FLOOR, GOAL, detail))
    return made
