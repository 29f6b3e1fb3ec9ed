"""The errors travel between processes as themselves, and each has a code of its own."""

from __future__ import annotations

import copy
import inspect
import multiprocessing
import pickle
import re

import pytest

from app.core import errors
from app.core.errors import ConflictError, RegionGoneError, ScopeError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ScopeError)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_error_travels_as_itself(kind: type[ScopeError]) -> None:
    error = kind("Something happened.", "Do this.")
    error.command = "sudo x"
    error.add_note("a note")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert str(again) == "Something happened. Do this."
        assert (again.message, again.hint, again.command) == (
            "Something happened.",
            "Do this.",
            "sudo x",
        )
        assert again.args == error.args
        assert again.__notes__ == ["a note"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_error_is_documented_and_has_a_code(kind: type[ScopeError]) -> None:
    assert inspect.getdoc(kind)
    assert kind.__doc__
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert "code" in vars(kind)
    assert kind.__name__.endswith("Error")
    assert kind("x").hint == kind.default_hint
    assert not kind.default_hint or kind.default_hint.endswith(".")


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)


def test_a_conflict_keeps_its_three_values() -> None:
    error = ConflictError("x", offset=5, seen=b"a", now=b"b", mine=b"c")
    again = pickle.loads(pickle.dumps(error))
    assert (again.offset, again.seen, again.now, again.mine) == (5, b"a", b"b", b"c")
    assert again.hint == ConflictError.default_hint


def test_what_is_gone_is_one_family() -> None:
    family = {kind for kind in KINDS if issubclass(kind, RegionGoneError)}
    assert {kind.code for kind in family} == {
        "region-gone",
        "truncated",
        "deleted",
        "replaced",
        "unplugged",
        "closed",
    }


def test_through_a_real_pipe() -> None:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        for kind in KINDS:
            theirs.send(kind("x"))
            assert type(ours.recv()) is kind
