"""What another user may do; a real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line.tools import ROOT, Answer, MakeFile, finish

# -- permission ----------------------------------------------------------------------------------

# Python itself may lie where nobody may read: all modules are loaded before, by running the same.
_AS_NOBODY = """
import contextlib, io, os, pwd, sys, tempfile
import app.cli
with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "warm")
    for words in (["list"], ["info", "F", "--json"], ["read", "F", "0", "1"], ["save", "F", "F.saved"],
                  ["write", "F", "0", "00"], ["fill", "F", "0", "1", "--byte", "0"],
                  ["load", "F", "F.saved"], ["save", "F", "/none/saved"], ["read", "/none", "0"]):
        with open(file, "wb") as made, open(os.devnull, "w") as quiet:
            made.write(bytes(8))
            made.flush()
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                app.cli.run([word.replace("F", file) for word in words])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.exit(app.cli.run(sys.argv[1:]))
"""


def as_nobody(*words: object) -> Answer:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    return finish(
        subprocess.Popen(
            [sys.executable, "-c", _AS_NOBODY, *map(str, words)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
    )


def test_a_file_that_one_may_not_read(shm_file: MakeFile) -> None:
    path = shm_file(4096)
    path.chmod(0)
    told = as_nobody("read", path, 0)
    assert (told.code, told.out) == (4, "")
    assert f"You may not read {path}" in told.err
    assert f"  $ sudo setfacl -m u:$USER:rw {path}" in told.err
    listed = as_nobody("list").out
    assert "fault" in next(line for line in listed.splitlines() if str(path) in line)


def test_a_file_that_one_may_only_read(shm_file: MakeFile, tmp_path: Path) -> None:
    path = shm_file(4096, fill=b"x")
    path.chmod(0o644)
    assert as_nobody("read", path, 0, 4).out == "xxxx"
    told = as_nobody("info", path, "--json").json
    assert (told["writable"], told["level"]) == (False, "warning")
    assert told["command"] == f"sudo setfacl -m u:$USER:rw {path}"
    for words in (
        ["write", path, 0, "00"],
        ["fill", path, 0, 1, "--byte", 0],
        ["load", path, __file__, "--length", 1],
    ):
        told = as_nobody(*words)
        assert told.code == 4, words
        assert "read-only" in told.err
    assert path.read_bytes() == b"x" * 4096


def test_save_where_one_may_not_write(shm_file: MakeFile, tmp_path: Path) -> None:
    path = shm_file(4096)
    tmp_path.chmod(0o755)
    told = as_nobody("save", path, tmp_path / "saved")
    assert told.code == 1
    assert "Permission denied" in told.err
    assert os.listdir(tmp_path) == []
