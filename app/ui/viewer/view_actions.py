"""What can be done in the view of a region, beside what its parts offer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..action import Action

if TYPE_CHECKING:
    from .region_view import RegionView


def view_actions(view: RegionView) -> tuple[Action, ...]:
    """Entries of the table of actions."""
    entry = partial(Action, needs_session=True)
    return (
        entry(
            "select_range", "Select range…", ("Ctrl+E",), view.open_range, group="Edit", section=1
        ),
        entry(
            "pointers",
            "How pointers are read…",
            (),
            view.following.open,
            group="Go",
            section=6,
            hint="Type, byte order and base for Space and Shift+Space",
        ),
        entry("back", "Back", ("Alt+Left",), view.go_back, group="Go"),
        entry("forward", "Forward", ("Alt+Right",), view.go_forward, group="Go"),
        entry(
            "speed",
            "Measure the mapping's speed",
            (),
            view.measure_speed,
            group="View",
            section=2,
            hint="Reading; with a selection and writing unlocked also writing, put back after",
        ),
    )
