"""What the window says of a latency run: all that must be quoted, and nothing that was not measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app import cli
from app.core.engine.measuring.measurement_messages import LiveLatency
from app.core.errors import ValueFormatError
from app.core.measure.bandwidth.bandwidth import BandwidthOptions
from app.core.measure.conditions import Conditions
from app.core.measure.flash.flash_result import FlashPlan
from app.core.measure.histogram import Histogram, Summary
from app.core.measure.lane.peer_card import EngineKind
from app.core.measure.latency.latency import LatencyOptions
from app.core.measure.latency.latency_result import LatencyResult, Tally
from app.core.measure.transfer.transfer import TransferOptions
from app.core.measure.transfer.transfer_result import Direction
from app.core.native.kernel import PingState, Wait
from app.ui.measure.forms import BandwidthForm, FlashForm, LatencyForm, TransferForm
from app.ui.measure.live import live_sentence
from app.ui.measure.runs.run_model import COLUMNS, RunModel
from app.ui.measure.runs.runs import comparison, run_of, save_run, time_figures
from app.ui.style.theme import DARK

CONDITIONS = Conditions(
    "f", "file", "", 1 << 20, 0, 0, "Linux", "cpu", 4, 0.0, -1, "0", "us", "them", 1e9
)


def result(*times_ns: int, rate_hz: float = 1000) -> LatencyResult:
    tally = Tally(1.0, stall_ns=1000)
    tally.begin(0)
    for histogram in (tally.response, tally.service):
        histogram.record(np.array(times_ns, np.int64))
    tally.late = 2
    tally.finish(PingState(lost=3, unexpected=1, end_ns=10**9, timeout_ns=10**8))
    return tally.result(
        rate_hz=rate_hz,
        payload_bytes=8,
        wait=Wait.SPIN,
        poll_ns=1,
        engine=EngineKind.PYTHON,
        peer_engine=EngineKind.PYTHON,
        floor=Summary(1, 5, 5, 5, 5, 5, 5, 5, 5),
        ways=None,
        conditions=CONDITIONS,
        complete=True,
    )


@pytest.mark.parametrize("rate_hz", [1000, 0])
def test_a_run_tells_every_figure(rate_hz: float) -> None:
    run = run_of(1, result(*range(1000, 2000), rate_hz=rate_hz))
    told = "\n".join(run.lines)
    for word in (
        "p90 1.90 µs",
        "p99.99 2.00 µs",
        "min 1.00 µs",
        "mean 1.50 µs",
        "Service time p50",
        "2 sent late",
        "1 unexpected",
        "30.0 % stalled",
        "0.0 % taken by counting",
        "floor 5 ns",
    ):
        assert word in told
    assert ("Response" if rate_hz else "Round trip") in told
    assert (run.figures["p50"], run.figures["count"], run.figures["lost"]) == (
        "1.50 µs",
        "1,000",
        "3",
    )


def test_nothing_answered_is_never_shown_as_0_ns() -> None:
    empty = result()
    run = run_of(1, empty)
    assert {run.figures[name] for name in ("p50", "p99", "p99.9", "max")} == {"-"}
    assert not any("0 ns" in line for line in run.lines)
    assert time_figures(Histogram(), 4)["lost"] == "4"
    live = live_sentence(LiveLatency(0.5, empty.response.summary(), 7, ()))
    assert "0 ns" not in live.text
    assert "7 lost" in live.text


def test_a_run_is_saved_in_the_form_of_its_ending(tmp_path: Path) -> None:
    run = run_of(1, result(10, 20))
    heads = {".json": "{", ".csv": "distribution,", ".hlog": "#[Histogram log"}
    for form, head in heads.items():
        save_run(run, tmp_path / f"run{form}")
        assert (tmp_path / f"run{form}").read_text().startswith(head)
    assert json.loads((tmp_path / "run.json").read_text())["lost"] == 3
    with pytest.raises(ValueFormatError):
        save_run(run, tmp_path / "run.txt")


def test_percentiles_on_too_few_samples_are_told_and_dimmed() -> None:
    run = run_of(1, result(*range(1000, 2000)))
    assert run.weak == {"p99.9", "p99.99"}
    assert any("Fewer than 10 samples lie beyond p99.9, p99.99" in line for line in run.lines)
    model = RunModel()
    model.add(run)
    for column, name in enumerate(COLUMNS["latency"]):
        index = model.index(0, column)
        color = model.data(index, Qt.ItemDataRole.ForegroundRole)
        tip = model.data(index, Qt.ItemDataRole.ToolTipRole)
        assert (color == QColor(DARK.quiet)) == (name == "p99.9"), name
        assert tip.startswith("Rests on too few samples") == (name == "p99.9"), name


def test_unlike_tests_are_not_compared_without_a_word() -> None:
    fixed, other = (run_of(n, result(*range(1000, 2000), rate_hz=n * 1000)) for n in (1, 2))
    closed = run_of(3, result(*range(500, 1000), rate_hz=0))
    assert "unlike" not in comparison(other, fixed)
    text = comparison(closed, fixed)
    assert text.startswith("Against run 1 (unlike tests: closed loop against fixed rate")
    assert "p50 −" in text


def test_the_window_and_the_command_line_begin_with_the_same_settings(qtbot: QtBot) -> None:
    forms = {
        "latency": LatencyForm(), "transfer": TransferForm(), "bandwidth": BandwidthForm(),
        "flash": FlashForm(),
    }  # fmt: skip
    for form in forms.values():
        qtbot.addWidget(form)
    plans = {name: form.plan() for name, form in forms.items()}
    usual = (LatencyOptions(), TransferOptions(), BandwidthOptions(), FlashPlan())
    assert tuple(plans.values()) == usual
    asked = {
        verb: cli._verb_parser(verb).parse_args([verb, "somewhere"])
        for verb in ("latency", "transfer", "bandwidth")
    }
    latency = asked["latency"]
    assert plans["latency"] == LatencyOptions(
        rate_hz=latency.rate,
        duration_s=latency.duration,
        warm_up_s=latency.warm_up,
        payload_bytes=latency.payload,
        wait=Wait[latency.wait.upper()],
        poll_ns=int(latency.poll * 1000),
        timeout_s=latency.lost_after,
        core=latency.pin,
    )
    transfer = asked["transfer"]
    assert plans["transfer"] == TransferOptions(
        message_bytes=tuple(map(int, transfer.size.split(","))),
        direction=Direction(transfer.direction),
        duration_s=transfer.duration,
        core=transfer.pin,
    )
    bandwidth = asked["bandwidth"]
    assert plans["bandwidth"] == BandwidthOptions(
        blocks=tuple(map(int, bandwidth.blocks.split(","))),
        slice_s=bandwidth.slice / 1e3,
        core=bandwidth.pin,
    )
