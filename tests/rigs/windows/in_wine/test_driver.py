"""Every request of the driver and every status that it answers, by its lengths and its order."""

from __future__ import annotations

import contextlib
import ctypes
import time

import pytest

from app.core.backends.windows.abi import (
    EVENT_SLOTS,
    REGISTER_EVENT,
    RELEASE_MMAP,
    REQUEST_KMAP,
    REQUEST_MMAP,
    REQUEST_PEERID,
    REQUEST_SIZE,
    RING_DOORBELL,
    MmapAnswer64,
    Ring,
    event_request,
)
from app.core.backends.windows.api import Win32, Win32Error

CACHED = b"\x01"
WRONG_SIZE, ATTACHED, NOT_MAPPED, NOT_OWNER, NOT_READY, BAD_MODE, NO_ROOM = (
    1784,
    548,
    1,
    6,
    21,
    87,
    1450,
)


def refused(api: Win32, number: int, *arguments) -> None:
    with pytest.raises(Win32Error) as caught:
        api.control(*arguments)
    assert caught.value.number == number


def mapped(api: Win32, handle: int, mode: bytes = CACHED) -> MmapAnswer64:
    answer = MmapAnswer64()
    assert api.control(handle, REQUEST_MMAP, mode, answer) == 32
    return answer


