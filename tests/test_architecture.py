"""The house rules that a test can keep: who imports whom, how long a file is, which version."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import app
from app.core import errors
from app.core.errors import ScopeError

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "app").rglob("*.py"))
SOFT_LIMIT, HARD_LIMIT = 400, 475  # lines

_IMPORT_ALL = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        head = name.split(".")[0]
        if head in FORBIDDEN or name.startswith(("app.ui", "app.cli", "app.selftest") if CORE else ("app.ui",)):
            raise AssertionError(f"{name} was imported")

FORBIDDEN = {"PySide6", "shiboken6", "pyqtgraph"}
CORE = sys.argv[1] == "app.core"
sys.meta_path.insert(0, Refuse())
package = importlib.import_module(sys.argv[1])
names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
names = [name for name in names if not name.endswith("._kernel")]  # a plain library for ctypes
for name in names:
    importlib.import_module(name)
print(len(names))
"""


@pytest.mark.parametrize(("package", "least"), [("app.core", 40), ("app.commands", 4)])
def test_the_core_and_the_verbs_need_no_window(package: str, least: int) -> None:
    """Also that all of it, Windows' parts too, can be imported here."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _IMPORT_ALL, package],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= least


def test_the_import_check_can_fail() -> None:
    program = _IMPORT_ALL + "\nimport PySide6\n"
    done = subprocess.run(
        [sys.executable, "-c", program, "app.commands"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert "PySide6 was imported" in done.stderr


def test_the_window_and_the_command_line_start_without_loading_qt() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import app.__main__, sys; print('PySide6' in sys.modules)"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_no_file_needs_a_table_of_contents() -> None:
    """A review rule: files beyond SOFT_LIMIT are named for the review; none is far beyond."""
    lengths = {str(path.relative_to(ROOT)): path.read_bytes().count(b"\n") for path in SOURCES}
    largest = sorted(lengths.items(), key=lambda item: -item[1])
    named = [f"{lines:5} {name}" for name, lines in largest if lines > SOFT_LIMIT]
    print("\n".join(named) or f"{largest[0][1]:5} {largest[0][0]}")
    assert largest[0][1] <= HARD_LIMIT, named


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_left_over(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "/work/" not in text
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text)


CITING = sorted(
    path
    for folder in ("app", "tests", "scripts")
    for kind in ("*.py", "*.c", "*.h", "*.sh")
    for path in (ROOT / folder).rglob(kind)
)


@pytest.mark.parametrize("path", CITING, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_cited_page_is_in_the_repository(path: Path) -> None:
    """A page by its path, or by its bare name when it is in docs/; with its heading in quotes."""
    text = re.sub(r"\s*\n[ \t#*]*", " ", path.read_text(encoding="utf-8"))
    for name, heading in re.findall(r'([\w./-]+\.md)\b(?:, "([^"]+)")?', text):
        page = ROOT / name if (ROOT / name).is_file() else ROOT / "docs" / name
        assert page.is_file(), name
        headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert not heading or heading in headings, (name, heading)


def test_cited_modules_exist() -> None:
    """A docstring or page that names a module by its file names one that is there."""
    known = {path.name for path in ROOT.glob("*.py")}
    known |= {
        path.name for top in ("app", "tests", "scripts") for path in (ROOT / top).rglob("*.py")
    }
    for path in [*SOURCES, *(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"]:
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"\b(\w+\.py)\b", text)) <= known, path


def test_the_wheel_changes_no_choice_by_chance() -> None:
    """Qt's own boxes take the wheel without having the focus; `ComboBox` does not."""
    qt = r"\bQ(ComboBox|FontComboBox|(Double)?SpinBox|Date(Time)?Edit|TimeEdit|Slider|Dial)\("
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "app").rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if re.search(qt, line)
    ]
    assert re.search(qt, "self.choice = QComboBox()")
    assert found == []


def test_the_picture_shows_the_floors_of_the_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    picture = (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")
    floors = [
        part.strip()
        for contract in contracts["tool"]["importlinter"]["contracts"]
        if "containers" in contract
        for floor in contract["layers"]
        for part in floor.split("|")
    ]
    assert len(floors) > 20
    assert [floor for floor in floors if f">{floor}<" not in picture] == []


def test_only_windows_modules_touch_windows_libraries() -> None:
    """What loads a Windows library lies in a folder for it."""
    for path in SOURCES:
        if path.parent != ROOT / "app" / "core" / "backends" / "windows":
            assert "WinDLL" not in path.read_text(encoding="utf-8"), path


def test_the_change_log_tells_the_version() -> None:
    entries = re.findall(
        r"^## \[?v?(\d+\.\d+\.\d+\S*?)\]?(?:\s|$)",
        (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert entries, "CHANGELOG.md has no entry of the form `## 1.2.3`"
    assert entries[0] == app.__version__


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, ScopeError)
    ],
    ids=lambda kind: kind.__name__,
)
def test_every_error_is_documented(kind: type[ScopeError]) -> None:
    own = inspect.getdoc(kind)
    assert own
    assert own[-1] in ".)]" or "\n" in own
