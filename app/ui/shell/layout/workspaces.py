"""Workspaces: good layouts of the same docks around the same region, each remembered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtWidgets import QMainWindow

from ...action import Action
from .docks import Docks
from .layouts import Layouts, Workspace
from .proportions import Wishes

WORKSPACES: Final = (
    Workspace("watch", "Watch", "Alt+W", "Devices, living bytes, their values, activity"),
    Workspace(
        "edit",
        "Edit",
        "Alt+E",
        "Wide bytes, their values, write tools and journal",
        wishes=Wishes(bottom=0.25, most_bottom=260, most_row=64),
    ),
    Workspace(
        "scope",
        "Scope",
        "Alt+S",
        "Graphs and maps of the whole region, with a strip of its bytes",
        wishes=Wishes(share=0, bottom=0.68, most_bottom=4000, most_row=64),
    ),
    Workspace("measure", "Measure", "Alt+M", "Tests between two peers", bytes=False),
    Workspace("link", "Link", "Alt+L", "Devices, and how to set one up", bytes=False),
)
FIRST: Final = WORKSPACES[0].name
_BY_NAME: Final = {workspace.name: workspace for workspace in WORKSPACES}


def action_name(workspace: str) -> str:
    """The name of the action that goes to a workspace."""
    return f"workspace_{workspace}"


class Workspaces(QObject):
    """The workspaces of one window: which is on, and how each is laid out.

    A layout is {"docks": Qt's state as text, "size": [width, height] of its window, "sizes":
    {panel: [width, height] of its dock}}.

    Args:
        window: The window.
        docks: Its docks.
        show_bytes: Shows or hides hex view and minimap.
        focus_bytes: Gives the hex view the focus.
        room_for: What the hex view takes for so many bytes in a row.

    Signals:
        changed(str): Another workspace is on.
    """

    changed = Signal(str)

    def __init__(
        self,
        window: QMainWindow,
        docks: Docks,
        *,
        show_bytes: Callable[[bool], None],
        focus_bytes: Callable[[], None],
        room_for: Callable[[int], int],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._show_bytes = show_bytes
        self._focus_bytes = focus_bytes
        self.layouts = Layouts(window, docks, room_for)
        self._current = _BY_NAME[FIRST]
        self._remembered: dict[str, dict[str, Any]] = {}
        self._by_default = True
        self._fitted = False
        for panel in docks.panels:
            panel.front_wanted.connect(partial(self.call, panel.about.name))
        for dock in docks:
            dock.toggleViewAction().triggered.connect(lambda _on: self._fit_bytes())

    @property
    def current(self) -> str:
        """Name of the workspace that is on."""
        return self._current.name

    def own_actions(self) -> tuple[Action, ...]:
        """Go to each workspace, call each panel, go back to the default layout."""
        return (
            *(
                Action(
                    action_name(one.name),
                    f"{one.title} workspace",
                    (one.key,),
                    lambda _on, name=one.name: self.go(name),
                    group="View",
                    section=0,
                    hint=one.hint,
                    checkable=True,
                )
                for one in WORKSPACES
            ),
            *(
                Action(
                    f"show_{about.name}",
                    about.title,
                    about.keys,
                    partial(self.call, about.name),
                    group="View",
                    section=1,
                    hint=about.hint,
                    icon=about.icon,
                )
                for about in (panel.about for panel in self._docks.panels)
            ),
            Action(
                "show_hex",
                "Hex view",
                ("Alt+2",),
                self.call_bytes,
                group="View",
                section=1,
                icon="hex",
            ),
            Action(
                "reset_layout",
                "Default layout",
                (),
                self.reset,
                group="View",
                section=4,
                hint="Everything of this workspace back in its place",
            ),
        )

    # -- going -------------------------------------------------------------------------------------

    def go(self, name: str) -> None:
        """Turn to a workspace, laid out as it was left. Raises KeyError for an unknown name."""
        wanted = _BY_NAME[name]
        if wanted is not self._current:
            self._remember()
            self._current = wanted
            self._lay_out()
            self._focus()
        self.changed.emit(name)

    def call(self, name: str) -> None:
        """Bring a panel to the front: in this workspace if it has it, else in the panel's own."""
        dock = self._docks[name]
        about = next(panel.about for panel in self._docks.panels if panel.about.name == name)
        if dock.isHidden() and self.current not in about.workspaces:
            self.go(about.workspaces[0])
        self._docks.show(name)
        self._fit_bytes()

    def call_bytes(self) -> None:
        """Bring the hex view up and give it the focus."""
        if not self._current.bytes:
            self.go(FIRST)
        self._focus_bytes()

    def reset(self) -> None:
        """Everything of this workspace as on the first start."""
        self._remembered.pop(self.current, None)
        self._lay_out()

    def _lay_out(self) -> None:
        """As remembered, or by default."""
        self._window.setUpdatesEnabled(False)
        try:
            self._show_bytes(self._current.bytes)
            layout = self._remembered.get(self.current)
            self.layouts.arrange(self._current)  # a panel that a layout does not know stays so
            self._by_default = layout is None or not self._docks.restore(layout["docks"])
            if self._fitted:
                self.fit()
            self._fit_bytes()
        finally:
            self._window.setUpdatesEnabled(True)

    def fit(self) -> None:
        """Sizes for the window as it is now; first when it is shown, which gives docks a size."""
        self._fitted = True
        if self._by_default:
            self.layouts.resize(self._current)
        else:
            layout = self._remembered[self.current]
            self.layouts.scale(QSize(*layout["size"]), layout.get("sizes", {}))
            self._remember()

    def _fit_bytes(self) -> None:
        """Where no dock is left the hex view fills the window."""
        self._docks.beside_bytes = self._current.bytes or not self._docks.in_window()
        self._show_bytes(self._docks.beside_bytes)
        self._docks.fit_titles()

    def _focus(self) -> None:
        if self._current.bytes:
            self._focus_bytes()
            return
        first = next(iter(self._docks.in_window()), None)
        if first is not None:
            self._docks.show(self._docks.name_of(first))

    # -- remembering -------------------------------------------------------------------------------

    def _remember(self) -> None:
        size = self._window.size()
        self._remembered[self.current] = {
            "docks": self._docks.state(),
            "size": [size.width(), size.height()],
            "sizes": self.layouts.sizes(),
        }

    def state(self) -> dict[str, Any]:
        """The layouts by workspace, for the settings."""
        if self._fitted:
            self._remember()
        return dict(self._remembered)

    def restore(self, layouts: dict[str, Any], current: str) -> None:
        """Take remembered layouts; those that make no sense are left out."""
        self._remembered = {
            name: layout for name, layout in layouts.items() if name in _BY_NAME and _good(layout)
        }
        self._current = _BY_NAME.get(current, _BY_NAME[FIRST])
        self._lay_out()
        self.changed.emit(self.current)


def _good(layout: Any) -> bool:
    if not isinstance(layout, dict) or not isinstance(layout.get("docks"), str):
        return False
    sizes = layout.get("sizes", {})
    return _pair(layout.get("size")) and isinstance(sizes, dict) and all(map(_pair, sizes.values()))


def _pair(size: Any) -> bool:
    return isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) for n in size)
