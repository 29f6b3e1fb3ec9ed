"""Columns of numbers against Python's own: struct, int and float."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ValueFormatError
from app.core.values.column_forms import FORMS, HEX, ColumnForm, Kind, form_named
from app.core.values.value_type import Endian

DATA = st.binary(min_size=8, max_size=64).map(lambda data: data[: len(data) // 8 * 8])
FORM = st.sampled_from(FORMS)
_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_FLOATS = {2: "e", 4: "f", 8: "d"}


def model(form: ColumnForm, data: bytes) -> int | float:
    """The value as struct reads it."""
    if form.kind is Kind.FLOAT:
        code = _FLOATS[form.width]
    else:
        code = _CODES[form.width]
        code = code if form.kind is Kind.SIGNED else code.upper()
    value = struct.unpack(form.endian.mark + code, data)[0]
    assert isinstance(value, int | float)
    return value


def expected(form: ColumnForm, value: int | float, text: str) -> bool:
    """Whether a text is that value in this form, and the shortest for a float."""
    match form.kind:
        case Kind.HEX:
            return text == f"{value:0{form.chars}X}"
        case Kind.BINARY:
            return text == f"{value:0{form.chars}b}"
        case Kind.FLOAT:
            return (math.isnan(value) and text == "nan") or same_bits(form, text, value)
    return text == str(value)


def same_bits(form: ColumnForm, text: str, value: float) -> bool:
    code = "<" + _FLOATS[form.width]
    return struct.pack(code, float(text)) == struct.pack(code, value)


@given(FORM, DATA)
@settings(max_examples=80)
def test_every_value_is_written_as_python_reads_it(form: ColumnForm, data: bytes) -> None:
    rows = form.texts(np.frombuffer(data, np.uint8))
    assert rows.shape == (len(data) // form.width, form.chars)
    for at, row in enumerate(rows):
        text = row.tobytes().decode("ascii")
        piece = data[at * form.width : (at + 1) * form.width]
        assert text == text.strip().rjust(form.chars), "aligned to the right"
        assert expected(form, model(form, piece), text.strip()), text
        assert form.text(piece) == text.strip()


@given(FORM, DATA)
@settings(max_examples=60)
def test_what_is_shown_can_be_typed_back(form: ColumnForm, data: bytes) -> None:
    piece = data[: form.width]
    text = form.text(piece)
    if text == "nan":
        return
    assert form.parse(text) == piece
    typed = ""
    for character in text:
        assert form.takes(typed, character), (typed, character)
        assert not form.complete(typed)
        typed += character


@given(FORM, st.text("0123456789abcdefABCDEFxn+-. eEi", max_size=30))
def test_any_text_is_a_value_or_a_sentence(form: ColumnForm, text: str) -> None:
    try:
        data = form.parse(text)
    except ValueFormatError as error:
        complaint = error
    else:
        assert len(data) == form.width
        return
    assert complaint.message
    assert complaint.hint


def test_the_shortest_float_that_reads_back_is_shown() -> None:
    single = ColumnForm(Kind.FLOAT, 4)
    for value, text in ((0.1, "0.1"), (1, "1.0"), (16777216, "16777216.0"), (-1e-38, "-1e-38")):
        assert single.text(struct.pack("<f", value)) == text
    assert ColumnForm(Kind.FLOAT, 2, Endian.BIG).text(b"\x3c\x00") == "1.0"
    assert ColumnForm(Kind.FLOAT, 8).text(struct.pack("<d", math.inf)) == "inf"


@pytest.mark.parametrize(
    ("name", "typed", "data"),
    [
        ("hex32le", "C0FFEE", b"\xee\xff\xc0\0"),
        ("hex16be", "1f", b"\0\x1f"),
        ("bin16be", "101", b"\0\5"),
        ("u16be", "258", b"\1\2"),
        ("i8", "-1", b"\xff"),
        ("f32be", "1.5", b"\x3f\xc0\0\0"),
    ],
)
def test_less_than_all_digits_are_the_low_ones(name: str, typed: str, data: bytes) -> None:
    form = form_named(name)
    assert form is not None
    assert form.parse(typed) == data


def test_names_are_unique_and_found_again() -> None:
    assert len({form.name for form in FORMS}) == len(FORMS)
    assert all(form_named(form.name) == form for form in FORMS)
    assert HEX.name == "hex8"
    assert form_named("u24") is form_named(3) is None
    with pytest.raises(ValueFormatError, match="does not fit u8"):
        ColumnForm(Kind.UNSIGNED, 1).parse("256")
