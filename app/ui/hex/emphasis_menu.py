"""The menu that chooses what makes bytes stand out, and how long a change does."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import monotonic_ns
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QMenu

from .menu_choices import add_choices
from .paint.emphasis import Unchanged

if TYPE_CHECKING:
    from .widget import HexView

FADES_MS: Final = (250, 500, 1500, 3000, 10_000, 60_000)
_STILL: Final = {
    Unchanged.SHOWN: "Shown as ever",
    Unchanged.DIMMED: "Dimmed, from now on",
    Unchanged.HIDDEN: "Hidden, from now on",
}


def emphasis_menu(view: HexView, parent: QMenu | None = None) -> QMenu:
    """Classes of values, the rule, what does not change, and the time of fading."""
    menu = QMenu("Emphasis", parent or view)
    now = view.surface.options.emphasis
    classes = menu.addAction("Tell classes of values apart")
    classes.setToolTip("Zero, printable, text, above 7F, FF: by colour and a line above them")
    classes.setCheckable(True)
    classes.setChecked(now.classes)
    classes.triggered.connect(lambda on: view.set_emphasis(replace(now, classes=on)))
    text = f"Mark bytes by a rule ({now.rule.text})…" if now.rule else "Mark bytes by a rule…"
    rule = menu.addAction(f"{text}\t{view.key_of('mark_rule')}")
    rule.setCheckable(True)
    rule.setChecked(now.rule is not None)
    rule.triggered.connect(lambda _checked=False: view.rule_requested.emit())
    entropy = menu.addAction("Entropy in the minimap")
    entropy.setCheckable(True)
    entropy.setChecked(view.surface.options.entropy)
    entropy.triggered.connect(view.set_entropy)
    still = menu.addMenu("Bytes that do not change")
    add_choices(still, list(_STILL.items()), now.unchanged, partial(_set_unchanged, view))
    fade = menu.addMenu("A change glows for")
    choices = [(ms, _seconds(ms)) for ms in FADES_MS]
    add_choices(fade, choices, now.fade_ns // 1_000_000, partial(_set_fade, view))
    return menu


def _seconds(ms: int) -> str:
    return f"{ms / 1000:g} s"


def _set_unchanged(view: HexView, how: Unchanged) -> None:
    """What changed before is no matter from now on."""
    now = view.surface.options.emphasis
    view.set_emphasis(replace(now, unchanged=how, since_ns=monotonic_ns()))


def _set_fade(view: HexView, ms: int) -> None:
    view.set_emphasis(replace(view.surface.options.emphasis, fade_ns=ms * 1_000_000))
