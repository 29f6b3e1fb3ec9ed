"""Preview: a range as picture, text or waveform, live beside the bytes."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from ....core.analysis.pictures import Picture
from ....core.analysis.tails import MAX_TAIL, Tail
from ....core.analysis.waveforms import Wave
from ....core.engine import range_messages as rm
from ....core.engine.messages import Command
from ....core.errors import ScopeError
from ....core.protocols.known_pictures import KnownPicture
from ....core.region.region import RegionInfo
from ....core.values.byte_block import ByteBlock
from ....core.values.units import format_size
from ...action import Gesture
from ...panel import About, Panel, PanelHost
from ...session.live_question import LiveQuestion
from ...session.session import Session
from ...style.combo_box import ComboBox
from ...style.elided_label import ElidedLabel
from ...style.theme import DARK, PAD, UNIT, Theme, mono_font
from .canvas import PictureCanvas
from .forms import Form, PictureForm, TextForm, WaveForm
from .text_view import TextView
from .wave_view import WaveView

_LEAST_MS, _SHARE = 100, 10
_SOON_MS: Final = 80  # a selection or a window that is being dragged is asked for once
_MOST_SIDE: Final = 800  # pixels of a picture that travels
_NEWEST_MS: Final = 500
_SELECTION: Final = "Selection"
_NOTHING: Final = "Select bytes to see them as a picture, a text or a waveform."
PICTURE, TEXT, WAVE = range(3)


class PreviewPanel(Panel):
    """The panel."""

    about = About(
        "preview",
        "Preview",
        Qt.DockWidgetArea.RightDockWidgetArea,
        ("edit",),
        ("Alt+P",),
        "",
        "A range as picture, text or waveform, live",
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._selected = self._block = ByteBlock(0, 0)
        self._known: tuple[KnownPicture, ...] = ()
        self._visible = self._looking = False
        self._looked_at: tuple[ByteBlock, str] | None = None
        self.live = LiveQuestion(self, least_ms=_LEAST_MS, share=_SHARE)
        self.mode = ComboBox()
        self.mode.addItems(["Picture", "Text", "Waveform"])
        self.mode.setAccessibleName("Show the range as")
        self.source = ComboBox()
        self.source.addItem(_SELECTION)
        self.source.setAccessibleName("Range that is shown")
        self.keep = QCheckBox("Keep")
        self.keep.setToolTip("Go on with this range, whatever is selected")
        self.head = ElidedLabel()
        self.head.setFont(mono_font())
        self.note = QLabel(wordWrap=True)
        self.picture, self.text, self.wave = PictureForm(), TextForm(), WaveForm()
        self.forms: tuple[Form, ...] = (self.picture, self.text, self.wave)
        self.canvas, self.text_view, self.wave_view = PictureCanvas(), TextView(), WaveView()
        self.fields, self.views = QStackedWidget(), QStackedWidget()
        for form in self.forms:
            self.fields.addWidget(form)
            form.edited.connect(self.refresh)
        for view in (self.canvas, self.text_view, self.wave_view):
            self.views.addWidget(view)
        self._soon = QTimer(self, interval=_SOON_MS)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.refresh)
        self._newest = QTimer(self, interval=_NEWEST_MS)
        self._newest.timeout.connect(self._look_for_newest)
        self._lay_out()
        self.mode.currentIndexChanged.connect(self._mode_changed)
        self.source.currentIndexChanged.connect(self._source_changed)
        self.keep.toggled.connect(self._keep_changed)
        self.live.arrived.connect(self._show)
        self.live.failed.connect(self._failed)
        self._mode_changed(PICTURE)

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(PAD)
        first.addWidget(self.mode, 1)
        first.addWidget(self.source, 2)
        second = QHBoxLayout()
        second.setSpacing(PAD)
        second.addWidget(self.head, 1)
        second.addWidget(self.keep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PAD, 6, PAD, UNIT)
        layout.setSpacing(UNIT)
        layout.addLayout(first)
        layout.addLayout(second)
        layout.addWidget(self.fields)
        layout.addWidget(self.note)
        layout.addWidget(self.views, 1)
        self.setFocusProxy(self.mode)

    def own_gestures(self) -> tuple[Gesture, ...]:
        return (Gesture(self.about.title, "Click in a picture", "Go to the pixel's byte"),)

    # -- what it is about ------------------------------------------------------------------------

    def attach(self, host: PanelHost) -> None:
        host.block_selected.connect(self.set_block)
        self.canvas.goto_wanted.connect(host.goto_wanted)

    def set_session(self, session: Session | None) -> None:
        """Another region, or none."""
        super().set_session(session)
        self.live.set_session(session)
        self._take_known(())
        self.keep.setChecked(False)
        self._look_for_known()
        self.refresh()

    def listen(self, session: Session) -> None:
        session.opened.connect(self._opened)

    def _opened(self, _info: RegionInfo) -> None:
        self._known = ()
        self._looked_at = None
        self._look_for_known()
        self.live.restart()

    def shown(self, visible: bool) -> None:
        """Out of sight nothing is read."""
        self._visible = visible
        self.live.set_active(visible)
        self._newest.start() if visible else self._newest.stop()
        if visible:
            self._look_for_known()
            self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Use these colours."""
        self._theme = theme
        self.canvas.set_theme(theme)
        self.text_view.set_theme(theme)
        self.wave_view.set_theme(theme)

    def set_block(self, block: ByteBlock) -> None:
        """Something else is selected."""
        self._selected = block
        if self.keep.isChecked():
            return
        if block.length and self.source.currentIndex() > 0:
            self.picture.clear()
            self.source.setCurrentIndex(0)  # shows the selection
        else:
            self._soon.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another size is another number of pixels."""
        super().resizeEvent(event)
        self._soon.start()

    def _mode_changed(self, mode: int) -> None:
        self.fields.setCurrentIndex(mode)
        self.fields.setFixedHeight(self.forms[mode].sizeHint().height())
        self.views.setCurrentIndex(mode)
        self.refresh()

    def _keep_changed(self, _on: bool) -> None:
        if not self.keep.isChecked():
            self.refresh()

    # -- pictures that are known -----------------------------------------------------------------

    def _look_for_known(self) -> None:
        session = self._session
        if self._visible and session is not None and session.info is not None and not self._known:
            session.ask(rm.FindPictures(), self._take_known, lambda _error: None)

    def _take_known(self, known: tuple[KnownPicture, ...]) -> None:
        """The newest of them is shown where nothing is selected."""
        self._known = known
        chosen = self.source.currentText()
        self.source.blockSignals(True)
        self.source.clear()
        self.source.addItems([_SELECTION, *dict.fromkeys(picture.name for picture in known)])
        at = self.source.findText(chosen)
        self.source.setCurrentIndex(max(0, at))
        self.source.blockSignals(False)
        if known and not self._selected.length and self.source.currentIndex() == 0:
            self.source.setCurrentIndex(1)

    def _chosen_picture(self) -> KnownPicture | None:
        """The newest of the pictures that are chosen as the range."""
        name = self.source.currentText() if self.source.currentIndex() > 0 else ""
        return next((picture for picture in self._known if picture.name == name), None)

    def _look_for_newest(self) -> None:
        """Another of a program's frames may be the newest by now."""
        shown, session = self._chosen_picture(), self._session
        if shown is None or not shown.serial or session is None or session.info is None:
            return
        places = tuple(one.header for one in self._known if one.name == shown.name)
        session.ask(rm.FindPictures(places), self._take_newest, lambda _error: None)

    def _take_newest(self, known: tuple[KnownPicture, ...]) -> None:
        shown = self._chosen_picture()
        if known and shown is not None and known[0].serial > shown.serial:
            self._known = known
            self.picture.show_known(known[0])
            self.refresh()

    def _source_changed(self, _at: int) -> None:
        picture = self._chosen_picture()
        if picture is not None:
            self.picture.show_known(picture)
            self.mode.setCurrentIndex(PICTURE)
        else:
            self.picture.clear()
        self.refresh()

    # -- asking ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask for what the fields say."""
        known = self._chosen_picture()
        if known is not None:
            self._block = ByteBlock(known.start, known.length)
        elif not self.keep.isChecked():
            self._block = self._selected
        block = self._block
        self.head.setText(block.summary if block.length else "")
        if not block.length or self._session is None:
            self._nothing(_NOTHING if self._session is not None else "No region is open.")
            return
        try:
            command = self._command(block)
        except ScopeError as error:
            self._nothing(str(error), bad=True)
            return
        self._say(self._remark(block))
        self.live.ask(command)

    def _command(self, block: ByteBlock) -> Command[Any] | None:
        mode = self.mode.currentIndex()
        if mode == TEXT:
            return rm.ReadTail(block.start, block.span, MAX_TAIL)
        if mode == WAVE:
            return rm.RenderWave(self.wave.samples(block), self.wave_view.columns())
        if self._looked_at is not None and self._looked_at != self._place(block):
            self.picture.set_found(None)
            self._looked_at = None
        layout = self.picture.layout_for(block)
        if layout is None:
            self._find_stride(block)
            return None
        # Twice as fine as it is shown: what is left out then is not missed.
        room = self.views.size() * (2 * self.canvas.devicePixelRatioF())
        room = room.expandedTo(QSize(64, 64)).boundedTo(QSize(_MOST_SIDE, _MOST_SIDE))
        return rm.RenderPicture(layout, room.width(), room.height())

    def _remark(self, block: ByteBlock) -> str:
        if block.whole or self.mode.currentIndex() == PICTURE:
            return ""
        return "What lies between the rows of the rectangle is shown, too."

    def _place(self, block: ByteBlock) -> tuple[ByteBlock, str]:
        """What a stride is found for."""
        return block, self.picture.format.currentText()

    def _find_stride(self, block: ByteBlock) -> None:
        """Look for it once for each range and pixel format."""
        wanted = self._place(block)
        session = self._session
        if wanted == self._looked_at:
            raise ScopeError("No rows that are like each other were found.", "Type a width.")
        if session is None or session.info is None or not self._visible:
            return

        def take(stride: int | None) -> None:
            if wanted == self._looked_at:
                self.picture.set_found(stride)
                self.refresh()

        self._looked_at = wanted
        session.ask(rm.FindStride(block.start, block.span, wanted[1]), take, self._failed)

    # -- showing ---------------------------------------------------------------------------------

    def _nothing(self, text: str, *, bad: bool = False) -> None:
        self.live.ask(None)
        self.canvas.show_picture(None)
        self.wave_view.show_wave(None)
        self.text_view.clear_text()
        self._say(text, bad=bad)

    def _say(self, text: str, *, bad: bool = False) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self.note.setStyleSheet(f"color: {self._theme.fault if bad else self._theme.quiet}")

    def _failed(self, error: ScopeError) -> None:
        self._say(str(error), bad=True)

    def _show(self, found: object, _took_ns: int) -> None:
        if isinstance(found, Picture):
            self.canvas.show_picture(found)
            layout = found.layout
            left_out = f", 1 of {found.step} shown in both directions" if found.step > 1 else ""
            self._say(f"{layout.width} × {layout.height} pixels{left_out}")
        elif isinstance(found, Wave):
            self.wave_view.show_wave(found)
            cut = self._block.span - found.signal.length
            text = f"{found.samples:,} samples"
            if cut >= 1 << 20:
                text += f"; the last {format_size(cut)} of the range are left out"
            self._say(". ".join(filter(None, (text, self._remark(self._block)))))
        elif isinstance(found, Tail):
            follow = self.text.follow.isChecked()
            self.text_view.show_tail(found, self.text.codec(), follow=follow)
            if not found.data:
                self._say("The range is all zeros.")
            elif found.before:
                self._say(f"{format_size(found.before)} lie before this.")
            else:
                self._say("")

    def state(self) -> dict[str, Any]:
        """For the settings."""
        made: dict[str, Any] = {"mode": self.mode.currentText()}
        for form in self.forms:
            made |= form.state()
        return made

    def restore(self, state: dict[str, Any]) -> None:
        """From the settings; anything odd is ignored."""
        for form in self.forms:
            form.restore(state)
        mode = state.get("mode")
        at = self.mode.findText(mode) if isinstance(mode, str) else -1
        if at >= 0:
            self.mode.setCurrentIndex(at)
