"""Default sizes of docks: arithmetic, for windows of many sizes."""

from __future__ import annotations

import pytest

from app.ui.shell.layout.proportions import LEAST_LEFT, LEAST_RIGHT, MOST_RIGHT, Room, Wishes, sizes

ROWS = {8: 390, 16: 620, 32: 1070, 64: 1960}


def room(width: int, height: int, *, left: bool = True, strip: int = 110) -> Room:
    around = 64  # tool bar and status bar
    return Room(width * height, width, height - around, 4, ROWS, strip, left, right=True)


@pytest.mark.parametrize("height", [512, 600, 768, 800, 1080, 2160])
@pytest.mark.parametrize("width", [900, 1024, 1280, 1366, 1920, 2560, 3840])
@pytest.mark.parametrize("left", [True, False])
def test_rows_are_whole_and_docks_can_be_read(width: int, height: int, left: bool) -> None:
    of = room(width, height, left=left)
    made = sizes(of, Wishes())
    hex_width = width - made.left - made.right - 4 * (2 if left else 1)
    assert hex_width >= ROWS[16 if width >= 1024 else 8]
    assert made.left >= LEAST_LEFT * left
    assert LEAST_RIGHT <= made.right <= MOST_RIGHT
    assert made.bottom >= of.strip
    hex_height = of.height - made.bottom - 4
    has_half = hex_width * hex_height >= width * height / 2
    assert has_half or made.bottom == of.strip, "first the bottom gives way"
    if width >= 1280 and height >= 800:
        assert has_half


def test_without_docks_below_there_is_nothing_to_share() -> None:
    assert sizes(room(1280, 800, strip=0), Wishes()).bottom == 0


def test_more_bytes_in_a_row_where_a_workspace_wants_them() -> None:
    wide = sizes(room(1600, 900, left=False), Wishes(most_row=64))
    assert 1600 - wide.right - 4 >= ROWS[32]
