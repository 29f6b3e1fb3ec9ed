"""Hex as it is typed: the forms that sources and dumps have, and refusals by name."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.errors import ValueFormatError
from app.core.values.export_formats import copy_as, hexdump
from app.core.values.hex_text import parse_hex, typed_hex

BYTES = b"\xde\xad\xbe\xef"


@pytest.mark.parametrize(
    "text",
    [
        "DEADBEEF",
        "de ad be ef",
        "0xDE, 0xAD, 0xBE, 0xEF",
        "0xdeadbeef",
        "{0xDE,0xAD,0xBE,0xEF}",
        "\\xDE\\xAD\\xBE\\xEF",
        "b'\\xDE\\xAD\\xBE\\xEF'",
        "DE:AD:BE:EF",
        "DE-AD-BE-EF".replace("-", ";"),
        "[0xDE, 0xAD, 0xBE, 0xEF]",
        "[222, 173, 190, 239]",
        "base64:3q2+7w==",
        "base64:3q2+\n7w==",
        "const unsigned char x[4] = {\n 0xde, 0xad,\n 0xbe, 0xef,\n};",
        "  DEAD\n\n  BEEF  ",
        "DEAD  BEEF",
        "DEADBEEF  ",
        "00000000: dead beef  ....",
        "00000010  de ad be ef  |....|",
        "0x0000'0040:  de ad be ef",
    ],
)
def test_forms_that_people_paste(text: str) -> None:
    assert typed_hex(text) == BYTES


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=80))
@example(b"\xab\xcd")
@example(b"ab cd")
@example(b"|a|b|")
@example(b"deadbeef")
@example(b"deadbeef" * 2)
@example(b"deadbeef" * 2 + b"x")
@example(bytes(16))
@example(data=b":")
@example(data=b"::")
def test_what_we_copy_can_be_pasted(data: bytes) -> None:
    for form in (
        "hex",
        "hex without spaces",
        "hexdump -C",
        "C array",
        "Go slice",
        "Python bytes",
        "JSON array",
    ):
        assert typed_hex(copy_as(form, data, 0x1000)) == data, form
    assert typed_hex(f"base64:{copy_as('base64', data)}") == data
    assert typed_hex(_xxd(data)) == data


def _xxd(data: bytes) -> str:
    """As xxd prints: groups of two, then two spaces and the text."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        groups = " ".join(row[i : i + 2].hex() for i in range(0, len(row), 2))
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}: {groups:<39}  {text}")
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "xyz",
        "0x",
        "{}",
        "[300]",
        "b'ü'",
        "b'",
        "base64:!",
        "base64:ü",
        "DEADBEEF hello",
        "*",
        "00000000  de ad\n*\n",
    ],
)
def test_what_is_no_hex(text: str) -> None:
    with pytest.raises(ValueFormatError):
        typed_hex(text)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_hex_or_refused_by_name(text: str) -> None:
    said = ""
    try:
        assert typed_hex(text)
    except ValueFormatError as error:
        said = str(error)
    assert len(said) < 200


def test_a_dump_of_several_lines() -> None:
    data = bytes(range(100))
    assert typed_hex(hexdump(data, 0x7FFF_0000)) == data


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("{ 10, 20 }", b"\x0a\x14"),
        ("[10, 20,]", b"\x0a\x14"),
        ("uint8_t x[] = { 10, 20 };", b"\x0a\x14"),
        ("bytes([10, 20])", b"\x0a\x14"),
        ("vec![10, 20]", b"\x0a\x14"),
        ("{0x10, 0x20}", b"\x10\x20"),
        ("{ 0x1, 2u }", b"\x01\x02"),
        ("10 20", b"\x10\x20"),
        ("10, 20", b"\x10\x20"),
        ("[DE AD]", b"\xde\xad"),
        ("0x7", b"\x07"),
        ("0xDEAD", b"\xde\xad"),
        ("41 42 // AB", b"AB"),
        ('"\\x41"\n"\\x42"', b"AB"),
    ],
)
def test_decimal_in_lists_and_hex_elsewhere(text: str, data: bytes) -> None:
    assert parse_hex(text).data == data
    assert typed_hex(text) == data


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("{ 10, 256 }", "256"),
        ("[1, 0x100]", "0x100"),
        ("{ DE, AD }", "DE"),
        ("{ 1, -1 }", "-1"),
        ("{ 010 }", "010"),
        ("[10 20]", "10 20"),
        ("41 4", "4"),
        ("41 -42", "-42"),
        ("DE [0xAD]", "DE [0xAD]"),
        ("[1, [2]]", "[1, [2]]"),
        ("DEA", "DEA"),
        ("0xDEA", "DEA"),
    ],
)
def test_the_bad_part_is_shown(text: str, bad: str) -> None:
    with pytest.raises(ValueFormatError) as caught:
        parse_hex(text)
    assert repr(bad) in caught.value.message


def test_one_digit_is_a_byte_only_where_it_is_all_of_a_field() -> None:
    assert typed_hex(" 7 ") == b"\x07"
    for text in ("7", "7 7", "77 7"):
        with pytest.raises(ValueFormatError, match="odd number"):
            parse_hex(text)
    with pytest.raises(ValueFormatError, match="odd number"):
        typed_hex("7 7")
