"""The text column's encodings against Python's codecs, a character after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ValueFormatError
from app.core.values.multibyte_text import NONE, REST
from app.core.values.text_encodings import ASCII, ENCODINGS, TextEncoding, encoding_named

ENCODING = st.sampled_from(ENCODINGS)
MIXED = st.lists(
    st.binary(max_size=4)
    | st.text(max_size=3).map(lambda text: text.encode("utf-8", "ignore"))
    | st.text(max_size=3).map(lambda text: text.encode("utf-16-le", "ignore"))
    | st.text("日本語テキストｱｲ", max_size=4).map(lambda text: text.encode("cp932")),
    max_size=8,
).map(b"".join)


def model(encoding: TextEncoding, data: bytes) -> list[int]:
    """One after the other: the shortest bytes that are a character, else on by a unit."""
    found: list[int] = []
    while len(found) < len(data):
        at = len(found)
        step = pair_step(encoding, data[at : at + 2])
        for length in range(step, 5, encoding.unit):
            piece = data[at : at + length]
            try:
                text = piece.decode(encoding.codec)
            except UnicodeDecodeError:
                continue
            if len(piece) == length and len(text) == 1:
                codes = [ord(text), *[REST] * (length - 1)]
                shown = text.isprintable() or ord(text) > 0xFFFF
                found += codes if shown else [NONE] * length
                break
        else:
            found += [NONE] * step
    return found[: len(data)]


def pair_step(encoding: TextEncoding, data: bytes) -> int:
    """Bytes that stand together whatever they mean: a pair of Shift-JIS, a unit of UTF-16."""
    if encoding.name == "sjis" and len(data) == 2:
        lead, trail = data
        leads = 0x81 <= lead <= 0x9F or 0xE0 <= lead <= 0xFC
        return 2 if leads and 0x40 <= trail <= 0xFC and trail != 0x7F else 1
    return encoding.unit


@given(ENCODING, MIXED)
@settings(max_examples=120)
def test_characters_are_found_as_a_codec_finds_them(encoding: TextEncoding, data: bytes) -> None:
    found = encoding.decode(np.frombuffer(data, np.uint8))
    assert found.tolist() == model(encoding, data)


@given(st.sampled_from(["utf8", "utf16le", "utf16be"]), st.text(max_size=12), st.data())
def test_a_part_with_its_reach_is_decoded_as_within_the_whole(
    name: str, text: str, data: st.DataObject
) -> None:
    encoding = encoding_named(name)
    assert encoding is not None
    whole = np.frombuffer(text.encode(encoding.codec, "ignore"), np.uint8)
    first = data.draw(st.integers(0, len(whole)))
    last = data.draw(st.integers(first, len(whole)))
    low = max(0, first - encoding.reach)
    part = encoding.decode(whole[low : last + encoding.reach], -low % encoding.unit)
    inside = part[first - low : last - low]
    assert inside.tolist() == encoding.decode(whole)[first:last].tolist()


@given(ENCODING, st.text(max_size=8))
def test_text_becomes_the_bytes_that_show_it_or_is_refused(
    encoding: TextEncoding, text: str
) -> None:
    try:
        data = encoding.encode(text)
    except ValueFormatError as error:
        complaint = error.message
    else:
        complaint = ""
    if complaint:
        assert encoding.label in complaint
        return
    assert data == text.encode(encoding.codec)
    if text.isascii() and text.isprintable():
        assert encoding.text(data) == text


def test_known_characters() -> None:
    shown = {
        "cp437": (b"\x81\xe1\0", "üß."),
        "cp037": (b"\xc8\xc9\x40\xf0", "HI 0"),
        "latin1": (b"\xfc\x85", "ü."),
        "sjis": ("日本ｱA".encode("cp932"), "日本ｱA"),
        "utf16be": ("aü😀".encode("utf-16-be"), "aü😀"),
    }
    for name, (data, text) in shown.items():
        encoding = encoding_named(name)
        assert encoding is not None
        assert encoding.text(data) == text
    assert encoding_named("klingon") is None
    with pytest.raises(ValueFormatError, match="“ü” is not in ASCII"):
        ASCII.encode("ü")
