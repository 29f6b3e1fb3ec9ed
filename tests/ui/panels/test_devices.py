"""The device list: rows, search, others, what is wrong and how to mend it, the empty state."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QEnterEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.core.discovery.device import Device, DeviceList
from app.core.discovery.processes import User
from app.core.protocols.known_content import Content
from app.core.region.region import CacheMode, RegionKind, RegionSpec
from app.core.watch.frame import Health, Level
from app.ui.hex.decorations.decorations import Decorations
from app.ui.panel import PanelHost
from app.ui.panels.devices.device_list import GONE, open_area
from app.ui.panels.devices.panel import DevicesPanel
from app.ui.style.theme import DARK, LIGHT, Theme
from tests.ui.helpers import colors, show


def device(name: str, kind: RegionKind = RegionKind.FILE, **more: object) -> Device:
    location = f"/dev/shm/{name}" if kind is RegionKind.FILE else name
    made = Device(kind, name, location, 64 << 20, RegionSpec(kind, location))
    return replace(made, **more)


DENIED = Health(
    Level.FAULT,
    "access-denied",
    "No permission to open it.",
    "Add yourself to the kvm group.",
    "sudo usermod -aG kvm $USER",
)
FOUND = DeviceList(
    (
        device("looking-glass", users=(User(pid=1, program="qemu-system-x86_64", guest="vm1"),)),
        device("denied", health=DENIED),
        device("0000:08:01.0", RegionKind.BAR),
        device("/dev/kvmfr0", RegionKind.KVMFR),
        device("pulse-shm-1", likely_shared=False),
    ),
    ("The PCI devices could not be looked at (a test).",),
)


@pytest.fixture
def panel(qtbot: QtBot) -> DevicesPanel:
    made = DevicesPanel()
    made.set_theme(DARK)
    show(qtbot, made, 232, 480)
    QApplication.sendEvent(made.list.viewport(), QEvent(QEvent.Type.Leave))  # wherever it was
    return made


def titles(panel: DevicesPanel) -> list[str]:
    return [panel.model.data(panel.model.index(row)) for row in range(panel.model.rowCount())]


def choose(panel: DevicesPanel, name: str) -> None:
    panel.list.setCurrentIndex(panel.model.index(titles(panel).index(name)))


def test_the_model_keeps_qts_rules(panel: DevicesPanel, qtmodeltester: ModelTester) -> None:
    panel.set_devices(FOUND)
    qtmodeltester.check(panel.model)
    panel.set_devices(DeviceList())
    panel.set_devices(FOUND)


def test_keys_that_move_end_on_a_device_and_never_on_a_head(
    qtbot: QtBot, panel: DevicesPanel
) -> None:
    panel.set_devices(FOUND)
    keys = Qt.Key

    def after(key: Qt.Key) -> str:
        qtbot.keyClick(panel.list, key)
        return str(panel.list.currentIndex().data())

    first, last = "looking-glass", "/dev/kvmfr0"
    assert after(keys.Key_End) == last
    assert after(keys.Key_Home) == first
    assert after(keys.Key_Up) == first
    assert after(keys.Key_PageDown) == last
    assert after(keys.Key_PageUp) == first
    assert [after(keys.Key_Down) for _ in range(4)] == ["denied", "0000:08:01.0", last, last]
    panel.set_devices(DeviceList())
    qtbot.keyClick(panel.list, keys.Key_Home)


def test_an_opened_file_of_another_kind_is_listed_once(panel: DevicesPanel) -> None:
    panel.set_devices(FOUND)
    panel.set_recent(["file:/dev/shm/pulse-shm-1", "file:/dev/shm/looking-glass"])
    assert titles(panel)[-2:] == ["RECENT", "pulse-shm-1"]
    panel.others.setChecked(True)
    assert titles(panel).count("pulse-shm-1") == 1
    assert "RECENT" not in titles(panel)


def test_devices_stand_under_their_heads(panel: DevicesPanel) -> None:
    panel.set_devices(FOUND)
    assert titles(panel) == [
        "HOST FILES",
        "looking-glass",
        "denied",
        "GUEST DEVICES",
        "0000:08:01.0",
        "KVMFR",
        "/dev/kvmfr0",
    ]
    row = panel.model.rows[1]
    assert "64 MiB" in row.detail
    assert "vm1" in row.detail
    assert not panel.model.flags(panel.model.index(0)) & Qt.ItemFlag.ItemIsSelectable


def test_others_are_shown_on_demand(qtbot: QtBot, panel: DevicesPanel) -> None:
    panel.set_devices(FOUND)
    assert panel.others.text() == "Others (1)"
    qtbot.mouseClick(panel.others, Qt.MouseButton.LeftButton)
    assert "pulse-shm-1" in titles(panel)
    panel.set_devices(DeviceList(FOUND.devices[:2]))
    assert panel.others.isHidden()


def test_search_by_name_guest_or_address(qtbot: QtBot, panel: DevicesPanel) -> None:
    panel.set_devices(FOUND)
    for typed, found in (
        ("look gl", "looking-glass"),
        ("VM1", "looking-glass"),
        ("08:01", "0000:08:01.0"),
    ):
        panel.search.clear()
        qtbot.keyClicks(panel.search, typed)
        assert [t for t in titles(panel) if not t.isupper()] == [found], typed
    panel.search.clear()
    qtbot.keyClicks(panel.search, "nothing like it")
    assert titles(panel) == []
    assert panel.list.isVisible()  # a search without a hit is no empty machine


def place(panel: DevicesPanel, name: str) -> QRect:
    return panel.list.visualRect(panel.model.index(titles(panel).index(name)))


def point_at(panel: DevicesPanel, where: QPoint) -> None:
    """The mouse over a row, as the windowing system tells it."""
    view = panel.list.viewport()
    QApplication.sendEvent(
        view, QEnterEvent(QPointF(where), QPointF(where), QPointF(view.mapToGlobal(where)))
    )


def test_one_click_on_what_a_row_offers_opens_it(qtbot: QtBot, panel: DevicesPanel) -> None:
    panel.set_devices(FOUND)
    panel.set_open("/dev/shm/looking-glass")
    row = place(panel, "/dev/kvmfr0")
    offer, view = open_area(row, panel.list.font()).center(), panel.list.viewport()
    with qtbot.assertNotEmitted(panel.open_wanted):
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=row.center())
    with qtbot.waitSignal(panel.open_wanted) as caught:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=offer)
    assert caught.args[0].location == "/dev/kvmfr0"
    own = open_area(place(panel, "looking-glass"), panel.list.font()).center()
    with qtbot.assertNotEmitted(panel.open_wanted):
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=own)


def test_no_row_moves_under_the_pointer(qtbot: QtBot, panel: DevicesPanel) -> None:
    panel.set_devices(FOUND)
    before, where = titles(panel), place(panel, "denied").center()
    point_at(panel, where)
    found = (device("another"), replace(FOUND.devices[1], size=1 << 20), *FOUND.devices[2:])
    panel.set_devices(DeviceList(found))
    assert titles(panel) == before
    rows = {row.title: row for row in panel.model.rows}
    assert "1 MiB" in rows["denied"].detail, "what they say is of now"
    assert rows["looking-glass"].detail == GONE
    panel.set_recent(["file:/dev/shm/earlier"])
    assert titles(panel) == before
    QApplication.sendEvent(panel.list.viewport(), QEvent(QEvent.Type.Leave))
    assert titles(panel)[:3] == ["HOST FILES", "another", "denied"]
    assert "looking-glass" not in titles(panel)
    assert titles(panel)[-1] == "earlier"


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_the_blue_row_is_the_device_that_is_open(panel: DevicesPanel, theme: Theme) -> None:
    panel.set_theme(theme)
    panel.set_devices(FOUND)
    panel.set_open("/dev/shm/looking-glass")
    assert panel.list.currentIndex().data() == "looking-glass"
    choose(panel, "denied")

    def ground(name: str) -> QColor:
        row = place(panel, name)
        image = panel.list.viewport().grab().toImage()
        return QColor(image.pixel(row.left() + 8, row.bottom() - 3))

    blue, other = ground("looking-glass"), ground("denied")
    assert blue.blue() - blue.red() > 20 + other.blue() - other.red()
    assert other == ground("0000:08:01.0"), "a row that is only chosen has a frame"


def test_enter_and_double_click_open(qtbot: QtBot, panel: DevicesPanel) -> None:
    panel.set_devices(FOUND)
    choose(panel, "looking-glass")
    with qtbot.waitSignal(panel.open_wanted) as caught:
        qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    assert caught.args == [FOUND.devices[0].spec]
    place = panel.list.visualRect(panel.model.index(titles(panel).index("0000:08:01.0"))).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    with qtbot.waitSignal(panel.open_wanted) as caught:
        qtbot.mouseDClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert caught.args == [FOUND.devices[2].spec]


def test_what_is_wrong_is_told_with_a_command_to_copy(qtbot: QtBot, panel: DevicesPanel) -> None:
    panel.set_devices(FOUND)
    assert "The PCI devices could not be looked at" in panel.detail.text()
    choose(panel, "denied")
    assert "No permission to open it." in panel.detail.text()
    assert "Add yourself" in panel.detail.text()
    qtbot.mouseClick(panel.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == DENIED.command
    choose(panel, "looking-glass")
    assert panel.copy.isHidden()


def test_what_enter_would_open_is_seen_and_told(qtbot: QtBot, panel: DevicesPanel) -> None:
    """Also right after the focus came, and for one that is listed only once it is open."""
    panel.search.setFocus()
    panel.set_devices(FOUND)
    qtbot.keyClick(panel.search, Qt.Key.Key_Tab)
    panel.list.setFocus()
    qtbot.waitUntil(panel.list.hasFocus)
    assert [index.data() for index in panel.list.selectedIndexes()] == ["looking-glass"]
    assert panel.detail.text().startswith("/dev/shm/looking-glass")
    panel.set_open("/dev/shm/other")
    panel.list.clearSelection()
    panel.list.setCurrentIndex(panel.model.index(-1))
    panel.set_recent(["file:/dev/shm/other"])
    assert [index.data() for index in panel.list.selectedIndexes()] == ["other"]


def test_the_choice_survives_a_new_list(panel: DevicesPanel) -> None:
    panel.set_devices(FOUND)
    choose(panel, "0000:08:01.0")
    panel.set_devices(DeviceList((device("a-new-one"), *FOUND.devices)))
    assert panel.list.currentIndex().data() == "0000:08:01.0"


def test_recent_ones_that_are_not_listed(panel: DevicesPanel) -> None:
    panel.set_recent(["file:/dev/shm/looking-glass", "file:/srv/old", "nonsense", "bad:kind", ""])
    panel.set_devices(FOUND)
    assert titles(panel)[-2:] == ["RECENT", "old"]


def test_the_menu_opens_in_other_ways(qtbot: QtBot, panel: DevicesPanel) -> None:
    bar = FOUND.devices[2].spec
    menu = panel.menu_for(bar)
    words = [action.text() for action in menu.actions() if action.text()]
    assert words[:2] == ["Open", "Open read-only"]
    assert len(words) >= 5  # the cache modes of a BAR
    with qtbot.waitSignal(panel.open_wanted) as caught:
        menu.actions()[1].trigger()
    assert caught.args == [replace(bar, read_only=True)]
    with qtbot.waitSignal(panel.open_wanted) as caught:
        menu.actions()[2].trigger()
    assert caught.args[0].cache is not CacheMode.DEFAULT
    menu.actions()[-1].trigger()
    assert QGuiApplication.clipboard().text() == bar.location
    file_menu = panel.menu_for(FOUND.devices[0].spec)
    assert len([a for a in file_menu.actions() if a.text()]) == 3


def test_rows_are_painted_with_badges_and_the_open_one_is_marked(panel: DevicesPanel) -> None:
    panel.set_devices(FOUND)
    before = colors(panel.list)
    panel.set_open("/dev/shm/looking-glass")
    panel.set_theme(LIGHT)
    assert before > 20
    assert colors(panel.list) > 20
    text = panel.model.data(panel.model.index(2), Qt.ItemDataRole.AccessibleTextRole)
    assert "No permission" in text


def test_content_that_is_known_is_named(panel: DevicesPanel) -> None:
    panel.set_devices(DeviceList((device("lg", content=Content("LGMP")),)))
    assert "LGMP" in panel.model.rows[1].detail
    panel.set_devices(DeviceList((device("x", size=None),)))
    assert "size unknown" in panel.model.rows[1].detail


def test_what_was_recognised_is_shown_where_it_lies(panel: DevicesPanel) -> None:
    store = Decorations()
    panel.set_decorations(store)
    found = (
        device("lg", content=Content("KVMFR", "in LGMP, version 34", 0x2040)),
        device("notes", content=Content("text", "hello")),
    )
    panel.set_devices(DeviceList(found))
    assert not len(store), "nothing is open"
    panel.set_open(found[0].location)
    (shown,) = store.touching(0, 64 << 20)
    assert (shown.start, shown.length, shown.label) == (0x2040, 12, "KVMFR")
    assert shown.tip == "header of KVMFR, in LGMP, version 34"
    panel.set_open(found[1].location)
    assert not len(store), "a text has no header"
    panel.set_open(found[0].location)
    panel.set_devices(DeviceList((device("lg", content=Content("LGMP", "version 10")),)))
    (shown,) = store.touching(0, 64 << 20)
    assert (shown.start, shown.length) == (0, 8)
    panel.set_open("")
    assert not len(store)


# -- the empty state -------------------------------------------------------------------------------


@pytest.fixture
def empty(panel: DevicesPanel) -> DevicesPanel:
    panel.set_devices(DeviceList())
    return panel


def test_before_the_first_look_nothing_is_claimed(panel: DevicesPanel) -> None:
    assert not panel.teaching.isVisible()


def test_an_empty_list_teaches(qtbot: QtBot, empty: DevicesPanel) -> None:
    teaching = empty.teaching
    assert teaching.isVisible()
    text = teaching.text.toPlainText()
    assert "memory-backend-file" in text
    assert "size=64M" in text
    assert "mem-path=/dev/shm/ivshmem" in text
    assert "share=on" in text
    teaching.amount.setCurrentIndex(teaching.amount.findData(1 << 30))
    teaching.name.selectAll()
    qtbot.keyClicks(teaching.name, "frames")
    assert "mem-path=/dev/shm/frames,size=1G" in teaching.text.toPlainText()
    teaching.form.setCurrentText("libvirt")
    xml = teaching.text.toPlainText()
    assert "<shmem name='frames'>" in xml
    assert "<size unit='M'>1024</size>" in xml


def test_where_the_guide_stands_elsewhere_it_is_not_told_twice(empty: DevicesPanel) -> None:
    host = PanelHost(empty, Decorations())
    empty.attach(host)
    host.guide_shown.emit(True)
    assert not empty.teaching.text.isVisible()
    assert buttons(empty)["Open demo"].isVisible()
    host.guide_shown.emit(False)
    assert empty.teaching.text.isVisible()


def test_a_bad_name_is_told_in_place_and_not_copied(qtbot: QtBot, empty: DevicesPanel) -> None:
    teaching = empty.teaching
    teaching.name.selectAll()
    qtbot.keyClicks(teaching.name, "a/b")
    assert "slash" in teaching.text.toPlainText()
    assert not buttons(empty)["Copy"].isEnabled()
    teaching.name.selectAll()
    qtbot.keyClicks(teaching.name, "ab")
    QGuiApplication.clipboard().setText("")
    qtbot.mouseClick(buttons(empty)["Copy"], Qt.MouseButton.LeftButton)
    assert "mem-path=/dev/shm/ab" in QGuiApplication.clipboard().text()


def test_its_buttons_lead_on(qtbot: QtBot, empty: DevicesPanel) -> None:
    with qtbot.waitSignal(empty.demo_wanted):
        qtbot.mouseClick(buttons(empty)["Open demo"], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(empty.open_file_wanted):
        qtbot.mouseClick(buttons(empty)["Open file…"], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(empty.rescan_wanted):
        qtbot.mouseClick(empty.rescan, Qt.MouseButton.LeftButton)


def test_a_recent_one_is_no_empty_state(panel: DevicesPanel) -> None:
    panel.set_recent(["file:/srv/old"])
    panel.set_devices(DeviceList())
    assert not panel.teaching.isVisible()


def buttons(panel: DevicesPanel) -> dict[str, QPushButton]:
    return {b.text(): b for b in panel.findChildren(QPushButton) if b.isVisible()}
