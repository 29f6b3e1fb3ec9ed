from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.ui.hex.paint import styles
from app.ui.hex.paint.cell_states import (
    BLANK,
    DOT,
    ECHO_NS,
    FLUX_HOLD_NS,
    CellStates,
    cell_codes,
)
from app.ui.hex.paint.geometry import Grid, Pane
from app.ui.hex.paint.pane_codes import Span, pane_codes
from tests.ui.hex.frames import NOW, changed_at, flux_at, frame_of, sampled


def shown(picture: CellStates, start: int, length: int, clock: int = NOW) -> list[int]:
    return picture.states_at(start, length, clock)[1].tolist()


@pytest.fixture
def picture() -> CellStates:
    made = CellStates()
    made.set_frame(frame_of(b"AB\0C" * 4, start=16))
    return made


def test_what_no_frame_covers_is_absent_and_not_guessed(picture: CellStates) -> None:
    assert shown(picture, 14, 4) == [styles.ABSENT, styles.ABSENT, styles.TEXT, styles.TEXT]
    assert shown(picture, 31, 2) == [styles.TEXT, styles.ABSENT]
    assert shown(picture, 0, 16) == [styles.ABSENT] * 16
    assert shown(CellStates(), 0, 2) == [styles.ABSENT] * 2
    assert picture.seen(15, 2) is None
    assert picture.seen(16, 4) == b"AB\0C"


def test_zeros_are_quiet(picture: CellStates) -> None:
    assert shown(picture, 16, 4) == [styles.TEXT, styles.TEXT, styles.ZERO, styles.TEXT]


def test_a_change_fades_in_steps_and_then_settles(picture: CellStates) -> None:
    assert picture.frame is not None
    picture.set_frame(changed_at(picture.frame, {17: 0}))
    seen = [shown(picture, 17, 1, NOW + at)[0] for at in range(0, styles.FADE_NS, styles.STEP_NS)]
    assert seen[: styles.STEPS] == list(range(styles.CHANGED, styles.CHANGED + styles.STEPS))
    assert shown(picture, 17, 1, NOW + styles.FADE_NS) == [styles.TEXT]


def test_an_own_write_fades_and_stays_marked(picture: CellStates) -> None:
    assert picture.frame is not None
    picture.set_frame(changed_at(picture.frame, {17: 0}, mine=True))
    assert shown(picture, 17, 1) == [styles.MINE_FRESH]
    assert shown(picture, 17, 1, NOW + styles.FADE_NS) == [styles.MINE]


def test_flux_is_held_long_enough_to_be_seen(picture: CellStates) -> None:
    assert picture.frame is not None
    quiet = picture.frame
    picture.set_frame(flux_at(quiet, 18))
    picture.set_frame(dataclasses.replace(sampled(quiet, time_ns=NOW + 1), number=2))
    assert shown(picture, 18, 1, NOW + FLUX_HOLD_NS - 2) == [styles.FLUX]
    assert shown(picture, 18, 1, NOW + FLUX_HOLD_NS + 2) == [styles.ZERO]


def test_held_flux_follows_its_byte_when_the_span_moves(picture: CellStates) -> None:
    assert picture.frame is not None
    picture.set_frame(flux_at(picture.frame, 18))
    picture.set_frame(frame_of(b"Z" * 8, start=18))
    assert shown(picture, 18, 2) == [styles.FLUX, styles.TEXT]


def test_the_next_change_by_age_is_known(picture: CellStates) -> None:
    assert picture.next_change_ns(16, 16, NOW) is None
    assert picture.frame is not None
    quiet = picture.frame
    picture.set_frame(changed_at(quiet, {17: 10, 20: styles.STEP_NS * 3 + 50}))
    wait = picture.next_change_ns(16, 16, NOW)
    assert wait == styles.STEP_NS - 50
    before, at = shown(picture, 20, 1, NOW + wait - 1), shown(picture, 20, 1, NOW + wait)
    assert before != at
    assert picture.next_change_ns(24, 4, NOW) is None
    assert picture.next_change_ns(16, 16, NOW + styles.FADE_NS) is None


def test_a_frozen_picture_does_not_age(picture: CellStates) -> None:
    assert picture.frame is not None
    picture.set_frame(changed_at(picture.frame, {17: 0}))
    picture.frozen = True
    assert shown(picture, 17, 1, NOW + 10 * styles.FADE_NS) == [styles.CHANGED]
    assert picture.next_change_ns(16, 16, NOW) is None


def test_typed_bytes_show_until_the_write_is_counted(picture: CellStates) -> None:
    picture.add_echo(17, b"xy", NOW)
    values, looks = picture.states_at(16, 4, NOW)
    assert values.tobytes() == b"Axy" + b"C"
    assert looks.tolist()[1:3] == [styles.PENDING] * 2
    assert picture.seen(16, 4) == b"Axy" + b"C"
    assert picture.frame is not None
    picture.set_frame(dataclasses.replace(picture.frame, writes=1))
    assert picture.seen(16, 4) == b"AB\0C"


def test_typed_bytes_that_never_land_go_away(picture: CellStates) -> None:
    picture.add_echo(17, b"x", NOW)
    assert picture.next_change_ns(16, 4, NOW) is not None
    assert not picture.drop_old_echoes(NOW + ECHO_NS - 1)
    assert picture.drop_old_echoes(NOW + ECHO_NS)
    assert picture.seen(17, 1) == b"B"


def test_cells_behind_the_end_are_blank_and_selected_ones_tinted() -> None:
    values = np.arange(6, dtype=np.uint8)
    codes = cell_codes(values, np.zeros(6, np.uint8), 2, 4, [(1, 3)])
    assert codes.tolist() == [
        [0, styles.SELECTED << 8 | 1, styles.SELECTED << 8 | 2, 3],
        [4, 5, BLANK, BLANK],
    ]


def test_text_cells_dot_what_is_no_character() -> None:
    codes = np.array([[0x41, 0x07, styles.CHANGED << 8 | 0xFF, BLANK]], np.int32)
    grid = Grid(4096, 4, 1, 8, 18, 8)
    text = pane_codes(grid.layouts[Pane.TEXT], grid.text, CellStates())
    assert text.codes(codes[0], Span()).tolist() == [
        [0x41, styles.ZERO << 8 | DOT, styles.CHANGED << 8 | DOT, BLANK]
    ]
