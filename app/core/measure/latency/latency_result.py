"""Results of a latency test: the tally while it runs, and the result that is kept and compared."""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from ...native.kernel import PingState, Wait
from ..conditions import Conditions
from ..hdr_log import hdr_log
from ..histogram import Histogram, Summary, Times
from ..lane.peer_card import EngineKind
from .echo import Batch
from .echo_python import due_before
from .one_way import OneWay

FORMAT: Final = 1
_POINTS: Final = 600
LONG_PAUSE_NS: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class Point:
    """One interval of the time series; times in ns, `at_s` from the test's start."""

    at_s: float
    count: int
    min_ns: int
    p50_ns: int
    p99_ns: int
    max_ns: int
    lost: int


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """A finished test; `as_dict` is for files.

    Attributes:
        rate_hz: Asked rate; 0 is the closed loop.
        payload_bytes: Payload.
        wait: How both sides waited.
        poll_ns: Interval at which a polling side read.
        engine: The engine that measured.
        peer_engine: The engine that answered.
        duration_s: How long it really took; a schedule whose last request is answered early
            counts to its end.
        complete: False when it was stopped before its end.
        service: From sending to the answer.
        response: From when it should have been sent to the answer.
        due: Requests that the rate asked for in the time; each was answered, lost or skipped. In
            the closed loop those that were sent.
        lost: Answers that did not come in time, and what was due, and never sent, while an answer
            was waited for.
        skipped: Due and never sent because of this side: it counted (`paused_share`), stood still
            until the end was long over, or was stopped.
        late: Answered requests that were sent more than an interval after their time.
        unexpected: Numbers from the peer that were not waited for.
        stalled_share: Share of the time in gaps longer than `stall_ns`: an answer that was waited
            for, or a turn of our own loop that took so long.
        stall_ns: What counts as a gap.
        paused_share: Share of the time that the instrument itself paused, outside the schedule.
        floor: The same loop without a peer.
        ways: One-way estimate with its bound; None when there is none.
        series: The response times over time.
        conditions: Region, peers and machine.
        notes: Sentences without which the figures could be misunderstood.
    """

    rate_hz: float
    payload_bytes: int
    wait: Wait
    poll_ns: int
    engine: EngineKind
    peer_engine: EngineKind
    duration_s: float
    complete: bool
    service: Histogram
    response: Histogram
    due: int
    lost: int
    skipped: int
    late: int
    unexpected: int
    stalled_share: float
    stall_ns: int
    paused_share: float
    floor: Summary
    ways: OneWay | None
    series: tuple[Point, ...]
    conditions: Conditions
    notes: tuple[str, ...]

    @property
    def sent(self) -> int:
        """Requests that were answered or lost."""
        return self.response.count + self.lost

    def figures(self) -> dict[str, Any]:
        """Everything but the buckets; keys name their unit."""
        return {
            "rate_hz": self.rate_hz,
            "mode": "fixed rate" if self.rate_hz else "closed loop",
            "payload_bytes": self.payload_bytes,
            "wait": self.wait.name.lower(),
            "poll_ns": self.poll_ns,
            "engine": self.engine.value,
            "peer_engine": self.peer_engine.value,
            "duration_s": self.duration_s,
            "complete": self.complete,
            **self.response.summary().as_dict(),
            "service": self.service.summary().as_dict(),
            "due": self.due,
            "sent": self.sent,
            "lost": self.lost,
            "skipped": self.skipped,
            "late": self.late,
            "unexpected": self.unexpected,
            "stalled_share": self.stalled_share,
            "stall_ns": self.stall_ns,
            "paused_share": self.paused_share,
            "floor": self.floor.as_dict(),
            "one_way": None if self.ways is None else asdict(self.ways),
            "conditions": asdict(self.conditions),
            "notes": list(self.notes),
        }

    def as_dict(self) -> dict[str, Any]:
        """The figures, the buckets and the series."""
        return {
            "format": FORMAT,
            "kind": "latency",
            **self.figures(),
            "response_buckets": self.response.as_dict(),
            "service_buckets": self.service.as_dict(),
            "series": [asdict(point) for point in self.series],
        }

    def json_text(self) -> str:
        """The JSON file."""
        return json.dumps(self.as_dict(), indent=1) + "\n"

    def csv_text(self) -> str:
        """The buckets of both distributions as a table; what has no time has a row without."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("distribution", "from_ns", "to_ns", "count"))
        for name, histogram in (("response", self.response), ("service", self.service)):
            writer.writerows((name, *bar) for bar in histogram.bars())
        for name, count in (("lost", self.lost), ("skipped", self.skipped), ("due", self.due)):
            writer.writerow((name, "", "", count))
        return out.getvalue()

    def hdr_text(self) -> str:
        """The HdrHistogram log."""
        both = (("response", self.response), ("service", self.service))
        remark = (
            f"{self.due} due: {self.response.count} answered, {self.lost} lost, "
            f"{self.skipped} skipped; {self.late} answered were sent late; "
            f"{self.rate_hz:g} per second asked (0: closed loop); times in ns"
        )
        return hdr_log(both, self.conditions.started_s, self.duration_s, remark)


class Tally:
    """Counts a running test.

    Attributes:
        service: So far.
        response: So far.
        series: Finished intervals of the series.
        lost: So far.
        due: What the schedule asked for, once the test is over.
        skipped: What of it this side never sent, once the test is over.
        paused_ns: The instrument's own pauses.
        notes: Sentences so far.
    """

    def __init__(self, duration_s: float, *, stall_ns: int) -> None:
        self.service = Histogram()
        self.response = Histogram()
        self.series: list[Point] = []
        self.lost = 0
        self.late = 0
        self.due = 0
        self.skipped = 0
        self.unexpected = 0
        self.paused_ns = 0
        self.notes: list[str] = []
        self._stall_ns = stall_ns
        self._stalled_ns = 0
        self._interval_ns = max(100_000_000, int(duration_s * 1e9 / _POINTS))
        self._open: deque[Times] = deque()
        self._start_ns = self._point_ns = self._end_ns = 0
        self._point_lost = 0

    def note(self, text: str, *, timed: bool = False) -> None:
        """Keep a sentence with the result, with its time in the test if wanted."""
        at = (self._end_ns - self._start_ns) / 1e9
        self.notes.append(f"{text[:-1]} ({at:.1f} s)." if timed else text)

    def begin(self, start_ns: int) -> None:
        """The test starts now."""
        self._start_ns = self._point_ns = self._end_ns = start_ns

    def resume(self, gap_ns: int, paused_ns: int) -> None:
        """The end of a pause of the instrument itself.

        Args:
            gap_ns: From the end of the slice until now. Far longer than counting takes, it was no
                pause: this side stood still.
            paused_ns: What of it is taken out of the schedule.
        """
        if gap_ns > LONG_PAUSE_NS:
            self._stalled_ns += gap_ns
        else:
            self.paused_ns += paused_ns

    def add(self, batch: Batch, now_ns: int, state: PingState) -> None:
        """Count a slice."""
        service, response = batch.service, batch.response
        self.service.record(service)
        self.response.record(response)
        self._stalled_ns += int(service[service > self._stall_ns].sum())
        if state.interval_ns:
            self.late += int((batch.sent - batch.intended > state.interval_ns).sum())
        self._count(now_ns, state)
        if response.size:
            self._open.append(response)
        if now_ns - self._point_ns >= self._interval_ns:
            self._close_point(now_ns)

    def _count(self, now_ns: int, state: PingState) -> None:
        self.lost = int(state.lost) + int(state.missed)
        self.unexpected = int(state.unexpected)
        self._end_ns = now_ns

    def _close_point(self, now_ns: int) -> None:
        times = np.concatenate(self._open) if self._open else np.zeros(0, np.int64)
        self._open.clear()
        at_s = (self._point_ns - self._start_ns) / 1e9
        lost = self.lost - self._point_lost
        self._point_ns, self._point_lost = now_ns, self.lost
        if times.size:
            # As Histogram: a value that was measured, never one between two that flatters.
            p50, p99 = np.percentile(times, (50, 99), method="inverted_cdf").tolist()
            low, high = int(times.min()), int(times.max())
            self.series.append(Point(at_s, times.size, low, p50, p99, high, lost))
        else:
            self.series.append(Point(at_s, 0, 0, 0, 0, 0, lost))

    def finish(self, state: PingState, *, complete: bool = True) -> None:
        """The end of the test: requests without an answer count as lost."""
        end_ns = max(self._end_ns, int(state.end_ns)) if complete else self._end_ns
        self._count(end_ns, state)
        self._stalled_ns += int(state.lost) * int(state.timeout_ns) + int(state.stood_ns)
        if state.pending:
            self.lost += 1
            self._stalled_ns += max(0, self._end_ns - int(state.sent_ns))
        self._account(state, end_ns if not complete else int(state.end_ns))
        if state.missed:
            self.note(
                f"{int(state.missed)} of the lost were never sent: they were due while nobody "
                "answered, or faster than answers came."
            )
        if state.skipped:
            self.note(
                f"{int(state.skipped)} were due and never sent: this side stood still, or was "
                "stopped."
            )
        if self._open or self.lost > self._point_lost:
            self._close_point(self._end_ns)

    def _account(self, state: PingState, end_ns: int) -> None:
        """Each request that was due is one of answered, lost and skipped."""
        known = self.response.count + self.lost
        self.due = known
        if state.interval_ns:
            self.due = max(known, due_before(state.interval_ns, end_ns - self._start_ns))
        self.skipped = self.due - known

    def result(
        self,
        *,
        rate_hz: float,
        payload_bytes: int,
        wait: Wait,
        poll_ns: int,
        engine: EngineKind,
        peer_engine: EngineKind,
        floor: Summary,
        ways: OneWay | None,
        conditions: Conditions,
        complete: bool,
    ) -> LatencyResult:
        """The result."""
        took_ns = self._end_ns - self._start_ns
        whole_ns = max(1, took_ns)
        return LatencyResult(
            rate_hz=rate_hz,
            payload_bytes=payload_bytes,
            wait=wait,
            poll_ns=poll_ns,
            engine=engine,
            peer_engine=peer_engine,
            duration_s=took_ns / 1e9,
            complete=complete,
            service=self.service,
            response=self.response,
            due=self.due,
            lost=self.lost,
            skipped=self.skipped,
            late=self.late,
            unexpected=self.unexpected,
            stalled_share=min(1.0, self._stalled_ns / whole_ns),
            stall_ns=self._stall_ns,
            paused_share=self.paused_ns / whole_ns,
            floor=floor,
            ways=ways,
            series=tuple(self.series),
            conditions=conditions,
            notes=tuple(self.notes),
        )
