"""What the executable leaves out is nothing that the program imports, and stays what it should be."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def load_trims():
    spec = importlib.util.spec_from_file_location("trims", ROOT / "scripts/windows/trims.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


trims = load_trims()


def imported() -> set[str]:
    """Every module that a file of the program imports, with the names taken from it."""
    found = set()
    for file in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def test_nothing_that_is_left_out_is_imported():
    names = imported()
    assert "PySide6.QtCore" in names, "the search finds imports at all"
    for excluded in trims.EXCLUDED_MODULES:
        inside = {name for name in names if name == excluded or name.startswith(f"{excluded}.")}
        assert not inside, f"{excluded} is left out of the executable and imported by the program"


def test_no_dropped_library_belongs_to_an_imported_qt_module():
    modules = {name.split(".")[1] for name in imported() if name.startswith("PySide6.Qt")}
    for module in modules | {"QtSvg"}:
        for file in (f"PySide6/Qt6{module[2:]}.dll", f"PySide6/{module}.pyd"):
            assert not trims.dropped(file), file


def test_plots_load_and_draw_with_the_stand_ins_for_opengl():
    """In a process of its own: pyqtgraph is imported after the executable's hook."""
    code = """
import runpy, sys
runpy.run_path(sys.argv[1])
import numpy, pyqtgraph as pg
from PySide6.QtWidgets import QApplication
qt = QApplication([])
plot = pg.PlotWidget()
plot.plot(numpy.arange(100.0))
image = plot.grab().toImage()
colors = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
assert len(colors) > 2, colors
assert not [name for name in sys.modules if "OpenGL" in name and getattr(sys.modules[name], "__file__", None)
            and "PySide6" in name]
print("drawn")
"""
    hook = ROOT / "scripts/windows/lean_hook.py"
    done = subprocess.run(
        [sys.executable, "-c", code, str(hook)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "drawn", done.stderr


def test_plots_use_no_opengl_as_its_software_library_is_left_out():
    for file in (ROOT / "app").rglob("*.py"):
        assert "useOpenGL=True" not in file.read_text(encoding="utf-8").replace(" ", ""), file


@pytest.mark.parametrize(
    ("name", "out"),
    [
        ("PySide6\\opengl32sw.dll", True),
        ("PySide6\\Qt6Quick.dll", True),
        ("PySide6\\Qt6OpenGL.dll", True),
        ("PySide6\\QtOpenGL.pyd", True),
        ("PySide6\\Qt6OpenGLWidgets.dll", True),
        ("PySide6\\QtGui.pyd", False),
        ("pyqtgraph\\icons\\peegee\\peegee_512px.png", True),
        ("pyqtgraph\\icons\\auto.png", False),
        ("PySide6\\translations\\qtbase_de.qm", True),
        ("PySide6\\plugins\\tls\\qschannelbackend.dll", True),
        ("PySide6\\plugins\\imageformats\\qjpeg.dll", True),
        ("PySide6\\plugins\\imageformats\\qsvg.dll", False),
        ("PySide6\\plugins\\platforms\\qwindows.dll", False),
        ("PySide6\\plugins\\platforms\\qoffscreen.dll", False),
        ("PySide6\\plugins\\platforms\\qminimal.dll", True),
        ("PySide6\\plugins\\styles\\qmodernwindowsstyle.dll", False),
        ("PySide6\\plugins\\iconengines\\qsvgicon.dll", False),
        ("PySide6\\Qt6Core.dll", False),
        ("numpy\\_core\\_multiarray_umath.pyd", False),
        ("resources\\icons\\open.svg", False),
    ],
)
def test_dropped_by_name(name, out):
    assert trims.dropped(name) is out


def test_no_elevation_no_packing_and_no_console():
    text = (ROOT / "pyinstaller.spec").read_text(encoding="utf-8")
    for line in ('"uac_admin": False', '"upx": False', '"console": False'):
        assert line in text
