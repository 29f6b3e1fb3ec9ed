"""Dumps of other programs as bytes: the address column is understood or refused, never data."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.errors import ValueFormatError
from app.core.values.export_formats import copy_as
from app.core.values.hex_text import HexText, parse_hex

SAMPLE = b"LGMP\x01\x00\x00\x00" + bytes(range(0x41, 0x60))
PLACES = st.integers(0, (1 << 44) - 1).map(lambda number: number * 16)
ROWS = st.binary(min_size=17, max_size=100)


def ascii_of(row: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)


def in_rows(data: bytes, line: Callable[[int, bytes], str], size: int = 16) -> str:
    return "\n".join(line(at, data[at : at + size]) for at in range(0, len(data), size))


def wireshark(data: bytes, start: int) -> str:
    return in_rows(
        data, lambda at, row: f"{start + at:04x}   {row.hex(' '):<47}   {ascii_of(row)}".rstrip()
    )


def wireshark_bytes(data: bytes, start: int) -> str:
    return in_rows(data, lambda at, row: f"{start + at:04x}   {row.hex(' ')}")


def od(data: bytes, start: int) -> str:
    text = in_rows(data, lambda at, row: f"{start + at:06x} {row.hex(' ')}")
    return f"{text}\n{start + len(data):06x}"


def qemu(data: bytes, start: int) -> str:
    def line(at: int, row: bytes) -> str:
        return f"{start + at:016x}: " + " ".join(f"0x{byte:02x}" for byte in row)

    return in_rows(data, line, 8)


def gdb(data: bytes, start: int) -> str:
    def line(at: int, row: bytes) -> str:
        name = f" <buffer+{at}>" if at else " <buffer>"
        return f"0x{start + at:x}{name}:" + "".join(f"\t0x{byte:02x}" for byte in row)

    return in_rows(data, line, 8)


def xxd(data: bytes, start: int, group: int = 2) -> str:
    def line(at: int, row: bytes) -> str:
        parts = [row[i : i + group].hex() for i in range(0, len(row), group)]
        width = 32 + 16 // group - 1
        return f"{start + at:08x}: {' '.join(parts):<{width}}  {ascii_of(row)}"

    return in_rows(data, line)


def lldb(data: bytes, start: int) -> str:
    return in_rows(data, lambda at, row: f"0x{start + at:08x}: {row.hex(' '):<47}  {ascii_of(row)}")


def own(data: bytes, start: int) -> str:
    return copy_as("hexdump -C", data, start)


def intel(data: bytes, start: int) -> str:
    def record(kind: int, place: int, body: bytes) -> str:
        raw = bytes([len(body), place >> 8, place & 255, kind]) + body
        return f":{raw.hex()}{-sum(raw) & 255:02x}".upper()

    high = record(4, 0, (start >> 16).to_bytes(2, "big"))
    rows = in_rows(data, lambda at, row: record(0, (start & 0xFFFF) + at, row))
    return f"{high}\n{rows}\n{record(1, 0, b'')}"


def motorola(data: bytes, start: int) -> str:
    def record(kind: int, place: bytes, body: bytes) -> str:
        raw = bytes([len(place) + len(body) + 1]) + place + body
        return f"S{kind}{raw.hex()}{~sum(raw) & 255:02x}".upper()

    rows = in_rows(data, lambda at, row: record(3, (start + at).to_bytes(4, "big"), row))
    return f"{record(0, bytes(2), b'name')}\n{rows}\n{record(7, bytes(4), b'')}"


@settings(deadline=None)
@given(ROWS, PLACES, st.sampled_from((wireshark, wireshark_bytes, od, qemu, gdb, xxd, lldb)))
@example(b"ab cd ef 01 23 45 67  89|<>" * 2, 0, xxd)
@example(bytes(32), 0, wireshark)
@example(b"de ad be" + b" " * 30, 16, wireshark)
def test_a_dump_gives_its_bytes_and_its_place(
    data: bytes, start: int, dump: Callable[[bytes, int], str]
) -> None:
    found = parse_hex(dump(data, start))
    assert (found.data, found.address) == (data, start)
    width = 8 if dump in (qemu, gdb) else 16
    assert found.lines == -(-len(data) // width)


@settings(deadline=None, max_examples=400)
@given(
    st.one_of(ROWS, st.lists(st.sampled_from(b"abcdef012389 |<>"), min_size=17).map(bytes)),
    PLACES,
    st.sampled_from((wireshark, wireshark_bytes, od, qemu, gdb, xxd, lldb, own)),
    st.data(),
)
def test_any_part_of_a_dump_gives_bytes_of_it_or_nothing(
    data: bytes, start: int, dump: Callable[[bytes, int], str], draw: st.DataObject
) -> None:
    """Lines that were not copied, a line that was copied in part: an address is never data."""
    lines = [line for line in dump(data, start).split("\n") if " " in line.strip()]
    first = draw.draw(st.integers(0, len(lines) - 1))
    part = lines[first : draw.draw(st.integers(first + 1, len(lines)))]
    if len(part) > 2 and draw.draw(st.booleans()):
        del part[1]
    part[-1] = part[-1][: draw.draw(st.integers(min(len(part[-1]), 20), len(part[-1])))]
    try:
        assert parse_hex("\n".join(part)).data in data
    except ValueFormatError as error:
        assert str(error)  # noqa: PT017 - refusing is the other right answer


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=100), st.integers(0, 0xFF00), st.sampled_from((1, 3, 0x7FFF)))
def test_records_give_their_bytes_and_their_place(data: bytes, low: int, high: int) -> None:
    start = high << 16 | low
    for records in (intel, motorola):
        found = parse_hex(records(data, start))
        assert (found.data, found.address) == (data, start)


@settings(deadline=None)
@given(ROWS, PLACES, st.sampled_from((4, 8)))
def test_wide_groups_are_bytes_only_where_their_text_shows_it(
    data: bytes, start: int, group: int
) -> None:
    """xxd -e prints the same picture, with the bytes of each word turned round."""
    text = xxd(data, start, group)
    turned = in_rows(
        data,
        lambda at, row: (
            f"{start + at:08x}: "
            + " ".join(row[i : i + group][::-1].hex() for i in range(0, len(row), group))
            + f"  {ascii_of(row)}"
        ),
    )
    for shown in (text, turned):
        try:
            assert parse_hex(shown).data == data
        except ValueFormatError as error:
            assert "words" in str(error)  # noqa: PT017 - refusing is the other right answer


@pytest.mark.parametrize(
    ("command", "form"),
    [
        ("hexdump -C", "hexdump -C"),
        ("xxd", "xxd"),
        ("xxd -g1", "xxd"),
        ("xxd -g4", "xxd"),
        ("xxd -p", "hex"),
        ("xxd -i", "list"),
        ("od -A x -t x1", "od"),
        ("od -A x -t x1z", "od"),
        ("od -A d -t x1", "od"),
        ("od -t x1", "od"),
        ("od -A n -t x1", "hex"),
    ],
)
def test_what_the_real_tools_print(tmp_path: Path, command: str, form: str) -> None:
    found = parse_hex(_printed(tmp_path, command))
    assert (found.data, found.form) == (SAMPLE, form)
    first = parse_hex(_printed(tmp_path, command).splitlines()[0]) if form != "list" else found
    assert SAMPLE.startswith(first.data)


@pytest.mark.parametrize(
    "command",
    [
        "od",
        "od -A x",
        "od -A n",
        "od -A x -x",
        "od -A x -t x4",
        "od -A x -t x8",
        "od -c",
        "hexdump",
        "hexdump -x",
        "hexdump -b",
        "xxd -e",
        "xxd -e -g2",
        "xxd -b",
    ],
)
def test_words_of_the_real_tools_are_refused(tmp_path: Path, command: str) -> None:
    text = _printed(tmp_path, command)
    for part in (text, text.splitlines()[0], text.splitlines()[1]):
        with pytest.raises(ValueFormatError):
            parse_hex(part)


def _printed(folder: Path, command: str) -> str:
    if shutil.which(command.split(maxsplit=1)[0]) is None:
        pytest.skip(f"There is no {command.split(maxsplit=1)[0]}.")
    file = folder / "sample"
    file.write_bytes(SAMPLE)
    done = subprocess.run([*command.split(), str(file)], capture_output=True, check=True, text=True)
    return done.stdout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0000   4c 47 4d 50   LGMP", HexText(b"LGMP", "Wireshark", 1, 0)),
        ("0000000000000000: 0x4c 0x47", HexText(b"LG", "QEMU xp /b", 1, 0)),
        ("0x7ffe1000:\t0x4c\t0x47", HexText(b"LG", "gdb x/b", 1, 0x7FFE1000)),
        ("0x5558010 <a<int>::b+4>:\t0x4c", HexText(b"L", "gdb x/b", 1, 0x5558010)),
        ("00000040  4c 47  |LG|\n00000042", HexText(b"LG", "hexdump -C", 1, 0x40)),
        (
            ":10010000214601360121470136007EFE09D2190140",
            HexText(bytes.fromhex("214601360121470136007EFE09D21901"), "Intel HEX", 1, 0x100),
        ),
    ],
)
def test_a_single_line(text: str, expected: HexText) -> None:
    assert parse_hex(text) == expected


def test_what_was_understood_is_told() -> None:
    data = bytes(48)
    text = in_rows(data, lambda at, row: f"{0x40 + at:08x}  {row.hex(' ')}  |{ascii_of(row)}|")
    assert parse_hex(text).summary == "hexdump -C, 3 lines, 48 bytes at 0x40"
    assert parse_hex("DE").summary == "hex, 1 byte"


@pytest.mark.parametrize(
    "text",
    [
        "0000000000000000: 0x504d474c 0x00000001",  # xp /4xw
        "0x7ffe1000:\t0x504d474c\t0x00000001",  # x/4xw
        "0x7ffe1000:\t0x474c",
        "0x504d474c 0x00000001",
        "00000000: 504d474c 00000001",  # u-boot's md
    ],
)
def test_words_are_refused_and_say_what_to_copy(text: str) -> None:
    with pytest.raises(ValueFormatError, match=r"[Ww]ords; copy bytes \(x/16xb"):
        parse_hex(text)


@pytest.mark.parametrize(
    "text",
    [
        "00000000  4c 47  |LG|\n00000010  4c 47  |LG|",  # lines are missing
        "00000000: 4c47  LG\n00000020: 4c47  LG",
        "00000000  4c 47  |LG|\n*\n00000010",
        "00000000  4c 47  |LX|",  # the text tells of other bytes
        "0x7ffe1000:\t76\t71",  # gdb's x/2db
        "0000000000000000:   76   71",  # xp /2db
        "0000000000000000: 0114 0107",  # xp /2ob
        "  76  71  77  80\n  16  17  18  19",  # od -A n -t u1
        "0000000   76   71",  # od -t d1
        "0000000   76",
        "0b10:0100  4c 47",  # a segment's address
        "00000000`00000040  4c 47",
        "DEAD BE EF",  # an address, or data?
        "40: 4c 47",
        "00000010 504d474c 00000001\n00000018 504d474c 00000001",
        "4c 47\n00000010  4c 47",
        ":10010000214601360121470136007EFE09D2190141",  # a wrong checksum
        ":0200000001",
        ":00000001FF",
        ":020000004C476B\n:020004004C4767",  # a gap
        "S1050000AABB94",
        "S9030000FC",
    ],
)
def test_what_could_write_an_address_is_refused(text: str) -> None:
    with pytest.raises(ValueFormatError):
        parse_hex(text)


HEXISH = st.text(alphabet="0123456789abcdefx:|<>.,[]{}S*' \t\n-_", max_size=80)


@settings(deadline=None, max_examples=400)
@given(HEXISH)
@example("[" * 1000)
@example("0x" * 500)
@example("00000000: " + "00 " * 300)
def test_garbage_gives_bytes_or_one_kind_of_error(text: str) -> None:
    said = ""
    try:
        assert parse_hex(text).data
    except ValueFormatError as error:
        said = str(error)
    assert len(said) < 200
