"""PCI addresses: both forms, any language, a strict order."""

from __future__ import annotations

import pickle
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import CannotFindError
from app.core.region.pci_address import PciAddress

addresses = st.builds(
    PciAddress,
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 255),
    st.integers(0, 31),
    st.integers(0, 7),
)


@given(addresses)
def test_round_trip(address):
    assert PciAddress.parse(str(address)) == address
    assert PciAddress.parse(f"  {str(address).upper()}\n") == address
    assert pickle.loads(pickle.dumps(address)) == address


@given(addresses)
def test_round_trip_of_windows_form(address):
    """Windows shows no domain."""
    expected = PciAddress(0, address.bus, address.device, address.function)
    assert PciAddress.parse(address.windows) == expected


@given(st.lists(addresses, min_size=2))
def test_the_order_is_strict_and_by_number(found):
    for one, other in pairwise(found):
        assert (one < other) + (other < one) + (one == other) == 1
    assert sorted(found) == sorted(found, key=lambda a: (a.domain, a.bus, a.device, a.function))


@given(st.text())
def test_any_text_is_an_address_or_one_error(text):
    try:
        address = PciAddress.parse(text)
    except CannotFindError:
        return
    assert PciAddress.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0000:08:01.0", (0, 8, 1, 0)),
        ("08:01.0", (0, 8, 1, 0)),
        ("8:1.0", (0, 8, 1, 0)),
        ("0000:0C:1F.7", (0, 12, 31, 7)),
        ("10000:e1:00.0", (0x10000, 0xE1, 0, 0)),
        ("PCI bus 12, device 31, function 0", (0, 12, 31, 0)),
        ("PCI bus 268, device 31, function 0", (1, 12, 31, 0)),
        ("@pci.sys,#65536;PCI bus %1, device %2, function %3;(12,31,0)", (0, 12, 31, 0)),
        ("PCI バス 10、デバイス 3、機能 0", (0, 10, 3, 0)),
        ("PCI-Bus 12, Gerät 31, Funktion 0", (0, 12, 31, 0)),
        ("Bus PCI 4, périphérique 1, fonction 0", (0, 4, 1, 0)),
    ],
)
def test_forms(text, address):
    assert PciAddress.parse(text) == PciAddress(*address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "nowhere",
        "08:01",
        "08:01.8",
        "08:20.0",
        "100:01.0",
        "000:08:01.0",
        "123456789:08:01.0",
        "0000:08:01.0x",
        "/0000:08:01.0",
        "PCI bus 1, device 2",
        "PCI bus 100000, device 0, function 0",
        "PCI bus 0, device 32, function 0",
        "PCI bus 0, device 0, function 8",
        "PCI " + "9" * 5000 + " 1 1",
        "PCI 1 2 3 4",
    ],
)
def test_what_is_no_address(text):
    with pytest.raises(CannotFindError):
        PciAddress.parse(text)


def test_both_forms_are_shown():
    address = PciAddress(0, 12, 31, 0)
    assert str(address) == "0000:0c:1f.0"
    assert address.windows == "PCI bus 12, device 31, function 0"


def test_decimal_comes_after_what_is_smaller():
    """Ordered as text, bus 10 would come before bus 9."""
    assert PciAddress(0, 9, 0, 0) < PciAddress(0, 10, 0, 0) < PciAddress(1, 0, 0, 0)
