"""`--self-test`: passes here, and tells which step failed where it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.selftest import SelfTest, run_self_test


def test_the_program_tests_itself(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "app", "--self-test", str(report)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    content = json.loads(report.read_text())
    assert done.returncode == 0, content
    assert content["passed"]
    assert content["version"]
    assert content["system"]
    assert {step["status"] for step in content["steps"]} == {"passed"}
    assert len(content["steps"]) >= 8
    assert done.stdout.count("passed") == len(content["steps"])


def test_a_failing_step_is_told(
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(_self: SelfTest) -> str:
        raise RuntimeError("no icons at all")

    monkeypatch.setattr(SelfTest, "resources", broken)
    for name in ("devices", "demo", "window", "write", "picture", "close"):
        monkeypatch.setattr(SelfTest, name, lambda _self: "")
    report = tmp_path / "report.json"
    assert run_self_test(report) == 1
    content = json.loads(report.read_text())
    assert not content["passed"]
    failed = [step for step in content["steps"] if step["status"] != "passed"]
    assert [step["name"] for step in failed] == ["resources are there"]
    assert "no icons at all" in failed[0]["detail"]
    assert "failed" in capsys.readouterr().out


def test_a_report_that_cannot_be_written(
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(SelfTest, "run", lambda _self: True)
    assert run_self_test(tmp_path / "no" / "report.json") == 1
    assert "could not be written" in capsys.readouterr().err
