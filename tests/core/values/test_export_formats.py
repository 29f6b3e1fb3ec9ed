"""Copied text is what each language's own reader reads as the same bytes."""

from __future__ import annotations

import ast
import base64
import json
import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ValueFormatError
from app.core.values.export_formats import FORMS, copy_as, hexdump

DATA = st.binary(max_size=70)


@settings(deadline=None)
@given(DATA)
def test_each_form_holds_all_bytes(data: bytes) -> None:
    assert bytes.fromhex(copy_as("hex", data)) == data
    assert bytes.fromhex(copy_as("hex without spaces", data)) == data
    assert ast.literal_eval(copy_as("Python bytes", data)) == data
    assert bytes(json.loads(copy_as("JSON array", data))) == data
    assert base64.b64decode(copy_as("base64", data), validate=True) == data
    for form in ("C array", "Rust array", "Go slice"):
        listed = re.findall(r"0x([0-9a-f]{2}),", copy_as(form, data))
        assert bytes.fromhex("".join(listed)) == data
    for form in ("C array", "Rust array"):
        assert re.search(r"\d+(?=\])", copy_as(form, data))[0] == str(len(data))  # type: ignore[index]


def test_text_shows_what_is_no_text() -> None:
    assert copy_as("text", "grüß\0".encode() + b"\xff") == "grüß␀�"


@settings(deadline=None)
@given(DATA, st.integers(0, 1 << 40), st.integers(1, 40))
def test_dumps_line_up(data: bytes, start: int, columns: int) -> None:
    lines = hexdump(data, start, columns).splitlines()
    assert len(lines) == -(-len(data) // columns)
    for number, line in enumerate(lines):
        offset, rest = line.split("  ", 1)
        assert int(offset, 16) == start + number * columns
        row = data[number * columns : (number + 1) * columns]
        assert bytes.fromhex(rest[: rest.rindex("|", 0, len(rest) - len(row) - 1)]) == row
        assert len(offset) >= 8
    ends = {line.index("|") - len(line.split("  ")[0]) for line in lines}
    assert len(ends) <= 1


@pytest.mark.skipif(shutil.which("hexdump") is None, reason="there is no hexdump to compare with")
def test_dumps_are_as_hexdump_makes_them() -> None:
    data = bytes(range(7, 240)) + b"|end|"
    made = subprocess.run(["hexdump", "-vC"], input=data, capture_output=True, check=True).stdout
    assert hexdump(data).splitlines() == made.decode().splitlines()[:-1]


def test_what_is_no_form() -> None:
    with pytest.raises(ValueFormatError) as caught:
        copy_as("papyrus", b"")
    assert all(form in caught.value.hint for form in FORMS)
    for columns in (0, -1):
        with pytest.raises(ValueFormatError):
            hexdump(b"x", columns=columns)
