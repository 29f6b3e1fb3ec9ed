"""Bookmarks: what they say of themselves, changes that give one another way, files of any kind."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.annotations.bookmark import (
    COLORS,
    LONGEST_NAME,
    Bookmark,
    Put,
    Remove,
    applied,
    bookmark_from,
    checked,
    difference,
    kinds,
    led_here,
    new_key,
)
from app.core.annotations.bookmark_file import (
    FORMAT,
    LARGEST,
    BookmarkFile,
    RegionKey,
    parse,
    read_file,
    to_text,
)
from app.core.errors import StorageError, ValueFormatError
from app.core.values.value_type import Endian

REGION = RegionKey("file", "/dev/shm/some region")
HEAD = Bookmark("a", 0x40, 8, "head", kind="u64", digit=1)
TAIL = Bookmark("b", 0x80, 4, "tail", "rose", "u32", Endian.BIG, "moved by\nthe peer")


@pytest.fixture
def file(tmp_path: Path) -> BookmarkFile:
    return BookmarkFile(REGION, tmp_path / "bookmarks")


def aside(file: BookmarkFile) -> list[Path]:
    return sorted(file.path.parent.glob("*.broken-*"))


def test_a_value_is_read_as_its_type_says() -> None:
    assert HEAD.value(b"\x2a" + bytes(7)) == "42"
    assert TAIL.value(b"\0\0\1\0") == "256"
    assert TAIL.value(b"\0\0\1") == "-", "too few bytes"
    text = Bookmark("t", 0, 64, kind="text")
    assert text.value_length == 32
    assert text.value(b"hello\n\xff\0rest") == "hello··"
    plain = Bookmark("p", 0, 3)
    assert plain.value(b"\xde\xad\1") == "DE AD 01"
    assert replace(plain, length=100).value(bytes(2)) == "00 00 …"
    assert (HEAD.title, plain.title, replace(plain, digit=3).title) == ("head", "0x0", "bookmark 3")


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": -1},
        {"length": 0},
        {"start": 1 << 63},
        {"name": "x" * (LONGEST_NAME + 1)},
        {"note": "x" * 10_001},
        {"color": "mauve"},
        {"kind": "u65"},
        {"digit": 10},
        {"note": "\ud800"},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueFormatError):
        checked(replace(HEAD, **wrong))


def test_a_name_is_one_line_of_letters_that_can_be_seen() -> None:
    assert checked(replace(HEAD, name=" a\n\x1b[1m\u202eb\t ")).name == "a [1m b"


marks = st.builds(
    lambda *fields: checked(Bookmark(*fields)),
    st.sampled_from("abcdef"),
    st.integers(0, 1 << 40),
    st.integers(1, 1 << 20),
    st.text("aZ ü→\u202e", max_size=8),
    st.sampled_from(COLORS),
    st.sampled_from(kinds()),
    st.sampled_from(Endian),
    st.text('a\n\0"ü\U0001f600', max_size=8),
    st.none() | st.integers(0, 9),
)
sets = st.lists(marks, max_size=4).map(lambda found: applied((), map(Put, found)))


@settings(max_examples=40)
@given(sets)
def test_a_file_gives_back_what_was_put_into_it(found: tuple[Bookmark, ...]) -> None:
    content = parse(to_text(REGION, found).encode())
    assert content.marks == found
    assert not content.left_out


@settings(max_examples=40)
@given(sets, sets)
def test_the_difference_leads_from_one_to_the_other_and_back(
    now: tuple[Bookmark, ...], wanted: tuple[Bookmark, ...]
) -> None:
    assert applied(now, difference(now, wanted)) == wanted
    assert applied(wanted, difference(wanted, now)) == now


def test_a_digit_belongs_to_the_last_that_took_it() -> None:
    found = applied((HEAD, TAIL), [Put(replace(TAIL, digit=1))])
    assert [(mark.key, mark.digit) for mark in found] == [("a", None), ("b", 1)]


def test_setting_a_digit_moves_what_is_nothing_else() -> None:
    there = led_here((HEAD, TAIL), 1, TAIL.start, TAIL.length)
    assert there == replace(TAIL, digit=1), "what is of this range gets it"
    new = led_here((HEAD, TAIL), 1, 0x40, 4)
    assert (new.start, new.length, new.kind, new.digit) == (0x40, 4, "u32", 1)
    assert new.key not in ("a", "b"), "what has a name stays"
    assert led_here((new,), 1, 7, 1) == replace(new, start=7, length=1, kind="u8")


def test_two_programs_do_not_undo_each_other(file: BookmarkFile) -> None:
    other = BookmarkFile(REGION, file.path.parent)
    assert file.load() == ()
    file.change([Put(HEAD)])
    before = file.stamp()
    other.change([Put(TAIL)])
    assert file.stamp() != before
    assert file.load() == (HEAD, TAIL)
    many = [Bookmark(new_key(), 16 * n, name=str(n)) for n in range(8)]

    def put(program: BookmarkFile, part: list[Bookmark]) -> None:
        for mark in part:
            program.change([Put(mark)])

    threads = [
        threading.Thread(target=put, args=pair) for pair in ((file, many[::2]), (other, many[1::2]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {mark.key for mark in file.load()} == {"a", "b", *(mark.key for mark in many)}
    file.change([Remove(mark.key) for mark in other.load()])
    assert not file.path.exists(), "a region without bookmarks leaves no file"
    assert not file.problem


def test_regions_have_files_of_their_own_with_names_to_recognise(tmp_path: Path) -> None:
    keys = [
        REGION,
        replace(REGION, start=4096),
        RegionKey("bar", "0000:08:01.0"),
        RegionKey("", ""),
    ]
    keys += [RegionKey("file", "/dev/shm/" + "ü" * 300), RegionKey("windows", "\\\\?\\pci#ven{a}")]
    names = [key.file_name for key in keys]
    assert len(set(names)) == len(names)
    assert names[0].startswith("some-region-")
    for key in keys:
        BookmarkFile(key, tmp_path).change([Put(HEAD)])
    assert len(list(tmp_path.glob("*.json"))) == len(keys)


BROKEN = [
    b"",
    b"\x00\xff\xfe garbage \x80",
    to_text(REGION, [HEAD, TAIL]).encode()[:-30],
    b"[" * 100_000,
    b"[1, 2]",
    b'{"format": "something else", "version": 1, "bookmarks": []}',
    json.dumps({"format": FORMAT, "version": 1, "bookmarks": {}}).encode(),
    json.dumps({"format": FORMAT, "version": True, "bookmarks": []}).encode(),
    b" " * (LARGEST + 1),
]


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_is_none_is_told_and_kept(file: BookmarkFile, data: bytes) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(data)
    with pytest.raises(StorageError, match="is no file of bookmarks"):
        read_file(file.path)
    assert file.load() == ()
    (kept,) = aside(file)
    assert kept.read_bytes() == data
    assert kept.name in file.problem
    file.change([Put(HEAD)])
    assert file.load() == (HEAD,)


def test_entries_that_are_none_are_left_out_told_and_kept(file: BookmarkFile) -> None:
    good = {"start": "0x40", "name": "by hand"}
    wrong = [5, {}, {"start": -1}, {"start": 1.5}, {"start": 0, "type": "u65"}, {"start": "0x"}]
    wrong += [{"start": 0, "name": 7}, {"start": 0, "key": "é"}, {"start": 0, "endian": "middle"}]
    text = json.dumps({"format": FORMAT, "version": 1, "bookmarks": [good, *wrong]})
    content = parse(text.encode())
    assert [(mark.start, mark.name) for mark in content.marks] == [(0x40, "by hand")]
    assert len(content.left_out) == len(wrong)
    assert "Entry 2: It is no group of fields." in content.why()
    assert f"And {len(wrong) - 3} more." in content.why()
    file.path.parent.mkdir()
    file.path.write_text(text)
    assert [mark.start for mark in file.load()] == [0x40]
    assert [mark.start for mark in file.load()] == [0x40], "the good ones stay in the file"
    (kept,) = aside(file)
    assert kept.read_text() == text


def test_a_newer_file_is_left_alone(file: BookmarkFile) -> None:
    file.path.parent.mkdir()
    text = json.dumps({"format": FORMAT, "version": 2, "bookmarks": "other"})
    file.path.write_text(text)
    assert file.load() == ()
    assert "newer version" in file.problem
    with pytest.raises(StorageError, match="left alone"):
        file.change([Put(HEAD)])
    assert file.path.read_text() == text
    assert not aside(file)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    file = BookmarkFile(REGION, tmp_path / "taken" / "bookmarks")
    with pytest.raises(StorageError, match="cannot be kept"):
        file.change([Put(HEAD)])


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="could not be read"):
        read_file(tmp_path / "pipe")


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.dictionaries(
            st.sampled_from(("start", "length", "name", "type", "digit", "endian", "key")),
            inner,
            max_size=4,
        ),
        max_leaves=5,
    )
)
def test_whatever_json_has_is_a_bookmark_or_refused(fields: object) -> None:
    try:
        mark = bookmark_from(fields)
    except ValueFormatError:
        return
    assert checked(mark) == mark
