"""What the tests of the command line share: running it, in this process or as a real one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MakeFile = Callable[..., Path]
COMMAND = [sys.executable, "-m", "app"]


class Answer:
    """What a command said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err
        assert "Traceback" not in err + out

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]


def process(*words: object, **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        cwd=ROOT,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        | more,
    )


def finish(child: subprocess.Popen[bytes]) -> Answer:
    out, err = child.communicate(timeout=60)
    return Answer(child.returncode, (out or b"").decode("utf-8", "replace"), (err or b"").decode())


def until(fact: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)
