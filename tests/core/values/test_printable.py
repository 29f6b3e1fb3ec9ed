"""Names of anything as one line that can be shown, in any encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.values.printable import ENCODE_ERRORS, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/dev/shm/ivshmem", "/dev/shm/ivshmem"),
        ("Gerät 5 µs 東京", "Gerät 5 µs 東京"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("safe\u202egnp.exe", r"safe\u202egnp.exe"),
        ("\u2028", r"\u2028"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_moves_or_hides_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_any_text_is_one_printable_line(text: str) -> None:
    shown = printable(text)
    assert len(f"{shown}x".splitlines()) == 1
    assert shown.encode("utf-8", ENCODE_ERRORS).decode("utf-8") == shown


@given(st.text(st.characters()), st.sampled_from(("ascii", "cp932", "cp437", "latin-1", "utf-8")))
def test_every_encoding_gets_something(text: str, encoding: str) -> None:
    assert printable(text).encode(encoding, ENCODE_ERRORS).decode(encoding) is not None


def test_simple_signs_stay_readable() -> None:
    assert "5 µs → 3…".encode("ascii", ENCODE_ERRORS) == b"5 us -> 3..."
