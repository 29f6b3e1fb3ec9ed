"""The command line on real files in /dev/shm: every verb, every way in which it can go wrong.

Signals, pipes, users and full disks take a real process; the rest runs in this one.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.core.region import RegionSpec
from app.core.sampler import MAX_SPAN

ROOT = Path(__file__).parents[1]
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


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def call(*words: object) -> Answer:
        capfd.readouterr()
        try:
            code = cli.run([str(word) for word in words])
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Answer(code, out, err)

    return call


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Gives a command something to read."""

    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


def process(*words: object, **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, *map(str, words)], cwd=ROOT,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | more,
    )  # fmt: skip


def finish(child: subprocess.Popen[bytes]) -> Answer:
    out, err = child.communicate(timeout=60)
    return Answer(child.returncode, (out or b"").decode("utf-8", "replace"), (err or b"").decode())


# -- list and info -------------------------------------------------------------------------------


def test_list_shows_a_file_and_hides_the_others(shm_file: MakeFile, run: Run) -> None:
    path, other = shm_file(1 << 20), shm_file(100)
    told = run("list")
    assert told.code == 0
    [line] = [line for line in told.out.splitlines() if str(path) in line]
    assert line.split()[:4] == ["file", "1", "MiB", "ok"]
    assert str(other) not in told.out
    assert str(other) in run("list", "--all").out


def test_list_as_json_names_units_and_is_complete(shm_file: MakeFile, run: Run) -> None:
    path = shm_file(1 << 20)
    told = run("list", "--json").json
    [device] = [d for d in told["devices"] if d["location"] == str(path)]
    assert device == {
        "kind": "file", "name": path.name, "location": str(path), "size_bytes": 1 << 20,
        "address": None, "windows_address": None, "users": [],
        "content": {"name": "zeros", "detail": "nothing written yet", "offset": 0},
        "level": "good", "health": "ok", "text": "Healthy", "hint": "", "command": "",
        "plausible": True, "writable": True, "share": None, "notes": [],
    }  # fmt: skip
    assert isinstance(told["problems"], list)


def test_an_empty_list_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.core.device import DeviceList

    monkeypatch.setattr("app.commands.listing.find_devices", lambda: DeviceList((), ("No /proc.",)))
    told = run("list")
    assert "--demo" in told.out
    assert told.err == "No /proc.\n"
    assert run("list", "--json").json == {"devices": [], "problems": ["No /proc."]}


def test_info(shm_file: MakeFile, run: Run) -> None:
    path = shm_file(1 << 20, fill=b"LGMP\x0a\0\0\0")
    told = run("info", path)
    facts = dict(line.split(maxsplit=1) for line in told.out.splitlines())
    assert facts["content"] == "LGMP, version 10"
    assert facts["writable"] == "yes"
    assert facts["health"] == "Healthy"
    assert run("info", path, "--json").json["size_bytes"] == 1 << 20


