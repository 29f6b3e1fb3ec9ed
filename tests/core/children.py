"""Other processes for the tests of the core: somebody without rights, somebody who writes."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_TOGGLE = """
import mmap, sys
path, width = sys.argv[1], int(sys.argv[2])
file = open(path, "r+b")
memory = mmap.mmap(file.fileno(), 4096)
words = memoryview(memory).cast({2: "H", 4: "I", 8: "Q"}[width])
at, ones = 64 // width, (1 << 8 * width) - 1
print("ready", flush=True)
while True:
    for _ in range(1000):
        words[at] = ones
        words[at] = 0
"""


def as_nobody(work: Callable[[], str]) -> str:
    """Run `work` in a child that has no rights at all; what it returned."""
    if os.getuid():
        pytest.skip("only root can become somebody else")
    user = pwd.getpwnam("nobody")
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        text = ""
        try:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            text = "=" + work()
        except BaseException:
            text = "!" + traceback.format_exc()
        os.write(writer, text.encode()[:60_000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(pid, 0)
    assert answer[:1] == "=", answer
    return answer[1:]


@contextmanager
def script(text: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python child that said `ready`; killed at the end."""
    child = subprocess.Popen(
        [sys.executable, "-c", text, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline().strip() == "ready"
        yield child
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()


@contextmanager
def toggler(path: Path, width: int) -> Iterator[subprocess.Popen[str]]:
    """A child that stores all ones and all zeros at offset 64, as fast as it can."""
    with script(_TOGGLE, path, width) as child:
        yield child
