"""The inspector: all types side by side, edits that land in the file, refusals that stay open."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent
from PySide6.QtWidgets import QLineEdit
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.core.values.steady import Pace
from app.core.values.value_type import Endian
from app.core.values.value_types import TYPES, type_named
from app.ui.panels.inspector.panel import InspectorPanel
from app.ui.session.write_requests import Writing
from app.ui.style.theme import DARK
from tests.ui.helpers import WAIT_MS, Sessions, ShmFile, peek, poke, show


@pytest.fixture
def panel(qtbot: QtBot) -> InspectorPanel:
    made = InspectorPanel()
    made.set_theme(DARK)
    made.model.choose([kind.name for kind in TYPES])
    show(qtbot, made, 420, 640)
    return made


@pytest.fixture
def region(
    qtbot: QtBot, sessions: Sessions, shm_file: ShmFile, panel: InspectorPanel
) -> SimpleNamespace:
    """A live region under the panel, wired as the window does it."""
    path = shm_file(8192, fill=bytes(range(256)))
    session = sessions.open(path)
    writing = Writing(session, session)
    panel.set_session(session)
    panel.write_wanted.connect(writing.write)
    panel.set_cursor(0)
    return SimpleNamespace(path=path, session=session, writing=writing)


LITTLE, BIG = Endian.LITTLE, Endian.BIG


def index_of(panel: InspectorPanel, name: str, order: Endian = LITTLE) -> QModelIndex:
    return panel.model.index(*panel.model.place_of(name, order))


def shown(panel: InspectorPanel, name: str, order: Endian = LITTLE) -> str:
    return str(panel.model.data(index_of(panel, name, order)))


def edit(qtbot: QtBot, panel: InspectorPanel, name: str, text: str, order: Endian = LITTLE) -> None:
    """As a person does it: choose, F2, type over, Enter."""
    table = panel.table
    table.setFocus()
    table.setCurrentIndex(index_of(panel, name, order))
    qtbot.keyClick(table, Qt.Key.Key_F2)
    line = table.findChild(QLineEdit)
    assert line is not None
    line.selectAll()
    if text.isascii():
        qtbot.keyClicks(line, text)
    else:  # QTest knows ASCII keys only; an input method commits the others
        event = QInputMethodEvent()
        event.setCommitString(text)
        QGuiApplication.sendEvent(line, event)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def test_the_model_keeps_qts_rules(panel: InspectorPanel, qtmodeltester: ModelTester) -> None:
    panel.model.show(bytes(range(32)), bytes(32), [0] * 16)
    qtmodeltester.check(panel.model)


def test_the_first_key_is_on_a_value_that_can_be_edited(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    panel.table.clearFocus()
    panel.setFocus()
    assert panel.table.currentIndex().column() == 1


def test_a_cursor_that_was_scrolled_away_from_is_told(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    qtbot.waitUntil(lambda: shown(panel, "u8") == "0", timeout=WAIT_MS)
    panel.set_cursor(8191)
    assert shown(panel, "u8") == "-"
    assert panel.head.text() == "0x0000'1FFF  (8191)  scrolled out of sight"
    panel.set_cursor(16)
    assert panel.head.text() == "0x0000'0010  (16)"


def test_every_type_in_both_orders(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    data = struct.pack("<QQQQ", 1_700_000_000, 133_000_000_000_000_000, 0x4041424344454647, 7)
    poke(region.path, 0, data)
    qtbot.waitUntil(lambda: panel.model.data_bytes[:32] == data, timeout=WAIT_MS)
    for kind in TYPES:
        for endian in (LITTLE, BIG) if kind.endian_matters else (LITTLE,):
            wanted = kind.decode(data, endian) or "-"
            if kind.group != "text" or wanted.isascii():
                text = shown(panel, kind.name, endian).replace("\n", "")
                assert text == wanted, kind.name
        if not kind.endian_matters:
            with pytest.raises(KeyError):
                panel.model.place_of(kind.name, BIG)


def test_a_character_that_the_font_lacks_is_told_by_its_number(panel: InspectorPanel) -> None:
    panel.model.show("\u1780x".encode("utf-16-le") + bytes(28), bytes(32), [0] * 16)
    assert shown(panel, "utf16") == "U+1780"
    panel.model.show("é".encode("utf-16-le") + bytes(30), bytes(32), [0] * 16)
    assert shown(panel, "utf16") == "'é' U+00E9"


@pytest.mark.parametrize(
    ("name", "text", "order", "wanted"),
    [
        ("u8", "0x2A", LITTLE, b"\x2a"),
        ("u16", "258", LITTLE, b"\x02\x01"),
        ("u16", "258", BIG, b"\x01\x02"),
        ("i32", "-2", LITTLE, b"\xfe\xff\xff\xff"),
        ("u64", "0x1122334455667788", BIG, bytes.fromhex("1122334455667788")),
        ("f32", "1.5", LITTLE, struct.pack("<f", 1.5)),
        ("f64", "-2e10", BIG, struct.pack(">d", -2e10)),
        ("bin", "0100 0001", LITTLE, b"A"),
        ("char", "Z", LITTLE, b"Z"),
        ("utf8", "ü", LITTLE, "ü".encode()),
        ("utf16", "ü", BIG, "ü".encode("utf-16-be")),
        ("unix32", "2026-11-23 20:15:00", LITTLE, struct.pack("<I", 1795464900)),
        (
            "guid",
            "{12345678-1234-5678-1234-567812345678}",
            BIG,
            bytes.fromhex("12345678123456781234567812345678"),
        ),
    ],
)
def test_an_edit_lands_in_the_file(
    qtbot: QtBot,
    panel: InspectorPanel,
    region: SimpleNamespace,
    name: str,
    text: str,
    order: Endian,
    wanted: bytes,
) -> None:
    region.session.set_locked(False)
    panel.set_cursor(0x40)
    qtbot.waitUntil(lambda: len(panel.model.data_bytes) >= 32, timeout=WAIT_MS)
    edit(qtbot, panel, name, text, order)
    qtbot.waitUntil(lambda: peek(region.path, 0x40, len(wanted)) == wanted, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: panel.model.data_bytes[: len(wanted)] == wanted, timeout=WAIT_MS)
    assert type_named(name).decode(wanted, order) is not None
    assert panel.problem.isHidden()


def test_locked_refuses_and_says_so(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    qtbot.waitUntil(lambda: len(panel.model.data_bytes) >= 32, timeout=WAIT_MS)
    with qtbot.waitSignal(panel.unlock_wanted), qtbot.assertNotEmitted(panel.write_wanted):
        edit(qtbot, panel, "u8", "77")
    assert peek(region.path, 0, 1) == b"\x00"


@pytest.mark.parametrize(
    ("name", "text"), [("u8", "256"), ("u16", "banana"), ("f32", "1,5"), ("guid", "{}")]
)
def test_garbage_is_refused_with_an_example(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace, name: str, text: str
) -> None:
    region.session.set_locked(False)
    qtbot.waitUntil(lambda: len(panel.model.data_bytes) >= 32, timeout=WAIT_MS)
    with qtbot.assertNotEmitted(panel.write_wanted):
        edit(qtbot, panel, name, text)
    assert panel.problem.isVisible()
    assert text in panel.problem.text()
    line = panel.table.findChild(QLineEdit)
    assert line is not None, "what was typed must not be lost"
    assert line.isVisible()
    assert line.text() == text
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: panel.problem.isHidden())
    assert peek(region.path, 0, 8) == bytes(range(8))


def test_esc_leaves_the_value(qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace) -> None:
    region.session.set_locked(False)
    panel.table.setCurrentIndex(index_of(panel, "u8"))
    qtbot.keyClick(panel.table, Qt.Key.Key_F2)
    line = panel.table.findChild(QLineEdit)
    assert line is not None
    qtbot.keyClicks(line, "9")
    with qtbot.assertNotEmitted(panel.write_wanted):
        qtbot.keyClick(line, Qt.Key.Key_Escape)


def test_near_the_end_of_the_region(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    region.session.watch_range(4096, 4096)
    region.session.set_locked(False)
    panel.set_cursor(8190)
    qtbot.waitUntil(lambda: panel.model.data_bytes == b"\xfe\xff", timeout=WAIT_MS)
    assert shown(panel, "u16") == str(0xFFFE)
    assert shown(panel, "u32") == "-"
    with qtbot.assertNotEmitted(panel.write_wanted):
        edit(qtbot, panel, "u32", "1")
    assert "no room" in panel.problem.text()
    panel.set_cursor(8191)
    qtbot.waitUntil(lambda: shown(panel, "u8") == "255", timeout=WAIT_MS)


def test_a_conflict_is_asked_and_not_written(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    qtbot.waitUntil(lambda: len(panel.model.data_bytes) >= 32, timeout=WAIT_MS)
    region.session.set_locked(False)
    region.session.set_paused(True)
    qtbot.waitUntil(lambda: region.session.frame.paused, timeout=WAIT_MS)
    poke(region.path, 0, b"\x99")
    with qtbot.waitSignal(region.writing.question, timeout=WAIT_MS) as caught:
        edit(qtbot, panel, "u8", "1")
    assert caught.args[0].error.now == b"\x99"
    assert peek(region.path, 0, 1) == b"\x99"


def test_a_change_and_flux_are_coloured(panel: InspectorPanel) -> None:
    model = panel.model
    model.show(b"\x01" * 32, bytes(32), [0] * 16)
    index = index_of(panel, "u8")
    role = Qt.ItemDataRole.ForegroundRole
    assert model.data(index, role).color() == DARK.color("text")
    model.show(b"\x02" * 32, bytes(32), [1_000_000] * 16)
    assert model.data(index, role).color() == DARK.color("changed")
    model.show(b"\x02" * 32, b"\x01" + bytes(31), [1_000_000] * 16)
    assert model.data(index, role).color() == DARK.color("flux")
    assert "flux" in model.data(index, Qt.ItemDataRole.ToolTipRole)
    model.show(b"\x02" * 32, bytes(32), [0] * 16)
    assert model.data(index, role).color() == DARK.color("text")


def test_the_cursor_outside_of_the_look_shows_nothing(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    panel.set_cursor(8000)
    assert shown(panel, "u32") == "-"
    panel.set_cursor(16)
    qtbot.waitUntil(lambda: shown(panel, "u8") == "16", timeout=WAIT_MS)
    assert "0x0000'0010" in panel.head.text()
    assert "16" in panel.head.text()


def test_types_can_be_chosen_and_are_remembered(qtbot: QtBot, panel: InspectorPanel) -> None:
    panel.restore({"types": ["u8", "guid", "no such type", 7]})
    assert panel.state() == {"types": ["u8", "guid"], "pace": "live"}
    next(a for a in panel.menu().actions() if a.text() == "f32").setChecked(True)
    next(a for a in panel.menu().actions() if a.text() == "u8").setChecked(False)
    assert panel.state() == {"types": ["f32", "guid"], "pace": "live"}
    for broken in ({"types": "u8"}, {"types": []}, {}):
        panel.restore(broken)
    assert panel.state() == {"types": ["f32", "guid"], "pace": "live"}
    panel.restore({"types": ["nothing known"]})
    assert panel.state()["types"], "an inspector without rows helps nobody"


def test_copy(qtbot: QtBot, panel: InspectorPanel) -> None:
    panel.model.show(b"\x2a" * 32, bytes(32), [0] * 16)
    panel.table.setCurrentIndex(index_of(panel, "u8"))
    qtbot.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "42"
    QGuiApplication.clipboard().setText("")
    panel.menu().actions()[0].trigger()
    assert QGuiApplication.clipboard().text() == "42"


def test_a_guid_is_shown_whole_and_copied_in_one_line(qtbot: QtBot, panel: InspectorPanel) -> None:
    panel.model.show(bytes(range(32)), bytes(32), [0] * 16)
    assert shown(panel, "guid") == "{03020100-0504-0706-0809-0a0b0c0d0e0f}"
    assert shown(panel, "guid", BIG) == "{00010203-0405-0607-0809-0a0b0c0d0e0f}"
    panel.table.setCurrentIndex(index_of(panel, "guid"))
    qtbot.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "{03020100-0504-0706-0809-0a0b0c0d0e0f}"


def test_a_region_that_is_gone_is_grey(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    panel.set_cursor(1)
    qtbot.waitUntil(lambda: shown(panel, "u8") == "1", timeout=WAIT_MS)
    region.path.unlink()
    qtbot.waitUntil(lambda: panel.model.stale, timeout=WAIT_MS)
    index = index_of(panel, "u8")
    assert panel.model.data(index, Qt.ItemDataRole.ForegroundRole).color() == DARK.color("quiet")
    panel.set_session(None)
    assert "no region" in panel.head.text()


def ink(panel: InspectorPanel, name: str) -> str:
    index = index_of(panel, name)
    brush = panel.model.data(index, Qt.ItemDataRole.ForegroundRole)
    return str(brush.color().name().upper())


def test_an_own_edit_is_blue_and_a_peers_is_not(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    qtbot.waitUntil(lambda: shown(panel, "u8") == "0", timeout=WAIT_MS)
    region.session.set_locked(False)
    edit(qtbot, panel, "u16", "4660")
    qtbot.waitUntil(lambda: ink(panel, "u16") == DARK.mine, timeout=WAIT_MS)
    assert shown(panel, "u16") == "4660"
    poke(region.path, 0, b"\x99")
    qtbot.waitUntil(lambda: ink(panel, "u8") == DARK.changed, timeout=WAIT_MS)


def test_it_shows_the_same_bytes_as_the_frame_at_once(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    """Whoever hears of a Frame behind it finds it there already."""
    late: list[tuple[bytes, bytes]] = []
    region.session.frame_arrived.connect(
        lambda frame: late.append((panel.model.data_bytes, bytes(frame.data[:32])))
    )
    for value in range(1, 40):
        poke(region.path, 0, bytes([value]))
        qtbot.waitUntil(lambda v=value: bool(late) and late[-1][1][0] == v, timeout=WAIT_MS)
    assert all(here == there for here, there in late)


def test_it_catches_up_when_it_comes_into_sight(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    panel.hide()
    poke(region.path, 0, b"\x42")
    qtbot.waitUntil(lambda: region.session.frame.data[0] == 0x42, timeout=WAIT_MS)
    panel.show()
    panel.shown(True)  # as its dock says
    assert shown(panel, "u8") == "66"


WORST = {
    "u64": b"\xff" * 8,
    "i64": bytes(7) + b"\x80",
    "f64": struct.pack("<d", -1.7976931348623157e308),
    "unix32": struct.pack("<I", 1_795_464_900),
    "unixms": struct.pack("<Q", 1_795_464_900_123),
    "filetime": struct.pack("<Q", 133_999_999_991_234_567),
}


def visible_width(panel: InspectorPanel, index: QModelIndex) -> int:
    """Pixels that a text has in its cell, which may go over both columns."""
    return panel.table.visualRect(index).width() - 6


@pytest.mark.parametrize("width", [298, 420, 900])
def test_long_values_are_whole_in_one_line(qtbot: QtBot, panel: InspectorPanel, width: int) -> None:
    panel.model.choose(list(WORST))
    panel.resize(width, 600)
    qtbot.wait(1)
    metrics = panel.table.fontMetrics()
    for name, data in WORST.items():
        for order in (LITTLE, BIG):
            panel.model.show((data if order is LITTLE else data[::-1]) + bytes(24), b"", [0] * 16)
            text = shown(panel, name, order)
            assert text == type_named(name).decode(data), name
            index = index_of(panel, name, order)
            assert metrics.horizontalAdvance(text) <= visible_width(panel, index), (name, order)


def test_in_the_narrowest_panel_a_value_is_broken_between_its_parts(
    qtbot: QtBot, panel: InspectorPanel
) -> None:
    panel.model.choose([*WORST, "guid"])
    panel.resize(240, 600)
    qtbot.wait(1)
    panel.model.show(WORST["filetime"] + bytes(24), b"", [0] * 16)
    assert shown(panel, "filetime").split("\n")[0].strip() == "2025-08-18"
    metrics = panel.table.fontMetrics()
    for name, data in (WORST | {"guid": bytes(range(16))}).items():
        panel.model.show(data + bytes(24), b"", [0] * 16)
        index = index_of(panel, name)
        lines = shown(panel, name).split("\n")
        assert "".join(lines) == type_named(name).decode(data), name
        widest = max(metrics.horizontalAdvance(line.rstrip()) for line in lines)
        assert widest <= visible_width(panel, index), (name, lines)
        assert panel.table.rowHeight(index.row()) >= len(lines) * metrics.height(), name


def test_a_panel_that_is_made_narrow_keeps_the_chosen_value_and_what_is_typed(
    qtbot: QtBot, panel: InspectorPanel
) -> None:
    panel.model.show(bytes(range(32)), bytes(32), [0] * 16)
    panel.table.setCurrentIndex(index_of(panel, "u64", BIG))
    panel.resize(298, 640)
    qtbot.wait(1)
    assert panel.model.place_of("u64", BIG)[1] == 1, "a row of its own"
    assert panel.table.currentIndex() == index_of(panel, "u64", BIG)
    qtbot.keyClick(panel.table, Qt.Key.Key_F2)
    line = panel.table.findChild(QLineEdit)
    assert line is not None
    line.setText("12")
    panel.resize(600, 640)
    qtbot.wait(1)
    assert line.isVisible()
    assert line.text() == "12"
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: panel.model.place_of("u64", BIG)[1] == 2, timeout=WAIT_MS)
    assert panel.table.currentIndex() == index_of(panel, "u64", BIG)


def test_a_value_that_flickers_is_held_averaged_and_its_span_counted(
    qtbot: QtBot, panel: InspectorPanel, region: SimpleNamespace
) -> None:
    def put(value: int) -> None:
        poke(region.path, 0, struct.pack("<I", value))

    put(40)
    qtbot.waitUntil(lambda: shown(panel, "u32") == "40", timeout=WAIT_MS)
    panel.table.setCurrentIndex(index_of(panel, "u32"))
    qtbot.mouseClick(panel.reset, Qt.MouseButton.LeftButton)
    panel.pace.setCurrentText(Pace.HELD.value)
    put(90)
    qtbot.waitUntil(lambda: "greatest 90" in panel.span.text(), timeout=WAIT_MS)
    panel._show_span()
    assert "least    40" in panel.span.text()
    assert "looks in" in panel.span.toolTip()
    assert shown(panel, "u32") == "40", "it is held"
    assert panel.model.headerData(1, Qt.Orientation.Horizontal) == "little (held)"
    panel.pace.setCurrentText(Pace.MEAN_FIVE.value)
    qtbot.waitUntil(lambda: shown(panel, "u32") == "90.0", timeout=WAIT_MS)
    index = index_of(panel, "u32")
    assert panel.model.data(index, Qt.ItemDataRole.EditRole) == "90"
    panel.set_cursor(4)
    assert "greatest 90" not in panel.span.text(), "another place, another span"
    panel.pace.setCurrentText(Pace.LIVE.value)
    assert panel.state()["pace"] == "live"
    panel.restore({"types": ["u32"], "pace": 5})
    panel.restore({"types": ["u32"], "pace": "once a second"})
    assert panel.pace.pace is Pace.ONE