def test_info_tells_writable_of_a_path_that_is_not_listed(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "any"
    path.write_bytes(bytes(100))
    told = run("info", path, "--json").json
    assert told["writable"] is True
    assert any("no whole number of pages" in note for note in told["notes"])


def test_info_of_a_relative_path(
    shm_file: MakeFile, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shm_file(4096)
    monkeypatch.chdir(path.parent)
    told = run("info", path.name, "--json").json
    assert (told["path"], told["writable"]) == (str(path), True)


# -- dump and read -------------------------------------------------------------------------------


def test_dump(shm_file: MakeFile, run: Run) -> None:
    path = shm_file(4096, fill=bytes(range(256)))
    told = run("dump", path, "0x40", 32)
    assert told.out.splitlines() == [
        "00000040  40 41 42 43 44 45 46 47  48 49 4a 4b 4c 4d 4e 4f  |@ABCDEFGHIJKLMNO|",
        "00000050  50 51 52 53 54 55 56 57  58 59 5a 5b 5c 5d 5e 5f  |PQRSTUVWXYZ[\\]^_|",
    ]
    assert len(run("dump", path).out.splitlines()) == 16
    assert len(run("dump", path, "end-8").out.splitlines()) == 1
    assert run("dump", path, 1, 2, "--json").json == {"offset_bytes": 1, "hex": "0102"}
    assert run("dump", path, "end-1", 0).out == ""


def test_read_raw_bytes_are_exact(shm_file: MakeFile) -> None:
    data = random.Random(1).randbytes(200_001)
    path = shm_file(len(data), fill=data)
    child = process("read", path, 1)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (0, data[1:], b"")


def test_read_values(shm_file: MakeFile, run: Run) -> None:
    path = shm_file(4096, fill=b"\x01\x02\x03\x04")
    assert run("read", path, 0, "--type", "u16", "--count", 2).out == "513\n1027\n"
    assert run("read", path, 0, "--type", "u16", "--big").out == "258\n"
    told = run("read", path, 0, "--type", "i8", "--count", 3, "--json").json
    assert told == {"offset_bytes": 0, "type": "i8", "values": ["1", "2", "3"]}
    assert run("read", path, "end-1", "--type", "uleb").out == "4 (1 B)\n"


def test_read_values_all_or_none(shm_file: MakeFile, run: Run) -> None:
    told = run("read", shm_file(16), 0, "--type", "u32", "--count", 5)
    assert (told.code, told.out) == (1, "")


def test_too_much_for_one_line_of_json(shm_file: MakeFile, run: Run) -> None:
    told = run("read", shm_file(1 << 30), 0, "--json")
    assert (told.code, told.out) == (1, "")
    assert json.loads(told.err)["error"] == "out-of-range"


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
        "offset_bytes": 0, "length_bytes": 2, "old": "6162", "new": "0102", "landed": "landed",
    }  # fmt: skip


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
        ([big], 1), ([empty], 1), ([tmp_path], 1), ([tmp_path / "none"], 3),
        ([big, "--length", "0"], 1), ([big, "--length", "5000"], 1), ([big, "--length", "x"], 2),
        ([big, "--start", "1", "--length", "4096"], 1), (["/dev/zero"], 1),
    ):  # fmt: skip
        told = run("load", path, *words)
        assert told.code == code, words
        assert told.err.startswith("ivshmem-scope: ")
    stdin(bytes(4097))
    assert "Standard input has more than the 4 KiB" in run("load", path, "-").err
    stdin(b"")
    assert run("load", path, "-").code == 1
    assert path.read_bytes() == b"x" * 4096, "nothing was changed"


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


# -- watch ---------------------------------------------------------------------------------------


@pytest.fixture
def writer(shm_file: MakeFile) -> Iterator[Path]:
    """A file that another thread keeps changing."""
    import threading

    path, stop = shm_file(8192), threading.Event()

    def write() -> None:
        number = 0
        with path.open("r+b", buffering=0) as file:
            while not stop.wait(0.005):
                number += 1
                os.pwrite(file.fileno(), number.to_bytes(4, "little"), 0x40)

    thread = threading.Thread(target=write)
    thread.start()
    yield path
    stop.set()
    thread.join()


def test_watch_prints_changes(writer: Path, run: Run) -> None:
    told = run("watch", writer, "--count", 3, "--rate", 60)
    assert told.code == 0
    lines = told.out.splitlines()
    assert len(lines) >= 3
    assert all(line.startswith("0x0000'004") and " -> " in line for line in lines)


def test_watch_as_json_old_and_new_fit_together(writer: Path, run: Run) -> None:
    told = run("watch", writer, "0x40", 4, "--count", 3, "--rate", 60, "--json")
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert len(rows) >= 3
    for row in rows:
        assert set(row) == {"time_ns", "offset_bytes", "old", "new"}
        assert 0x40 <= row["offset_bytes"] < 0x44
        assert row["old"] != row["new"]
    assert [r["time_ns"] for r in rows] == sorted(r["time_ns"] for r in rows)


def test_watch_quiet_tells_the_rate(writer: Path, run: Run) -> None:
    told = run("watch", writer, "--quiet", "--seconds", 1.3, "--json")
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert rows
    assert all(set(row) == {"time_ns", "observed_bytes_per_s", "over_ns"} for row in rows)
    assert "observed change rate" in run("watch", writer, "--quiet", "--seconds", 0.3).out


def test_watch_ends_after_its_time_when_nothing_happens(shm_file: MakeFile, run: Run) -> None:
    assert run("watch", shm_file(4096), "--seconds", 0.2).code == 0


