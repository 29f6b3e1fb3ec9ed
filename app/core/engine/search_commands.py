"""The rows of what searches and replaces."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ..search.find import Hit, find_next
from ..search.hits import HitRow
from ..search.replace import ReplaceOutcome, parse_replacement, replace_hits
from ..search.scope import Scope, scope_ranges
from . import search_messages as sm
from .command_rows import Pace, Queue, Row, Rows

if TYPE_CHECKING:
    from ..region.region import Extent
    from .engine import Engine
    from .scheduler import Job
    from .searches import Searches


def _searches(engine: Engine) -> Searches:
    """What keeps the hits, made when first used."""
    from .searches import Searches

    return engine.part(Searches)


def _ranges(engine: Engine, scope: Scope) -> list[Extent]:
    changed = engine.sampler.sweep.changed_extents
    return scope_ranges(scope, engine.region, time.monotonic_ns(), changed)


def _find_next(engine: Engine, command: sm.FindNext, job: Job) -> Hit | None:
    return find_next(
        engine.region,
        command.needle,
        _ranges(engine, command.scope),
        command.start,
        command.length,
        backwards=command.backwards,
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _find_all(engine: Engine, command: sm.FindAll, job: Job) -> sm.FindSummary:
    ranges = _ranges(engine, command.scope)
    return _searches(engine).find(
        command.search, command.needle, ranges, progress=job.progress, cancelled=job.cancelled
    )


def _filter_hits(engine: Engine, command: sm.FilterHits, job: Job) -> int:
    return _searches(engine).filter(
        command.search,
        command.into,
        command.text,
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _forget_hits(engine: Engine, command: sm.ForgetHits, _job: Job) -> None:
    _searches(engine).forget(command.search)


def _list_hits(engine: Engine, command: sm.ListHits, _job: Job) -> sm.HitPage:
    return _searches(engine).page(command.search, command.first)


def _read_hits(engine: Engine, command: sm.ReadHits, job: Job) -> tuple[HitRow, ...]:
    count = min(command.count, sm.ROWS)
    return _searches(engine).rows(command.search, command.first, count, job.cancelled)


def _export_hits(engine: Engine, command: sm.ExportHits, job: Job) -> int:
    from ..search.export import export_hits

    hits = _searches(engine).hits(command.search)
    return export_hits(
        engine.region,
        hits,
        command.path,
        command.form,
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _replace_hits(engine: Engine, command: sm.ReplaceHits, job: Job) -> ReplaceOutcome:
    searches = _searches(engine)
    needle, hits = searches.needle(command.search), searches.hits(command.search)
    count = len(hits) if command.count < 0 else command.count
    return replace_hits(
        engine.journal,
        engine.region,
        needle,
        hits.part(command.first, count),
        parse_replacement(needle, command.text),
        progress=job.progress,
        cancelled=job.cancelled,
    )


def _replace_one(engine: Engine, command: sm.ReplaceOne, job: Job) -> ReplaceOutcome:
    from ..search.patterns import Found

    hit = command.hit
    return replace_hits(
        engine.journal,
        engine.region,
        command.needle,
        Found.of(np.array([hit.offset], np.int64), hit.length),
        parse_replacement(command.needle, command.text),
        cancelled=job.cancelled,
    )


_LONG = Pace.LONG

ROWS: Rows = (
    Row(sm.FindNext, _find_next, _LONG, Queue.SEARCH, cancellable=True),
    Row(sm.FindAll, _find_all, _LONG, Queue.SEARCH, cancellable=True),
    Row(sm.FilterHits, _filter_hits, _LONG, Queue.SEARCH, cancellable=True),
    Row(sm.ForgetHits, _forget_hits, Pace.QUICK),
    Row(sm.ListHits, _list_hits, Pace.QUICK, cancellable=True),
    Row(sm.ReadHits, _read_hits, _LONG, Queue.HITS, cancellable=True),
    Row(sm.ExportHits, _export_hits, _LONG, Queue.SAVES, cancellable=True),
    Row(sm.ReplaceHits, _replace_hits, _LONG, Queue.WRITES, cancellable=True),
    Row(sm.ReplaceOne, _replace_one, _LONG, Queue.WRITES, cancellable=True),
)
