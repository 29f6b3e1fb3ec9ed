"""Decorations in the hex view: what is seen of them, with and without colour, and what it costs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QEvent, QObject, QPointF
from PySide6.QtGui import QPaintEvent
from pytestqt.qtbot import QtBot

from app.ui.hex.decorations.decorations import Decoration, Depth, Mark, Tint
from app.ui.hex.paint import styles
from app.ui.hex.paint.dirty import rects
from app.ui.hex.paint.geometry import Pane
from app.ui.hex.paint.selection import Selection
from app.ui.hex.widget import HexView
from app.ui.style.theme import DARK, LIGHT, Theme
from tests.ui.helpers import pixels
from tests.ui.hex.frames import changed_at, flux_at, frame_of

SIZE = 1 << 36
Make = Callable[..., HexView]
THEMES = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
PANES = pytest.mark.parametrize("pane", [Pane.HEX, Pane.TEXT], ids=lambda pane: pane.value)
Picture = npt.NDArray[np.uint8]


@pytest.fixture
def make(qtbot: QtBot) -> Make:
    def build(theme: Theme = DARK, width: int = 1000, start: int = 0) -> HexView:
        view = HexView()
        qtbot.addWidget(view)
        view.resize(width, 480)
        view.set_theme(theme)
        view.set_columns(16)
        view.set_region(SIZE, True)
        view.set_frame(frame_of(b"\x11" * 2048, start))
        view.show()
        qtbot.waitExposed(view)
        view.set_cursor(start + 0x7F0)  # not among the bytes that are looked at
        view.surface.scroll.reveal(view.surface.grid.row_of(start))
        view._moved()
        return view

    return build


def cell(view: HexView, offset: int, pane: Pane = Pane.HEX) -> Picture:
    """The pixels of a byte."""
    place = view.surface.sheet().cell(pane, offset)
    return pixels(view.viewport())[
        place.top() : place.bottom() + 1, place.left() - view.surface.shift_x :, :3
    ][:, : place.width()]


def grey(picture: Picture) -> npt.NDArray[np.int64]:
    """As a display without colour shows it: BGR by the weights of Rec. 601."""
    return np.rint(picture @ np.array([0.114, 0.587, 0.299])).astype(np.int64)


def ground(picture: Picture) -> tuple[int, int, int]:
    """The most frequent colour, as RGB."""
    found, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    blue, green, red = found[counts.argmax()].tolist()
    return red, green, blue


class Painted(QObject):
    """What of a widget was painted, as logical rectangles."""

    def __init__(self, view: HexView) -> None:
        super().__init__()
        self.areas: list[tuple[int, int, int, int]] = []
        view.viewport().installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.areas += [
                (r.left(), r.top(), r.right(), r.bottom()) for r in rects(event.region())
            ]
        return False


@THEMES
@PANES
@pytest.mark.parametrize("tint", list(Tint)[1:], ids=lambda tint: tint.name.lower())
def test_a_decorated_byte_differs_without_colour(
    make: Make, theme: Theme, pane: Pane, tint: Tint
) -> None:
    view = make(theme)
    plain = grey(cell(view, 0x12, pane))
    view.decorations.layer("one").add(Decoration(0x11, 6, tint))
    inside, first, last = (grey(cell(view, at, pane)) for at in (0x12, 0x11, 0x16))
    assert abs(np.median(inside) - np.median(plain)) >= 15, "its ground"
    assert (np.abs(first[:, 0] - inside[:, 0]) >= 40).all(), "a bar where it begins"
    assert (np.abs(last[:, -1] - inside[:, -1]) >= 40).all(), "a bar where it ends"
    assert (grey(cell(view, 0x10, pane)) == plain).all(), "the bytes around it are as before"
    assert (grey(cell(view, 0x17, pane)) == plain).all()


@THEMES
@PANES
def test_marks_can_be_told_from_each_other_without_colour(
    make: Make, theme: Theme, pane: Pane
) -> None:
    view = make(theme)
    marks = (Mark.ENDS, Mark.ABOVE, Mark.BELOW, Mark.OUTLINE, Mark.DOTS)
    view.decorations.layer("all").replace(
        [Decoration(16 * row, 8, Tint.TEAL, mark) for row, mark in enumerate(marks)]
    )
    seen = {grey(cell(view, 16 * row + 3, pane)).tobytes() for row in range(len(marks))}
    assert len(seen) == len(marks)


@THEMES
def test_lines_run_around_a_range_and_not_between_its_rows(make: Make, theme: Theme) -> None:
    view = make(theme)
    view.decorations.layer("one").add(Decoration(0x10, 0x40, Tint.VIOLET, Mark.OUTLINE))
    bare = cell(view, 0x25)
    ink = bare[0, 0].tolist()
    assert bare[-1, 0].tolist() == ink
    above, below = cell(view, 0x15), cell(view, 0x45)
    assert above[0, 5].tolist() != ink
    assert above[-1, 5].tolist() == ink
    assert below[0, 5].tolist() == ink
    assert below[-1, 5].tolist() != ink


def test_the_gap_between_blocks_belongs_to_a_range_that_spans_it(make: Make) -> None:
    view = make()
    grid = view.surface.grid
    view.decorations.layer("one").add(Decoration(0x14, 8, Tint.TEAL, Mark.ABOVE))
    layout = grid.layouts[Pane.HEX]
    x = layout.left(8) - layout.gap // 2
    top = view.surface.sheet().y(1)
    shown = pixels(view.viewport())[:, x, 2::-1]
    looks = styles.looks(DARK)
    assert tuple(shown[top + 8].tolist()) == looks[Tint.TEAL * styles.TINT].ground
    assert tuple(shown[top].tolist()) == looks[Tint.TEAL * styles.TINT].mark
    view.decorations.layer("one").replace([Decoration(0x14, 4), Decoration(0x18, 4)])
    shown = pixels(view.viewport())[:, x, 2::-1]
    assert tuple(shown[top + 8].tolist()) == looks[0].ground, "two ranges that meet are two"


@THEMES
@PANES
def test_changes_own_writes_and_flux_are_seen_on_a_decoration(
    make: Make, theme: Theme, pane: Pane
) -> None:
    view = make(theme)
    frame = frame_of(b"\x11" * 2048, paused=True)
    frame = changed_at(frame, {0x12: 0})
    frame = changed_at(frame, {0x13: 0}, mine=True)
    view.set_frame(flux_at(frame, 0x14))
    view.decorations.layer("one").add(Decoration(0x10, 8, Tint.TEAL))
    looks = styles.looks(theme)
    under = Tint.TEAL * styles.TINT
    quiet = cell(view, 0x11, pane)
    for at, style in ((0x12, styles.CHANGED), (0x13, styles.MINE_FRESH), (0x14, styles.FLUX)):
        shown = cell(view, at, pane)
        look = looks[style | under]
        if style != styles.FLUX:
            assert ground(shown) == look.tile
            line = np.array(look.underline)[::-1]
            assert (shown == line).all(axis=2).any(), "underlined, which needs no colour"
        else:
            assert (shown == np.array(look.hatch)[::-1]).all(axis=2).any(), "hatched"
        assert (grey(shown) != grey(quiet)).mean() > 0.2, "without colour too"


@THEMES
@PANES
def test_a_selection_and_the_cursor_are_seen_on_a_decoration(
    make: Make, theme: Theme, pane: Pane
) -> None:
    view = make(theme)
    view.decorations.layer("one").add(Decoration(0x10, 12, Tint.OLIVE, Mark.BELOW))
    before = cell(view, 0x13, pane)
    view.select(Selection.of(0x12, 4))
    chosen = cell(view, 0x13, pane)
    under = Tint.OLIVE * styles.TINT
    looks = styles.looks(theme)
    assert ground(before) == looks[under].ground
    assert ground(chosen) == looks[under | styles.SELECTED].ground
    assert ground(chosen) != looks[styles.SELECTED].ground, "the decoration stays seen in it"
    cursor = cell(view, view.cursor(), pane)
    assert (cursor != chosen).any(axis=2).mean() > 0.05


def test_the_topmost_layer_gives_the_ground_and_nested_ranges_keep_their_ends(make: Make) -> None:
    view = make()
    looks = styles.looks(DARK)
    find = view.decorations.layer("find", Depth.FINDING)
    fields = view.decorations.layer("fields", Depth.FIELD)
    fields.replace([Decoration(0x10, 16, Tint.SLATE, Mark.OUTLINE), Decoration(0x14, 4, Tint.TEAL)])
    find.add(Decoration(0x16, 4, Tint.OLIVE))
    for at, tint in ((0x13, Tint.SLATE), (0x15, Tint.TEAL), (0x17, Tint.OLIVE), (0x1B, Tint.SLATE)):
        assert ground(cell(view, at)) == looks[tint * styles.TINT].ground
    assert tuple(cell(view, 0x17)[8, -1, ::-1].tolist()) == looks[Tint.OLIVE * styles.TINT].mark
    find.clear()
    assert ground(cell(view, 0x17)) == looks[Tint.TEAL * styles.TINT].ground


def rows_painted(view: HexView, painted: Painted) -> set[int]:
    """Rows of which more than the pixel around a neighbour was painted."""
    sheet = view.surface.sheet()
    height = view.surface.grid.height
    return {
        row
        for _, top, _, bottom in painted.areas
        for row in range(sheet.first_row, sheet.first_row + sheet.rows)
        if min(bottom, sheet.y(row) + height) - max(top, sheet.y(row)) > 3
    }


def test_only_the_rows_of_what_changed_are_painted(qtbot: QtBot, make: Make) -> None:
    view = make(width=620)  # without room for labels
    layer = view.decorations.layer("one")
    layer.add(Decoration(0x20, 16, label="stays"))
    qtbot.wait(50)
    painted = Painted(view)
    layer.add(Decoration(0x58, 16, label="new"))
    qtbot.waitUntil(lambda: bool(painted.areas))
    assert rows_painted(view, painted) == {5, 6}
    painted.areas.clear()
    layer.replace([Decoration(0x20, 16), Decoration(0x58, 12)])
    qtbot.waitUntil(lambda: bool(painted.areas))
    assert rows_painted(view, painted) == {6}, "the label alone is not seen"
    painted.areas.clear()
    layer.add(Decoration(0x4000, 16))
    layer.replace(layer.items)
    qtbot.wait(50)
    assert not painted.areas, "out of sight, or the same again"


def test_a_label_that_changed_is_painted_with_its_row(qtbot: QtBot, make: Make) -> None:
    view = make(width=1000)
    layer = view.decorations.layer("one")
    layer.add(Decoration(0x20, 4, label="first"))
    qtbot.wait(50)
    painted = Painted(view)
    layer.replace([Decoration(0x20, 4, label="second")])
    qtbot.waitUntil(lambda: bool(painted.areas))
    assert rows_painted(view, painted) == {2}
    assert max(right for _, _, right, _ in painted.areas) >= view.viewport().width() - 12


def label_pixels(view: HexView, row: int) -> Picture:
    surface = view.surface
    area = surface.label_area(surface.sheet().y(row), surface.grid.height)
    return pixels(view.viewport())[area.top() : area.bottom() + 1, area.left() : area.right() + 1]


def test_labels_stand_beside_the_rows_where_there_is_room(make: Make) -> None:
    wide, narrow = make(width=1000), make(width=620)
    bare = label_pixels(wide, 2)
    for view in (wide, narrow):
        view.decorations.layer("one").add(Decoration(0x28, 0x20, Tint.TEAL, label="ring head"))
        view.viewport().repaint()
    shown = label_pixels(wide, 2)
    assert (shown != bare).any()
    used = np.flatnonzero((shown != bare).any(axis=(0, 2)))
    assert used.max() < (len("ring head") + 4) * wide.surface.grid.char
    assert (label_pixels(wide, 3) == bare).all(), "in its first row only"
    assert not narrow.surface._labels.labels
    wide.resize(620, 480)
    assert not wide.surface._labels.labels
    narrow.resize(1000, 480)
    assert (label_pixels(narrow, 2) == shown).all()


def some_ranges(start: int) -> list[Decoration]:
    rng = np.random.default_rng(4)
    return [
        Decoration(
            start + int(at),
            int(length),
            Tint(int(tint)),
            Mark(int(mark)),
            f"range {at:x}",
        )
        for at, length, tint, mark in zip(
            rng.integers(0, 1800, 90),
            rng.integers(1, 90, 90),
            rng.integers(0, 8, 90),
            rng.integers(0, 8, 90),
            strict=True,
        )
    ]


@pytest.mark.parametrize("start", [0, (1 << 36) - 4096], ids=["low", "beyond 32 bits"])
def test_scrolled_and_resized_it_looks_as_if_it_had_always_been_so(make: Make, start: int) -> None:
    view, fresh = make(start=start), make(start=start)
    view.decorations.layer("one").replace(some_ranges(start))
    for pixels_down in (7, 40, 333, -90, 12):
        view.scroll_by(pixels_down)
        view.viewport().repaint()
    view.resize(860, 420)
    view.set_group(4)
    view.set_group(1)
    fresh.resize(860, 420)
    fresh.scroll_by(view.surface.scroll.place - fresh.surface.scroll.place)
    fresh.decorations.layer("one").replace(some_ranges(start))
    assert view.surface.scroll.place == fresh.surface.scroll.place
    assert view.surface._labels.labels
    assert (pixels(view.viewport()) == pixels(fresh.viewport())).all()


def test_frames_on_decorations_look_as_painted_at_once(make: Make) -> None:
    view, fresh = make(), make()
    for one in (view, fresh):
        one.decorations.layer("one").replace(some_ranges(0))
    rng = np.random.default_rng(6)
    data = bytearray(b"\x11" * 2048)
    for share in (0.02, 0.9, 0.02, 0.4):
        for at in np.flatnonzero(rng.random(2048) < share):
            data[at] = int(rng.integers(0, 256))
        view.set_frame(frame_of(bytes(data), paused=True))
    fresh.set_frame(frame_of(bytes(data), paused=True))
    assert (pixels(view.viewport()) == pixels(fresh.viewport())).all()


def test_another_theme_and_a_lost_region(make: Make) -> None:
    view, light = make(DARK), make(LIGHT)
    for one in (view, light):
        one.decorations.layer("one").replace(some_ranges(0))
    view.set_theme(LIGHT)
    assert (pixels(view.viewport()) == pixels(light.viewport())).all()
    lively = len(np.unique(pixels(view.viewport()).reshape(-1, 4), axis=0))
    view.set_greyed(True)
    assert len(np.unique(pixels(view.viewport()).reshape(-1, 4), axis=0)) < lively


def test_a_tool_tip_explains_every_range_over_a_byte(make: Make) -> None:
    view = make()
    view.decorations.layer("lane", Depth.AREA).replace(
        [
            Decoration(0, 0x10000, label="lane", tip="of a measurement, 1 slot"),
            Decoration(0x10, 0x20, label="slot 0", tip="answered by guest vm1"),
        ]
    )
    view.decorations.layer("find", Depth.FINDING).add(Decoration(0x12, 3, tip="found"))
    center = view.surface.sheet().cell(Pane.HEX, 0x13).center()
    byte, _, ranges = view.tip_at(QPointF(center)).partition("\n\n")
    assert byte.startswith("offset 0x0000'0013")
    assert ranges.splitlines() == [
        "3 B at 0x12: found",
        "slot 0, 32 B at 0x10: answered by guest vm1",
        "lane, 64 KiB at 0x0: of a measurement, 1 slot",
    ]
    view.decorations.layer("many", 99).replace([Decoration(0x13, 1 + n) for n in range(20)])
    assert view.tip_at(QPointF(center)).endswith("and 17 more")
    view.decorations.clear()
    assert "\n\n" not in view.tip_at(QPointF(center))


def test_a_screen_reader_hears_the_labels(make: Make) -> None:
    view = make()
    view.decorations.layer("one").replace(
        [Decoration(0x10, 64, label="ring"), Decoration(0x10, 8, label="head")]
    )
    assert ", in head, in ring, byte 11" in view.surface.describe_row(0x12)
    assert ", in " not in view.surface.describe_row(0x02)
