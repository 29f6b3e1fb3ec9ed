"""Readers that went, disks that are full."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line.tools import ROOT, Answer, MakeFile, finish, process

# -- pipes that break, disks that are full ---------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["dump", "{}", "0", "end"],
        ["read", "{}", "0"],
        ["save", "{}", "-"],
        ["read", "{}", "0", "--json"],
    ],
)
def test_a_reader_that_has_enough(shm_file: MakeFile, words: list[str]) -> None:
    path = shm_file(4 << 20)
    child = process(*[word.format(path) for word in words])
    assert child.stdout is not None
    assert child.stdout.read(10)
    child.stdout.close()
    child.stdout = None
    told = finish(child)
    assert (told.code, told.err) == (0, "")


def test_watch_ends_when_its_reader_went(writer: Path) -> None:
    child = process("watch", writer, "--rate", 60)
    assert child.stdout is not None
    assert child.stdout.readline()
    child.stdout.close()
    child.stdout = None
    told = finish(child)
    assert (told.code, told.err) == (0, "")


@pytest.mark.parametrize(
    "words", [["dump", "{}"], ["read", "{}", "0"], ["info", "{}"], ["save", "{}", "-"]]
)
def test_a_full_disk_behind_standard_output(shm_file: MakeFile, words: list[str]) -> None:
    path = shm_file(1 << 20)
    with open("/dev/full", "wb") as full:
        told = finish(process(*[word.format(path) for word in words], stdout=full))
    assert told.code == 1
    assert told.err == "ivshmem-scope: input or output failed (No space left on device).\n"


def test_no_standard_output(shm_file: MakeFile) -> None:
    path = shm_file(4096)
    told = finish(process("dump", path, preexec_fn=lambda: os.close(1), stdout=None))
    assert (told.code, told.err) == (0, "")


def in_small_folder(script: str, *, over: str) -> Answer:
    """Run a shell script with a 256 KiB disk mounted over a folder that nobody else sees."""
    mount = f"mount -t tmpfs -o size=256k,mode=1777 small {over}"
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            ["unshare", "-m", "sh", "-c", mount], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("a private mount needs root and unshare")
    return finish(
        subprocess.Popen(
            ["unshare", "-m", "sh", "-c", f"{mount} && {script}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
    )


def test_a_full_disk_on_save(shm_file: MakeFile, tmp_path: Path) -> None:
    path = shm_file(1 << 20, fill=b"x")
    python = f"{sys.executable} -m app"
    told = in_small_folder(
        f"echo old > {tmp_path}/saved; {python} save {path} {tmp_path}/saved; echo $?; "
        f"cat {tmp_path}/saved; ls -A {tmp_path}",
        over=str(tmp_path),
    )
    assert told.out.split() == ["1", "old", "saved"]
    assert "the disk is full" in told.err


def test_a_full_shm() -> None:
    """A sparse file whose pages cannot be had: writing says so, looking works, nothing dies."""
    python = f"{sys.executable} -m app"
    told = in_small_folder(
        "truncate -s 1M /dev/shm/f; "
        f"{python} fill /dev/shm/f 0 1M --byte 1; echo $?; "
        f"{python} read /dev/shm/f 0 4 | od -An -tx1; {python} read /dev/shm/f end-4 4 | od -An -tx1; "
        f"{python} write /dev/shm/f end-8 01; echo $?; {python} list | grep -c /dev/shm/f; ls -A /dev/shm",
        over="/dev/shm",
    )
    assert told.out.split() == ["1", *["01"] * 4, *["00"] * 4, "1", "1", "f"]
    assert told.err.count("The file system of /dev/shm/f is full") == 2
