"""Verbs that a script starts with `&`: its shell has SIGINT ignored in them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.command_line.tools import finish, process, until


def _in_background() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _pending(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1], 16) for line in lines if line[:7] in ("SigPnd:", "ShdPnd:"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux about signals")
def test_ctrl_c_is_for_the_script_and_sigterm_ends_it(writer: Path) -> None:
    child = process("watch", writer, "--rate", 60, preexec_fn=_in_background)
    assert child.stdout is not None
    assert child.stdout.readline()
    for _ in range(3):
        child.send_signal(signal.SIGINT)
        until(lambda: not _pending(child.pid))
        assert child.stdout.readline(), "it goes on"
    child.send_signal(signal.SIGTERM)
    told = finish(child)
    assert (told.code, told.err) == (-signal.SIGTERM, "")


def test_what_the_suite_starts_can_be_interrupted_wherever_the_suite_runs(writer: Path) -> None:
    """`pytest &` in a script: the suite undoes what it inherited (conftest.py)."""
    child = process("watch", writer, "--rate", 60)
    assert child.stdout is not None
    assert child.stdout.readline()
    ignored = Path(f"/proc/{child.pid}/status").read_text().partition("SigIgn:")[2].split()[0]
    child.send_signal(signal.SIGINT)
    assert finish(child).code == 130
    assert not int(ignored, 16) & 1 << signal.SIGINT - 1
