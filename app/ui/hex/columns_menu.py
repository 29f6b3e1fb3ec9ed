"""The menus that choose what the columns of the hex view show."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QMenu

from ...core.values.column_forms import FORMS, HEX, TOLD_FORMS, ColumnForm, Kind
from ...core.values.text_encodings import ENCODINGS
from .menu_choices import add_choices
from .paint.geometry import VALUE_PANES, Pane

if TYPE_CHECKING:
    from .widget import HexView

_KINDS: Final = {
    Kind.HEX: "Hex",
    Kind.UNSIGNED: "Decimal, unsigned",
    Kind.SIGNED: "Decimal, signed",
    Kind.BINARY: "Binary",
    Kind.FLOAT: "Float",
}
_TOLD: Final = {
    Kind.AGE: "age   Time since the last one",
    Kind.RATE: "changes/s   Seen per second",
    Kind.COUNT: "changes   Seen while it is shown",
}
_COUNTED: Final = ("First", "Second", "Third", "Fourth")


def columns_menu(view: HexView, parent: QMenu | None = None) -> QMenu:
    """All columns of values, each with its forms."""
    menu = QMenu("Columns", parent or view)
    forms = view.surface.options.forms
    for number, form in enumerate(forms):
        part = menu.addMenu(f"{_COUNTED[number]}: {form.label}")
        _add_forms(part, form, partial(_set_form, view, number))
        _add_removal(view, part, number)
    _add_more(view, menu)
    menu.addAction("Hex bytes only").triggered.connect(
        lambda _checked=False: view.set_forms((HEX,))
    )
    _add_phase(view, menu)
    return menu


def form_menu(view: HexView, pane: Pane) -> QMenu:
    """The forms of one column of values."""
    menu = QMenu("Column", view)
    number = view.surface.grid.panes.index(pane)
    _add_forms(menu, view.surface.options.forms[number], partial(_set_form, view, number))
    menu.addSeparator()
    _add_more(view, menu)
    _add_removal(view, menu, number)
    _add_phase(view, menu)
    return menu


def encodings_menu(view: HexView, parent: QMenu | None = None) -> QMenu:
    """What the text column may be encoded in."""
    menu = QMenu("Text column", parent or view)
    now = view.surface.options.text
    add_choices(menu, [(one, one.label) for one in ENCODINGS], now, view.set_text)
    return menu


def _add_forms(menu: QMenu, now: ColumnForm | None, slot: Callable[[ColumnForm], None]) -> None:
    """All forms, a submenu for each kind; that of the one that is on is checked."""
    for kind, words in _KINDS.items():
        part = menu.addMenu(words)
        part.menuAction().setCheckable(True)
        part.menuAction().setChecked(now is not None and now.kind is kind)
        choices = [(form, _words_of(form)) for form in FORMS if form.kind is kind]
        add_choices(part, choices, now, slot)

    part = menu.addMenu("Changes of each byte")
    part.menuAction().setCheckable(True)
    part.menuAction().setChecked(now is not None and now.told)
    add_choices(part, [(form, _TOLD[form.kind]) for form in TOLD_FORMS], now, slot)


def _words_of(form: ColumnForm) -> str:
    if form.width == 1:
        return f"{form.label}   1 byte"
    return f"{form.label}   {form.width} bytes, {form.endian.value} endian"


def _set_form(view: HexView, number: int, form: ColumnForm) -> None:
    forms = list(view.surface.options.forms)
    forms[number] = form
    view.set_forms(forms)


def _add_removal(view: HexView, menu: QMenu, number: int) -> None:
    forms = view.surface.options.forms
    rest = forms[:number] + forms[number + 1 :]
    if rest:
        menu.addAction("Remove this column").triggered.connect(
            lambda _checked=False: view.set_forms(rest)
        )


def _add_more(view: HexView, menu: QMenu) -> None:
    forms = view.surface.options.forms
    part = menu.addMenu("Add a column")
    part.setEnabled(len(forms) < len(VALUE_PANES))
    _add_forms(part, None, lambda form: view.set_forms((*forms, form)))


def _add_phase(view: HexView, menu: QMenu) -> None:
    """Where values begin: at multiples of their size, or shifted."""
    menu.addSeparator()
    phase, shift = view.surface.options.phase, view.cursor() % 8
    choices = [(0, "Values aligned to their size")]
    choices += [(value, f"Values shifted by {value}") for value in {phase, shift} - {0}]
    add_choices(menu, choices, phase, view.set_phase)
