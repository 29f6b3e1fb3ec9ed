"""Settings and logs: nothing in their files, and nothing about their places, is ever fatal."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.storage import atomic_file, logs, paths
from app.core.storage.folder_lock import folder_lock
from app.core.storage.settings import VERSION, Settings
from tests.core.children import as_nobody


def test_what_was_chosen_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    settings = Settings(path)
    assert settings.problem == ""
    for name, value in {"theme": "dark", "hz": 60.0, "recent": ["/ü"], "docks": {"a": 1}}.items():
        settings.set(name, value)
    assert settings.save()
    again = Settings(path)
    assert again.get("theme", "light") == "dark"
    assert again.get("hz", 30.0) == 60.0
    assert again.get("recent", []) == ["/ü"]
    assert again.get("docks", {}) == {"a": 1}
    assert again.get("nothing", 5) == 5
    assert os.listdir(path.parent) == ["settings.json"]


@pytest.mark.parametrize(
    ("stored", "default", "expected"),
    [(5, "text", "text"), ("5", 5, 5), (None, 5, 5), (7, 1.5, 7.0), ([1], {}, {}), (1, None, 1)],
)
def test_a_value_of_another_type_counts_as_absent(
    tmp_path: Path, stored: Any, default: Any, expected: Any
) -> None:
    settings = Settings(tmp_path / "s")
    settings.set("name", stored)
    value = settings.get("name", default)
    assert value == expected
    assert type(value) is type(expected)


def test_recent_ones_come_first_once_and_are_bounded(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s")
    settings.set("recent", ["old", 5, "same"])
    settings.remember("recent", "same", limit=2)
    assert settings.get("recent", []) == ["same", "old"]
    settings.set("recent", "no list")
    settings.remember("recent", "first")
    assert settings.get("recent", []) == ["first"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b'"text"',
        b"{}",
        b'{"version": 1}',
        b"\xff\xfe\0",
        b'{"version": 1, "values": []}',
        b'{"version": "1", "values": {}}',
        b'{"version": null, "values": {}}',
        b"[" * 100_000,
        bytes(5000),
        b'{"values": {}}',
    ],
    ids=range(15),
)
def test_a_broken_file_is_set_aside_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    settings = Settings(path)
    assert "defaults are used" in settings.problem
    aside = [name for name in os.listdir(tmp_path) if "broken" in name]
    assert len(aside) == 1
    assert aside[0] in settings.problem
    assert (tmp_path / aside[0]).read_bytes() == content
    settings.set("a", 1)
    assert settings.save()
    assert Settings(path).problem == ""


def test_a_newer_file_is_kept_and_called_newer(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": VERSION + 1, "values": {"new": 1}}))
    settings = Settings(path)
    assert "newer version" in settings.problem
    assert "broken" not in settings.problem.split(" set aside as ")[0]
    assert settings.get("new", 0) == 0
    kept = [name for name in os.listdir(tmp_path) if name != "settings.json"]
    assert len(kept) == 1
    assert json.loads((tmp_path / kept[0]).read_text())["values"] == {"new": 1}


def test_places_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "settings.json", Path("/proc/never/s.json")):
        settings = Settings(path)
        settings.set("a", 1)
        assert not settings.save()
        assert settings.get("a", 0) == 1
    assert sorted(os.listdir(tmp_path)) == ["file"]


def test_without_permission_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": VERSION, "values": {"a": 1}}))
    path.chmod(0)

    def attempt() -> str:
        settings = Settings(path)
        found = settings.problem
        settings.set("b", 1)
        assert not settings.save()
        assert "cannot be saved" in settings.problem
        return found

    assert "could not be read" in as_nobody(attempt)


def test_what_is_no_json_is_not_saved_and_the_old_file_stays(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s")
    settings.set("good", 1)
    assert settings.save()
    settings.set("bad", object())
    assert not settings.save()
    loop: list[Any] = []
    loop.append(loop)
    settings.set("bad", loop)
    assert not settings.save()
    assert Settings(tmp_path / "s").get("good", 0) == 1
    assert os.listdir(tmp_path) == ["s"]


def _save_often(path: str, number: int) -> None:
    settings = Settings(Path(path))
    for turn in range(50):
        settings.set("who", number)
        settings.set("long", [number] * (turn * 10))
        assert settings.save()
        seen = Settings(Path(path))
        assert not seen.problem, seen.problem
        assert seen.get("who", -1) in (0, 1)  # each value by itself is of the last who changed it
        assert len(set(seen.get("long", []))) <= 1


def _change_own(path: str, name: str, ready: Any, go: Any) -> None:
    settings = Settings(Path(path))
    ready.release()
    go.wait()
    for turn in range(30):
        settings.set(name, turn)
        settings.remember("recent", f"{name}{turn % 3}")
        assert settings.save()


def test_two_programs_at_once_keep_each_others_changes(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    first = Settings(path)
    first.set("theme", "dark")
    first.set("a", "before")
    assert first.save()
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    programs = [
        context.Process(target=_change_own, args=(str(path), name, ready, go)) for name in "ab"
    ]
    for program in programs:
        program.start()
    for _ in programs:
        ready.acquire()  # both have read the file as it was
    go.set()
    for program in programs:
        program.join(60)
    assert [program.exitcode for program in programs] == [0, 0]
    seen = Settings(path)
    assert (seen.get("a", -1), seen.get("b", -1)) == (29, 29)
    assert seen.get("theme", "") == "dark"
    assert sorted(seen.get("recent", [])) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    first.set("mine", 1)  # this one has looked at nothing since
    assert first.save()
    assert first.get("b", -1) == 29
    assert Settings(path).get("a", -1) == 29
    assert os.listdir(tmp_path) == ["settings.json"]


def test_what_did_not_change_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    ours, other = Settings(path), Settings(path)
    ours.set("theme", "dark")
    assert ours.save()
    other.set("theme", "light")
    assert other.save()
    told: list[int] = []
    ours.on_change = lambda: told.append(1)
    ours.set("theme", "dark")
    assert not told
    assert ours.save()
    assert Settings(path).get("theme", "") == "light"
    ours.set("theme", "blue")
    assert told == [1]


def test_a_file_that_is_broken_meanwhile_is_kept_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    settings = Settings(path)
    settings.set("theme", "dark")
    assert settings.save()
    path.write_text("{ half")
    settings.set("a", 1)
    assert settings.save()
    assert "set aside" in settings.problem
    (aside,) = (name for name in os.listdir(tmp_path) if "broken" in name)
    assert (tmp_path / aside).read_text() == "{ half"
    again = Settings(path)
    assert (again.get("theme", ""), again.get("a", 0)) == ("dark", 1)


def test_a_folder_that_refuses_is_told_and_the_change_is_written_later(tmp_path: Path) -> None:
    (tmp_path / "place").touch()
    settings = Settings(tmp_path / "place" / "settings.json")
    settings.set("a", 1)
    assert not settings.save()
    assert "cannot be saved" in settings.problem
    (tmp_path / "place").unlink()
    assert settings.save()
    assert Settings(tmp_path / "place" / "settings.json").get("a", 0) == 1


def test_a_pipe_in_the_place_of_the_settings_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    os.mkfifo(path)
    settings = Settings(path)
    settings.set("a", 1)
    assert not settings.save()
    assert "is no regular file" in settings.problem
    assert path.is_fifo()


def test_processes_are_looked_through_while_others_may_save(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """That takes longer than others wait for the lock where a thousand processes run."""
    free: list[bool] = []

    def look(_path: object) -> str:
        with folder_lock(tmp_path, 0) as had:
            free.append(had)
        return ""

    settings = Settings(tmp_path / "settings.json")
    settings.path.write_text("{}")
    monkeypatch.setattr(atomic_file, "memory_use", look)
    settings.set("a", 1)
    assert settings.save()
    assert free
    assert all(free)


def test_several_programs_saving_at_once_never_break_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    context = multiprocessing.get_context("spawn")
    savers = [context.Process(target=_save_often, args=(str(path), n)) for n in range(2)]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join(60)
    assert [saver.exitcode for saver in savers] == [0, 0]
    assert os.listdir(tmp_path) == ["settings.json"]


def test_places_are_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    assert paths.settings_file() == tmp_path / "c" / "ivshmem-scope" / "settings.json"
    assert paths.log_dir().is_relative_to(tmp_path / "s")
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path), raising=False)
    assert paths.resource_dir() == tmp_path / "resources"


# -- logs --------------------------------------------------------------------------------------


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    root = logging.getLogger()
    level, before = root.level, list(root.handlers)
    yield root
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def test_a_log_is_written_and_starting_twice_writes_it_once(
    root: logging.Logger, tmp_path: Path
) -> None:
    path = logs.start(directory=tmp_path / "logs")
    assert path == logs.start(directory=tmp_path / "logs")
    assert path is not None
    logging.getLogger("app.test").warning("something %s", "ünusual")
    content = path.read_text(encoding="utf-8")
    assert content.count("something ünusual") == 1
    assert "IVSHMEM Scope" in content
    assert "Python" in logs.describe_system()


def test_a_log_that_cannot_be_written_is_no_reason_to_stop(
    root: logging.Logger, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert logs.start(directory=tmp_path / "file" / "logs") is None


def _log_much(place: str, number: int) -> None:
    logs.start("engine", directory=Path(place))
    for turn in range(200):
        logging.getLogger("test").warning("%d says %d %s", number, turn, "x" * 60)


def test_processes_share_one_log_that_rotates_and_lose_no_line(
    tmp_path: Path,
) -> None:
    place = tmp_path / "logs"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_log_much, args=(str(place), n)) for n in range(2)]
    place.mkdir()
    (place / logs.NAME).write_bytes(b"old\n" * (logs.SIZE // 4 - 2500))  # 10 KB below the limit
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert sorted(os.listdir(place)) == [logs.NAME, f"{logs.NAME}.1"]
    text = (place / f"{logs.NAME}.1").read_text() + (place / logs.NAME).read_text()
    for number, writer in enumerate(writers):
        said = [line for line in text.splitlines() if f" engine {writer.pid} WARNING" in line]
        assert [line.split()[-2] for line in said] == [str(turn) for turn in range(200)], number
    assert (place / f"{logs.NAME}.1").stat().st_size <= logs.SIZE


def test_no_more_than_three_old_logs_are_kept(
    root: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "SIZE", 300)
    logs.start(directory=tmp_path)
    for turn in range(40):
        logging.getLogger("app.test").warning("line %d", turn)
    assert len(os.listdir(tmp_path)) == 4
    assert "line 39" in (tmp_path / logs.NAME).read_text()
