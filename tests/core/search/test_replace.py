"""Replacing on real memory, beside a peer; against a simple model."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.backends.open_region import open_region
from app.core.errors import LockedError, ValueFormatError
from app.core.region.region import Region
from app.core.search.find import find_all
from app.core.search.hits import HitList
from app.core.search.needle import Endians, Needle, NeedleKind
from app.core.search.patterns import Found
from app.core.search.replace import parse_replacement, replace_hits
from app.core.write.journal import Journal
from tests.core.search.searching import ShmFile, peek, poke, spec_of


def all_hits(region: Region, needle: Needle) -> Found:
    hits = HitList()
    find_all(region, needle, [(0, region.size)], lambda found, _part: hits.add(found))
    return hits.part(0, len(hits))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.lists(st.sampled_from(b"ab."), min_size=1, max_size=120).map(bytes),
    needle=st.sampled_from((b"ab", b"a", b"aba", b"..")),
    by=st.sampled_from((b"xyz", b"ba.")),
    changed=st.sets(st.integers(0, 119), max_size=10),
)
def test_as_bytes_replace_does_but_for_what_a_peer_changed(
    shm_file: ShmFile, data: bytes, needle: bytes, by: bytes, changed: set[int]
) -> None:
    path = shm_file(4096)
    poke(path, 0, data)
    by = by[: len(needle)]
    with open_region(spec_of(path)) as region:
        journal = Journal(region)
        journal.set_locked(False)
        wanted = Needle(NeedleKind.BYTES, needle.hex())
        found = all_hits(region, wanted)
        for at in changed:
            if at < len(data):
                poke(path, at, b"!")
        now = peek(path, 0, len(data))
        outcome = replace_hits(journal, region, wanted, found, parse_replacement(wanted, by.hex()))
        assert peek(path, 0, len(data)) == replaced(now, needle, by, found.starts.tolist())
        assert outcome.replaced + outcome.changed + outcome.unfit == len(found)
        gone = [at for at in found.starts.tolist() if now[at : at + len(needle)] != needle]
        assert outcome.changed >= len(gone) - outcome.unfit
        if outcome.replaced:
            assert journal.count == 1
            journal.undo()
            assert peek(path, 0, len(data)) == now
        journal.close()


def replaced(data: bytes, needle: bytes, by: bytes, starts: list[int]) -> bytes:
    out, behind = bytearray(data), 0
    for at in starts:
        if at >= behind and out[at : at + len(needle)] == needle:
            out[at : at + len(needle)] = by
            behind = at + len(needle)
    return bytes(out)


def test_wildcards_keep_what_is_there_and_a_lock_refuses(shm_file: ShmFile) -> None:
    path = shm_file(4096)
    poke(path, 100, bytes.fromhex("FF1234FF5678"))
    with open_region(spec_of(path)) as region:
        journal = Journal(region)
        needle = Needle(NeedleKind.BYTES, "FF ?? ??")
        found = all_hits(region, needle)
        by = parse_replacement(needle, "EE ?? 0?")
        with pytest.raises(LockedError):
            replace_hits(journal, region, needle, found, by)
        journal.set_locked(False)
        outcome = replace_hits(journal, region, needle, found, by)
        assert outcome.sentence == "2 hits replaced."
        assert peek(path, 100, 6) == bytes.fromhex("EE1204EE5608")
        journal.close()


def test_what_does_not_fit_is_told(shm_file: ShmFile) -> None:
    path = shm_file(4096, fill=b"word ")
    with open_region(spec_of(path)) as region:
        journal = Journal(region)
        journal.set_locked(False)
        needle = Needle(NeedleKind.TEXT, "word")
        found = all_hits(region, needle)
        with pytest.raises(ValueFormatError, match="has 5 bytes, the hit has 4"):
            replace_hits(journal, region, needle, found, parse_replacement(needle, "words"))
        assert journal.count == 0
        stopped = replace_hits(
            journal,
            region,
            needle,
            found,
            parse_replacement(needle, "WORD"),
            cancelled=lambda: True,
        )
        assert (stopped.replaced, stopped.left, stopped.record) == (0, len(found), None)
        journal.close()
    both = Needle(NeedleKind.VALUE, "1", type_name="u16", endians=Endians.BOTH)
    with pytest.raises(ValueFormatError, match="either byte order"):
        parse_replacement(both, "2")
    with pytest.raises(ValueFormatError, match="nothing to replace"):
        parse_replacement(Needle(NeedleKind.REGEX, "a"), "")
