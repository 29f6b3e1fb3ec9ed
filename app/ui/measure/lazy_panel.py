"""The Measure panel: what must be there from the start, and the rest once it is shown.

Most windows never measure, and the panel with its charts is two fifths of the time that a window
takes to come up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ..action import Action, Gesture
from ..hex.decorations.decorations import Decorations
from ..panel import About, Panel, PanelHost
from ..session.session import Session
from ..style.theme import DARK, Theme
from .flash.hex_flash import HexFlash
from .keys import GESTURES, SCOPE, run_actions
from .lane.restore_offer import RestoreOffer

if TYPE_CHECKING:
    from ...core.measure.flash.flash import Flip, Painted
    from .panel import MeasurePanel


class LazyMeasurePanel(Panel):
    """A placeholder for the panel, which is made when it is first shown.

    Attributes:
        hex_flash: Answers flashes from the hex view; None until the panel is attached.

    Signals:
        notice(Notice): For the message bar.
    """

    about = About(
        "measure",
        SCOPE,
        Qt.DockWidgetArea.BottomDockWidgetArea,
        ("measure",),
        ("Alt+7",),
        "measure",
        "Latency, transfer, bandwidth and flash tests; answer those of the other side",
    )
    notice = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._host: PanelHost | None = None
        self._panel: MeasurePanel | None = None
        self._decorations: Decorations | None = None
        self.hex_flash: HexFlash | None = None
        self.restore_offer = RestoreOffer(self)
        self.restore_offer.notice.connect(self.notice)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.setMinimumSize(80, 48)  # an empty layout has no size that a dock could use

    def attach(self, host: PanelHost) -> None:
        self._host = host
        self.set_decorations(host.decorations)
        self.notice.connect(host.notice)
        host.answered.connect(self.restore_offer.act)
        self.hex_flash = HexFlash(host.byte_view, self)
        self.hex_flash.painted.connect(self._painted)

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
            made.hex_flash_wanted.connect(self._flash_in_hex)
            made.front_wanted.connect(self.front_wanted)
            made.set_theme(self._theme)
            if self._decorations is not None:
                made.lane.set_decorations(self._decorations)
            made.set_session(self._session)
            self._layout.addWidget(made)
            self.setFocusProxy(made)
        return self._panel

    def shown(self, visible: bool) -> None:
        if visible:
            self.panel.show()

    def set_session(self, session: Session | None) -> None:
        super().set_session(session)
        self.restore_offer.set_session(session)
        if self.hex_flash is not None:
            self.hex_flash.set_session(session)
        if self._panel is not None:
            self._panel.set_session(session)

    def set_decorations(self, decorations: Decorations) -> None:
        """Mark a lane in these."""
        self._decorations = decorations
        if self._panel is not None:
            self._panel.lane.set_decorations(decorations)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._panel is not None:
            self._panel.set_theme(theme)

    def own_actions(self) -> tuple[Action, ...]:
        start = "Start or stop the test"
        return (
            Action("start_test", start, (), self._start, SCOPE, needs_session=True),
            *run_actions(lambda: self.panel.runs),
        )

    def own_gestures(self) -> tuple[Gesture, ...]:
        return GESTURES

    def _start(self) -> None:
        self.front_wanted.emit()
        self.panel.start.click()

    # -- flashes that the hex view shows -----------------------------------------------------------

    def _flash_in_hex(self, flip: Flip) -> None:
        """Bring its bytes into sight, and answer when they are painted."""
        if self._host is not None and self.hex_flash is not None:
            self._host.sight_wanted.emit(flip.offset)
            self.hex_flash.await_flip(flip)

    def _painted(self, painted: Painted) -> None:
        """The hex view painted a flash, which only a panel can have asked for."""
        if self._panel is not None:
            self._panel.painted(painted)
