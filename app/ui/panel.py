"""What a panel is: a view in a dock that says where it stands, and connects itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from .action import Action, Gesture, Offers
from .hex.decorations.decorations import Decorations
from .session.session import Session
from .style.theme import Theme


@dataclass(frozen=True, slots=True)
class About:
    """What a panel says of itself.

    Attributes:
        name: Stable name in the code and in the settings.
        title: On its dock or tab; also the scope of its keys.
        area: Where it stands by default.
        workspaces: Names of those that it stands in by default; in the first of them it comes up
            when it is called elsewhere.
        keys: Call it from anywhere in the window.
        icon: Its picture, from the icon set.
        hint: What it is for, in one sentence.
        needs_session: Whether it shows an open region; only such a panel gets a session.
    """

    name: str
    title: str
    area: Qt.DockWidgetArea
    workspaces: tuple[str, ...]
    keys: tuple[str, ...] = ()
    icon: str = ""
    hint: str = ""
    needs_session: bool = True


class PanelHost(QObject):
    """Between one window and its panels: what happens in it, and what panels want from it.

    Signals, from the window:
        cursor_moved(int): Offset of the hex view's cursor.
        selection_changed(int, int): Start and length of what the selection there spans.
        block_selected(ByteBlock): What is selected there, row by row; empty for nothing.
        type_chosen(str, Endian): Value type and byte order that a person chose in the inspector.
        file_dropped(str, int): A file was dropped on the byte at this offset.
        devices_found(DeviceList): What discovery found.
        recent_changed(list[str]): Regions that were open before.
        region_opened(str): Location of the open region, empty when there is none.
        tool_wanted(str): Show this write tool.
        guide_shown(bool): The set-up guide has a place of its own on the screen.
        answered(str): The word of a button in the message bar.
        list_wanted(SearchRequest): List, or replace, all hits of a needle.

    Signals, from panels:
        notice(Notice): A sentence for the message bar.
        goto_wanted(int): Go to this offset.
        hit_wanted(int, int): Select this range and bring it into sight, without the keyboard.
        bookmarks_wanted(tuple[(int, int, str), ...]): Keep these ranges under these names.
        sight_wanted(int): Bring the 8 bytes at this offset on the screen.
        write_wanted(int, bytes, bytes | None, str): Offset, data, what was seen there, label.
        freeze_wanted(int, bytes, str): Offset, bytes and name of a value to freeze.
        unlock_wanted(): Somebody typed while writing is locked.
        open_wanted(RegionSpec): Open this region.
        action_wanted(str): Do this, by its name in the window's table.
        places_named(dict[str, int]): Offsets that have a name, by that name.

    Attributes:
        byte_offers: What the context menu of the bytes offers beside its own.

    Args:
        byte_view: The widget that paints bytes.
        decorations: What tints, labels and explains ranges of the region in all views.

    Attributes:
        takes_bookmarks: Whether somebody takes what `bookmarks_wanted` offers.
    """

    cursor_moved = Signal(object)  # Qt's int ends at 2 GiB
    selection_changed = Signal(object, object)
    block_selected = Signal(object)
    type_chosen = Signal(str, object)
    file_dropped = Signal(str, object)
    devices_found = Signal(object)
    recent_changed = Signal(object)
    region_opened = Signal(str)
    tool_wanted = Signal(str)
    guide_shown = Signal(bool)
    answered = Signal(str)
    list_wanted = Signal(object)
    notice = Signal(object)
    goto_wanted = Signal(object)
    hit_wanted = Signal(object, object)
    bookmarks_wanted = Signal(object)
    sight_wanted = Signal(object)
    write_wanted = Signal(object, object, object, str)
    freeze_wanted = Signal(object, bytes, str)
    unlock_wanted = Signal()
    open_wanted = Signal(object)
    action_wanted = Signal(str)
    places_named = Signal(object)
    takes_bookmarks = False

    def __init__(
        self, byte_view: QWidget, decorations: Decorations, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.byte_view = byte_view
        self.decorations = decorations
        self.byte_offers: list[Offers] = []


class Panel(QWidget):
    """Base of all panels.

    Signals:
        front_wanted(): Bring it to the front.
    """

    about: ClassVar[About]
    front_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None

    def attach(self, host: PanelHost) -> None:
        """Connect to the window; called once."""

    def set_session(self, session: Session | None) -> None:
        """Another region, or none: lets go of the old one and listens to the new one."""
        old, self._session = self._session, session
        if old is not None:
            old.disconnect(self)
        if session is not None:
            self.listen(session)

    def listen(self, session: Session) -> None:
        """Connect own methods to what the session says; set_session disconnects them."""

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""

    def shown(self, visible: bool) -> None:
        """The dock came to the front, or went behind another or away."""

    def build(self) -> None:
        """Make now what is otherwise made when there is time: a picture shows all of it."""

    def own_actions(self) -> tuple[Action, ...]:
        """What can be done in it, with the keys for it."""
        return ()

    def own_gestures(self) -> tuple[Gesture, ...]:
        """What it does with typing and the mouse, for the list of keys."""
        return ()

    def state(self) -> dict[str, Any]:
        """What to remember, as plain values."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take it back; what makes no sense is left out."""
