"""What a person types to find, as bytes, masks and ranges; bad input is told."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ValueFormatError
from app.core.search.needle import ENCODINGS, Endians, Needle, NeedleKind, parse_needle
from app.core.search.patterns import AnyPattern, MaskedPattern, RangePattern, Slice
from app.core.search.replace import parse_replacement
from app.core.values.value_type import Endian
from app.core.values.value_types import TYPES
from tests.core.search.searching import starts_in


@pytest.mark.parametrize(
    ("text", "value", "mask"),
    [
        ("FF ?? 1?", b"\xff\x00\x10", b"\xff\x00\xf0"),
        ("ff??1?", b"\xff\x00\x10", b"\xff\x00\xf0"),
        ("0xFF, 0x?1", b"\xff\x01", b"\xff\x0f"),
        ("12 ? 34", b"\x12\x00\x34", b"\xff\x00\xff"),
        ("12 34 & FF F0", b"\x12\x30", b"\xff\xf0"),
        ("DE AD BE EF", b"\xde\xad\xbe\xef", b"\xff" * 4),
        ("{ 0x41, 66 }", b"AB", b"\xff\xff"),
        ("7", b"\x07", b"\xff"),
    ],
)
def test_bytes(text: str, value: bytes, mask: bytes) -> None:
    pattern = parse_needle(Needle(NeedleKind.BYTES, text))
    assert isinstance(pattern, MaskedPattern)
    assert (pattern.value, pattern.mask) == (value, mask)


@pytest.mark.parametrize(
    ("needle", "words"),
    [
        (Needle(NeedleKind.BYTES, "?? ??"), "match everywhere"),
        (Needle(NeedleKind.BYTES, "F? 1"), "two digits"),
        (Needle(NeedleKind.BYTES, "G? 11"), "two digits"),
        (Needle(NeedleKind.BYTES, "12 34 & FF"), "mask of 1"),
        (Needle(NeedleKind.BYTES, ""), "no hex bytes"),
        (Needle(NeedleKind.BYTES, "12 & 00"), "match everywhere"),
        (Needle(NeedleKind.TEXT, ""), "no text"),
        (Needle(NeedleKind.TEXT, "€", "cp437"), "does not exist in CP437"),
        (Needle(NeedleKind.TEXT, "a", "ebcdic"), "no encoding"),
        (Needle(NeedleKind.VALUE, "300", type_name="u8"), "does not fit"),
        (Needle(NeedleKind.VALUE, "5..3"), "no range"),
        (Needle(NeedleKind.VALUE, "0.5..0.25", type_name="f32"), "no range"),
        (Needle(NeedleKind.VALUE, "nan..1", type_name="f32"), "no order"),
        (Needle(NeedleKind.VALUE, "1..2", type_name="guid"), "no order"),
        (Needle(NeedleKind.VALUE, "5±x"), "with a tolerance"),
        (Needle(NeedleKind.VALUE, "5±-1"), "no tolerance"),
        (Needle(NeedleKind.VALUE, "", type_name="f64"), "no value"),
        (Needle(NeedleKind.VALUE, "1", type_name="u7"), "no type"),
        (Needle(NeedleKind.VALUE, "1", align=0), "alignment"),
        (Needle(NeedleKind.REGEX, "(a"), "character 1"),
        (Needle(NeedleKind.REGEX, "a*"), "nothing at all"),
        (Needle(NeedleKind.REGEX, "a{99999999999}"), "too large"),
        (Needle(NeedleKind.REGEX, "(" * 1000 + ")" * 1000), ""),
        (Needle(NeedleKind.STRINGS, least=0), "least length"),
        (Needle(NeedleKind.TEXT, "x" * 70_000), "longer than"),
    ],
)
def test_what_cannot_be_found_is_told(needle: Needle, words: str) -> None:
    with pytest.raises(ValueFormatError) as told:
        parse_needle(needle)
    assert words in str(told.value)


ANYTHING = st.text(max_size=40) | st.text("0123456789abcdefx?&.±%+-[](){}*|\\ \ud800", max_size=20)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(NeedleKind),
    text=ANYTHING,
    by=ANYTHING,
    encoding=st.sampled_from(list(ENCODINGS)),
    type_name=st.sampled_from([kind.name for kind in TYPES]),
    endians=st.sampled_from(Endians),
    ignore_case=st.booleans(),
)
def test_whatever_is_typed_is_a_pattern_or_a_sentence(
    kind: NeedleKind,
    text: str,
    by: str,
    encoding: str,
    type_name: str,
    endians: Endians,
    ignore_case: bool,
) -> None:
    needle = Needle(kind, text, encoding, ignore_case, type_name, endians)
    with contextlib.suppress(ValueFormatError):
        pattern = parse_needle(needle)
        if kind is not NeedleKind.REGEX:
            starts_in(pattern, bytes(range(256)) * 2)
    with contextlib.suppress(ValueFormatError):
        found = parse_replacement(needle, by)
        assert len(found.over(bytes(len(found.value)))) == len(found.value) > 0


def test_text_without_case_is_exact_in_every_encoding() -> None:
    both = "aÉ1Ss"
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1", "cp437"):
        pattern = parse_needle(Needle(NeedleKind.TEXT, both, encoding, ignore_case=True))
        forms = ["aé1ss", "AÉ1SS", "aÉ1sS"]
        data = b"|".join(form.encode(encoding) for form in forms) + "aê1ss".encode(encoding)
        at = [data.index(form.encode(encoding)) for form in forms]
        assert starts_in(pattern, data) == at, encoding
    # Ÿ and ÿ differ in many bits of UTF-8: other mixtures of their bytes are no letters of both.
    pattern = parse_needle(Needle(NeedleKind.TEXT, "ÿ", ignore_case=True))
    assert isinstance(pattern, AnyPattern)
    mixed = bytes([0xC3, 0xB8, 0xC5, 0xBF])
    assert starts_in(pattern, "ÿŸ".encode() + mixed) == [0, 2]


@pytest.mark.parametrize(
    ("type_name", "text", "inside", "outside"),
    [
        ("u32", "10..20", (10, 15, 20), (9, 21, 0xFFFFFFFF)),
        ("i32", "-3..2", (-3, -1, 0, 2), (-4, 3, -(1 << 31))),
        ("i8", "100±27", (73, 100, 127), (72, -128)),
        ("u16", "1000±10%", (900, 1100), (899, 1101)),
        ("u64", "0..0xFFFFFFFFFFFFFFFF", (0, (1 << 64) - 1), ()),
        ("i24", "-1..1", (-1, 0, 1), (-2, 2)),
        ("f32", "3.1..3.2", (3.1, 3.15, 3.2), (3.0999, 3.2001, float("nan"))),
        ("f32", "-1..1", (-1.0, -0.0, 0.0, 1.0, -1e-40), (-1.0001, 1.0001, float("nan"))),
        ("f64", "-2..-1", (-2.0, -1.5, -1.0), (-2.1, -0.9, 1.5)),
        ("f64", "0", (0.0, -0.0), (5e-324,)),
        ("f16", "1±0.5", (0.5, 1.0, 1.5), (0.25, 1.75, -1.0)),
        ("f64", "1..inf", (1.0, float("inf")), (0.5, float("-inf"))),
    ],
)
@pytest.mark.parametrize("big", [False, True])
def test_ranges_of_values(
    type_name: str, text: str, inside: tuple[float, ...], outside: tuple[float, ...], big: bool
) -> None:
    order = Endians.BIG if big else Endians.LITTLE
    pattern = parse_needle(Needle(NeedleKind.VALUE, text, type_name=type_name, endians=order))
    for value in (*inside, *outside):
        data = packed(type_name, value, big)
        part = Slice(np.frombuffer(data, np.uint8), 0, 0, 1)
        assert (len(pattern.find(part)) == 1) is (value in inside), value


def packed(type_name: str, value: float, big: bool) -> bytes:
    mark = ">" if big else "<"
    if type_name[0] == "f":
        return struct.pack(mark + {"f16": "e", "f32": "f", "f64": "d"}[type_name], value)
    size, signed = int(type_name[1:]) // 8, type_name[0] == "i"
    return int(value).to_bytes(size, "big" if big else "little", signed=signed)


def test_values_of_every_type_are_found_as_they_are_encoded() -> None:
    for kind in TYPES:
        for endian in Endian:
            value = kind.encode(kind.example.split(",")[0].split(" or ")[0], endian)
            needle = Needle(
                NeedleKind.VALUE,
                kind.example.split(",")[0].split(" or ")[0],
                type_name=kind.name,
                endians=Endians.BOTH,
            )
            assert 3 in starts_in(parse_needle(needle), b"\x7f\x7f\x7f" + value + b"\x7f"), (
                kind.name
            )


def test_a_time_range() -> None:
    needle = Needle(
        NeedleKind.VALUE, "2026-01-01 00:00:00..2026-12-31 00:00:00", type_name="unix32"
    )
    pattern = parse_needle(needle)
    assert isinstance(pattern, RangePattern)
    data = struct.pack("<III", 1_767_225_600, 1_767_225_599, 1_780_000_000)
    assert [at for at in starts_in(pattern, data) if at % 4 == 0] == [0, 8]