def mapped_soon(api: Win32, handle: int) -> MmapAnswer64:
    """Map once the one before is gone: Wine tells the driver of a closed handle a little later."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(Win32Error):
            return mapped(api, handle)
        time.sleep(0.01)
    return mapped(api, handle)


def event_bytes(vector: int, event: int, *, single_shot: bool = False) -> bytes:
    return bytes(event_request(vector, event, single_shot=single_shot, windows_64=True))


def test_peer_id_answers_two_bytes(rig, api, handles):
    peer = ctypes.c_uint16()
    assert api.control(handles[0], REQUEST_PEERID, b"", peer) == 2
    assert peer.value == 3


@pytest.mark.parametrize("length", [0, 1, 3, 4, 8])
def test_peer_id_of_another_length_is_refused(rig, api, handles, length):
    refused(api, WRONG_SIZE, handles[0], REQUEST_PEERID, b"", (ctypes.c_uint8 * length)())


def test_size_answers_eight_bytes(rig, api, handles):
    size = ctypes.c_uint64()
    assert api.control(handles[0], REQUEST_SIZE, b"", size) == 8
    assert size.value == rig.file(0).stat().st_size


@pytest.mark.parametrize("length", [0, 4, 7, 9, 16])
def test_size_of_another_length_is_refused(rig, api, handles, length):
    refused(api, WRONG_SIZE, handles[0], REQUEST_SIZE, b"", (ctypes.c_uint8 * length)())


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_mapping_shares_the_bytes_with_the_file(rig, api, handles, mode):
    answer = mapped(api, handles[0], bytes([mode]))
    assert (answer.peer, answer.vectors, answer.size) == (3, 2, rig.size(0))
    rig.put(0, 4096, b"from outside")
    assert ctypes.string_at(answer.pointer + 4096, 12) == b"from outside"
    ctypes.memmove(answer.pointer + 8192, b"from inside", 11)
    assert rig.get(0, 8192, 11) == b"from inside"


@pytest.mark.parametrize("given", [b"", b"\x01\x00", b"\x01\x00\x00\x00"])
def test_mapping_with_another_request_length_is_refused(rig, api, handles, given):
    refused(api, WRONG_SIZE, handles[0], REQUEST_MMAP, given, MmapAnswer64())


@pytest.mark.parametrize("length", [0, 24, 31, 33, 40])
def test_mapping_with_another_answer_length_is_refused(rig, api, handles, length):
    refused(api, WRONG_SIZE, handles[0], REQUEST_MMAP, CACHED, (ctypes.c_uint8 * length)())


def test_mapping_with_an_unknown_cache_mode_is_refused(rig, api, handles):
    refused(api, BAD_MODE, handles[0], REQUEST_MMAP, b"\x03", MmapAnswer64())


def test_second_mapping_is_refused_before_lengths_are_looked_at(rig, api, handles):
    mapped(api, handles[0])
    refused(api, ATTACHED, handles[1], REQUEST_MMAP, CACHED, MmapAnswer64())
    refused(api, ATTACHED, handles[0], REQUEST_MMAP, b"", MmapAnswer64())
    assert mapped(api, handles[2]).pointer, "the other device is free"


def test_one_mapping_per_handle_in_the_builds_of_2024(rig, api, handles):
    rig.set(0, PerHandle=1)
    first, second = mapped(api, handles[0]), mapped(api, handles[1])
    assert first.pointer != second.pointer
    refused(api, ATTACHED, handles[0], REQUEST_MMAP, CACHED, MmapAnswer64())


def test_peer_and_size_answer_while_another_handle_has_the_mapping(rig, api, handles):
    mapped(api, handles[0])
    size = ctypes.c_uint64()
    api.control(handles[1], REQUEST_SIZE, b"", size)
    assert size.value == rig.size(0)


def test_release_gives_the_mapping_back(rig, api, handles):
    mapped(api, handles[0])
    assert api.control(handles[0], RELEASE_MMAP, b"", None) == 0
    assert mapped(api, handles[1]).pointer


def test_release_without_mapping_is_refused(rig, api, handles):
    refused(api, NOT_MAPPED, handles[0], RELEASE_MMAP, b"", None)


def test_release_of_anothers_mapping_is_refused(rig, api, handles):
    mapped(api, handles[0])
    refused(api, NOT_OWNER, handles[1], RELEASE_MMAP, b"", None)


def test_closing_the_handle_gives_the_mapping_back(rig, api, found, handles):
    owner = api.open_device(found[0].path)
    pointer = mapped(api, owner).pointer
    buffer = ctypes.create_string_buffer(1)
    api.read_memory(pointer, buffer, 1)
    api.close(owner)
    again = mapped_soon(api, handles[0])
    api.control(handles[0], RELEASE_MMAP, b"", None)
    for gone in (pointer, again.pointer):
        with pytest.raises(Win32Error) as caught:
            api.read_memory(gone, buffer, 1)
        assert caught.value.number in (299, 998)


def test_doorbell_and_events_want_the_mapping_first(rig, api, handles):
    mapped(api, handles[0])
    refused(api, NOT_OWNER, handles[1], RING_DOORBELL, bytes(Ring(4, 0)), None)
    refused(api, NOT_OWNER, handles[1], RING_DOORBELL, b"", None)
    refused(api, NOT_OWNER, handles[1], REGISTER_EVENT, event_bytes(0, api.create_event()), None)


@pytest.mark.parametrize("length", [0, 2, 3, 5, 8])
def test_doorbell_of_another_length_is_refused(rig, api, handles, length):
    mapped(api, handles[0])
    refused(api, WRONG_SIZE, handles[0], RING_DOORBELL, bytes(length), None)


@pytest.mark.parametrize("length", [0, 12, 23, 25])
def test_event_of_another_length_is_refused(rig, api, handles, length):
    mapped(api, handles[0])
    refused(api, WRONG_SIZE, handles[0], REGISTER_EVENT, bytes(length), None)


def test_event_with_a_bad_handle_is_refused(rig, api, handles):
    mapped(api, handles[0])
    refused(api, NOT_OWNER, handles[0], REGISTER_EVENT, event_bytes(0, 0xDEAD0), None)
    refused(api, NOT_OWNER, handles[0], REGISTER_EVENT, event_bytes(0, handles[1]), None)


def test_thirty_two_events_and_no_more(rig, api, handles):
    mapped(api, handles[0])
    event = api.create_event()
    for _ in range(EVENT_SLOTS):
        api.control(handles[0], REGISTER_EVENT, event_bytes(0, event), None)
    refused(api, NO_ROOM, handles[0], REGISTER_EVENT, event_bytes(0, event), None)
    api.close(event)


def test_events_leave_with_their_handle(rig, api, found, handles):
    event = api.create_event()
    for _ in range(3):
        owner = api.open_device(found[0].path)
        mapped_soon(api, owner)
        for _ in range(EVENT_SLOTS):
            api.control(owner, REGISTER_EVENT, event_bytes(0, event), None)
        api.close(owner)
    api.close(event)


def test_a_ring_reaches_the_other_devices_event_by_peer_and_vector(rig, api, handles):
    mapped(api, handles[0])
    mapped(api, handles[2])
    events = [api.create_event() for _ in range(2)]
    for vector, event in enumerate(events):
        api.control(handles[2], REGISTER_EVENT, event_bytes(vector, event), None)
    api.control(handles[0], RING_DOORBELL, bytes(Ring(4, 1)), None)
    assert [api.wait(event, 0) for event in events] == [False, True]


def test_rings_coalesce(rig, api, handles):
    mapped(api, handles[0])
    event = api.create_event()
    api.control(handles[0], REGISTER_EVENT, event_bytes(0, event), None)
    for _ in range(5):
        api.control(handles[0], RING_DOORBELL, bytes(Ring(3, 0)), None)
    assert api.wait(event, 0)
    assert not api.wait(event, 0), "five rings, one wake-up"


def test_registering_clears_the_event(rig, api, handles):
    mapped(api, handles[0])
    event = api.create_event()
    ctypes.windll.kernel32.SetEvent(ctypes.c_void_p(event))
    api.control(handles[0], REGISTER_EVENT, event_bytes(0, event), None)
    assert not api.wait(event, 0)


def test_single_shot_fires_once(rig, api, handles):
    mapped(api, handles[0])
    event = api.create_event()
    api.control(handles[0], REGISTER_EVENT, event_bytes(0, event, single_shot=True), None)
    fired = []
    for _ in range(2):
        api.control(handles[0], RING_DOORBELL, bytes(Ring(3, 0)), None)
        fired.append(api.wait(event, 0))
    assert fired == [True, False]


def test_ringing_nobody_is_silence(rig, api, handles):
    mapped(api, handles[0])
    assert api.control(handles[0], RING_DOORBELL, bytes(Ring(999, 63)), None) == 0


def test_everything_waits_for_a_device_that_is_not_ready(rig, api, handles):
    rig.set(0, NotReady=1)
    refused(api, NOT_READY, handles[0], REQUEST_PEERID, b"", ctypes.c_uint16())
    refused(api, NOT_READY, handles[0], REQUEST_SIZE, b"", ctypes.c_uint64())
    refused(api, NOT_READY, handles[0], REQUEST_MMAP, CACHED, MmapAnswer64())
    refused(api, NOT_READY, handles[0], 0x222400, b"", None)


def test_unknown_request_is_refused(rig, api, handles):
    refused(api, NOT_MAPPED, handles[0], 0x222400, b"", None)


def test_kernel_mapping_is_answered_but_is_no_address_of_ours(rig, api, handles):
    answer = MmapAnswer64()
    assert api.control(handles[0], REQUEST_KMAP, CACHED, answer) == 32
    assert answer.pointer
