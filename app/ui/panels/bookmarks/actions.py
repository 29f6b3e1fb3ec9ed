"""What can be done with bookmarks, with the keys for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from ....core.annotations.bookmark import DIGITS
from ...action import Action, Gesture

if TYPE_CHECKING:
    from .panel import BookmarksPanel


def bookmark_actions(panel: BookmarksPanel) -> tuple[Action, ...]:
    """In the list, and from anywhere in the window."""
    scope = panel.about.title

    def local(name: str, text: str, keys: tuple[str, ...], call: object) -> Action:
        assert callable(call)
        return Action(name, text, keys, call, scope)

    return (
        Action(
            "bookmark_here",
            "Bookmark here",
            ("Ctrl+B",),
            panel.bookmark_here,
            group="Go",
            section=6,
            hint="The selection, or the byte under the cursor, gets a name",
            needs_session=True,
        ),
        Action(
            "import_bookmarks",
            "Import bookmarks…",
            (),
            panel.import_file,
            group="File",
            section=1,
            needs_session=True,
        ),
        Action(
            "export_bookmarks",
            "Export bookmarks…",
            (),
            panel.export_file,
            group="File",
            section=1,
            needs_session=True,
        ),
        Action(
            "set_bookmark",
            "Set this bookmark here",
            tuple(f"Ctrl+Shift+{digit}" for digit in DIGITS),
            lambda event: panel.set_digit(_digit(event)),
            by_key=True,
        ),
        Action(
            "go_to_bookmark",
            "Go to this bookmark",
            tuple(f"Ctrl+{digit}" for digit in DIGITS),
            lambda event: panel.go_to_digit(_digit(event)),
            by_key=True,
        ),
        local("go_to_mark", "Go to the bookmark", ("Return", "Enter"), panel.go_to_chosen),
        local("edit_bookmark", "Edit the cell", ("F2",), panel.edit_current),
        local("remove_bookmarks", "Remove", ("Del",), panel.remove_chosen),
        local("undo_bookmarks", "Undo the last change", ("Ctrl+Z",), panel.undo),
        local("redo_bookmarks", "Redo it", ("Ctrl+Y", "Ctrl+Shift+Z"), panel.redo),
    )


def _digit(event: QKeyEvent) -> int:
    return event.key() - Qt.Key.Key_0.value


def bookmark_gestures(scope: str) -> tuple[Gesture, ...]:
    """What is not an entry of its own in the list of keys."""
    return (
        Gesture(scope, "Double click", "Edit a name, value, type or note; go to an offset"),
        Gesture(scope, "Esc", "Leave the cell as it is"),
    )
