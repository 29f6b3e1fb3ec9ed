"""What can be done with bookmarks, with the keys for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

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
        *(
            Action(
                f"go_to_bookmark_{digit}",
                f"Go to bookmark {digit}",
                (f"Ctrl+{digit}",),
                partial(panel.go_to_digit, digit),
                needs_session=True,
            )
            for digit in DIGITS
        ),
        *(
            Action(
                f"set_bookmark_{digit}",
                f"Set bookmark {digit} here",
                (f"Ctrl+Shift+{digit}",),
                partial(panel.set_digit, digit),
                needs_session=True,
            )
            for digit in DIGITS
        ),
        local("go_to_mark", "Go to the bookmark", ("Return", "Enter"), panel.go_to_chosen),
        local("edit_bookmark", "Edit the cell", ("F2",), panel.edit_current),
        local("remove_bookmarks", "Remove", ("Del",), panel.remove_chosen),
        local("undo_bookmarks", "Undo the last change", ("Ctrl+Z",), panel.undo),
        local("redo_bookmarks", "Redo it", ("Ctrl+Y", "Ctrl+Shift+Z"), panel.redo),
    )


def bookmark_gestures(scope: str) -> tuple[Gesture, ...]:
    """What is not an entry of its own in the list of keys."""
    return (
        Gesture(scope, "Ctrl+Shift+0 to 9", "Set a bookmark here, from anywhere in the window"),
        Gesture(scope, "Ctrl+0 to 9", "Go to it, from anywhere in the window"),
        Gesture(scope, "Double click", "Edit a name, value, type or note; go to an offset"),
        Gesture(scope, "Esc", "Leave the cell as it is"),
    )
