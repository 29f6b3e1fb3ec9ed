"""The Measure tab: the parts needed from the start, and the panel once it is shown.

Most windows never measure, and the panel with its charts is two fifths of the time that a window
takes to come up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ...core.watch.frame import Frame
from ..hex.paint.decorations import Decorations
from ..session.session import Session
from ..style.theme import DARK, Theme
from .restore_offer import RestoreOffer

if TYPE_CHECKING:
    from ...core.measure.flash.flash import Painted
    from .panel import MeasurePanel


class LazyMeasurePanel(QWidget):
    """Stands in for the panel until it is first shown; speaks for it afterwards.

    Signals:
        notice(Notice), hex_flash_wanted(Flip), front_wanted(): As of the panel.
    """

    notice = Signal(object)
    hex_flash_wanted = Signal(object)
    front_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._theme = DARK
        self._panel: MeasurePanel | None = None
        self._decorations: Decorations | None = None
        self.restore_offer = RestoreOffer(self)
        self.restore_offer.notice.connect(self.notice)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.setMinimumSize(80, 48)  # an empty layout has no size that a dock could use

    @property
    def built(self) -> bool:
        """Whether the panel is there."""
        return self._panel is not None

    @property
    def panel(self) -> MeasurePanel:
        """The panel; built now if it is not there yet."""
        if self._panel is None:
            from .panel import MeasurePanel

            made = self._panel = MeasurePanel(self)
            made.notice.connect(self.notice)
            made.hex_flash_wanted.connect(self.hex_flash_wanted)
            made.front_wanted.connect(self.front_wanted)
            made.set_theme(self._theme)
            if self._decorations is not None:
                made.lane.set_decorations(self._decorations)
            made.set_session(self._session)
            self._layout.addWidget(made)
            self.setFocusProxy(made)
        return self._panel

    def shown(self, visible: bool) -> None:
        """The tab came to the front, or went behind another."""
        if visible:
            self.panel.show()

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        self._session = session
        self.restore_offer.set_session(session)
        if self._panel is not None:
            self._panel.set_session(session)

    def set_decorations(self, decorations: Decorations) -> None:
        """Show in these where a lane lies."""
        self._decorations = decorations
        if self._panel is not None:
            self._panel.lane.set_decorations(decorations)

    def set_frame(self, frame: Frame) -> None:
        """Nothing here is drawn from Frames."""

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        if self._panel is not None:
            self._panel.set_theme(theme)

    def painted(self, painted: Painted) -> None:
        """The hex view painted a flash; without a panel there is none."""
        if self._panel is not None:
            self._panel.painted(painted)
