"""Patterns: any part of the same endless bytes; waves of a test signal."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ValueFormatError
from app.core.values.value_type import Endian
from app.core.values.value_types import type_named
from app.core.write.patterns import (
    WAVES,
    BytePattern,
    IncrementPattern,
    Pattern,
    RandomPattern,
    Repeat,
    SequencePattern,
    TextPattern,
)

PATTERNS: list[Pattern] = [
    BytePattern(0xA5),
    SequencePattern(b"\1\2\3\4\5\6\7"),
    TextPattern("häh? "),
    TextPattern("wide", "utf-16-le"),
    IncrementPattern(250, 3),
    IncrementPattern(-5, -7, 2, Endian.BIG),
    IncrementPattern(0xFFFF_FFF0, 1, 4),
    IncrementPattern(2**64 - 3, 2**63 + 1, 8, Endian.BIG),
    RandomPattern(0),
    RandomPattern(-1),
    RandomPattern(2**200),
]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.label)
@settings(max_examples=60, deadline=None)
@given(offset=st.integers(0, 300), length=st.integers(0, 200))
def test_any_part_is_the_same_part(pattern: Pattern, offset: int, length: int) -> None:
    whole = pattern.chunk(0, 512)
    assert len(whole) == 512
    assert pattern.chunk(offset, length) == whole[offset : offset + length]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.label)
def test_far_parts_travel_and_are_named(pattern: Pattern) -> None:
    far = (16 << 30) + 5
    again = pickle.loads(pickle.dumps(pattern))
    assert again.chunk(far, 100) == pattern.chunk(far, 100)
    assert 3 < len(pattern.label) < 40


def test_what_the_patterns_are() -> None:
    assert IncrementPattern(254, 1).chunk(0, 4) == bytes([254, 255, 0, 1])
    assert IncrementPattern(0x1FF, 1, 2, Endian.BIG).chunk(1, 3) == b"\xff\x02\x00"
    assert SequencePattern(b"abc").chunk(2, 5) == b"cabca"
    assert RandomPattern(1).chunk(0, 64) != RandomPattern(2).chunk(0, 64)
    spread = RandomPattern(7).chunk(0, 1 << 16)
    assert all(150 < spread.count(byte) < 370 for byte in range(256))


def test_patterns_that_are_none() -> None:
    for make in (
        lambda: BytePattern(256),
        lambda: BytePattern(-1),
        lambda: SequencePattern(b""),
        lambda: TextPattern(""),
        lambda: TextPattern("ü", "ascii"),
        lambda: TextPattern("x", "no-such-code"),
        lambda: TextPattern("\ud800"),
        lambda: IncrementPattern(0, 1, 3),
        lambda: IncrementPattern(0, 1, 0),
    ):
        with pytest.raises(ValueFormatError):
            make()


# -- signals -----------------------------------------------------------------------------------


def values(repeat: Repeat, count: int) -> list[float]:
    return [repeat.value_at(number) for number in range(count)]


def test_counters_turn_around() -> None:
    assert values(Repeat(0, high=3), 6) == [0, 1, 2, 3, 0, 1]
    assert values(Repeat(0, low=10, high=15, step=2), 5) == [10, 12, 14, 10, 12]
    assert values(Repeat(0, low=0, high=4, step=-2), 5) == [4, 2, 0, 4, 2]
    assert values(Repeat(0, low=5, high=9, step=0), 3) == [5, 5, 5]
    assert values(Repeat(0, low=5, high=5), 3) == [5, 5, 5]
    assert values(Repeat(0, kind="f32", low=0, high=1, step=0.25), 6) == [0, 0.25, 0.5, 0.75, 1, 0]
    assert values(Repeat(0, kind="u64", high=2**64 - 1), 3) == [0, 1, 2]
    tiny = Repeat(0, kind="f64", high=1e300, step=1e-300)
    assert tiny.value_at(5) == 5e-300


def test_no_value_of_a_signal_is_cut_off() -> None:
    for kind, low, high in (("u8", -3, 100), ("u8", 0, 256), ("i8", 0, 128), ("f16", 0, 1e6)):
        with pytest.raises(ValueFormatError, match=f"does not fit {kind}"):
            Repeat(0, kind=kind, low=low, high=high)
    for wave in WAVES:  # u64 ends where floats have gaps
        repeat = Repeat(0, kind="u64", wave=wave, low=2**64 - 2, high=2**64 - 1, period=4)
        drawn = {int.from_bytes(repeat.encode(number), "little") for number in range(8)}
        assert drawn <= {2**64 - 2, 2**64 - 1}


def test_waves() -> None:
    assert values(Repeat(0, wave="toggle", low=1, high=9), 4) == [1, 9, 1, 9]
    sine = values(Repeat(0, kind="f64", wave="sine", low=-3, high=5, period=8), 8)
    assert sine[0] == pytest.approx(1)
    assert (max(sine), min(sine)) == (pytest.approx(5), pytest.approx(-3))
    assert sine[2] == pytest.approx(5)
    assert math.isfinite(Repeat(0, wave="sine", period=0).value_at(3))
    drawn = values(Repeat(0, kind="f64", wave="random", low=2, high=3), 50)
    assert all(2 <= value <= 3 for value in drawn)
    assert len(set(drawn)) == 50


@pytest.mark.parametrize("wave", WAVES)
@pytest.mark.parametrize("name", ["u8", "i8", "u24", "u64", "f16", "f32", "F64"])
def test_each_write_has_the_types_width(wave: str, name: str) -> None:
    low = 3 if name.startswith("u") else -3
    repeat = Repeat(0, kind=name, wave=wave, low=low, high=100, step=0.7)
    assert repeat.width == type_named(name).size
    assert all(len(repeat.encode(number)) == repeat.width for number in range(50))
    assert wave in repeat.label


@pytest.mark.parametrize(
    "bad",
    [
        {"wave": "square"},
        {"kind": "nope"},
        {"kind": ""},
        {"kind": "guid"},
        {"kind": "filetime"},
        {"kind": "bin"},
        {"kind": "uleb"},
        {"low": math.nan},
        {"high": math.inf},
        {"step": math.inf},
        {"low": 5, "high": 4},
        {"kind": "f16", "high": 1e6},
        {"kind": "f32", "low": -1e39},
    ],
)
def test_signals_that_are_none(bad: dict[str, object]) -> None:
    with pytest.raises(ValueFormatError):
        Repeat(0, **bad)  # type: ignore[arg-type]
