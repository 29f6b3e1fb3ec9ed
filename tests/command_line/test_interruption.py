"""Ctrl+C in every command."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command_line.tools import MakeFile, finish, process, until

# -- Ctrl+C --------------------------------------------------------------------------------------


def _runs(child: subprocess.Popen[bytes]) -> bool:
    assert child.poll() is None, finish(child).err
    return True


def _waits(child: subprocess.Popen[bytes], for_what: str) -> bool:
    """Whether the process sleeps inside a pipe: a fact, where a time would be a guess."""
    return _runs(child) and for_what in Path(f"/proc/{child.pid}/wchan").read_text()


@pytest.fixture
def stuck() -> Iterator[Callable[..., tuple[int, int]]]:
    """A pipe into which nothing fits any more."""
    if not Path("/proc/self/wchan").exists():
        pytest.skip("this kernel does not tell what a process waits for")
    ends: list[int] = []

    def make() -> tuple[int, int]:
        ends.extend(os.pipe())
        os.set_blocking(ends[-1], False)
        while True:
            try:
                os.write(ends[-1], bytes(4096))
            except BlockingIOError:
                break
        os.set_blocking(ends[-1], True)
        return ends[-2], ends[-1]

    yield make
    for end in ends:
        os.close(end)


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["list", "--json"],
        ["info", "{}"],
        ["dump", "{}"],
        ["read", "{}", "0"],
        ["read", "{}", "0", "--type", "u8"],
        ["save", "{}", "-"],
        ["save", "{}", "{}.out", "--json"],
        ["write", "{}", "0", "00", "--json"],
        ["fill", "{}", "0", "1", "--byte", "0", "--json"],
        ["load", "{}", __file__, "--length", "8", "--json"],
        ["watch", "{}", "--rate", "60", "--quiet"],
    ],
)
def test_ctrl_c_while_it_prints(shm_file: MakeFile, stuck: Any, words: list[str]) -> None:
    path = shm_file(4096)
    _, into = stuck()
    child = process(*[word.format(path) for word in words], stdout=into)
    try:
        until(lambda: _waits(child, "pipe_write"))
        child.send_signal(signal.SIGINT)
        told = finish(child)
        assert (told.code, told.err) == (130, "")
    finally:
        Path(f"{path}.out").unlink(missing_ok=True)


@pytest.mark.parametrize("words", [["write", "{}", "0", "-"], ["load", "{}", "-"]])
def test_ctrl_c_while_it_waits_for_input(shm_file: MakeFile, words: list[str]) -> None:
    path = shm_file(4096, fill=b"x")
    child = process(*[word.format(path) for word in words], stdin=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.write(b"half")
    child.stdin.flush()
    until(lambda: _waits(child, "pipe_read"))
    child.send_signal(signal.SIGINT)
    told = finish(child)
    assert (told.code, told.err) == (130, "")
    assert path.read_bytes() == b"x" * 4096


def test_ctrl_c_in_watch(writer: Path) -> None:
    child = process("watch", writer, "--rate", 60)
    assert child.stdout is not None
    assert child.stdout.readline()
    child.send_signal(signal.SIGINT)
    told = finish(child)
    assert (told.code, told.err) == (130, "")


@pytest.mark.parametrize(
    ("verb", "number"),
    [("fill", signal.SIGINT), ("load", signal.SIGINT), ("fill", signal.SIGTERM)],
)
def test_ctrl_c_in_a_long_write_says_what_landed(
    shm_file: MakeFile, tmp_path: Path, verb: str, number: signal.Signals
) -> None:
    size = 1 << 30
    path = shm_file(size)
    if verb == "fill":
        child = process("fill", path, 0, "end", "--byte", "1")
    else:
        with (tmp_path / "file").open("wb") as file:
            file.truncate(size)
        child = process("load", path, tmp_path / "file")
    until(lambda: _runs(child) and path.stat().st_blocks > 4096)
    child.send_signal(number)
    told = finish(child)
    assert told.code == 130
    landed = path.stat().st_blocks * 512
    assert 0 < landed < size
    assert f"{landed >> 20} MiB at 0x0 are changed" in told.err
    if verb == "fill":
        with path.open("rb") as file:
            assert file.read(16) == b"\1" * 16
            file.seek(landed - 1)
            assert file.read(2) == b"\1\0", "the rest is as it was"


def test_ctrl_c_in_a_save_leaves_nothing_behind(shm_file: MakeFile, tmp_path: Path) -> None:
    path = shm_file(1 << 30)
    (tmp_path / "saved").write_bytes(b"old")
    child = process("save", path, tmp_path / "saved")
    until(lambda: _runs(child) and len(os.listdir(tmp_path)) > 1)
    child.send_signal(signal.SIGINT)
    told = finish(child)
    assert told.code == 130
    assert f"Saving was stopped; {tmp_path / 'saved'} is as it was." in told.err
    assert os.listdir(tmp_path) == ["saved"]
    assert (tmp_path / "saved").read_bytes() == b"old"


def test_ctrl_c_in_a_save_to_a_pipe_that_nobody_reads(shm_file: MakeFile, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    child = process("save", shm_file(1 << 20), fifo)
    until(lambda: _waits(child, "select") or _waits(child, "poll"))
    child.send_signal(signal.SIGINT)
    told = finish(child)
    assert told.code == 130
    assert f"Saving was stopped; {fifo} has got a part." in told.err
    os.close(reader)


def test_ctrl_c_in_a_save_to_an_output_that_nobody_reads(
    shm_file: MakeFile, stuck: Callable[..., tuple[int, int]]
) -> None:
    _, end = stuck()
    child = process("save", shm_file(1 << 20), "/dev/stdout", stdout=end)
    until(lambda: _waits(child, "select") or _waits(child, "poll"))
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 130
    assert child.stderr is not None
    with child.stderr as told:
        assert b"Saving was stopped; /dev/stdout has got a part." in told.read()
