"""`find`: every form of needle, what it prints, and its exit codes."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.command_line.tools import MakeFile, Run, finish, process, until


@pytest.fixture
def memory(shm_file: MakeFile) -> Path:
    path = shm_file(1 << 20)
    with path.open("r+b") as file:
        for at, data in (
            (0x1000, b"Hello World, hello"),
            (0x2001, b"\xff\x12\x34"),
            (0x3000, (3.15e0).hex().encode()),
            (0x4000, (1234).to_bytes(4, "little")),
            (0x4010, (1234).to_bytes(4, "big")),
            (0x5000, "Grüße".encode("utf-16-le")),
        ):
            file.seek(at)
            file.write(data)
    return path


@pytest.mark.parametrize(
    ("words", "offsets"),
    [
        (("ff ?? 3?",), [0x2001]),
        (("12 30 & ff f0",), [0x2002]),
        (("hello", "--text"), [0x100D]),
        (("hello", "--text", "-i"), [0x1000, 0x100D]),
        (("GRÜSSE"[:3] + "ß", "--text", "-i", "--encoding", "utf-16-le"), [0x5000]),
        ((r"[Hh]ello\b", "--regex"), [0x1000, 0x100D]),
        (("1234", "--type", "u32"), [0x4000]),
        (("1234", "--type", "u32", "--big"), [0x4010]),
        (("1234", "--type", "u32", "--both"), [0x4000, 0x4010]),
        (("1230..1240", "--type", "u32", "--both", "--align", "16"), [0x4000, 0x4010]),
        (("1234±1", "--type", "u32", "--start", "0x4001", "--both"), [0x4010]),
        (("hello", "--text", "-i", "--length", "0x1004"), []),
        (("--strings", "6"), [0x1000, 0x3000]),
    ],
)
def test_all_hits(memory: Path, run: Run, words: tuple[str, ...], offsets: list[int]) -> None:
    told = run("find", memory, *words, "--all", "--json")
    assert [json.loads(line)["offset_bytes"] for line in told.out.splitlines()] == offsets
    assert told.code == (0 if offsets else 1)
    assert told.err == ""


def test_the_first_hit_is_printed_as_hex_and_text(memory: Path, run: Run) -> None:
    told = run("find", memory, "hello", "--text", "-i")
    assert told.out == "0x0000'1000  48 65 6C 6C 6F  Hello\n"
    value = run("find", memory, "1234", "--type", "u32", "--big")
    assert value.out == "0x0000'4010  1234  00 00 04 D2\n"
    assert run("find", memory, "--strings").out == "0x0000'1000  Hello World, hello\n"
    found = run("find", memory, "hello", "--text", "-i", "--all")
    assert found.err.startswith("2 hits in ")
    [line] = run("find", memory, "--strings", "12", "--json").out.splitlines()
    assert json.loads(line) == {
        "offset_bytes": 0x1000,
        "length_bytes": 18,
        "hex": b"Hello World, hello".hex(),
        "text": "Hello World, hello",
    }


@pytest.mark.parametrize(
    "words",
    [
        ("{}", "--text", "Hello"),
        ("--text", "{}", "Hello"),
        ("--regex", "{}", "--all", "H.llo"),
        ("{}", "--type", "u8", "0x48"),
        ("--strings", "12", "{}"),
        ("{}", "--all", "--strings"),
    ],
)
def test_options_stand_anywhere(memory: Path, run: Run, words: tuple[str, ...]) -> None:
    told = run("find", *(word.format(memory) for word in words))
    assert told.code == 0, told.err
    assert "0x0000'1000" in told.out


def test_nothing_found_is_code_1_and_says_what_was_searched(memory: Path, run: Run) -> None:
    told = run("find", memory, "DE AD BE EF")
    assert (told.code, told.out) == (1, "")
    assert "Not found in" in told.err
    assert "never written" in told.err


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (("?? ??",), "match everywhere"),
        ((), "nothing to find"),
        (("(a", "--regex"), "No expression"),
        (("300", "--type", "u8"), "does not fit"),
        (("1", "--type", "nonsense"), "no type"),
        (("x", "--strings", "3"), "no place"),
        (("x", "--text", "--encoding", "ascii"), "no encoding"),
        (("1", "--type", "u32", "--align", "0"), "alignment"),
        (("1", "--text", "--regex"), "not allowed"),
    ],
)
def test_bad_input_is_a_usage_error(
    memory: Path, run: Run, words: tuple[str, ...], about: str
) -> None:
    told = run("find", memory, *words)
    assert told.code == 2
    assert about in told.err


def test_an_exploding_expression_is_ended(
    shm_file: MakeFile, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.search.regex.ALLOWED_S", 0.2)
    told = run("find", shm_file(4096, fill=b"a" * 64 + b"b"), "(a+)+$", "--regex")
    assert told.code == 2
    assert "takes too long" in told.err


def test_ctrl_c_ends_an_exploding_expression_at_once(shm_file: MakeFile, tmp_path: Path) -> None:
    path = shm_file(1 << 20, fill=b"a" * 64 + b"b")
    with (tmp_path / "err").open("wb") as err:
        child = process("find", path, "(a+)+$", "--regex", stderr=err)
        until(lambda: b"regex" in workers(child.pid))
        child.send_signal(signal.SIGINT)
        told = finish(child)
    assert told.code == 130
    assert "was stopped after" in (tmp_path / "err").read_text()


def workers(pid: int) -> bytes:
    """What the children of a process run."""
    found = b""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += Path(f"/proc/{child}/cmdline").read_bytes()
    return b"regex" if b"spawn_main" in found else found
