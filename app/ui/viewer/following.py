"""Follows offsets that stand in the memory, comes back, and finds what points to a place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject

from ...core.engine import messages as msg
from ...core.errors import CancelledError, ExpressionError, ScopeError
from ...core.values.expressions import evaluate
from ...core.values.pointer import POINTER_KINDS, PointerForm, PointingPlaces
from ...core.values.units import format_offset, format_short_offset, format_size
from ...core.watch.frame import Level
from ..session.notice import Notice
from .pointer_bar import FROM_ITSELF, FROM_NUMBER, FROM_START, PointerBar

if TYPE_CHECKING:
    from ..session.session import Session
    from .region_view import RegionView

HOW: Final = "Pointers…"
_TRAIL: Final = 100
_OFFERED: Final = 500  # bookmarks to count from


class Following(QObject):
    """Belongs to one view of a region.

    Attributes:
        bar: Its choices and results.
    """

    def __init__(self, view: RegionView) -> None:
        super().__init__(view)
        self._view = view
        self._session: Session | None = None
        self._places: Mapping[str, int] = {}
        self._trail: list[int] = []  # where was followed from
        self._request = 0
        self._found: tuple[int, ...] = ()
        self.bar = PointerBar(view)
        self.bar.edited.connect(self._preview)
        self.bar.follow_wanted.connect(self.follow)
        self.bar.find_wanted.connect(self.find)
        self.bar.stop_wanted.connect(self._stop)
        self.bar.place_wanted.connect(self._go_to_found)
        self.bar.closed.connect(self._closed)
        view.hex.cursor_moved.connect(lambda _offset: self._preview())
        view.hex.write_wanted.connect(lambda *_: self._trail.clear())

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        if self._session is not None:
            self._session.disconnect(self)
        self._session = session
        if session is not None:
            session.frame_arrived.connect(self._frame_came)
        self._trail.clear()
        self._request, self._found = 0, ()
        self.bar.hide()
        self.bar.show_places("", ())

    def set_places(self, places: Mapping[str, int]) -> None:
        """Bookmarks, by name, that pointers can count from."""
        self._places = places
        if not self.bar.isHidden():
            self.bar.set_places(list(places)[:_OFFERED])

    # -- how they are read -------------------------------------------------------------------------

    def form(self) -> PointerForm:
        """What is chosen. Raises ExpressionError where it makes no sense."""
        bar, key = self.bar, self.bar.chosen_base()
        base: int | None = 0
        if key == FROM_ITSELF:
            base = None
        elif key == FROM_NUMBER:
            size = self._view.hex.surface.size
            base = evaluate(bar.number.text(), cursor=self._view.hex.cursor(), size=size)
        elif key != FROM_START:
            name = key.partition(":")[2]
            if name not in self._places:
                raise ExpressionError(f"There is no bookmark “{name}” any more.")
            base = self._places[name]
        return PointerForm(bar.kind.currentText(), bar.endian.currentData(), base)

    def open(self) -> None:
        """Show the bar."""
        if self._session is not None and self._session.info is not None:
            self.bar.set_places(list(self._places)[:_OFFERED])
            self.bar.open()
            self._preview()

    def _closed(self) -> None:
        self._stop()
        self._view.hex.setFocus()

    # -- following ---------------------------------------------------------------------------------

    def follow(self) -> None:
        """Go to the offset that stands under the cursor, as it is shown, or as it is now."""
        session, view = self._session, self._view.hex
        if session is None or session.info is None:
            return
        place = view.cursor()
        try:
            form = self.form()
        except ExpressionError as error:
            self._refuse(f"What pointers count from makes no sense: {error.message}")
            return
        if place + form.width > session.info.size:
            self._refuse(
                f"A {form.kind} at {format_short_offset(place)} has no room in the region."
            )
            return
        start, data = view.shown(place, form.width)
        if (start, len(data)) == (place, form.width):
            self._lead(form, place, data)
        else:
            read = msg.Read(place, form.width)
            session.ask(read, partial(self._lead, form, place))

    def _lead(self, form: PointerForm, place: int, data: bytes) -> None:
        size = self._view.hex.surface.size
        target = form.target(data, place)
        if not 0 <= target < size:
            self._refuse(
                f"{_holds(form, place, data)}, which is outside: the region ends at "
                f"{format_short_offset(size - 1)}."
            )
            return
        self._trail.append(place)
        del self._trail[:-_TRAIL]
        self._view.go_to(target)

    def _refuse(self, text: str) -> None:
        hint = "Type, byte order and base can be chosen."
        self._view.messages.show_notice(Notice(Level.WARNING, text, hint, (HOW,), key="hex"))

    def come_back(self) -> bool:
        """Go to where was followed from last; False when that was nowhere."""
        if not self._trail:
            return False
        place = self._trail.pop()
        if self._view.jumps.last == place:
            self._view.go_back()
        else:
            self._view.go_to(place)
        return True

    def _frame_came(self, _frame: object) -> None:
        self._preview()

    def _preview(self) -> None:
        """Where the bytes at the cursor lead, in the bar."""
        view = self._view.hex
        if self.bar.isHidden() or self._session is None:
            return
        place = view.cursor()
        try:
            form = self.form()
        except ExpressionError as error:
            self.bar.show_preview(str(error), good=False)
            return
        start, data = view.shown(place, form.width)
        if (start, len(data)) != (place, form.width):
            self.bar.show_preview(f"{format_short_offset(place)}: not on the screen", good=True)
            return
        target = form.target(data, place)
        inside = 0 <= target < view.surface.size
        where = format_short_offset(target) if inside else "outside"
        held = f"{format_short_offset(place)} holds {format_short_offset(form.value(data))}"
        self.bar.show_preview(f"→ {where}: {held}", good=inside)

    # -- what points here --------------------------------------------------------------------------

    def find(self) -> None:
        """Find the places that point to the cursor."""
        session = self._session
        if session is None or session.info is None:
            return
        if self.bar.isHidden():
            self.bar.set_places(list(self._places)[:_OFFERED])
            self.bar.show()
        self._preview()
        target = self._view.hex.cursor()
        try:
            form = self.form()
        except ExpressionError:
            return  # the bar says why
        self._stop()
        self._found = ()
        where = format_short_offset(target)
        command = msg.FindPointers(target, form, self.bar.aligned.isChecked())
        self.bar.show_places(f"Looking for what points to {where} …", (), running=True)
        self._request = session.ask(
            command,
            partial(self._take, session, target, form),
            self._failed,
            partial(self._progress, where),
        )

    def _progress(self, where: str, done: int, total: int) -> None:
        text = f"Looking for what points to {where}: {format_size(done)} of {format_size(total)}"
        self.bar.show_places(text, (), running=True)

    def _take(self, asked: Session, target: int, form: PointerForm, found: PointingPlaces) -> None:
        if asked is not self._session:
            return
        self._request = 0
        self._found = found.offsets
        count = len(found.offsets)
        first = f"The first {count:,} places" if found.more else f"{count:,} places"
        what = "Nothing" if not count else "1 place" if count == 1 else first
        verb = "points" if count < 2 else "point"
        head = f"{what} {verb} to {format_short_offset(target)} ({_told(form)}), as it was read"
        self.bar.show_places(head, [self._text(at) for at in found.offsets])
        if count:
            self.bar.list.setFocus()

    def _text(self, offset: int) -> str:
        """A row of the list: the place, and what is known of it."""
        known = self._view.decorations.topmost(offset)
        label = f"  {known.label}" if known is not None and known.label else ""
        return f"{format_offset(offset)}{label}"

    def _failed(self, error: ScopeError) -> None:
        self._request = 0
        text = "Stopped." if isinstance(error, CancelledError) else str(error)
        self.bar.show_places(text, ())

    def _stop(self) -> None:
        if self._request and self._session is not None:
            self._session.cancel(self._request)

    def _go_to_found(self, row: int) -> None:
        if 0 <= row < len(self._found):
            self._view.go_to(self._found[row])

    # -- settings ----------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """For the settings; a bookmark belongs to one region and is not remembered."""
        bar, base = self.bar, self.bar.chosen_base()
        return {
            "kind": bar.kind.currentText(),
            "endian": bar.endian.currentData().value,
            "base": base if base in (FROM_START, FROM_ITSELF, FROM_NUMBER) else FROM_START,
            "number": bar.number.text(),
            "aligned": bar.aligned.isChecked(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """From the settings; anything odd is ignored."""
        bar = self.bar
        if state.get("kind") in POINTER_KINDS:
            bar.kind.setCurrentText(state["kind"])
        order = bar.endian.findText(str(state.get("endian")))
        if order >= 0:
            bar.endian.setCurrentIndex(order)
        if isinstance(state.get("number"), str):
            bar.number.setText(state["number"][:100])
        if state.get("base") in (FROM_START, FROM_ITSELF, FROM_NUMBER):
            bar.choose_base(state["base"])
        if isinstance(state.get("aligned"), bool):
            bar.aligned.setChecked(state["aligned"])


def _told(form: PointerForm) -> str:
    """`u64 little`, `u32 big from 0x1000`."""
    if form.base == 0:
        return form.label
    where = "where it stands" if form.base is None else format_short_offset(form.base)
    return f"{form.label} from {where}"


def _holds(form: PointerForm, place: int, data: bytes) -> str:
    """`0x40 holds 0x1000 (u64 little from 0x10) → 0x1010`."""
    value, target = form.value(data), form.target(data, place)
    held = f"{format_short_offset(place)} holds {format_short_offset(value)} ({_told(form)})"
    return held if form.base == 0 else f"{held} → {format_short_offset(target)}"
