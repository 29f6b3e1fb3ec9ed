"""Everything that cannot be a region, a range, a type or a number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import cli
from tests.command_line.tools import ROOT, MakeFile, Run

# -- what cannot be a region -----------------------------------------------------------------------

VERBS: dict[str, list[str]] = {
    "info": [],
    "dump": [],
    "read": ["0"],
    "write": ["0", "00"],
    "fill": ["0", "1", "--byte", "0"],
    "watch": ["--seconds", "0.1"],
    "save": ["-"],
    "load": [__file__],
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("none", 3, "There is no file"),
        ("none/below", 3, "There is no file"),
        ("folder", 1, "is a directory"),
        ("fifo", 1, "is a pipe"),
        ("empty", 1, "empty"),
        ("/dev/null", 1, "character device"),
        ("0000:ff:1f.7", 3, "0000:ff:1f.7"),
        ("\0", 3, ""),
        ("", 3, "Nothing was named"),
    ],
)
def test_no_region(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    what: str,
    code: int,
    words: str,
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.chdir(tmp_path)
    named = what if what.startswith(("/", "0000")) or what in ("", "\0") else tmp_path / what
    told = run(verb, named, *VERBS[verb])
    assert told.code == code
    assert words in told.err
    assert told.err.startswith("ivshmem-scope: ")
    assert told.out == ""
    assert sorted(os.listdir(tmp_path)) == ["empty", "fifo", "folder"], "nothing was made"


def test_one_byte(shm_file: MakeFile, run: Run) -> None:
    path = shm_file(1, fill=b"Z")
    assert run("info", path, "--json").json["size_bytes"] == 1
    assert run("read", path, 0).out == "Z"
    assert "|Z|" in run("dump", path).out
    assert run("write", path, 0, "41").code == 0
    assert run("fill", path, 0, 1, "--byte", 66).code == 0
    assert run("save", path, "-").out == "B"
    assert run("watch", path, "--seconds", 0.1).code == 0
    assert run("write", path, 1, "41").code == 1
    assert run("read", path, 0, "--type", "u16").code == 1


def test_a_size_that_is_no_whole_number_of_pages(shm_file: MakeFile, run: Run) -> None:
    path = shm_file(5000, fill=b"x")
    assert run("fill", path, 4096, 904, "--byte", 0).code == 0
    assert run("read", path, "end-905").out == "x" + "\0" * 904
    assert path.stat().st_size == 5000
    assert run("write", path, 4999, "0000").code == 1
    assert path.stat().st_size == 5000


@pytest.mark.parametrize(
    "words",
    [
        ["dump", "{}", "0x10000"],
        ["dump", "{}", "65536", "1"],
        ["dump", "{}", "0", "65537"],
        ["dump", "{}", "-1"],
        ["dump", "{}", "--", "0-1"],
        ["read", "{}", "0", "65537"],
        ["read", "{}", "end+1"],
        ["read", "{}", "0", "--type", "u8", "--count", "65537"],
        ["write", "{}", "end", "00"],
        ["write", "{}", "65535", "0000"],
        ["write", "{}", "--", "0-1", "00"],
        ["fill", "{}", "0", "65537", "--byte", "1"],
        ["fill", "{}", "65535", "2", "--byte", "1"],
        ["fill", "{}", "0", "0", "--byte", "1"],
        ["fill", "{}", "1 << 70", "1", "--byte", "1"],
        ["save", "{}", "-", "--start", "65537"],
        ["save", "{}", "-", "--length", "65537"],
        ["load", "{}", __file__, "--start", "65530"],
        ["watch", "{}", "65530", "10"],
        ["watch", "{}", "end"],
    ],
)
def test_out_of_range(shm_file: MakeFile, run: Run, words: list[str]) -> None:
    path = shm_file(65536)
    told = run(*[word.format(path) for word in words])
    assert told.code in (1, 2)
    assert told.out == ""
    assert told.err
    assert path.read_bytes() == bytes(65536)
    assert path.stat().st_blocks == 0, "nothing was even touched"


@pytest.mark.parametrize(
    "words",
    [
        ["read", "{}", "0", "--type", "u128"],
        ["read", "{}", "0", "--type", ""],
        ["read", "{}", "foo"],
        ["read", "{}", ""],
        ["read", "{}", "0", "4 apples"],
        ["read", "{}", "0", "--type", "u8", "--count", "0"],
        ["read", "{}", "0", "--type", "u8", "--count", "many"],
        ["write", "{}", "0", "xyz"],
        ["write", "{}", "0", "7"],
        ["write", "{}", "0", "DE A"],
        ["write", "{}", "0", "00000040  de ad\n00000080  be ef"],
        ["write", "{}", "0", "0000000000000000: 0x504d474c"],
        ["write", "{}", "0", "{{ 256 }}"],
        ["write", "{}", "0", "-2e4", "--type", "u8"],
        ["write", "{}", "0", "-inf", "--type", "i32"],
        ["write", "{}", "0", ""],
        ["write", "{}", "0", "1", "--type", "nope"],
        ["write", "{}", "0", "256", "--type", "u8"],
        ["write", "{}", "0", "abc", "--type", "f64"],
        ["write", "{}", "0", "", "--text"],
        ["write", "{}", "0", "00", "--expect", "zz"],
        ["write", "{}", "0", "00", "--text", "--type", "u8"],
        ["fill", "{}", "0", "1", "--byte", "zz"],
        ["fill", "{}", "0", "1", "--byte", "256"],
        ["fill", "{}", "0", "1", "--byte", "-1"],
        ["fill", "{}", "0", "1", "--hex", ""],
        ["fill", "{}", "0", "1", "--text", ""],
        ["fill", "{}", "0", "1", "--increment", "x"],
        ["fill", "{}", "0", "1", "--increment", "1" * 30],
        ["fill", "{}", "0", "1", "--random", "inf"],
        ["fill", "{}", "0", "1"],
        ["fill", "{}", "0", "1", "--byte", "1", "--hex", "00"],
        ["fill", "{}", "0", "1", "--increment", "1", "--width", "3"],
        ["watch", "{}", "--rate", "0"],
        ["watch", "{}", "--rate", "nan"],
        ["watch", "{}", "--rate", "1e9"],
        ["watch", "{}", "--seconds", "-1"],
        ["watch", "{}", "--count", "0"],
        ["watch", "{}", "--seconds", "inf"],
        ["watch", "{}", "--seconds", "nan"],
        ["respond", "{}", "--seconds", "nan"],
        ["respond", "{}", "--seconds", "-1"],
        ["respond", "{}", "--seconds", "1e-400"],
        ["latency", "{}", "--rate", "1e-400"],
        ["respond", "{}", "--slots", "0"],
        ["respond", "{}", "--slots", "65"],
        ["respond", "{}", "--lane-size", "-1"],
        ["bandwidth", "{}", "--offset", "-4096"],
        ["bandwidth", "{}", "--slice", "nan"],
        ["bandwidth", "{}", "--slice", "1e400"],
        ["transfer", "{}", "--duration", "inf"],
        ["transfer", "{}", "--slot", "-1"],
        ["transfer", "{}", "--peer-within", "nan"],
        *(
            ["latency", "{}", option, value]
            for option in ("--rate", "--duration", "--warm-up", "--poll", "--lost-after")
            for value in ("nan", "inf", "-inf", "1e300", "many")
        ),
        ["latency", "{}", "--payload", "1" * 40],
        ["latency", "{}", "--payload", "8.0"],
        ["dump", "{}", "--cache", "warm"],
        ["dump"],
        ["write", "{}"],
        ["list", "extra"],
    ],
)
def test_garbage_is_wrong_usage(shm_file: MakeFile, run: Run, words: list[str]) -> None:
    path = shm_file(4096)
    told = run(*[word.format(path) for word in words])
    assert told.code == 2
    assert told.out == ""
    assert told.err
    assert path.read_bytes() == bytes(4096)


def test_errors_as_json_for_scripts(run: Run) -> None:
    told = run("info", "/none", "--json")
    assert told.code == 3
    assert json.loads(told.err) == {
        "error": "cannot-find",
        "message": "There is no file /none.",
        "hint": "Rescan the devices, or check the path.",
        "command": "",
    }


def test_help_and_version(run: Run) -> None:
    assert "without a window" in run("--help").out.lower()
    assert run("--version").out.startswith("IVSHMEM Scope ")
    for verb in cli.VERBS:
        told = run(verb, "--help")
        assert (told.code, told.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["list"], "numpy"),
        (["info", "FILE"], "numpy"),
        (["dump", "FILE"], "numpy"),
        (["read", "FILE", "0"], "numpy"),
        (["save", "FILE", "SAVED"], "numpy"),
        (["write", "FILE", "0", "01"], "numpy"),
        (["fill", "FILE", "0", "8", "--byte", "1"], "numpy"),
        (["load", "FILE", __file__, "--length", "8"], "numpy"),
        (["watch", "FILE", "--seconds", "0.1"], "PySide6"),
        (["respond", "FILE", "--seconds", "0.1"], "PySide6"),
    ],
)
def test_verbs_load_only_what_they_need(
    shm_file: MakeFile, tmp_path: Path, words: list[str], unwanted: str
) -> None:
    names = {"FILE": str(shm_file(1 << 20)), "SAVED": str(tmp_path / "saved")}
    code = (
        "import sys, app.cli; code = app.cli.run(sys.argv[1:]); "
        f"sys.exit(code or sorted({{'PySide6', {unwanted!r}}} & set(sys.modules)) or 0)"
    )
    command = [sys.executable, "-c", code, *(names.get(word, word) for word in words)]
    told = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
