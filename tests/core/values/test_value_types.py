"""Typed values: what is shown can be typed back, and garbage is refused by name."""

from __future__ import annotations

import math
import struct
import uuid

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.errors import ValueFormatError
from app.core.values.value_type import Endian, ValueType
from app.core.values.value_types import TYPES, number_bytes, type_named

LITTLE, BIG = Endian.LITTLE, Endian.BIG
FIXED = [kind for kind in TYPES if kind.size and kind.name not in ("char", "dos")]
ENDIANS = st.sampled_from(Endian)


@pytest.mark.parametrize("kind", FIXED, ids=lambda kind: kind.name)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), endian=ENDIANS)
def test_what_is_shown_is_read_back_as_the_same_bytes(
    kind: ValueType, data: st.DataObject, endian: Endian
) -> None:
    raw = data.draw(st.binary(min_size=kind.size, max_size=kind.size))
    text = kind.decode(raw + b"behind", endian)
    if text is None:
        assert kind.group == "time"  # years that no calendar has
    elif text == "nan":
        assert kind.decode(kind.encode(text, endian), endian) == "nan"
    else:
        assert kind.encode(text, endian) == raw


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_each_type_takes_its_own_example(kind: ValueType) -> None:
    for text in kind.example.replace(" or ", ", ").split(", "):
        for endian in Endian:
            raw = kind.encode(text, endian)
            assert kind.decode(raw + bytes(16), endian) is not None
            assert not kind.size or len(raw) == kind.size


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=30), endian=ENDIANS)
@example(text="9" * 100_000, endian=LITTLE)
@example(text="1e99999", endian=LITTLE)
@example(text="0x", endian=LITTLE)
@example(text="-1", endian=BIG)
@example(text="\ud800", endian=LITTLE)
@example(text="9999-99-99 99:99:99", endian=LITTLE)
@example(text="0001-01-01 00:00:00+23:59", endian=LITTLE)
@example(text="true (999)", endian=LITTLE)
def test_garbage_is_refused_by_name(kind: ValueType, text: str, endian: Endian) -> None:
    said = ""
    try:
        raw = kind.encode(text, endian)
        assert isinstance(raw, bytes)
        assert not kind.size or len(raw) == kind.size
    except ValueFormatError as error:
        said = str(error)
    assert len(said) < 300


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=20), endian=ENDIANS)
def test_any_bytes_are_text_or_nothing(kind: ValueType, raw: bytes, endian: Endian) -> None:
    text = kind.decode(raw, endian)
    assert text is None or (text and len(text) < 60)
    if len(raw) < kind.size:
        assert text is None


@pytest.mark.parametrize("bits", [8, 16, 24, 32, 48, 64])
def test_integers_at_their_ends(bits: int) -> None:
    for name, low, high in (
        (f"u{bits}", 0, 2**bits - 1),
        (f"i{bits}", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1),
    ):
        kind = type_named(name)
        for value in (low, high):
            raw = kind.encode(str(value), BIG)
            assert int.from_bytes(raw, "big", signed=name[0] == "i") == value
        for value in (low - 1, high + 1):
            with pytest.raises(ValueFormatError) as caught:
                kind.encode(str(value))
            assert caught.value.hint == f"{low} to {high}."


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x2A", 42),
        ("0b101010", 42),
        ("0o52", 42),
        ("42", 42),
        (" 42 ", 42),
        ("1_000", 1000),
        ("1'000", 1000),
        ("007", 7),
        ("+5", 5),
        ("0X2a", 42),
    ],
)
def test_integers_as_people_write_them(text: str, value: int) -> None:
    assert int.from_bytes(type_named("u32").encode(text), "little") == value


def test_floats_that_are_no_numbers() -> None:
    for name, code in (("f16", "e"), ("f32", "f"), ("f64", "d")):
        kind = type_named(name)
        for text in ("inf", "-inf", "-0.0", "0.0"):
            assert kind.encode(text, BIG) == struct.pack(f">{code}", float(text))
            assert kind.decode(kind.encode(text, BIG), BIG) == text
        assert math.isnan(struct.unpack(f"<{code}", kind.encode("nan"))[0])
        for text in ("1e400", "-1e400", *(["3.5e38"] if name != "f64" else [])):
            with pytest.raises(ValueFormatError, match=f"does not fit {name}"):
                kind.encode(text)
        tiny = bytes([1, *bytes(kind.size - 1)])
        assert kind.encode(kind.decode(tiny) or "") == tiny  # the least of the subnormals
    assert type_named("f32").decode(struct.pack("<f", 0.1)) == "0.1"
    with pytest.raises(ValueFormatError):
        type_named("f16").encode("65536")
    with pytest.raises(ValueFormatError):
        type_named("f32").encode("1e39")


