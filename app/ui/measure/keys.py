"""What the Measure panel contributes to the table of actions, before it is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..action import Action, Gesture

if TYPE_CHECKING:
    from .runs.run_table import RunTable

SCOPE: Final = "Measure"
GESTURES: Final = (
    Gesture(SCOPE, "Enter", "Start the test, from its fields and the button"),
    Gesture(SCOPE, "Space", "Show or hide the chosen run; flip the flash patch"),
)


def run_actions(table: Callable[[], RunTable]) -> tuple[Action, ...]:
    """What can be done with the chosen run.

    Args:
        table: Gives the table; called when something is done.
    """
    hint = "The chosen run"
    return (
        Action("rename_run", "Rename", ("F2",), lambda: table().rename(), SCOPE, hint=hint),
        Action("copy_run", "Copy figures", ("Ctrl+C",), lambda: table().copy(), SCOPE, hint=hint),
        Action("save_run", "Save run…", (), lambda: table().choose_file(), SCOPE, hint=hint),
        Action("remove_run", "Remove", ("Del",), lambda: table().remove(), SCOPE, hint=hint),
    )
