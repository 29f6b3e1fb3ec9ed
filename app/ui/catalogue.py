"""The list of panels: what stands in it is in every window, and nothing else makes panels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

from .measure.lazy_panel import LazyMeasurePanel
from .panel import Panel, PanelHost
from .panels.activity.panel import ActivityPanel
from .panels.bookmarks.panel import BookmarksPanel
from .panels.devices.panel import DevicesPanel
from .panels.devices.setup_panel import SetupPanel
from .panels.inspector.panel import InspectorPanel
from .panels.journal import JournalPanel
from .panels.preview.panel import PreviewPanel
from .panels.results.panel import ResultsPanel
from .panels.results.strings_panel import StringsPanel
from .panels.statistics.panel import StatisticsPanel
from .panels.write.panel import WritePanel
from .session.session import Session
from .style.theme import Theme

# In this order they stand in menus, and behind one another where they share a place.
CATALOGUE: Final[tuple[type[Panel], ...]] = (
    DevicesPanel,
    InspectorPanel,
    StatisticsPanel,
    PreviewPanel,
    ActivityPanel,
    WritePanel,
    JournalPanel,
    BookmarksPanel,
    ResultsPanel,
    StringsPanel,
    LazyMeasurePanel,
    SetupPanel,
)
P = TypeVar("P", bound=Panel)


class Panels:
    """The panels of one window, by their class.

    Args:
        host: What they connect themselves to.
    """

    def __init__(self, host: PanelHost) -> None:
        self._made: dict[type[Panel], Panel] = {kind: kind() for kind in CATALOGUE}
        for panel in self:
            panel.attach(host)

    def __getitem__(self, kind: type[P]) -> P:
        panel = self._made[kind]
        assert isinstance(panel, kind)
        return panel

    def __iter__(self) -> Iterator[Panel]:
        return iter(self._made.values())

    def set_session(self, session: Session | None) -> None:
        """Another region, or none, for those that show one."""
        for panel in self:
            if panel.about.needs_session:
                panel.set_session(session)

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        for panel in self:
            panel.set_theme(theme)

    def build(self) -> None:
        """Make now what the panels otherwise make later."""
        for panel in self:
            if panel.isVisible():
                panel.build()
