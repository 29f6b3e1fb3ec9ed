"""Every action of a window in one table: its words, its key, where it stands in the menu.

The menu, the tool bar, the searchable list (Ctrl+Shift+P) and the list of keys (F1) are all
made from it, so that none of them can know something that the others do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action.

    Attributes:
        name: Stable name in the code.
        text: A verb phrase for the menu.
        keys: Shortcuts, the first is shown.
        group: Menu that it belongs to.
        checkable: Whether it has an on and off state.
        hint: One sentence more, for the tool tip and the searchable list.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    group: str = ""
    checkable: bool = False
    hint: str = ""


TABLE: tuple[ActionSpec, ...] = (
    ActionSpec("open_file", "Open file…", ("Ctrl+O",), "File", hint="Any file as shared memory"),
    ActionSpec("new_window", "New window", ("Ctrl+N",), "File"),
    ActionSpec("duplicate", "Open this region in another window", ("Ctrl+Shift+N",), "File"),
    ActionSpec("demo", "Open the demo", (), "File", hint="A live region with a peer that plays"),
    ActionSpec("save_range", "Save range to a file…", ("Ctrl+S",), "File"),
    ActionSpec("load_file", "Load a file into the region…", ("Ctrl+Shift+O",), "File"),
    ActionSpec("screenshot", "Save a picture of the window…", (), "File"),
    ActionSpec("close", "Close window", ("Ctrl+W",), "File"),
    ActionSpec("quit", "Quit", ("Ctrl+Q",), "File"),
    ActionSpec(
        "lock",
        "Lock or unlock writing",
        ("Ctrl+L",),
        "Edit",
        hint="Unlock to edit; locked, nothing in this window can change the memory",
    ),
    ActionSpec(
        "undo",
        "Undo write",
        ("Ctrl+Z",),
        "Edit",
        hint="Put the bytes back that your last write replaced",
    ),
    ActionSpec(
        "redo",
        "Redo write",
        ("Ctrl+Y", "Ctrl+Shift+Z"),
        "Edit",
        hint="Do the write again that was undone",
    ),
    ActionSpec("copy", "Copy", ("Ctrl+C",), "Edit"),
    ActionSpec("paste", "Paste over", ("Ctrl+V",), "Edit"),
    ActionSpec("select_all", "Select all", ("Ctrl+A",), "Edit"),
    ActionSpec("select_range", "Select range…", ("Ctrl+E",), "Edit"),
    ActionSpec("fill", "Fill…", ("Ctrl+I",), "Edit", hint="Fill the selection with a pattern"),
    ActionSpec("goto", "Go to offset…", ("Ctrl+G",), "Go", hint="0x40, 64, +16, or an expression"),
    ActionSpec(
        "next_change", "Next changed byte", ("F6",), "Go", hint="Find what the other side writes"
    ),
    ActionSpec("previous_change", "Previous changed byte", ("Shift+F6",), "Go"),
    ActionSpec("back", "Back", ("Alt+Left",), "Go"),
    ActionSpec("forward", "Forward", ("Alt+Right",), "Go"),
    ActionSpec(
        "pause",
        "Pause",
        ("Ctrl+P", "Pause"),
        "View",
        checkable=True,
        hint="Freeze the picture; the memory lives on",
    ),
    ActionSpec("step", "Look once", ("Ctrl+.",), "View", hint="One look while paused"),
    ActionSpec("retry", "Open again", ("Ctrl+R", "F5"), "View", hint="End the engine, open anew"),
    ActionSpec(
        "speed",
        "Measure the mapping's speed",
        (),
        "View",
        hint="Reading; with a selection and writing unlocked also writing, put back after",
    ),
    ActionSpec("rescan", "Rescan devices", ("Ctrl+F5",), "View"),
    ActionSpec("zoom_in", "Larger bytes", ("Ctrl+=", "Ctrl++"), "View"),
    ActionSpec("zoom_out", "Smaller bytes", ("Ctrl+-",), "View"),
    ActionSpec("zoom_reset", "Normal size", ("Ctrl+0",), "View"),
    ActionSpec("theme", "Light or dark", ("Ctrl+Shift+L",), "View"),
    ActionSpec("reset_layout", "Default layout", (), "View"),
    ActionSpec("show_devices", "Devices", ("Alt+1",), "View"),
    ActionSpec("show_hex", "Hex view", ("Alt+2",), "View"),
    ActionSpec("show_inspector", "Inspector", ("Alt+3",), "View"),
    ActionSpec(
        "show_activity", "Activity", ("Alt+4",), "View", hint="Change rate, and which pages change"
    ),
    ActionSpec(
        "show_write",
        "Write tools",
        ("Alt+5",),
        "View",
        hint="Fill, typed values, load, save, copy, repeat",
    ),
    ActionSpec(
        "show_journal", "Journal", ("Alt+6",), "View", hint="Every write of this window, to undo"
    ),
    ActionSpec(
        "show_measure",
        "Measure",
        ("Alt+7",),
        "View",
        hint="Latency, transfer, bandwidth and flash tests; answer those of the other side",
    ),
    ActionSpec("palette", "All actions…", ("Ctrl+Shift+P",), "Help"),
    ActionSpec("keys", "Keys of this view", ("F1",), "Help"),
    ActionSpec("about", "About IVSHMEM Scope", (), "Help"),
)

# The hex view handles these keys itself while it has the focus, and a line edit has its own
# meaning for them; as window shortcuts they would take them away from both.
_LOCAL = frozenset({"copy", "paste", "select_all", "undo", "redo"})
GROUPS: tuple[str, ...] = ("File", "Edit", "Go", "View", "Help")


class Actions(QObject):
    """The QActions of one window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._actions: dict[str, QAction] = {}
        for spec in TABLE:
            action = QAction(spec.text, window)
            action.setShortcuts([QKeySequence(key) for key in spec.keys])
            local = spec.name in _LOCAL
            context = Qt.ShortcutContext
            action.setShortcutContext(context.WidgetShortcut if local else context.WindowShortcut)
            action.setCheckable(spec.checkable)
            key = f" ({spec.keys[0]})" if spec.keys else ""
            action.setToolTip(
                f"{spec.text.rstrip('…')}{key}" + (f"\n{spec.hint}" if spec.hint else "")
            )
            window.addAction(action)
            self._actions[spec.name] = action

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def on(self, name: str, slot: Callable[..., object]) -> None:
        """Connect `slot()` (or `slot(checked)` for a checkable one) to an action."""
        action = self._actions[name]
        if action.isCheckable():
            action.triggered.connect(slot)
        else:
            action.triggered.connect(lambda _checked=False: slot())

    def items(self) -> Iterator[tuple[ActionSpec, QAction]]:
        """All actions in the table's order."""
        return ((spec, self._actions[spec.name]) for spec in TABLE)

    def fill_menu(self, menu: QMenu) -> None:
        """One submenu per group."""
        for group in GROUPS:
            part = menu.addMenu(group)
            part.setToolTipsVisible(True)
            for spec, action in self.items():
                if spec.group == group:
                    part.addAction(action)

    def enable(self, names: tuple[str, ...], on: bool) -> None:
        """Switch several at once."""
        for name in names:
            self._actions[name].setEnabled(on)
