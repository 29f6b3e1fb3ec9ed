"""Values that flicker: when they are shown, their means, their least and greatest."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.values.steady import NumberStats, Pace, PaceClock
from app.core.values.value_type import Endian
from app.core.values.value_types import TYPES, number_bytes, number_of, type_named

MS = 1_000_000


@pytest.mark.parametrize(
    ("pace", "shown"),
    [(Pace.LIVE, 121), (Pace.FIVE, 10), (Pace.ONE, 2), (Pace.MEAN_ONE, 2), (Pace.HELD, 0)],
)
def test_how_often_a_value_is_shown(pace: Pace, shown: int) -> None:
    clock = PaceClock()
    clock.set_pace(pace, 0)
    looks = [n * 2000 * MS // 120 for n in range(121)]  # 60 Hz, two seconds
    assert sum(clock.is_due(now) for now in looks) == shown


def test_a_late_look_is_followed_by_no_crowd() -> None:
    clock = PaceClock()
    clock.set_pace(Pace.FIVE, 0)
    due = [now for now in (0, 5000, 5001, 5002, 5250) if clock.is_due(now * MS)]
    assert len(due) == 3


@settings(max_examples=60)
@given(st.lists(st.integers(-(1 << 63), (1 << 64) - 1), min_size=1, max_size=20))
def test_least_greatest_and_mean_of_integers_are_exact(values: list[int]) -> None:
    stats = NumberStats()
    for number, value in enumerate(values):
        stats.add(value, 100 + number)
    assert (stats.least, stats.greatest) == (min(values), max(values))
    assert (stats.looks, stats.since_ns) == (len(values), 100)
    mean = Fraction(sum(values), len(values))
    assert abs(Fraction(stats.take_mean()) - mean) <= Fraction(1, 20)
    assert stats.take_mean() == "", "the next mean is of the next looks"
    stats.add(7, 0)
    assert stats.take_mean() == "7.0"
    assert stats.least == min(*values, 7)
    stats.reset()
    assert (stats.span(), stats.looks) == ("", 0)


def test_what_is_no_number_is_passed_over() -> None:
    stats = NumberStats()
    for value in (float("nan"), 1.5, float("inf"), -2.25):
        stats.add(value, 5)
    assert stats.span() == "-2.25 … 1.5"
    assert stats.looks == 2


@settings(max_examples=60)
@given(
    st.sampled_from([t for t in TYPES if t.group in ("integer", "float")]),
    st.sampled_from(Endian),
    st.integers(0, 255),
)
def test_a_number_is_what_its_text_says(kind: object, endian: Endian, value: int) -> None:
    known = type_named(kind.name)  # type: ignore[attr-defined]
    if known.name in ("bin", "uleb"):
        assert number_of(known, bytes(16), endian) is None
        return
    if known.name == "i8":
        value &= 0x7F
    data = number_bytes(value, known.name, endian)
    number = number_of(known, data, endian)
    assert number is not None
    assert number == float(known.decode(data, endian) or "")
    assert number_of(known, data[:-1], endian) is None
    assert number_of(type_named("guid"), bytes(16), endian) is None
