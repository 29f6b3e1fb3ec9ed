"""Offsets as people type them; everything else is an ExpressionError, quickly."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.errors import ExpressionError
from app.core.values.export_formats import hexdump
from app.core.values.expressions import evaluate, parse_range
from app.core.values.units import format_offset

SIZE = 64 << 20


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64", 64),
        ("0x40", 64),
        ("0X4f", 79),
        ("40h", 64),
        ("0FFh", 255),
        ("$40", 64),
        ("0b101", 5),
        ("0o17", 15),
        ("1'000", 1000),
        ("1_000", 1000),
        ("0x1000'0000", 1 << 28),
        ("4K", 4096),
        ("4 KiB", 4096),
        ("1.5K", 1536),
        ("64M", 64 << 20),
        ("1G", 1 << 30),
        ("10 MB", 10_000_000),
        ("512B", 512),
        ("007", 7),
        ("00000040", 0x40),
        ("00000a40", 0xA40),
        ("0000'0040", 0x40),
        ("1'2345'6789", 0x1_2345_6789),
        ("00000040+8", 0x48),
        ("00000040h", 0x40),
        ("00000064K", 64 << 10),
        ("0b00000101", 5),
        ("10000000", 10_000_000),
        ("1'000'000", 1_000_000),
        ("1'0000", 10_000),
        ("+16", 0x1010),
        ("-0x10", 0xFF0),
        ("- 5 * 2", 0x1000 - 10),
        ("+page 1", 0x2000),
        ("end", SIZE),
        ("end-0x100", SIZE - 0x100),
        ("END - 1", SIZE - 1),
        ("size/2", SIZE // 2),
        ("cursor", 0x1000),
        ("here+1", 0x1001),
        ("start", 0),
        ("sel", 0x2000),
        ("sel+8", 0x2008),
        ("page 5", 5 * 4096),
        ("page 5 + 8", 5 * 4096 + 8),
        ("p(2+1)", 3 * 4096),
        ("1+2*3", 7),
        ("(1+2)*3", 9),
        ("7/2", 3),
        ("7%4", 3),
        ("1<<12", 4096),
        ("4096>>4", 256),
        ("0xF0|0x0F", 255),
        ("0xFF&0x0F", 15),
        ("1|2&3<<1+1*2", 1),
        ("2--3", 5),
        ("2-+3", -1),
        ("10-20", -10),
        ("  0x10  ", 16),
        ("((((7))))", 7),
    ],
)
def test_values(text: str, value: int) -> None:
    assert evaluate(text, cursor=0x1000, size=SIZE, selection=(0x2000, 16)) == value


def test_own_names_and_no_selection() -> None:
    assert evaluate("Head+1", names={"head": 41}) == 42
    assert evaluate("sel", cursor=9) == 9
    with pytest.raises(ExpressionError):
        evaluate("head")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "x",
        "0x",
        "0xg",
        "12z",
        "0b2",
        "0o9",
        "$",
        "1 2",
        "1+",
        "+",
        "-",
        "*3",
        "(1",
        "1)",
        "()",
        "1//2",
        "1/0",
        "5%0",
        "1<<129",
        "1<<-1",
        "1>>(0-1)",
        "page",
        "1.5",
        "1.3B",
        "1e5",
        "0.1K",
        "2**3",
        "1;2",
        "a.b",
        "__import__('os')",
        "cursor()",
        "[1]",
        "'1'",
        "1==1",
        "not 1",
        "lambda: 1",
        "1 if 1 else 2",
        "\0",
        "é",
        "1\n2",
        "9**9**9",
    ],
)
def test_what_makes_no_sense(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, cursor=1, size=2)
    assert caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "9" * 60,
        "9" * 100,
        "9" * 4400,
        "0x" + "f" * 40,
        "0b" + "1" * 200,
        "1<<128<<128",
        "*".join(["99999999"] * 20),
        "page " * 30 + "1",
        "9" * 50 + "G",
        "1." + "9" * 300 + "K",
        "(" * 500 + "1" + ")" * 500,
        "-" * 600 + "1",
        "(" * 100_000,
        "1+" * 400_000 + "1",
        "9" * 1_000_000,
        "1" + " " * 1_000_000 + "x",
    ],
    ids=range(16),
)
def test_too_much_is_refused_at_once(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert len(str(caught.value)) < 1200


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="0123456789abcdefxhkmgibpe+-*/%<>&|() $'_.:", max_size=40))
@example("0x_")
@example("$_")
@example("1__h")
@example("0b_'")
def test_no_text_is_anything_but_a_number_or_an_expression_error(text: str) -> None:
    for work in (evaluate, parse_range):
        try:
            work(text, cursor=100, size=1000)
        except ExpressionError:
            continue


_NUMBER = st.integers(0, 1 << 40)
_OPERATOR = st.sampled_from(["+", "-", "*", "|", "&"])


@settings(deadline=None)
@given(st.lists(st.tuples(_OPERATOR, _NUMBER), max_size=2), _NUMBER)
def test_precedence_is_pythons(rest: list[tuple[str, int]], first: int) -> None:
    text = f"{first}" + "".join(f" {operator} {number:#x}" for operator, number in rest)
    assert evaluate(text) == eval(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0x40..0x80", (64, 64)),
        ("0x40:16", (64, 16)),
        ("0x40 : +16", (64, 16)),
        ("+0..+16", (100, 16)),
        ("end-16..end", (984, 16)),
        ("0..end", (0, 1000)),
        ("5..5", (5, 0)),
        ("1.5K..2K", (1536, 512)),
        ("page 1:page 2", (4096, 8192)),
    ],
)
def test_ranges(text: str, expected: tuple[int, int]) -> None:
    assert parse_range(text, cursor=100, size=1000) == expected


@pytest.mark.parametrize(
    "text",
    ["", "5", "..", "5..", "..5", "9..5", "5:-1", ":", "1:2:3", "1..2..3", "1:" + "9" * 5000],
)
def test_ranges_that_are_none(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_range(text, cursor=100, size=1000)


@given(st.integers(0, (1 << 60) - 1))
def test_an_offset_is_taken_as_this_program_prints_it(offset: int) -> None:
    printed = format_offset(offset)
    assert evaluate(printed) == offset
    assert evaluate(printed.removeprefix("0x")) == offset
    assert parse_range(f"{printed[2:]}:16") == (offset, 16)


@given(st.integers(0, 0x0AFF_FFFF))
def test_an_offset_of_a_dump_is_hex(offset: int) -> None:
    assert evaluate(hexdump(b"x", offset).split()[0]) == offset
