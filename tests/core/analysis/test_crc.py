"""CRCs against the published check values, and against one bit at a time."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.analysis.crc import NAMED, Crc, CrcModel, crc_of, parse_model
from app.core.errors import ValueFormatError

CHECK = b"123456789"
# The catalogue's check values, of CHECK.
PUBLISHED = {
    "CRC-8/SMBUS": 0xF4,
    "CRC-8/MAXIM-DOW": 0xA1,
    "CRC-16/CCITT-FALSE": 0x29B1,
    "CRC-16/KERMIT": 0x2189,
    "CRC-16/XMODEM": 0x31C3,
    "CRC-16/X-25": 0x906E,
    "CRC-16/ARC": 0xBB3D,
    "CRC-16/MODBUS": 0x4B37,
    "CRC-16/USB": 0xB4C8,
    "CRC-24/OPENPGP": 0x21CF02,
    "CRC-32C": 0xE3069283,
    "CRC-32/BZIP2": 0xFC891918,
    "CRC-32/MPEG-2": 0x0376E6E7,
    "CRC-32/CKSUM": 0x765E7680,
    "CRC-32/ISO-HDLC": 0xCBF43926,
    "CRC-64/ECMA-182": 0x6C40DF5F0B497347,
    "CRC-64/XZ": 0x995DC9BBDF1939FA,
}
# Widths that are no whole bytes, and refin that differs from refout.
ODD = {
    "width=3 poly=3 xorout=7": 0x4,  # CRC-3/GSM
    "width=5 poly=5 init=0x1f refin=yes refout=yes xorout=0x1f": 0x19,  # CRC-5/USB
    "width=7 poly=9": 0x75,  # CRC-7/MMC
    "width=12, poly=0x80f, refin=false, refout=true": 0xDAF,  # CRC-12/UMTS
}


@pytest.mark.parametrize("name", NAMED)
def test_named_ones_have_their_published_check_values(name: str) -> None:
    assert crc_of(CHECK, NAMED[name]) == PUBLISHED[name]
    assert parse_model(name.lower()) == NAMED[name]
    assert parse_model(NAMED[name].text) == NAMED[name]


@pytest.mark.parametrize("text", ODD)
def test_own_polynomials(text: str) -> None:
    model = parse_model(text)
    assert crc_of(CHECK, model) == ODD[text]
    assert len(model.format(0)) == -(-model.width // 4)


def by_bits(data: bytes, model: CrcModel) -> int:
    """The definition, one bit after the other."""
    register, top = model.init, 1 << model.width - 1
    for byte in data:
        for bit in range(8):
            entering = byte >> (bit if model.refin else 7 - bit) & 1
            high = bool(register & top)
            register = register << 1 & (1 << model.width) - 1
            if high != bool(entering):
                register ^= model.poly
    if model.refout:
        register = int(f"{register:0{model.width}b}"[::-1], 2)
    return register ^ model.xorout


@st.composite
def models(draw: st.DrawFn) -> CrcModel:
    width = draw(st.integers(1, 64))
    number = st.integers(0, (1 << width) - 1)
    flags = draw(st.booleans()), draw(st.booleans())
    return CrcModel(width, draw(number), draw(number), *flags, draw(number))


@settings(max_examples=60, deadline=None)
@given(models(), st.lists(st.binary(max_size=12), max_size=3))
def test_any_model_in_pieces_is_what_one_bit_at_a_time_makes(
    model: CrcModel, pieces: list[bytes]
) -> None:
    crc = Crc(model)
    for piece in pieces:
        crc.update(piece)
    assert crc.value == by_bits(b"".join(pieces), model)


@pytest.mark.parametrize("name", ["CRC-32/ISO-HDLC", "CRC-64/ECMA-182", "CRC-8/MAXIM-DOW"])
def test_long_pieces_are_walked_side_by_side_with_the_same_end(name: str) -> None:
    data = random.Random(1).randbytes(30_000)
    slow = Crc(NAMED[name])
    for at in range(0, len(data), 1000):
        slow.update(data[at : at + 1000])
    assert crc_of(data, NAMED[name]) == slow.value
    if name == "CRC-32/ISO-HDLC":
        assert slow.value == zlib.crc32(data)


@pytest.mark.parametrize(
    "text",
    ["", "CRC-17", "width=16", "width=0 poly=1", "width=65 poly=1", "width=8 poly=0x100",
     "width=8 poly=1 refin=maybe", "width=8 poly=x", "width=8 poly=1 colour=2", "8 1"],
)  # fmt: skip
def test_what_is_no_crc_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueFormatError):
        parse_model(text)