def test_watch_more_than_can_be_shown(shm_file: MakeFile, run: Run) -> None:
    path = shm_file(2 * MAX_SPAN)
    assert run("watch", path, 0, MAX_SPAN + 1).code == 1
    assert run("watch", path, 0, MAX_SPAN + 1, "--quiet", "--seconds", 0.1).code == 0


def test_watch_a_file_that_is_cut(shm_file: MakeFile) -> None:
    path = shm_file(65536, fill=b"x")
    child = process("watch", path, "--json", "--rate", 60)
    with path.open("r+b", buffering=0) as file:
        _until(lambda: _says_something_after(child, lambda: file.write(os.urandom(8))))
    os.truncate(path, 4096)
    told = finish(child)
    assert told.code == 5
    assert json.loads(told.err)["error"] == "region-gone"


def _says_something_after(child: subprocess.Popen[bytes], act: Callable[[], object]) -> bool:
    import select

    act()
    return bool(select.select([child.stdout], [], [], 0.02)[0])


def _until(fact: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)


# -- what cannot be a region -----------------------------------------------------------------------

VERBS: dict[str, list[str]] = {
    "info": [], "dump": [], "read": ["0"], "write": ["0", "00"], "fill": ["0", "1", "--byte", "0"],
    "watch": ["--seconds", "0.1"], "save": ["-"], "load": [__file__],
}  # fmt: skip


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
        ["dump", "{}", "0x10000"], ["dump", "{}", "65536", "1"], ["dump", "{}", "0", "65537"],
        ["dump", "{}", "-1"], ["dump", "{}", "--", "0-1"], ["read", "{}", "0", "65537"],
        ["read", "{}", "end+1"], ["read", "{}", "0", "--type", "u8", "--count", "65537"],
        ["write", "{}", "end", "00"], ["write", "{}", "65535", "0000"], ["write", "{}", "--", "0-1", "00"],
        ["fill", "{}", "0", "65537", "--byte", "1"], ["fill", "{}", "65535", "2", "--byte", "1"],
        ["fill", "{}", "0", "0", "--byte", "1"], ["fill", "{}", "1 << 70", "1", "--byte", "1"],
        ["save", "{}", "-", "--start", "65537"], ["save", "{}", "-", "--length", "65537"],
        ["load", "{}", __file__, "--start", "65530"], ["watch", "{}", "65530", "10"],
        ["watch", "{}", "end"],
    ],
)  # fmt: skip
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
        ["read", "{}", "0", "--type", "u128"], ["read", "{}", "0", "--type", ""],
        ["read", "{}", "foo"], ["read", "{}", ""], ["read", "{}", "0", "4 apples"],
        ["read", "{}", "0", "--type", "u8", "--count", "0"],
        ["read", "{}", "0", "--type", "u8", "--count", "many"],
        ["write", "{}", "0", "xyz"], ["write", "{}", "0", ""], ["write", "{}", "0", "1", "--type", "nope"],
        ["write", "{}", "0", "256", "--type", "u8"], ["write", "{}", "0", "abc", "--type", "f64"],
        ["write", "{}", "0", "", "--text"], ["write", "{}", "0", "00", "--expect", "zz"],
        ["write", "{}", "0", "00", "--text", "--type", "u8"],
        ["fill", "{}", "0", "1", "--byte", "zz"], ["fill", "{}", "0", "1", "--byte", "256"],
        ["fill", "{}", "0", "1", "--byte", "-1"], ["fill", "{}", "0", "1", "--hex", ""],
        ["fill", "{}", "0", "1", "--text", ""], ["fill", "{}", "0", "1", "--increment", "x"],
        ["fill", "{}", "0", "1"], ["fill", "{}", "0", "1", "--byte", "1", "--hex", "00"],
        ["fill", "{}", "0", "1", "--increment", "1", "--width", "3"],
        ["watch", "{}", "--rate", "0"], ["watch", "{}", "--rate", "nan"], ["watch", "{}", "--rate", "1e9"],
        ["watch", "{}", "--seconds", "-1"], ["watch", "{}", "--count", "0"],
        ["dump", "{}", "--cache", "warm"], ["dump"], ["write", "{}"], ["list", "extra"],
    ],
)  # fmt: skip
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
        "error": "cannot-find", "message": "There is no file /none.",
        "hint": "Rescan the devices, or check the path.", "command": "",
    }  # fmt: skip


