"""Every form that is copied is understood again, and what can be read in two ways says so."""

from __future__ import annotations

import ast
import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.errors import ValueFormatError
from app.core.values.byte_block import ByteBlock
from app.core.values.escaped_text import escaped, parse_escaped
from app.core.values.export_formats import (
    FORMS,
    address_text,
    copy_as,
    copy_block_as,
    xxd,
)
from app.core.values.pasted_text import readings

BYTES = st.binary(min_size=1, max_size=70)


@settings(max_examples=60, deadline=None)
@given(BYTES, st.sampled_from([0, 0x40, 0x12345670]))
@example(b"\x00\x00\x00", 0)
@example(b"deadbeef" * 3, 0x10)
@example(b"AB", 0)
@example(b'\\"\n\x00', 0)
def test_each_form_comes_back(data: bytes, start: int) -> None:
    for form in FORMS:
        if form == "text":  # shows bytes that are no text, but does not keep them
            continue
        found = readings(copy_as(form, data, start))
        assert data in [one.data for one in found.found], form
        if form != "base64":
            assert found.found[0].data == data, form
            assert found.certain, form


@settings(max_examples=60)
@given(BYTES)
def test_a_string_literal_is_read_the_same_by_python_and_by_us(data: bytes) -> None:
    text = escaped(data)
    assert text.isascii()
    assert ast.literal_eval(f"b{text}") == data
    assert parse_escaped(text) == data


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_string_literal_is_read_the_same_by_c() -> None:
    data = bytes(range(256)) + b"\xffABC\0" + b"?" * 3
    source = f"#include <stdio.h>\nint main(void){{fwrite({escaped(data)},1,{len(data)},stdout);}}"
    command = ["cc", "-w", "-x", "c", "-fsyntax-only", "-"]
    subprocess.run(command, input=source.encode(), check=True, capture_output=True)


@pytest.mark.parametrize(
    ("text", "forms", "certain"),
    [
        ("{ 10, 20 }", [("list", "0a14")], True),
        ("10 20", [("hex", "1020"), ("decimal numbers", "0a14")], True),
        ("1, 2, 200", [("decimal numbers", "0102c8")], True),
        ("AAAA", [("hex", "aaaa"), ("base64", "000000")], True),
        ("3q2+7w==", [("base64", "deadbeef")], True),
        ("nonsense", [("base64", "9e89ec7a7b1e")], False),
        (r'"A\x42\n\0"', [("string", "41420a00")], True),
        (r'"A" "\x42"', [("string", "4142")], True),
        ("0xDE, 0xAD", [("hex", "dead")], True),
        ("[222, 173]", [("list", "dead")], True),
    ],
)
def test_what_a_text_may_mean(text: str, forms: list[tuple[str, str]], certain: bool) -> None:
    found = readings(text)
    *structured, characters = found.found
    assert [(one.form, one.data.hex()) for one in structured] == forms
    assert characters.data == text.encode()
    assert found.certain is certain


@pytest.mark.parametrize("text", ["", "no hex!", r'"\x41B"', r'"\q"', "1, 300", "{10, 300}"])
def test_what_means_nothing_says_why(text: str) -> None:
    with pytest.raises(ValueFormatError) as caught:
        readings(text)
    assert caught.value.message


@pytest.mark.skipif(shutil.which("xxd") is None, reason="there is no xxd to compare with")
def test_dumps_are_as_xxd_makes_them() -> None:
    data = bytes(range(7, 240))
    made = subprocess.run(["xxd"], input=data, capture_output=True, check=True).stdout
    assert xxd(data) == made.decode().rstrip("\n")


def test_a_block_is_copied_row_by_row() -> None:
    block = ByteBlock(0x40, 2, 3, 16)
    data = b"abcdef"
    assert copy_block_as("hex", data, block) == "61 62\n63 64\n65 66"
    dump = copy_block_as("hexdump -C", data, block).splitlines()
    assert [line[:8] for line in dump] == ["00000040", "00000050", "00000060"]
    assert readings(copy_block_as("C array", data, block)).found[0].data == data
    assert readings(copy_block_as("hex", data, block)).found[0].data == data
    assert address_text(block) == "0x40:2 x 3 every 16"
    assert address_text(ByteBlock(0x40, 16)) == "0x40:16"
    assert address_text(ByteBlock(0x40, 0)) == "0x40"
