"""Colours: readable on every ground they are used on, in both themes."""

from __future__ import annotations

import itertools
from dataclasses import fields

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.core.watch.frame import Level
from app.ui.style import icons
from app.ui.style.heat_colors import TOP_RATE, heat_index, heat_table
from app.ui.style.style_sheet import apply_theme, style_sheet
from app.ui.style.theme import DARK, LIGHT, SYMBOLS, Theme, mono_family, mono_font, palette
from tests.ui.helpers import pixels

BOTH = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
GROUNDS = ("ground", "panel", "raised")
# What is read as text, and what only accompanies it (labels, zeros; marks and hatches).
TEXT = ("text", "mine", "good", "warning", "fault")
QUIET = ("quiet", "changed", "flux")


def luminance(color: QColor) -> float:
    parts = [color.redF(), color.greenF(), color.blueF()]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str | QColor, other: str | QColor) -> float:
    """WCAG 2: 1 to 21."""
    low, high = sorted(luminance(QColor(color)) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21, abs=0.01)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.02)


@BOTH
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("role", TEXT)
def test_text_can_be_read(theme: Theme, role: str, ground: str) -> None:
    assert contrast(getattr(theme, role), getattr(theme, ground)) >= 4.5


@BOTH
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("role", QUIET)
def test_quiet_text_can_be_made_out(theme: Theme, role: str, ground: str) -> None:
    assert contrast(getattr(theme, role), getattr(theme, ground)) >= 3


@BOTH
def test_text_on_hover_and_selection_can_be_read(theme: Theme) -> None:
    assert contrast(theme.text, theme.hover) >= 4.5
    assert contrast(theme.text, theme.selection) >= 4.5
    assert contrast(theme.quiet, theme.hover) >= 2.5


@BOTH
def test_traces_can_be_seen_and_told_apart(theme: Theme) -> None:
    for trace in theme.traces:
        assert contrast(trace, theme.ground) >= 4.5
        assert contrast(trace, theme.panel) >= 4.5  # its figure stands above the plot
    assert len(set(theme.traces)) == len(theme.traces)


def test_levels_differ_without_colour() -> None:
    assert len(set(SYMBOLS.values())) == len(Level)


@BOTH
def test_lines_between_the_cells_of_a_heat_map_do_not_shine(theme: Theme) -> None:
    idle = QColor(*(int(part) for part in heat_table()[0][:3]))
    assert contrast(theme.grid, idle) <= 1.3


@BOTH
def test_every_role_is_a_colour(theme: Theme) -> None:
    for role in (each.name for each in fields(Theme) if each.name not in ("name", "traces")):
        assert QColor(getattr(theme, role)).isValid(), role
    assert theme.dark is (theme is DARK)
    assert theme.color("text", 40).alpha() == 40


@BOTH
def test_the_palette_and_the_sheet_use_the_theme(qtbot: QtBot, theme: Theme) -> None:
    made = palette(theme)
    assert made.window().color() == QColor(theme.panel)
    assert made.text().color() == QColor(theme.text)
    for role in ("ground", "panel", "line", "quiet"):
        assert getattr(theme, role) in style_sheet(theme)


def test_a_theme_reaches_widgets(qtbot: QtBot, qapp: QApplication) -> None:
    button = QPushButton("Retry")
    qtbot.addWidget(button)
    try:
        seen = []
        for theme in (DARK, LIGHT):
            apply_theme(qapp, theme)
            seen.append(pixels(button)[..., :3].mean())
        assert seen[0] < 100 < 180 < seen[1]
    finally:
        apply_theme(qapp, DARK)


def test_the_fonts_are_fixed_pitch(qtbot: QtBot) -> None:
    assert mono_family()
    from PySide6.QtGui import QFontMetrics

    metrics = QFontMetrics(mono_font())
    assert metrics.horizontalAdvance("i") == metrics.horizontalAdvance("W")


@BOTH
def test_every_icon_is_drawn_in_the_text_colour(qtbot: QtBot, theme: Theme) -> None:
    wanted = QColor(theme.text)
    for name in icons.names():
        image = icons.icon(name, theme).pixmap(16, 16).toImage()
        inked = [
            image.pixelColor(x, y)
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() > 100
        ]
        assert inked, name
        assert all(abs(color.red() - wanted.red()) < 24 for color in inked), name
    with pytest.raises(KeyError):
        icons.icon("nothing", theme)


def test_the_heat_scale_grows_lighter() -> None:
    import numpy as np

    lights = [luminance(QColor(int(r), int(g), int(b))) for r, g, b, _ in heat_table()]
    assert all(later >= earlier - 0.004 for earlier, later in itertools.pairwise(lights))
    index = heat_index(np.array([0, 0.05, 0.1, 1, 10, TOP_RATE, 10 * TOP_RATE]))
    assert index[0] == 0
    assert list(index) == sorted(index)
    assert index[-1] == index[-2] == 255