def test_help_and_version(run: Run) -> None:
    assert "without a window" in run("--help").out.lower()
    assert run("--version").out.startswith("IVSHMEM Scope ")
    for verb in cli.VERBS:
        told = run(verb, "--help")
        assert (told.code, told.err) == (0, "")


def test_the_verbs_load_no_qt() -> None:
    code = "import sys, app.cli; app.cli.run(['list']); sys.exit('PySide6' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True
        ).returncode
        == 0
    )


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
    return finish(subprocess.Popen(
        [sys.executable, "-c", _AS_NOBODY, *map(str, words)], cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    ))  # fmt: skip


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
    return finish(subprocess.Popen(
        ["unshare", "-m", "sh", "-c", f"{mount} && {script}"], cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    ))  # fmt: skip


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


# -- Ctrl+C --------------------------------------------------------------------------------------


def _waits(child: subprocess.Popen[bytes], for_what: str) -> bool:
    """Whether the process sleeps inside a pipe: a fact, where a time would be a guess."""
    assert child.poll() is None, "it ended already"
    return for_what in Path(f"/proc/{child.pid}/wchan").read_text()


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
        ["list"], ["list", "--json"], ["info", "{}"], ["dump", "{}"], ["read", "{}", "0"],
        ["read", "{}", "0", "--type", "u8"], ["save", "{}", "-"], ["save", "{}", "{}.out", "--json"],
        ["write", "{}", "0", "00", "--json"], ["fill", "{}", "0", "1", "--byte", "0", "--json"],
        ["load", "{}", __file__, "--length", "8", "--json"], ["watch", "{}", "--rate", "60", "--quiet"],
    ],
)  # fmt: skip
def test_ctrl_c_while_it_prints(shm_file: MakeFile, stuck: Any, words: list[str]) -> None:
    path = shm_file(4096)
    _, into = stuck()
    child = process(*[word.format(path) for word in words], stdout=into)
    try:
        _until(lambda: _waits(child, "pipe_write"))
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
    _until(lambda: _waits(child, "pipe_read"))
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


@pytest.mark.parametrize("verb", ["fill", "load"])
def test_ctrl_c_in_a_long_write_says_what_landed(
    shm_file: MakeFile, tmp_path: Path, verb: str
) -> None:
    size = 1 << 30
    path = shm_file(size)
    if verb == "fill":
        child = process("fill", path, 0, "end", "--byte", "1")
    else:
        with (tmp_path / "file").open("wb") as file:
            file.truncate(size)
        child = process("load", path, tmp_path / "file")
    _until(lambda: path.stat().st_blocks > 4096)
    child.send_signal(signal.SIGINT)
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
    _until(lambda: len(os.listdir(tmp_path)) > 1)
    child.send_signal(signal.SIGINT)
    told = finish(child)
    assert (told.code, told.err) == (130, "")
    assert os.listdir(tmp_path) == ["saved"]
    assert (tmp_path / "saved").read_bytes() == b"old"


def test_ctrl_c_in_a_save_to_a_pipe_that_nobody_reads(shm_file: MakeFile, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    child = process("save", shm_file(1 << 20), fifo)
    _until(lambda: _waits(child, "pipe_write"))
    child.send_signal(signal.SIGINT)
    assert finish(child).code == 130
    os.close(reader)


# -- two at once -----------------------------------------------------------------------------------


def test_two_commands_on_one_region(shm_file: MakeFile) -> None:
    path = shm_file(1 << 20)
    children = [process("fill", path, n << 19, 1 << 19, "--byte", n + 1) for n in range(2)]
    assert [finish(child).code for child in children] == [0, 0]
    assert path.read_bytes() == b"\1" * (1 << 19) + b"\2" * (1 << 19)


def test_the_window_s_arguments_still_parse() -> None:
    assert cli._size("1280x800") == (1280, 800)
    assert RegionSpec  # the window opens by spec
    with pytest.raises(SystemExit):
        cli._window_parser().parse_args(["--rate", "0"])
