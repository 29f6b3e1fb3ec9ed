"""What makes bytes stand out, chosen by menu, key and typing, on a real region."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.ui.hex.emphasis_menu import emphasis_menu
from app.ui.hex.paint import styles
from app.ui.hex.paint.emphasis import Unchanged
from app.ui.style.theme import DARK
from app.ui.viewer.region_view import RegionView
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, pixels, poke, spec_of

K = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier


def trigger(view: RegionView, text: str, part: str = "") -> None:
    menu: QMenu = emphasis_menu(view.hex)
    parts = [one for one in menu.findChildren(QMenu) if one.title() == part]
    actions = (parts[0] if part else menu).actions()
    next(action for action in actions if action.text().startswith(text)).trigger()


def test_bytes_stand_out_as_chosen(qtbot: QtBot, sessions: Sessions, shm_file: ShmFile) -> None:
    path = shm_file(1 << 16, fill=b"text\0\x01\x80\xff")
    view = RegionView()
    qtbot.addWidget(view)
    view.set_theme(DARK)
    view.resize(900, 600)
    view.show()
    session = sessions.make(spec_of(path))
    view.set_session(session)
    session.start()
    surface = view.hex.surface
    qtbot.waitUntil(lambda: surface.cells.seen(0, 64) is not None, timeout=WAIT_MS)

    def states(length: int = 8) -> list[int]:
        return surface.cells.states_at(0, length, session.frame.time_ns if session.frame else 0)[
            1
        ].tolist()

    before = pixels(view.hex)
    trigger(view, "Tell classes")
    word, high, full = [styles.WORD] * 4, styles.HIGH, styles.FULL
    assert states() == [*word, styles.ZERO, styles.TEXT, high, full]
    assert (pixels(view.hex) != before).any()
    view.hex.setFocus()
    qtbot.keyClick(view.hex, K.Key_M, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert view.rule.isVisible()
    qtbot.keyClicks(view.rule.edit, "4x")
    assert "no rule" in view.rule.preview.text()
    qtbot.keyClick(view.rule.edit, K.Key_Return)
    assert surface.options.emphasis.rule is None
    view.rule.edit.clear()
    qtbot.keyClicks(view.rule.edit, "&80=80")
    assert "128 of 256" in view.rule.preview.text()
    qtbot.keyClick(view.rule.edit, K.Key_Return)
    assert not view.rule.isVisible()
    assert states()[6:] == [styles.RULE] * 2
    view.hex.rule_requested.emit()
    assert view.rule.edit.text() == "&80=80"
    qtbot.keyClick(view.rule.edit, K.Key_Escape)
    state = view.hex.state()
    trigger(view, "Hidden", "Bytes that do not change")
    trigger(view, "60 s", "A change glows for")
    poke(path, 5, b"\x02")
    qtbot.waitUntil(lambda: states()[5] == styles.CHANGED, timeout=WAIT_MS)
    assert states(4) == [styles.UNCHANGED] * 4
    tip = view.hex.tip_at(QPointF(surface.sheet().cell(surface.pane, 5).center()))
    assert "once while shown" in tip
    place = surface.sheet().cell(surface.pane, 0x11)
    cell = pixels(view.hex.viewport())[
        place.top() : place.bottom(), place.left() : place.right(), :3
    ]
    assert (cell == cell[0, 0]).all(), "nothing is seen of it"
    view.hex.restore(state)
    emphasis = surface.options.emphasis
    assert emphasis.classes
    assert emphasis.rule is not None
    assert emphasis.rule.text == "&80=80"
    assert (emphasis.unchanged, emphasis.fade_ns) == (Unchanged.SHOWN, styles.FADE_NS)
    view.hex.restore({"rule": "nonsense", "unchanged": 7, "fade_ms": "long"})
    assert view.hex.state()["rule"] == ""

    heat = pixels(view.minimap)
    poke(path, 1 << 15, np.random.default_rng(1).integers(0, 256, 1 << 15, np.uint8).tobytes())
    trigger(view, "Entropy in the minimap")

    def tip_at(share: float) -> str:
        return view.minimap.tip_at(QPointF(5, share * view.minimap.height()))

    qtbot.waitUntil(lambda: "compressed, encrypted or noise" in tip_at(0.9), timeout=WAIT_MS)
    assert "entropy 2.8 of 8 bits" in tip_at(0.3)
    assert (pixels(view.minimap) != heat).any()
    trigger(view, "Entropy in the minimap")
    assert "entropy" not in tip_at(0.9)
    view.set_session(None)
