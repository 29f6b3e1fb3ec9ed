from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.core.errors import ValueFormatError
from app.core.values.export_formats import copy_as
from app.ui.hex import clipboard
from app.ui.hex.clipboard import pasted_readings

FORMS = (
    "hex",
    "hex without spaces",
    "hexdump -C",
    "C array",
    "Python bytes",
    "Rust array",
    "Go slice",
    "JSON array",
)


@pytest.mark.parametrize(
    "text",
    [
        "DE AD BE EF",
        "deadbeef",
        "0xDE, 0xAD, 0xBE, 0xEF",
        "0xDEADBEEF",
        "{0xDE,0xAD,0xBE,0xEF};",
        "de:ad:be:ef",
        "de-ad-be-ef",
        r"\xde\xad\xbe\xef",
        '"\\xde\\xad\\xbe\\xef"',
        "DEh ADh BEh EFh",
        "  DE\n\tAD\r\n BE EF  \n",
        "{ 0xDE, /* one */ 0xAD, // two\n 0xBE, 0xEF }",
        "[222, 173, 190, 239]",
        "00000000: dead beef                                ....",
        "00000000  de ad be ef                                       |....|\n00000004",
    ],
)
def test_hex_is_read_in_every_usual_form(text: str) -> None:
    assert pasted_readings(text).found[0].data == b"\xde\xad\xbe\xef"


@given(st.binary(min_size=1, max_size=70), st.sampled_from(FORMS))
def test_what_we_copy_as_hex_is_read_back(data: bytes, form: str) -> None:
    assert pasted_readings(copy_as(form, data, 0x40)).found[0].data == data


@given(st.text(max_size=60))
def test_any_text_is_bytes_or_a_sentence(text: str) -> None:
    try:
        data = pasted_readings(text).found[0].data
    except ValueFormatError as error:
        said = error.message
    else:
        said = f"{len(data)} bytes; nothing was written."
    assert said.endswith("nothing was written.")


@pytest.mark.parametrize(
    "text", ["", "  \n", "hello", "z", "41 4g", "[1, 256]", "{a, -1}", "0x", "½"]
)
def test_garbage_is_refused_with_words(text: str) -> None:
    with pytest.raises(ValueFormatError, match="nothing was written"):
        pasted_readings(text)


def test_own_copies_come_back_exactly_whatever_their_form(qtbot: QtBot) -> None:
    data = bytes(range(256))
    for as_text in (False, True):
        clipboard.put(data, "the text is for others")
        assert clipboard.take(as_text=as_text) == data
        assert QGuiApplication.clipboard().text() == "the text is for others"


def test_foreign_text_is_hex_or_characters_by_the_pane(qtbot: QtBot) -> None:
    QGuiApplication.clipboard().setText("41 42")
    meant = clipboard.take(as_text=False)
    assert not isinstance(meant, bytes)
    assert [one.data for one in meant.found] == [b"AB", b")*", b"41 42"]
    assert clipboard.take(as_text=True) == b"41 42"
    QGuiApplication.clipboard().setText("grün")
    assert clipboard.take(as_text=True) == "grün".encode()


def test_too_much_is_refused_before_it_is_read(qtbot: QtBot) -> None:
    QGuiApplication.clipboard().setText("00" * (clipboard.MAX_PASTE + 1))
    with pytest.raises(ValueFormatError, match="more than can be pasted"):
        clipboard.take(as_text=False)
    QGuiApplication.clipboard().setText("x" * (9 * clipboard.MAX_PASTE))
    with pytest.raises(ValueFormatError, match="more than can be pasted"):
        clipboard.take(as_text=True)


def test_an_empty_clipboard_says_so(qtbot: QtBot) -> None:
    QGuiApplication.clipboard().clear()
    with pytest.raises(ValueFormatError, match="nothing was written"):
        clipboard.take(as_text=False)


def test_a_place_is_not_pasted_as_bytes(qtbot: QtBot) -> None:
    clipboard.put_address("0x40")
    assert QGuiApplication.clipboard().text() == "0x40"
    with pytest.raises(ValueFormatError, match="place"):
        clipboard.take(as_text=False)


_COPY_AND_END = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app.ui.hex import clipboard
app = QApplication([])
clipboard.put(b"DE", "44 45")
QTimer.singleShot(0, app.quit)
app.exec()
clipboard.leave_text()
assert app.clipboard().text() == "44 45"
"""


def test_a_program_that_copied_ends_in_order() -> None:
    """Qt crashed when it deleted bytes on the clipboard behind the interpreter's end."""
    done = subprocess.run([sys.executable, "-c", _COPY_AND_END], check=False)
    assert done.returncode == 0
