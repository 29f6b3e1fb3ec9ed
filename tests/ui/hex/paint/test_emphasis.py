"""Classes, rules, what does not change, and how often bytes change."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ValueFormatError
from app.core.values.byte_rules import parse_rule
from app.core.values.column_forms import ColumnForm, Kind
from app.core.watch.frame import Frame
from app.ui.hex.paint import styles
from app.ui.hex.paint.cell_states import CellStates
from app.ui.hex.paint.change_rates import ChangeRates
from app.ui.hex.paint.emphasis import Emphasis, Unchanged, class_states
from app.ui.hex.paint.history_text import history_texts
from app.ui.style.theme import DARK, LIGHT, Theme
from tests.ui.hex.frames import NOW, changed_at, flux_at, frame_of, sampled

SECOND_NS = 1_000_000_000
CLASSES = (styles.PRINTABLE, styles.WORD, styles.HIGH, styles.FULL, styles.RULE)


@given(st.text("A \0\x07\x80\xff", max_size=30))
def test_each_byte_has_its_class_and_runs_of_text_are_found(text: str) -> None:
    data = text.encode("latin-1")
    simple = {0: styles.ZERO, 7: styles.TEXT, 0x80: styles.HIGH, 0xFF: styles.FULL}
    expected = [simple.get(value, styles.PRINTABLE) for value in data]
    for at in range(len(data) - 3):
        if all(state in (styles.PRINTABLE, styles.WORD) for state in expected[at : at + 4]):
            expected[at : at + 4] = [styles.WORD] * 4
    assert class_states(np.frombuffer(data, np.uint8)).tolist() == expected


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("41", {0x41}),
        ("4?", set(range(0x40, 0x50))),
        ("0x00, ff", {0, 255}),
        ("20..7E", set(range(0x20, 0x7F))),
        ("&81=80", {value for value in range(256) if value & 0x81 == 0x80}),
        ("!00", set(range(1, 256))),
        (">=5/s", set()),
    ],
)
def test_rules_pick_bytes(text: str, picked: set[int]) -> None:
    rule = parse_rule(text)
    assert rule.values == picked
    assert rule.rate == (0 if picked else 5)


@given(st.text("0123456789abcdefx?.&=!>/s ,-", max_size=12))
def test_any_text_is_a_rule_that_picks_something_or_is_refused(text: str) -> None:
    try:
        rule = parse_rule(text)
    except ValueFormatError:
        return
    assert rule.values or rule.rate > 0


def shown(cells: CellStates, length: int = 16) -> list[int]:
    return cells.states_at(0, length, NOW)[1].tolist()


def test_what_happens_to_a_byte_comes_before_its_class() -> None:
    cells = CellStates(emphasis=Emphasis(classes=True))
    frame = frame_of(b"\0Az\x80\xff____long")
    frame = changed_at(flux_at(frame, 3), {2: 0})
    cells.set_frame(changed_at(frame, {4: 0}, mine=True))
    assert shown(cells, 9) == [
        styles.ZERO,
        styles.PRINTABLE,
        styles.CHANGED,
        styles.FLUX,
        styles.MINE_FRESH,
        *[styles.WORD] * 4,
    ]
    assert cells.states_at(8, 2, NOW)[1].tolist() == [styles.WORD] * 2, "cut by the screen"


def test_a_rule_marks_values_and_keeps_that_they_changed() -> None:
    cells = CellStates(emphasis=Emphasis(rule=parse_rule("41 00")))
    cells.set_frame(changed_at(frame_of(b"AAB\0"), {1: 0, 2: 0}))
    assert shown(cells, 4) == [styles.RULE, styles.RULE_FRESH, styles.CHANGED, styles.RULE]


def test_what_did_not_change_since_steps_back() -> None:
    since = NOW - styles.FADE_NS * 3
    cells = CellStates(emphasis=Emphasis(unchanged=Unchanged.DIMMED, since_ns=since))
    ages = {1: styles.FADE_NS * 4, 2: styles.FADE_NS * 2, 3: 0}
    cells.set_frame(changed_at(frame_of(b"ABCD"), ages))
    assert shown(cells, 4) == [styles.UNCHANGED, styles.UNCHANGED, styles.TEXT, styles.CHANGED]


def test_a_change_glows_as_long_as_was_chosen() -> None:
    cells = CellStates(emphasis=Emphasis(fade_ns=8 * SECOND_NS))
    cells.set_frame(changed_at(frame_of(b"ABCD"), {1: 5 * SECOND_NS + 1, 2: 9 * SECOND_NS}))
    assert shown(cells, 4) == [styles.TEXT, styles.CHANGED + 5, styles.TEXT, styles.TEXT]
    assert cells.next_change_ns(0, 4, NOW) == SECOND_NS - 1


def frames(times: int, step_ns: int, offsets: set[int]) -> list[Frame]:
    """Frames in which these offsets change each time."""
    found = []
    for number in range(times):
        time_ns = NOW + number * step_ns
        changed = np.zeros(16, np.int64)
        changed[list(offsets)] = time_ns
        found.append(sampled(frame_of(bytes(16)), changed_ns=changed, time_ns=time_ns))
    return [dataclasses.replace(frame, number=number) for number, frame in enumerate(found)]


def test_changes_are_counted_and_their_rate_follows() -> None:
    rates = ChangeRates()
    for frame in frames(201, SECOND_NS // 40, {3}):
        rates.add(frame)
    count, rate = rates.at(3) or (0, 0.0)
    assert count == 200, "what was before the first Frame is not counted"
    assert rate == pytest.approx(40, rel=0.05)
    assert rates.at(4) == (0, 0.0)
    assert rates.at(16) is None
    moved = sampled(frame_of(bytes(16), start=2), time_ns=NOW + 5 * SECOND_NS)
    rates.add(moved)
    assert (rates.at(3) or (0, 0.0))[0] == 200, "it is in the Frame still"
    assert (rates.at(3) or (0, 99.0))[1] == pytest.approx(40, rel=0.05)
    cells = CellStates(emphasis=Emphasis(rule=parse_rule(">=5/s")))
    for frame in frames(200, SECOND_NS // 40, {3}):
        cells.set_frame(frame)
    states = cells.states_at(0, 6, NOW + 5 * SECOND_NS)[1].tolist()
    assert states[3] == styles.RULE_FRESH
    assert states[4] == styles.ZERO


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_classes_can_be_read_and_told_apart_without_colour(theme: Theme) -> None:
    looks = styles.looks(theme)
    crowns = [looks[state].crown for state in CLASSES]
    assert len(set(crowns)) == len(crowns)
    assert looks[styles.TEXT].crown not in crowns
    for under in (0, styles.SELECTED, 3 * styles.TINT):
        for state in (*CLASSES, styles.RULE_FRESH):
            look = looks[state | under]
            assert styles.contrast(look.ink, look.tile) >= 4.5
    assert looks[styles.RULE_FRESH].underline
    assert looks[styles.UNCHANGED] == looks[styles.ZERO]
    hidden = styles.looks(theme, hides=True)[styles.UNCHANGED]
    assert hidden.ink == hidden.ground


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (Kind.AGE, ["", "0ms", "999ms", "9.9s", "119s", "2m", "119m", "2h", "3d"]),
        (Kind.COUNT, ["", *["1"] * 8]),
    ],
)
def test_the_history_of_bytes_is_told_in_five_characters(kind: Kind, texts: list[str]) -> None:
    ages = [0, 999, 9990, 119_000, 120_000, 7_199_000, 7_200_000, 72 * 3_600_000]
    rates, changed = ChangeRates(), {at: age * 1_000_000 for at, age in enumerate(ages, 1)}
    clock = NOW + 10 * 86_400 * SECOND_NS
    frame = frame_of(bytes(9))
    rates.add(frame)
    newer = changed_at(frame, {at: age - (clock - NOW) for at, age in changed.items()})
    rates.add(newer)
    told = history_texts(ColumnForm(kind, 1), newer, rates, 0, 9, clock)
    assert [row.tobytes().decode().strip() for row in told] == texts
    assert told.shape == (9, 5)


def test_rates_are_told_as_they_were_seen() -> None:
    rates, seen = ChangeRates(), frames(121, SECOND_NS // 60, {2})
    for frame in seen:
        rates.add(frame)
    told = history_texts(ColumnForm(Kind.RATE, 1), seen[-1], rates, 1, 18, NOW)
    texts = [row.tobytes().decode().strip() for row in told]
    assert texts[0] == "", "it never changed"
    assert 45 <= int(texts[1].removesuffix("/s")) <= 65
    assert texts[15:] == [""] * 3, "no Frame holds these"
