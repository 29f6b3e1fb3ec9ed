"""The choice of how often values are shown, wherever values that flicker have to be read."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ...core.values.steady import Pace
from ..style.combo_box import ComboBox

_TIP = (
    "How often values are shown: as they come, less often, as a mean of all looks, or held.\n"
    "Least and greatest count every look, whatever is shown"
)


class PaceBox(ComboBox):
    """Choose a Pace.

    Signals:
        chosen(Pace): Another one.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for pace in Pace:
            self.addItem(pace.value, pace)
        self.setToolTip(_TIP)
        self.setAccessibleName("How often values are shown")
        self.currentIndexChanged.connect(lambda _at: self.chosen.emit(self.pace))

    @property
    def pace(self) -> Pace:
        """What is chosen."""
        found = self.currentData()
        assert isinstance(found, Pace)
        return found

    def choose(self, name: object) -> None:
        """Choose by the value, as it was remembered; anything odd is passed over."""
        known = {pace.value: at for at, pace in enumerate(Pace)}
        if isinstance(name, str) and name in known:
            self.setCurrentIndex(known[name])
