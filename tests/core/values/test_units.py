"""Sizes, offsets, rates and ages as text, and sizes from text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ExpressionError
from app.core.values.units import (
    exact_size,
    format_age,
    format_offset,
    format_rate,
    format_short_offset,
    format_size,
    format_time,
    parse_size,
)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (100, "100 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1025, "1 KiB"),
        (1536, "1.5 KiB"),
        (1300, "1.27 KiB"),
        (64 << 20, "64 MiB"),
        ((1 << 20) - 1, "1 MiB"),
        ((1 << 30) - 1, "1 GiB"),
        (16 << 30, "16 GiB"),
        (3 << 50, "3 PiB"),
        (1 << 62, "4096 PiB"),
        (-2048, "-2 KiB"),
        (10_240, "10 KiB"),
        (102_400, "100 KiB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert format_size(size) == text


@given(st.integers(0, 1 << 60))
@settings(deadline=None)
def test_a_size_is_near_what_it_says(size: int) -> None:
    text = format_size(size)
    number, unit = text.split()
    assert not number.endswith(".")
    assert float(number) < 1024 or unit == "PiB"
    factor = 1024 ** ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].index(unit)
    assert abs(float(number) * factor - size) <= 0.0051 * factor


@pytest.mark.parametrize(
    ("offset", "text", "short"),
    [
        (0, "0x0000'0000", "0x0"),
        (0x40, "0x0000'0040", "0x40"),
        (0xDEADBEEF, "0xDEAD'BEEF", "0xDEADBEEF"),
        (0x1_0000_0000, "0x1'0000'0000", "0x100000000"),
        (-16, "-0x0000'0010", "-0x10"),
    ],
)
def test_offsets(offset: int, text: str, short: str) -> None:
    assert format_offset(offset) == text
    assert format_short_offset(offset) == short


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "0 B/s"),
        (5, "5 B/s"),
        (0.5, "0.50 B/s"),
        (999.4, "999 B/s"),
        (999.6, "1.00 kB/s"),
        (12_345, "12.3 kB/s"),
        (9_994, "9.99 kB/s"),
        (9_996, "10.0 kB/s"),
        (99_960, "100 kB/s"),
        (1.5e9, "1.50 GB/s"),
        (8e18, "8000 PB/s"),
        (float("inf"), "inf PB/s"),
    ],
)
def test_rates(rate: float, text: str) -> None:
    assert format_rate(rate) == text


def test_rates_of_something_else_and_no_number() -> None:
    assert format_rate(2000, "writes/s") == "2.00 kwrites/s"
    assert "nan" in format_rate(float("nan"))


@pytest.mark.parametrize(
    ("age_ns", "text"),
    [
        (0, "0 µs"),
        (1_500, "2 µs"),
        (12_000_000, "12 ms"),
        (400_000_000, "0.4 s"),
        (61_000_000_000, "1 min"),
        (7_200_000_000_000, "2.0 h"),
    ],
)
def test_ages(age_ns: int, text: str) -> None:
    assert format_age(age_ns) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("0x1000", 4096),
        ("64K", 65536),
        ("64 MiB", 64 << 20),
        ("10 MB", 10**7),
        ("1.5 KiB", 1536),
        ("1tib", 1 << 40),
        ("0.5G", 1 << 29),
        ("1_000", 1000),
        ("1'000", 1000),
        (" 5 b ", 5),
        ("0", 0),
        ("9007199254740993", 9007199254740993),
        ("0.001kB", 1),
    ],
)
def test_sizes_from_text(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "1.3B",
        "1.0001K",
        "5 X",
        "0x",
        "0x_",
        "1.",
        ".5K",
        "1e3",
        "K",
        "1 2",
        "9" * 5000,
        "9" * 90 + ".3G",
        "1" + " " * 100_000 + "K",
    ],
)
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_size(text)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (100, "100 B"),
        (1536, "1.5 KiB"),
        (32 << 20, "32 MiB"),
        (3 << 20, "3 MiB"),
        (33558528, "33558528 bytes, 32 MiB + 4 KiB"),
        ((1 << 30) + 1, "1073741825 bytes, 1 GiB + 1 B"),
        (
            (1 << 50) - 1,
            "1125899906842623 bytes, 1023 TiB + 1023 GiB + 1023 MiB + 1023 KiB + 1023 B",
        ),
    ],
)
def test_sizes_in_sentences_are_exact(size: int, text: str) -> None:
    assert exact_size(size) == text


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "0 ns"),
        (999.4, "999 ns"),
        (999.7, "1.00 µs"),
        (9_996, "10.0 µs"),
        (99_960, "100 µs"),
        (1_249_000_000, "1.25 s"),
        (59_960_000_000, "1.00 min"),
        (90_000_000_000, "1.50 min"),
        (26 * 3_600_000_000_000, "26.0 h"),
        (-1_500, "-1.50 µs"),
        (-0.2, "0 ns"),
    ],
)
def test_durations(time_ns: float, text: str) -> None:
    assert format_time(time_ns) == text
