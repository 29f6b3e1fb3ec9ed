"""The default layout of each workspace: which docks, where, how large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStyle, QToolBar

from ...hex.paint.geometry import FITTED
from .docks import Docks
from .proportions import Room, Wishes, sizes

_MINIMAP: Final = 36
_AIR: Final = 8  # behind the last character of a row
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
        wishes: What it wants of the sizes where they do.
    """

    name: str
    title: str
    key: str
    hint: str
    bytes: bool = True
    wishes: Wishes = field(default_factory=Wishes)


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
        """Sizes that suit the window (proportions.py)."""
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
            widths = [self._window.width() * share for share in shares]
            self._window.resizeDocks(row, widths, horizontal)
            return
        wanted = sizes(self._room(left, bottom, right), workspace.wishes)
        sides = [wanted.left] * len(left) + [wanted.right] * len(right)
        self._window.resizeDocks(left + right, sides, horizontal)
        self._window.resizeDocks(bottom, [wanted.bottom] * len(bottom), vertical)

    def _room(
        self, left: list[QDockWidget], bottom: list[QDockWidget], right: list[QDockWidget]
    ) -> Room:
        window = self._window
        width, height = window.width(), window.height()
        bars = window.findChildren(QToolBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        around = sum(bar.sizeHint().height() for bar in bars)
        around += window.statusBar().sizeHint().height()
        divider = QStyle.PixelMetric.PM_DockWidgetSeparatorExtent
        return Room(
            area=width * height,
            width=width,
            height=height - around,
            divider=window.style().pixelMetric(divider, None, window),
            rows={count: self._room_for(count) + _MINIMAP + _AIR for count in FITTED},
            strip=max((dock.minimumSizeHint().height() for dock in bottom), default=0),
            left=bool(left),
            right=bool(right),
        )

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
            central.setMinimumWidth(self._room_for(FITTED[0]) + _MINIMAP)
