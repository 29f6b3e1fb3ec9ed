"""The default layout of each workspace: which docks, where, how large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from .docks import Docks

_BYTES_IN_A_ROW: Final = (48, 32, 24, 16, 8)
_MINIMAP: Final = 36
_BESIDE: Final = 52  # the minimap, what divides the docks, and some air
_LEAST_RIGHT, _MOST_RIGHT = 240, 456
_MOST_OF_LOW: Final = 0.36  # what a low window gives to the bottom at most for its least height
_AREAS: Final = (
    Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.DockWidgetArea.BottomDockWidgetArea,
    Qt.DockWidgetArea.RightDockWidgetArea,
)


@dataclass(frozen=True, slots=True)
class Workspace:
    """One layout of the same docks around the same region.

    Attributes:
        name: Stable name in the code and in the settings.
        title: On its button.
        key: Goes to it.
        hint: What it is for.
        bytes: Whether hex view and minimap stand in it.
        bottom: Share of the window's height that the bottom docks get.
        least_bottom: Pixels that they get at least.
        most_bottom: And at most.
        most_row: Bytes in a row that the hex view gets at most before other docks grow.
    """

    name: str
    title: str
    key: str
    hint: str
    bytes: bool = True
    bottom: float = 0.27
    least_bottom: int = 196
    most_bottom: int = 420
    most_row: int = 16


class Layouts:
    """Lays out the docks of one window.

    Args:
        window: The window.
        docks: Its docks.
        room_for: What the hex view takes for so many bytes in a row.
    """

    def __init__(self, window: QMainWindow, docks: Docks, room_for: Callable[[int], int]) -> None:
        self._window = window
        self._docks = docks
        self._room_for = room_for

    def arrange(self, workspace: Workspace) -> None:
        """Put every dock where it stands by default, and hide those of other workspaces.

        Docks that share a place stand behind one another, those of the workspace in front. Without
        bytes between them the workspace's docks stand side by side.
        """
        docks = self._docks
        beside: list[QDockWidget] = []
        for area in _AREAS:
            about = [panel.about for panel in docks.panels if panel.about.area == area]
            own = [docks[one.name] for one in about if workspace.name in one.workspaces]
            rest = [docks[one.name] for one in about if workspace.name not in one.workspaces]
            groups = (own + rest,) if workspace.bytes else (own, rest)
            for group in filter(None, groups):
                moved = group is own and not workspace.bytes
                place = Qt.DockWidgetArea.BottomDockWidgetArea if moved else area
                self._stack(group, place, beside if moved else [])
            for dock in own:
                dock.show()
            for dock in rest:
                dock.hide()
            if own:
                own[0].raise_()
        docks.fit_titles()

    def _stack(
        self, group: list[QDockWidget], area: Qt.DockWidgetArea, beside: list[QDockWidget]
    ) -> None:
        """Put docks behind one another into an area, at the right of those that are `beside`."""
        first = group[0]
        for dock in group:
            dock.setFloating(False)
            self._window.addDockWidget(area, dock)
        if beside:
            self._window.splitDockWidget(beside[-1], first, Qt.Orientation.Horizontal)
        for dock in group[1:]:
            self._window.tabifyDockWidget(first, dock)
        beside.append(first)

    def resize(self, workspace: Workspace) -> None:
        """Sizes that suit the window: whole rows of bytes first, then what reads well."""
        width, height = self._window.width(), self._window.height()
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        by_area = {
            area: [
                self._docks[panel.about.name]
                for panel in self._docks.panels
                if panel.about.area == area and workspace.name in panel.about.workspaces
            ]
            for area in _AREAS
        }
        left, bottom, right = (by_area[area][:1] for area in _AREAS)
        if not workspace.bytes:
            row = left + bottom + right
            shares = {1: (1,), 2: (4, 5), 3: (2, 5, 3)}[len(row)]
            self._window.resizeDocks(row, [width * share for share in shares], horizontal)
            return
        left_width = (200 if width < 1100 else 232) if left else 0
        rooms = [
            self._room_for(columns) + _BESIDE
            for columns in _BYTES_IN_A_ROW
            if columns <= workspace.most_row
        ]
        rest = width - left_width
        hexes = next((room for room in rooms if rest - room >= _LEAST_RIGHT), 300)
        sides = [left_width] * len(left)
        sides += [min(_MOST_RIGHT, max(_LEAST_RIGHT, rest - hexes))] * len(right)
        self._window.resizeDocks(left + right, sides, horizontal)
        share = round(height * workspace.bottom)
        least = min(workspace.least_bottom, round(height * _MOST_OF_LOW))
        high = min(workspace.most_bottom, max(least, share))
        self._window.resizeDocks(bottom, [high] * len(bottom), vertical)

    def sizes(self) -> dict[str, list[int]]:
        """Width and height of the place of each dock that is in front, for `scale`."""
        docks = self._docks
        return {
            docks.name_of(one): [one.width(), one.height() + docks.tab_height(one)]
            for one in docks.in_front()
        }

    def scale(self, old: QSize, sizes: dict[str, list[int]]) -> None:
        """Give the docks, laid out for a window of another size, their share of this one."""
        new = self._window.size()
        shown = [one for one in self._docks.in_window() if self._docks.name_of(one) in sizes]
        for at, orientation, before, now in (
            (0, Qt.Orientation.Horizontal, old.width(), new.width()),
            (1, Qt.Orientation.Vertical, old.height(), new.height()),
        ):
            if before > 0 and before != now:
                scaled = [
                    max(1, round(sizes[self._docks.name_of(one)][at] * now / before))
                    for one in shown
                ]
                self._window.resizeDocks(shown, scaled, orientation)

    def keep_room(self) -> None:
        """Where the window is made narrow, docks give way before a row of bytes does."""
        central = self._window.centralWidget()
        if central is not None:
            central.setMinimumWidth(self._room_for(_BYTES_IN_A_ROW[-1]) + _MINIMAP)
