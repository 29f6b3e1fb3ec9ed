"""`list`, `info`, `dump`, `read` and `watch`."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.watch.sampler import MAX_SPAN
from tests.command_line.tools import MakeFile, Run, finish, process, until

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
        "kind": "file",
        "name": path.name,
        "location": str(path),
        "size_bytes": 1 << 20,
        "address": None,
        "windows_address": None,
        "users": [],
        "content": {"name": "zeros", "detail": "nothing written yet", "offset": 0, "claimed": []},
        "level": "good",
        "health": "ok",
        "text": "Healthy",
        "hint": "",
        "command": "",
        "likely_shared": True,
        "writable": True,
        "share": None,
        "notes": [],
    }
    assert isinstance(told["problems"], list)


def test_an_empty_list_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.core.discovery.device import DeviceList

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


# -- watch ---------------------------------------------------------------------------------------


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
        until(lambda: _says_something_after(child, lambda: file.write(os.urandom(8))))
    os.truncate(path, 4096)
    told = finish(child)
    assert told.code == 5
    assert json.loads(told.err)["error"] == "region-gone"


def _says_something_after(child: subprocess.Popen[bytes], act: Callable[[], object]) -> bool:
    import select

    act()
    return bool(select.select([child.stdout], [], [], 0.02)[0])
