from __future__ import annotations

import pytest

from app.ui.hex.decorations.decorations import Tint
from app.ui.hex.paint import styles
from app.ui.style.theme import DARK, LIGHT, Theme

QUIET = {styles.ZERO, styles.ABSENT, styles.LABEL}
THEMES = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)


TINTS = pytest.mark.parametrize("tint", list(Tint), ids=lambda tint: tint.name.lower())


@THEMES
@TINTS
@pytest.mark.parametrize("selected", [0, styles.SELECTED], ids=["plain", "selected"])
def test_every_look_can_be_read(theme: Theme, selected: int, tint: Tint) -> None:
    looks = styles.looks(theme)
    assert len(looks) == styles.COUNT
    for style in range(styles.LABEL_HERE + 1):
        look = looks[style | selected | tint * styles.TINT]
        least = 3.0 if style in QUIET else 4.5
        for behind in filter(None, (look.tile, look.hatch)):
            ratio = styles.contrast(look.ink, behind)
            assert ratio >= least, f"style {style} has {ratio:.2f}:1"


@THEMES
def test_every_look_of_a_lost_region_can_be_read(theme: Theme) -> None:
    for look in styles.looks(theme, greyed=True):
        assert styles.contrast(look.ink, look.tile) >= 3.0
        assert look.underline is None
        assert look.hatch is None


@THEMES
def test_each_state_can_be_told_without_colour(theme: Theme) -> None:
    looks = styles.looks(theme)
    assert all(looks[styles.CHANGED + step].underline for step in range(styles.STEPS))
    assert looks[styles.MINE].bold
    assert looks[styles.FLUX].hatch
    assert looks[styles.PENDING].underline
    assert not looks[styles.TEXT].underline


@THEMES
@TINTS
@pytest.mark.parametrize("selected", [0, styles.SELECTED], ids=["plain", "selected"])
def test_a_glow_fades_into_the_ground(theme: Theme, selected: int, tint: Tint) -> None:
    looks = styles.looks(theme)
    under = selected | tint * styles.TINT
    ground = looks[styles.TEXT | under].ground
    for first in (styles.CHANGED, styles.MINE_FRESH):
        steps = [looks[first + step | under].tile for step in range(styles.STEPS)]
        glow = [styles.contrast(tile, ground) for tile in steps]
        assert glow == sorted(glow, reverse=True)
        assert glow[0] > 1.3


@THEMES
def test_a_selection_is_a_tint_that_differs_from_the_ground(theme: Theme) -> None:
    looks = styles.looks(theme)
    plain, tinted = looks[styles.TEXT], looks[styles.TEXT | styles.SELECTED]
    assert plain.ground != tinted.ground
    fresh = looks[styles.CHANGED | styles.SELECTED]
    assert fresh.tile != tinted.tile
    assert fresh.underline


@THEMES
@TINTS
def test_a_decoration_is_seen_without_colour(theme: Theme, tint: Tint) -> None:
    looks = styles.looks(theme)
    plain = looks[styles.TEXT]
    for selected in (0, styles.SELECTED):
        look = looks[tint * styles.TINT | selected]
        assert styles.contrast(look.mark, look.ground) >= 3.0, "its lines and bars"
    if tint:
        assert styles.contrast(looks[tint * styles.TINT].ground, plain.ground) >= 1.2, "its ground"


@THEMES
def test_a_selection_is_seen_on_every_decoration(theme: Theme) -> None:
    looks = styles.looks(theme)
    for tint in Tint:
        tinted, chosen = looks[tint * styles.TINT], looks[tint * styles.TINT | styles.SELECTED]
        assert styles.contrast(tinted.ground, chosen.ground) >= 1.1
        assert len({looks[t * styles.TINT | styles.SELECTED].ground for t in Tint}) == len(Tint)


@THEMES
def test_there_is_a_colour_for_every_tint_and_none_is_that_of_a_change(theme: Theme) -> None:
    assert len(theme.tints) == len(set(theme.tints)) == len(Tint) - 1
    assert not {theme.changed, theme.mine, theme.flux, theme.selection} & set(theme.tints)


@THEMES
def test_looks_are_a_sequence(theme: Theme) -> None:
    looks = styles.looks(theme)
    assert looks[-1] == looks[styles.COUNT - 1]
    assert looks[60:70] == tuple(looks[at] for at in range(60, 70))
    with pytest.raises(IndexError):
        looks[styles.COUNT]


def test_contrast_is_that_of_the_standard() -> None:
    assert styles.contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert styles.contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
