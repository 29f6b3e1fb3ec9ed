"""Runs the tests of `in_wine/` once inside the machine, and reports each of them here.

The names come from the files themselves; a test that has parameters is reported as a whole.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scripts import build_kernel
from tests.rigs.windows.build import Layers
from tests.rigs.windows.machine import Device, Machine
from tests.rigs.windows.places import HERE

pytestmark = pytest.mark.timeout(300, func_only=True)  # the first one builds the rig
Results = dict[tuple[str, str], list[str]]


def names() -> Iterator[tuple[str, str]]:
    """File and function of each test inside."""
    for file in sorted((HERE / "in_wine").glob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield file.stem, node.name


@pytest.fixture(scope="module")
def results(
    layers: Layers, devices: list[Device], tmp_path_factory: pytest.TempPathFactory
) -> Results:
    """Outcome of every case: an empty text when it passed, else what went wrong."""
    out = tmp_path_factory.mktemp("wine")
    build_kernel.build(windows=True)  # beside its source, where the machine sees it
    with Machine(layers, out, devices, undriven=1) as machine:
        done = machine.python(
            "-m",
            "pytest",
            "-q",
            "--junitxml=Z:\\out\\results.xml",
            "-c",
            "Z:\\src\\tests\\rigs\\windows\\in_wine\\pytest.ini",
            "--rootdir=Z:\\src\\tests\\rigs\\windows\\in_wine",
            "Z:\\src\\tests\\rigs\\windows\\in_wine",
            limit_s=240,
        )
    report = out / "results.xml"
    assert report.is_file(), f"pytest did not finish inside the machine:\n{done.stdout[-4000:]}"
    return read(report)


def read(report: Path) -> Results:
    """The cases of a JUnit report by file and function."""
    found: Results = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = re.sub(r"\[.*", "", case.get("name", ""))
        bad = "".join(
            f"{case.get('name')}: {part.text}\n"
            for part in case
            if part.tag in ("failure", "error")
        )
        found.setdefault((case.get("classname", "").split(".")[-1], name), []).append(bad)
    return found


@pytest.mark.parametrize(("file", "name"), list(names()))
def test_inside(results: Results, file: str, name: str) -> None:
    """The case ran inside the machine and passed."""
    assert (file, name) in results, "it did not run inside the machine"
    wrong = "".join(results[file, name])
    assert not wrong, wrong
