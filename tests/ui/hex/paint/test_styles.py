from __future__ import annotations

import pytest

from app.ui.hex.paint import styles
from app.ui.style.theme import DARK, LIGHT, Theme

QUIET = {styles.ZERO, styles.ABSENT, styles.LABEL}
THEMES = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)


@THEMES
@pytest.mark.parametrize("selected", [0, styles.SELECTED], ids=["plain", "selected"])
def test_every_look_can_be_read(theme: Theme, selected: int) -> None:
    looks = styles.looks(theme)
    assert len(looks) == styles.COUNT
    for style in range(styles.LABEL_HERE + 1):
        look = looks[style | selected]
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
def test_a_glow_fades_into_the_ground(theme: Theme) -> None:
    looks = styles.looks(theme)
    ground = looks[styles.TEXT].ground
    glow = [styles.contrast(looks[styles.CHANGED + s].tile, ground) for s in range(styles.STEPS)]
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


def test_contrast_is_that_of_the_standard() -> None:
    assert styles.contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert styles.contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
