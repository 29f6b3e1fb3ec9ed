"""Colours and fonts, one table; every colour has one job (shared with the tests on contrast)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontInfo,
    QGuiApplication,
    QPalette,
)

from ...core.watch.frame import Level


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours, as #rrggbb text.

    `line` divides, `raised` is a control's face, `hover` and `pressed` its answer. `grid` parts the
    cells of a heat map, whose own ground is dark in both themes. `tints` are the grounds of
    decorations; none is near the colour of a change, of an own write or of flux.
    """

    name: str
    ground: str
    panel: str
    raised: str
    hover: str
    line: str
    text: str
    quiet: str
    changed: str
    mine: str
    flux: str
    good: str
    warning: str
    fault: str
    selection: str
    grid: str
    traces: tuple[str, ...]
    tints: tuple[str, ...]

    @property
    def dark(self) -> bool:
        """Whether the ground is darker than the text."""
        return QColor(self.ground).lightness() < QColor(self.text).lightness()

    def color(self, role: str, alpha: int = 255) -> QColor:
        """A role as QColor, with alpha 0 to 255."""
        color = QColor(getattr(self, role))
        color.setAlpha(alpha)
        return color

    def level(self, level: Level) -> QColor:
        """Colour of a health level; `symbol` is its shape."""
        return self.color(level.value)


DARK: Final = Theme(
    name="dark",
    ground="#14171A",
    panel="#1B1F24",
    raised="#242A31",
    hover="#2D343D",
    line="#2A3038",
    text="#E6E9EC",
    quiet="#7C8792",
    changed="#FFB454",
    mine="#59C2FF",
    flux="#FF7A90",
    good="#7FD962",
    warning="#FFB454",
    fault="#FF6B6B",
    selection="#2F5D8A",
    grid="#14171A",
    traces=("#59C2FF", "#FFB454", "#7FD962", "#D2A6FF", "#F07178", "#95E6CB"),
    tints=("#93A4B8", "#B792F2", "#4FC9B0", "#86C65A", "#CDBB4E", "#D98AA8", "#7C8FF5"),
)

LIGHT: Final = Theme(
    name="light",
    ground="#FAFBFC",
    panel="#F1F3F5",
    raised="#FFFFFF",
    hover="#E4E8EC",
    line="#D5DAE0",
    text="#1D2329",
    quiet="#68727D",
    changed="#C86B00",
    mine="#0B6BCB",
    flux="#C2183B",
    good="#267A37",
    warning="#A85500",
    fault="#C92A2A",
    selection="#B7D4F2",
    grid="#141728",
    traces=("#0B6BCB", "#A85500", "#267A37", "#7A3EB1", "#C2183B", "#147060"),
    tints=("#566779", "#7A3EB1", "#147060", "#267A37", "#6E6400", "#A03A66", "#3F4FC4"),
)

SYMBOLS: Final = {Level.GOOD: "●", Level.WARNING: "▲", Level.FAULT: "■"}

MONO_FAMILIES: Final = (
    "Cascadia Mono",
    "Consolas",
    "JetBrains Mono",
    "SF Mono",
    "Menlo",
    "DejaVu Sans Mono",
    "Liberation Mono",
    "Noto Sans Mono",
)
UNIT: Final = 4
PAD: Final = 8


@cache
def mono_family() -> str:
    """The platform's best monospace family among those we know, else Qt's fixed font."""
    have = set(QFontDatabase.families())
    for family in MONO_FAMILIES:
        if family in have:
            return family
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()


def mono_font(points: float | None = None) -> QFont:
    """Monospace for bytes, numbers and paths; `points` defaults to the application's size."""
    font = QFont(mono_family())
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    font.setPointSizeF(points or QFontInfo(QGuiApplication.font()).pointSizeF())
    return font


def system_theme() -> Theme:
    """What the desktop asks for; dark where it does not say."""
    scheme = QGuiApplication.styleHints().colorScheme()
    return LIGHT if scheme == Qt.ColorScheme.Light else DARK


def palette(theme: Theme) -> QPalette:
    """The theme as a QPalette for the Fusion style."""
    result = QPalette()
    role = QPalette.ColorRole
    for qt_role, name in (
        (role.Window, "panel"),
        (role.Base, "ground"),
        (role.AlternateBase, "panel"),
        (role.Text, "text"),
        (role.WindowText, "text"),
        (role.ButtonText, "text"),
        (role.Button, "raised"),
        (role.ToolTipBase, "raised"),
        (role.ToolTipText, "text"),
        (role.PlaceholderText, "quiet"),
        (role.Highlight, "selection"),
        (role.HighlightedText, "text"),
        (role.Link, "mine"),
        (role.Mid, "line"),
        (role.Dark, "line"),
        (role.Light, "hover"),
        (role.Midlight, "hover"),
    ):
        result.setColor(qt_role, theme.color(name))
    for qt_role in (role.Text, role.WindowText, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, qt_role, theme.color("quiet"))
    return result
