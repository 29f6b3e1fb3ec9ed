"""Which thread of an engine carries out which command, in which order.

Quick commands run on one worker in the order in which they were asked. Long ones pass through
it, too, so that they keep their place in that order, but only to be put in their queue: each
queue has a worker of its own, made when first needed. So a save that waits for a slow disk
holds up other saves and nothing else. Immediate ones run on the thread that hands them over.

A command that waits is cancelled at once, also when what runs before it does not end. One that
runs is asked to end: its handler looks at `Job.cancelled()` between two steps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from ..errors import CancelledError, EngineGoneError, ScopeError
from . import messages as msg
from .command_rows import Later, Pace, Queue, Row

if TYPE_CHECKING:
    from .engine import Engine

Report = Callable[[msg.Answer], None]


class Job:
    """One command on its way.

    Attributes:
        request: The number that its answers carry.
        after: Entries that the journal had when its turn came; what is newer was written since.
    """

    def __init__(
        self, request: int, command: msg.Command[Any], row: Row[Any], report: Report
    ) -> None:
        self.request = request
        self.command = command
        self.row = row
        self.after = 0
        self.rest: Later[Any] | None = None  # what is left of it, when it is or became long
        self._report = report
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._ended = False
        self._running = False
        self._on_cancel: list[Callable[[], None]] = []

    def progress(self, done: int, total: int) -> None:
        """Report how far it is, in bytes."""
        self._report(msg.Progress(self.request, done, total))

    def cancelled(self) -> bool:
        """Whether it shall end early."""
        return self._cancelled.is_set()

    def when_cancelled(self, act: Callable[[], None]) -> None:
        """Call this when it is cancelled; at once when it was."""
        with self._lock:
            if not self._cancelled.is_set():
                self._on_cancel.append(act)
                return
        act()

    def cancel(self) -> None:
        """End it early; one that only waits is answered here and now."""
        with self._lock:
            self._cancelled.set()
            acts, self._on_cancel = self._on_cancel, []
            waits = not self._running
        for act in acts:
            act()
        stopped = msg.Failed(self.request, CancelledError("Stopped before it began."))
        if waits and self.answer(stopped) and self.rest is not None:
            self.rest.abandon()

    def begin(self) -> bool:
        """Its turn has come; False when it was cancelled while it waited."""
        with self._lock:
            self._running = not self._ended and not self._cancelled.is_set()
            return self._running

    def wait_again(self) -> None:
        """It was begun, and waits in its queue for the rest."""
        with self._lock:
            self._running = False

    def answer(self, answer: msg.Done | msg.Failed) -> bool:
        """Give the one answer; False when it was given before."""
        with self._lock:
            if self._ended:
                return False
            self._ended = True
        if self.row.answered:
            self._report(answer)
        return True

    @property
    def ended(self) -> bool:
        """Whether it was answered."""
        return self._ended


class Scheduler:
    """The workers of one engine.

    Args:
        engine: What handlers work with.
        report: Called with each answer, from any thread.
        clock: How many entries the journal has.
    """

    def __init__(self, engine: Engine, report: Report, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._report = report
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._queues: dict[Queue, SimpleQueue[Job | None]] = {}
        self._workers: list[threading.Thread] = []
        self._closing = False

    def submit(self, request: int, command: msg.Command[Any], row: Row[Any]) -> None:
        """Carry it out when its turn comes, and answer it. Any thread; never waits."""
        job = Job(request, command, row, self._report)
        if row.pace is Pace.IMMEDIATE:
            job.begin()
            self._settle(job, lambda: row.handler(self._engine, command, job))
            return
        with self._lock:
            if not self._closing:
                self._jobs[request] = job
                self._put(Queue.NONE, job)
                return
        job.answer(msg.Failed(request, EngineGoneError("The engine of this region has ended.")))

    def cancel(self, request: int) -> None:
        """End this command early, if it is there and can be."""
        with self._lock:
            job = self._jobs.get(request)
        if job is not None and job.row.cancellable:
            job.cancel()
            self._forget(job)

    def waiting(self, queue: Queue) -> list[Job]:
        """What this queue's worker runs or has yet to run, oldest first."""
        with self._lock:
            jobs = [job for job in self._jobs.values() if job.row.queue is queue]
        return [job for job in jobs if job.rest is not None and not job.ended]

    def close(self, timeout_s: float) -> None:
        """Cancel everything, then wait for the workers, all together no longer than this."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            jobs = list(self._jobs.values())
            for queue in self._queues.values():
                queue.put(None)
        for job in jobs:
            job.cancel()
        until = time.monotonic() + timeout_s
        for worker in self._workers:
            if worker is not threading.current_thread():
                worker.join(max(0.0, until - time.monotonic()))

    # -- workers ----------------------------------------------------------------------------------

    def _put(self, queue: Queue, job: Job) -> None:
        """Under the lock."""
        if queue not in self._queues:
            self._queues[queue] = SimpleQueue()
            name = "engine-quick" if queue is Queue.NONE else f"engine-{queue.value}"
            run = self._quick if queue is Queue.NONE else self._long
            worker = threading.Thread(
                target=self._serve, args=(self._queues[queue], run), name=name, daemon=True
            )
            self._workers.append(worker)
            worker.start()
        self._queues[queue].put(job)

    def _serve(self, queue: SimpleQueue[Job | None], run: Callable[[Job], None]) -> None:
        while (job := queue.get()) is not None:
            if job.begin():
                run(job)
            self._forget(job)

    def _forget(self, job: Job) -> None:
        if job.ended:
            with self._lock:
                self._jobs.pop(job.request, None)

    def _quick(self, job: Job) -> None:
        row, command = job.row, job.command
        job.after = self._clock()
        if row.pace is Pace.LONG:
            self._go_on(job, Later(lambda: row.handler(self._engine, command, job)))
        else:
            self._settle(job, lambda: row.handler(self._engine, command, job))

    def _long(self, job: Job) -> None:
        if job.rest is not None:
            self._settle(job, job.rest.work)

    def _go_on(self, job: Job, rest: Later[Any]) -> None:
        """The rest of it belongs in its queue."""
        job.rest = rest
        job.wait_again()
        with self._lock:
            if not self._closing and not job.cancelled():
                self._put(job.row.queue, job)
                return
        job.cancel()  # cancelled while it began: answered here

    def _settle(self, job: Job, work: Callable[[], Any]) -> None:
        """Do the work and answer; a Later is continued in the queue."""
        try:
            value = work()
        except ScopeError as error:
            job.answer(msg.Failed(job.request, error))
        except Exception as error:  # noqa: BLE001 - the worker must outlive a bug; it is reported
            text = f"{type(error).__name__} in {type(job.command).__name__}: {error}"
            job.answer(msg.Failed(job.request, ScopeError(text, "This is a bug; report it.")))
        else:
            if isinstance(value, Later):
                self._go_on(job, value)
            else:
                job.answer(msg.Done(job.request, value))
