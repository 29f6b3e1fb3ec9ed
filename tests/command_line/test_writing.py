"""`write`, `fill`, `save` and `load`."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command_line.tools import MakeFile, Run, finish, process

# -- write, fill -----------------------------------------------------------------------------------


def test_write_in_all_its_forms(
    shm_file: MakeFile, run: Run, stdin: Callable[[bytes], None]
) -> None:
    path = shm_file(4096)
    assert run("write", path, 0, "DE AD be ef").err == "4 B at 0x0: written.\n"
    assert run("write", path, "0x10", "grüße", "--text").code == 0
    assert run("write", path, "end-4", "0xDEADBEEF", "--type", "u32", "--big").code == 0
    assert run("write", path, 64, "-5", "--type", "i8").code == 0
    stdin(b"\0piped\xff")
    assert run("write", path, 100, "-").code == 0
    data = path.read_bytes()
    assert data[:4] == b"\xde\xad\xbe\xef"
    assert data[16:23] == "grüße".encode()
    assert data[-4:] == b"\xde\xad\xbe\xef"
    assert data[64] == 251
    assert data[100:107] == b"\0piped\xff"


def test_write_as_json(shm_file: MakeFile, run: Run) -> None:
    told = run("write", shm_file(4096, fill=b"ab"), 0, "0102", "--json").json
    assert told == {
        "offset_bytes": 0,
        "length_bytes": 2,
        "old": "6162",
        "new": "0102",
        "landed": "landed",
    }


def test_expect_never_clobbers(shm_file: MakeFile, run: Run) -> None:
    path = shm_file(4096, fill=b"ab")
    told = run("write", path, 0, "0102", "--expect", "61 63")
    assert told.code == 6
    assert path.read_bytes()[:2] == b"ab"
    assert run("write", path, 0, "0102", "--expect", "61 62").code == 0
    assert path.read_bytes()[:2] == b"\1\2"
    assert run("write", path, 0, "0102", "--expect", "61").code == 2


@pytest.mark.parametrize(
    ("options", "start"),
    [
        (["--byte", "0x41"], b"AAAAAAA"),
        (["--byte", "65"], b"AAAAAAA"),
        (["--hex", "01 02 03"], b"\1\2\3\1\2\3\1"),
        (["--text", "né"], "nénén".encode()),
        (["--increment", "2"], bytes([0, 2, 4, 6, 8, 10, 12])),
        (["--increment", "1", "--width", "2", "--big"], b"\0\0\0\1\0\2\0"),
    ],
)
def test_fill(shm_file: MakeFile, run: Run, options: list[str], start: bytes) -> None:
    path = shm_file(4096)
    assert run("fill", path, 8, 7, *options).code == 0
    assert path.read_bytes()[:16] == bytes(8) + start[:7] + b"\0"


def test_a_fill_in_parts_is_the_same_as_in_one(
    shm_file: MakeFile, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = shm_file(10_000), shm_file(10_000)
    for pattern in (["--random", "7"], ["--increment", "3", "--width", "4"], ["--hex", "010203"]):
        assert run("fill", whole, 1, "end-1", *pattern).code == 0
        with monkeypatch.context() as patch:
            patch.setattr("app.commands.parts.PART", 999)
            told = run("fill", parts, 1, "end-1", *pattern, "--json").json
        assert (told["offset_bytes"], told["length_bytes"]) == (1, 9999)
        assert whole.read_bytes() == parts.read_bytes()


# -- save and load ---------------------------------------------------------------------------------


def test_save_and_load_a_range(shm_file: MakeFile, run: Run, tmp_path: Path) -> None:
    path = shm_file(65536, fill=b"0123456789")
    file = tmp_path / "saved"
    assert run("save", path, file, "--start", 5, "--length", 10).code == 0
    assert file.read_bytes() == b"5678901234"
    assert run("save", path, file, "--json").json == {"file": str(file), "saved_bytes": 65536}
    target = shm_file(65536)
    assert run("load", target, file).code == 0
    assert target.read_bytes() == path.read_bytes()
    assert run("load", target, file, "--start", "end-4", "--length", 4).code == 0
    assert target.read_bytes()[-4:] == b"0123"


def test_load_in_parts(
    shm_file: MakeFile, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.commands.parts.PART", 999)
    data = random.Random(2).randbytes(5000)
    (tmp_path / "file").write_bytes(data)
    path = shm_file(8192)
    assert run("load", path, tmp_path / "file", "--start", 10).code == 0
    assert path.read_bytes() == bytes(10) + data + bytes(8192 - 5010)


def test_save_and_load_through_a_pipe(shm_file: MakeFile) -> None:
    data = random.Random(3).randbytes(300_000)
    source, target = shm_file(len(data), fill=data), shm_file(len(data))
    save = process("save", source, "-")
    load = process("load", target, "-", stdin=save.stdout)
    assert finish(load).code == 0
    assert save.wait(60) == 0
    save.stdout.close()  # type: ignore[union-attr]
    save.stderr.close()  # type: ignore[union-attr]
    assert target.read_bytes() == data


def test_save_keeps_the_old_file_when_it_fails(
    shm_file: MakeFile, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "saved"
    file.write_bytes(b"old")
    assert run("save", shm_file(4096), file, "--start", "end", "--length", 1).code == 1
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["saved"]


def test_save_follows_a_link(shm_file: MakeFile, run: Run, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert run("save", shm_file(4096, fill=b"x"), tmp_path / "link").code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"x" * 4096


def test_save_into_a_device_leaves_the_device(shm_file: MakeFile, run: Run) -> None:
    before = os.stat("/dev/null").st_rdev
    assert run("save", shm_file(4096), "/dev/null").code == 0
    assert os.stat("/dev/null").st_rdev == before
    full = run("save", shm_file(4096), "/dev/full")
    assert full.code == 1
    assert "No space left" in full.err


@pytest.mark.parametrize("target", ["{self}", "{folder}", "{folder}/none/x"])
def test_save_to_a_bad_place(shm_file: MakeFile, run: Run, tmp_path: Path, target: str) -> None:
    path = shm_file(4096, fill=b"x")
    assert run("save", path, target.format(self=path, folder=tmp_path)).code == 1
    assert path.read_bytes() == b"x" * 4096


def test_load_what_does_not_fit_or_is_not_there(
    shm_file: MakeFile, run: Run, tmp_path: Path, stdin: Callable[[bytes], None]
) -> None:
    path = shm_file(4096, fill=b"x")
    big, empty, fifo = tmp_path / "big", tmp_path / "empty", tmp_path / "fifo"
    big.write_bytes(bytes(4097))
    empty.write_bytes(b"")
    os.mkfifo(fifo)
    for words, code in (
        ([big], 1),
        ([empty], 1),
        ([tmp_path], 1),
        ([tmp_path / "none"], 3),
        ([big, "--length", "0"], 1),
        ([big, "--length", "5000"], 1),
        ([big, "--length", "x"], 2),
        ([big, "--start", "1", "--length", "4096"], 1),
        (["/dev/zero"], 1),
    ):
        told = run("load", path, *words)
        assert told.code == code, words
        assert told.err.startswith("ivshmem-scope: ")
    stdin(bytes(4097))
    assert "Standard input has more than the 4 KiB" in run("load", path, "-").err
    stdin(b"")
    assert run("load", path, "-").code == 1
    stdin(b"abc")
    told = run("load", path, "-", "--length", 4)
    assert "Standard input has only 3 B; 4 B were asked for" in told.err
    assert "cannot be read" in run("load", path, f"{big}/", "--length", 1).err
    assert path.read_bytes() == b"x" * 4096, "nothing was changed"
    for words in (["-", "--length", 2], ["/dev/zero", "--start", 2, "--length", 2]):
        stdin(b"abc")  # of more than is wanted the beginning, as of a file
        assert run("load", path, *words).code == 0
    assert path.read_bytes() == b"ab\0\0" + b"x" * 4092


def test_an_endless_pipe_ends_with_an_answer(shm_file: MakeFile) -> None:
    path = shm_file(4096)
    for words in (("write", path, 0, "-"), ("load", path, "-")):
        with open("/dev/zero", "rb") as endless:
            told = finish(process(*words, stdin=endless))
        assert told.code == 1
        assert "nothing was written" in told.err


def test_load_from_a_named_pipe(shm_file: MakeFile, tmp_path: Path) -> None:
    path, fifo = shm_file(4096), tmp_path / "fifo"
    os.mkfifo(fifo)
    child = process("load", path, fifo)
    with fifo.open("wb") as pipe:
        pipe.write(b"through the pipe")
    assert finish(child).code == 0
    assert path.read_bytes()[:16] == b"through the pipe"


def test_no_standard_input(
    shm_file: MakeFile, run: Run, monkeypatch: pytest.MonkeyPatch, stdin: Any
) -> None:
    path = shm_file(4096)
    stdin(b"")
    assert "was empty" in run("write", path, 0, "-").err
    monkeypatch.setattr(sys, "stdin", None)
    for words in (("write", path, 0, "-"), ("load", path, "-")):
        told = run(*words)
        assert told.code == 1
        assert "no standard input" in told.err


# -- two at once -----------------------------------------------------------------------------------


def test_two_commands_on_one_region(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20)
    children = [process("fill", path, n << 19, 1 << 19, "--byte", n + 1) for n in range(2)]
    assert [finish(child).code for child in children] == [0, 0]
    assert path.read_bytes() == b"\1" * (1 << 19) + b"\2" * (1 << 19)