@pytest.mark.parametrize(
    ("name", "count", "text"),
    [
        ("unix32", 0, "1970-01-01 00:00:00"),
        ("unix32", -1, "1969-12-31 23:59:59"),
        ("unix32", 2**31 - 1, "2038-01-19 03:14:07"),
        ("unix64", -62135596800, "0001-01-01 00:00:00"),
        ("unixms", 1, "1970-01-01 00:00:00.001"),
        ("unixms", -1, "1969-12-31 23:59:59.999"),
        ("filetime", 0, "1601-01-01 00:00:00"),
        ("filetime", 116_444_736_000_000_001, "1970-01-01 00:00:00.0000001"),
        ("filetime", 133_801_632_000_000_000, "2025-01-01 00:00:00"),
    ],
)
def test_known_moments(name: str, count: int, text: str) -> None:
    kind = type_named(name)
    for endian in Endian:
        raw = count.to_bytes(kind.size, endian.value, signed=count < 0)
        assert kind.decode(raw, endian) == text
        assert kind.encode(text, endian) == raw


def test_moments_with_a_zone_and_without_a_time() -> None:
    kind = type_named("unix64")
    assert int.from_bytes(kind.encode("1970-01-01T01:00:00+01:00"), "little") == 0
    assert int.from_bytes(kind.encode("1970-01-02"), "little") == 86_400
    assert int.from_bytes(type_named("unixms").encode("1970-01-01 00:00:00,25Z"), "little") == 250
    assert kind.decode(b"\xff" * 7 + b"\x7f") is None
    with pytest.raises(ValueFormatError):
        type_named("unix32").encode("2038-01-19 03:14:08")
    with pytest.raises(ValueFormatError):
        type_named("filetime").encode("1600-12-31 23:59:59")


@given(st.datetimes(), ENDIANS)
@settings(deadline=None)
def test_dos_times(moment: object, endian: Endian) -> None:
    kind = type_named("dos")
    text = f"{moment:%Y-%m-%d %H:%M:%S}"
    year = int(text[:4]) if text[:4].isdigit() else 0
    if not 1980 <= year <= 2107:
        with pytest.raises(ValueFormatError):
            kind.encode(text, endian)
        return
    shown = kind.decode(kind.encode(text, endian), endian)
    assert shown is not None
    assert shown[:-2] == text[:-2]
    assert int(shown[-2:]) == int(text[-2:]) // 2 * 2
    assert kind.decode(bytes(4)) is None  # no month 0


def test_guids_of_both_byte_orders() -> None:
    kind = type_named("guid")
    value = uuid.UUID("12345678-1234-5678-9abc-def012345678")
    assert kind.encode(f"{{{value}}}", BIG) == value.bytes
    assert kind.encode(str(value).upper(), LITTLE) == value.bytes_le
    assert kind.decode(value.bytes_le, LITTLE) == f"{{{value}}}"


@settings(deadline=None)
@given(st.characters(exclude_categories=["Cs"]), ENDIANS)
@example("'", LITTLE)
@example('"', LITTLE)
@example("\\", BIG)
@example("\n", LITTLE)
@example("\0", LITTLE)
@example("😀", BIG)
def test_characters(text: str, endian: Endian) -> None:
    for name in ("utf8", "utf16"):
        kind = type_named(name)
        raw = kind.encode(text, endian)
        codec = "utf-8" if name == "utf8" else f"utf-16-{endian.value[0]}e"
        assert raw == text.encode(codec)
        shown = kind.decode(raw + b"\0\0", endian)
        assert shown is not None
        assert f"U+{ord(text):04X}" in shown
        assert kind.encode(shown, endian) == raw
    if " " <= text <= "~":
        kind = type_named("char")
        assert kind.encode(text) == text.encode()
        assert kind.encode(kind.decode(text.encode()) or "") == text.encode()


def test_characters_that_are_none() -> None:
    assert type_named("utf8").decode(b"\xff\xff\xff\xff") is None
    assert type_named("utf8").decode(b"\xed\xa0\x80") is None  # a surrogate
    assert type_named("utf16").decode(b"\x00\xd8\x00\x00", LITTLE) is None
    assert type_named("utf16").decode(b"\x00", LITTLE) is None
    assert type_named("char").decode(b"\x07") is None


@given(st.integers(0, 2**70 - 1))
@settings(deadline=None)
def test_leb128(value: int) -> None:
    kind = type_named("uleb")
    raw = kind.encode(str(value))
    assert kind.decode(raw + b"\xff") == f"{value} ({len(raw)} B)"
    assert kind.encode(kind.decode(raw) or "") == raw


def test_leb128_without_an_end() -> None:
    kind = type_named("uleb")
    assert kind.decode(b"\x80" * 20) is None
    assert kind.decode(b"\x80") is None
    assert kind.decode(b"\xe5\x8e\x26") == "624485 (3 B)"
    for text in ("-1", str(2**70)):
        with pytest.raises(ValueFormatError):
            kind.encode(text)


def test_names() -> None:
    assert len({kind.name for kind in TYPES}) == len(TYPES)
    assert type_named("U32").name == "u32"
    with pytest.raises(ValueFormatError) as caught:
        type_named("quux")
    assert "f64" in caught.value.hint


@given(st.floats(), st.sampled_from([kind.name for kind in TYPES] + ["F32", "U8"]), ENDIANS)
@settings(deadline=None)
def test_numbers_for_signals(value: float, name: str, endian: Endian) -> None:
    try:
        raw = number_bytes(value, name, endian)
    except ValueFormatError:
        return
    assert len(raw) == type_named(name).size
    if type_named(name).group == "integer":
        assert type_named(name).decode(raw, endian) == str(int(value)), "none is cut off"
