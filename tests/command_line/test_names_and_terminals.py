"""Names that hold anything, terminals that cannot show everything, values that begin with a minus."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line.tools import COMMAND, ROOT, MakeFile, Run, finish, process
from tests.core.measure.peer_programs import responding

# -- names -----------------------------------------------------------------------------------------


@pytest.fixture
def beside(shm_file: MakeFile) -> Iterator[tuple[Path, Path]]:
    """A file, and another one whose name has a blank more."""
    path = shm_file(4096)
    other = Path(f"{path} ")
    yield path, other
    other.unlink(missing_ok=True)


def test_a_path_is_taken_as_it_was_typed(beside: tuple[Path, Path], run: Run) -> None:
    path, other = beside
    told = run("write", other, "0", "AA")
    assert told.code == 3
    assert repr(str(other)) in told.err
    assert path.read_bytes() == bytes(4096)
    other.write_bytes(bytes(4096))
    assert run("write", other, "0", "AA").code == 0
    assert other.read_bytes()[0] == 0xAA
    assert path.read_bytes() == bytes(4096)
    target = path.with_name(f"{path.name}.saved ")
    try:
        assert run("save", other, target).code == 0
        assert target.read_bytes() == other.read_bytes()
        assert run("load", path, target).code == 0
        assert path.read_bytes()[0] == 0xAA
    finally:
        target.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("one\ntwo", r"one\ntwo"),
        ("bell\a\x1b[31mred", r"bell\x07\x1b[31mred"),
        ("turned\u202eround", r"turned\u202eround"),
        (os.fsdecode(b"not utf-8 \xff"), r"not utf-8 \udcff"),
    ],
)
def test_names_are_one_line_and_move_nothing(
    shm_file: MakeFile, run: Run, name: str, shown: str
) -> None:
    path = shm_file(4096)
    odd = path.with_name(f"{path.name} {name}")
    path.rename(odd)
    try:
        told = run("info", odd)
        assert told.code == 0
        assert any(line.startswith("path ") and shown in line for line in told.out.splitlines())
        assert json.loads(run("info", odd, "--json").out)["path"] == str(odd)
    finally:
        odd.unlink()
    told = run("info", odd)
    assert told.code == 3
    assert shown in told.err
    assert told.err.count("\n") == 1


# -- terminals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "cp437"])
def test_a_terminal_that_lacks_letters_gets_simpler_ones(
    shm_file: MakeFile, tmp_path: Path, encoding: str
) -> None:
    path = shm_file(1 << 20)
    named = path.with_name(f"{path.name}-µ→ü☃")
    path.rename(named)
    kept = tmp_path / "run.json"
    quick = ("--rate", "200", "--duration", "0.3", "--warm-up", "0", "--wait", "poll")
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    try:
        told = finish(process("info", named, env=environment))
        assert (told.code, told.err) == (0, "")
        with responding(named):
            child = process("latency", named, *quick, "--save", kept, env=environment)
            out, errors = child.communicate(timeout=60)
    finally:
        named.unlink()
    assert child.returncode == 0, errors
    assert b"Traceback" not in errors
    assert b"p99.9" in out
    assert json.loads(kept.read_text())["kind"] == "latency"


def test_a_result_is_kept_though_nobody_reads_the_report(
    shm_file: MakeFile, tmp_path: Path
) -> None:
    path, kept = shm_file(1 << 20), tmp_path / "run.json"
    quick = ("--rate", "200", "--duration", "0.3", "--warm-up", "0", "--wait", "poll")
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with responding(path):
            child = process("latency", path, *quick, "--save", kept, stdout=full)
            _, errors = child.communicate(timeout=60)
    finally:
        os.close(full)
    assert child.returncode == 1
    assert b"Traceback" not in errors
    assert json.loads(kept.read_text())["kind"] == "latency"


def test_saving_to_standard_output_is_the_result_and_nothing_else(
    shm_file: MakeFile, run: Run
) -> None:
    path = shm_file(1 << 20)
    quick = ("--rate", 200, "--duration", 0.3, "--warm-up", 0, "--wait", "poll")
    with responding(path):
        told = run("latency", path, *quick, "--save", "-")
        assert (told.code, told.json["kind"]) == (0, "latency")
        assert "p99.9" in told.err
        told = run("latency", path, *quick, "--json", "--save", "-")
        assert (told.code, told.json["kind"]) == (0, "latency")
    assert not Path("-").exists()


# -- values that begin with a minus ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("-2e4", "f64", struct.pack("<d", -2e4)),
        ("-inf", "f64", struct.pack("<d", float("-inf"))),
        ("-INF", "f32", struct.pack("<f", float("-inf"))),
        ("-.5", "f32", struct.pack("<f", -0.5)),
        ("-1", "i8", b"\xff"),
        ("-0x10", "i16", struct.pack("<h", -16)),
        ("-1_000", "i32", struct.pack("<i", -1000)),
    ],
)
def test_negative_values_need_no_marks(
    shm_file: MakeFile, run: Run, value: str, kind: str, expected: bytes
) -> None:
    path = shm_file(4096)
    for words in (("0", value, "--type", kind), ("--type", kind, "0", value)):
        assert run("write", path, *words).code == 0
        assert path.read_bytes()[: len(expected)] == expected
        path.write_bytes(bytes(4096))


def test_an_option_that_is_none_is_still_wrong_usage(shm_file: MakeFile, run: Run) -> None:
    told = run("write", shm_file(4096), "0", "-x", "--text")
    assert told.code == 2


def test_output_in_ascii_alone_is_no_traceback() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for words in (["latency", "--help"], ["list", "--all"]):
        told = subprocess.run(
            [*COMMAND, *words], cwd=ROOT, env=environment, capture_output=True, check=False
        )
        assert (told.returncode, b"Traceback" in told.stderr) == (0, False), sys.executable
