"""Searching through an engine: pages of hits, rows that live, filter, export, replace, cancel."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.core.engine import messages as msg
from app.core.engine import search_messages as sm
from app.core.engine.process import EngineProcess
from app.core.errors import CancelledError, LockedError, StorageError, ValueFormatError
from app.core.search.find import Hit
from app.core.search.hits import MOST_HITS
from app.core.search.needle import Needle, NeedleKind
from app.core.search.scope import Scope, ScopeKind
from tests.core.search.searching import ShmFile, peek, poke
from tests.core.talk import Talk

ABC = Needle(NeedleKind.TEXT, "abc")


@pytest.fixture
def path(shm_file: ShmFile) -> Path:
    made = shm_file(4 << 20)
    poke(made, 0, bytes(1 << 20))
    return made


@pytest.fixture
def talk(path: Path) -> Iterator[Talk]:
    made = Talk(EngineProcess(), path)
    yield made
    made.client.close()


def test_a_search_in_an_engine(talk: Talk, path: Path, tmp_path: Path) -> None:
    """One engine for all of it, as starting one is what costs."""
    poke(path, 0x100, b"--abc==")
    poke(path, 0x9000, b"abc")
    found = talk.do(sm.FindAll(1, ABC))
    assert (found.count, found.full, found.unsteady) == (2, False, 0)
    page = talk.do(sm.ListHits(1))
    assert np.frombuffer(page.starts, "<i8").tolist() == [0x102, 0x9000]
    assert np.frombuffer(page.lengths, "<i4").tolist() == [3, 3]
    row, second = talk.do(sm.ReadHits(1, 0, 100))
    assert (row.before[-2:], row.value, row.after[:2], row.matches) == (b"--", b"abc", b"==", True)
    poke(path, 0x9001, b"B")
    assert [one.matches for one in talk.do(sm.ReadHits(1, 0, 100))] == [True, False]
    assert second.matches
    # Found again on request, at its new place; numbers that nobody used are told.
    poke(path, 0xA000, b"abc")
    assert talk.do(sm.FindAll(1, ABC)).count == 2
    assert isinstance(talk.fail(sm.ListHits(7)), ValueFormatError)

    # The next one, in a scope.
    assert talk.do(sm.FindNext(ABC, 0x102, 3)) == Hit(0xA000, 3)
    part = Scope(ScopeKind.RANGE, 0x100, 5)
    assert talk.do(sm.FindNext(ABC, 0, 0, scope=part)) == Hit(0x102, 3)
    assert talk.do(sm.FindNext(ABC, 0, 0, scope=Scope(ScopeKind.RANGE, 0x100, 4))) is None

    # A filter makes another list.
    strings = Needle(NeedleKind.STRINGS, least=3)
    assert talk.do(sm.FindAll(2, strings)).count == 3
    assert talk.do(sm.FilterHits(2, 3, "=ABC")) == 0
    assert talk.do(sm.FilterHits(2, 3, "C=")) == 1
    expression = Needle(NeedleKind.REGEX, "[aA][bB]c(?==)")
    assert talk.do(sm.FindAll(3, expression)).count == 1
    assert [one.matches for one in talk.do(sm.ReadHits(3, 0, 9))] == [True]
    talk.do(sm.ForgetHits(3))
    assert isinstance(talk.fail(sm.ReadHits(3, 0, 1)), ValueFormatError)

    # Saved, but never over memory.
    out = tmp_path / "hits.json"
    assert talk.do(sm.ExportHits(1, str(out), "json")) == 2
    assert [one["offset_bytes"] for one in json.loads(out.read_text())] == [0x102, 0xA000]
    out = tmp_path / "hits.csv"
    assert talk.do(sm.ExportHits(1, str(out), "csv")) == 2
    assert out.read_bytes().splitlines()[1] == b'0x102,258,3,616263,"abc"'
    assert isinstance(talk.fail(sm.ExportHits(1, str(path), "csv")), StorageError)

    # Replaced, where it is still there.
    assert isinstance(talk.fail(sm.ReplaceHits(1, "xyz")), LockedError)
    talk.client.ask(msg.SetLocked(False))
    poke(path, 0xA000, b"a-c")
    outcome = talk.do(sm.ReplaceHits(1, "xyz"))
    assert (outcome.replaced, outcome.changed) == (1, 1)
    assert outcome.sentence == (
        "1 hit replaced; 1 left alone, which was changed by a peer in between."
    )
    assert peek(path, 0x100, 7) == b"--xyz=="
    talk.do(msg.Undo())
    assert peek(path, 0x100, 7) == b"--abc=="
    outcome = talk.do(sm.ReplaceOne(ABC, Hit(0x102, 3), "ABC"))
    assert outcome.replaced == 1
    assert talk.do(sm.ReplaceOne(ABC, Hit(0x102, 3), "ABC")).changed == 1


def test_only_what_changes_is_searched(talk: Talk, path: Path) -> None:
    poke(path, 0x3000, b"abc")
    poke(path, 0x8000, b"abc")
    talk.frame(lambda frame: frame.activity.sweep_ns > 0)
    moment = talk.frame().time_ns
    poke(path, 0x8800, b"x")
    since = Scope(ScopeKind.SINCE, since_ns=moment)
    talk.until(lambda: talk.do(sm.FindAll(1, ABC, since)).count > 0)
    page = talk.do(sm.ListHits(1))
    assert np.frombuffer(page.starts, "<i8").tolist() == [0x8000]
    changes = itertools.count()

    def one_is_found_while_it_changes() -> bool:
        poke(path, 0x8800, bytes([next(changes) % 256]))
        return talk.do(sm.FindAll(1, ABC, Scope(ScopeKind.CHANGING))).count == 1

    talk.until(one_is_found_while_it_changes)


def test_two_million_hits_are_kept_and_a_search_is_cancelled(talk: Talk, path: Path) -> None:
    poke(path, 0, b"\x01" * (4 << 20))
    found = talk.do(sm.FindAll(1, Needle(NeedleKind.BYTES, "01")))
    assert (found.count, found.full) == (MOST_HITS, True)
    page = talk.do(sm.ListHits(1, MOST_HITS - 2))
    assert np.frombuffer(page.starts, "<i8").tolist() == [MOST_HITS - 2, MOST_HITS - 1]
    exploding = talk.client.ask(sm.FindAll(2, Needle(NeedleKind.REGEX, "(\x01+)+$")))
    talk.client.ask(msg.Cancel(exploding))
    answer = talk.result(exploding)
    assert isinstance(answer, msg.Failed)
    assert isinstance(answer.error, CancelledError)
    assert talk.do(msg.Read(0, 1)) == b"\x01"
