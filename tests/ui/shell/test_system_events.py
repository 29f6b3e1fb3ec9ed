"""Messages of Windows become signals, in bursts only once."""

from __future__ import annotations

from ctypes import addressof, wintypes

import pytest

from app.ui.shell.lifecycle.system_events import (
    DEVNODES_CHANGED,
    RESUMED,
    WM_DEVICECHANGE,
    WM_POWERBROADCAST,
    WindowsEvents,
)


def send(events, number, parameter, kind=b"windows_generic_MSG"):
    message = wintypes.MSG()
    message.message, message.wParam = number, parameter
    return events._filter.nativeEventFilter(kind, addressof(message))


def test_a_burst_of_device_changes_is_one_signal(qtbot):
    events = WindowsEvents()
    seen = []
    events.devices_changed.connect(lambda: seen.append(1))
    with qtbot.waitSignal(events.devices_changed):
        for _ in range(5):
            assert send(events, WM_DEVICECHANGE, DEVNODES_CHANGED) == (False, 0)
    assert seen == [1]


@pytest.mark.parametrize("parameter", RESUMED)
def test_waking_up_is_told(qtbot, parameter):
    events = WindowsEvents()
    with qtbot.waitSignal(events.resumed):
        send(events, WM_POWERBROADCAST, parameter)


@pytest.mark.parametrize(
    ("number", "parameter", "kind"),
    [
        (WM_DEVICECHANGE, 1, b"windows_generic_MSG"),
        (WM_POWERBROADCAST, 4, b"windows_generic_MSG"),
        (WM_DEVICECHANGE, DEVNODES_CHANGED, b"xcb_generic_event_t"),
    ],
)
def test_other_messages_are_left_alone(qtbot, number, parameter, kind):
    events = WindowsEvents()
    with qtbot.assertNotEmitted(events.resumed):
        assert send(events, number, parameter, kind) == (False, 0)
    assert not events._settle.isActive()


def test_starts_on_windows_only_and_stops_twice(qtbot):
    events = WindowsEvents()
    events.start()
    events.stop()
    events.stop()
