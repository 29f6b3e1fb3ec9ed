"""The wheel as somebody installs it, in a project that has a package `app` of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from app.version import __version__
from tests import wheel as wheels
from tests.wheel import FOREIGN, readme_examples

MakeFile = Callable[..., Path]
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the wheel is for Linux here"),
    pytest.mark.timeout(240),  # it is built and installed on the way
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.build_wheel(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.install(wheel, tmp_path_factory.mktemp("user"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder to work in, whose own `app` comes before all that is installed."""
    folder = tmp_path / "project"
    (folder / "app" / "core").mkdir(parents=True)
    (folder / "app" / "__init__.py").write_text(FOREIGN)
    (folder / "app" / "core" / "__init__.py").write_text('raise RuntimeError("not for you")\n')
    return folder


@pytest.fixture
def call(programs: Path, project: Path) -> Callable[..., str]:
    """Runs a program of the environment in the project's folder; what it printed."""
    return caller(programs, project)


def caller(programs: Path, project: Path) -> Callable[..., str]:
    def call(name: str, *words: object) -> str:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(
            [str(programs / name), *map(str, words)],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=80,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    return call


def test_what_is_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names}
    assert tops == {"ivshmem_scope", f"ivshmem_scope-{__version__}.dist-info"}
    assert "ivshmem_scope/py.typed" in names
    assert "ivshmem_scope/_resources/icons/ivshmem-scope.svg" in names
    source = {
        f"ivshmem_scope/{path.relative_to(wheels.ROOT / 'app').as_posix()}"
        for path in (wheels.ROOT / "app").rglob("*.py")
    }
    assert source <= names
    assert not any("/_kernel." in name and name.endswith(".part") for name in names)


def test_the_kernel_is_in_it_where_a_compiler_is(wheel: Path, call: Callable[..., str]) -> None:
    import runpy

    script = runpy.run_path(str(wheels.ROOT / "scripts" / "build_kernel.py"))
    native = script["compiler"](windows=False) is not None
    names = zipfile.ZipFile(wheel).namelist()
    assert ("ivshmem_scope/core/native/_kernel.so" in names) == native
    assert wheel.name.endswith("-any.whl") != native
    ask = "from ivshmem_scope.core.native.kernel import kernel; print(kernel() is not None)"
    assert call("python", "-c", ask) == f"{native}\n"


def test_programs_import_it_beside_their_own_app(call: Callable[..., str]) -> None:
    told = call(
        "python",
        "-c",
        """
import json, sys
from ivshmem_scope import Guest, Host, errors, list_devices
import app, ivshmem_scope
devices = list_devices()
strangers = [name for name in sys.modules if name.startswith(("app.", "PySide6"))]
print(json.dumps([app.NAME, ivshmem_scope.__version__, ivshmem_scope.__file__, strangers,
                  Host.__module__, Guest.__module__, errors.ScopeError.__module__]))
""",
    )
    name, version, place, strangers, *modules = json.loads(told)
    assert name in FOREIGN
    assert version == __version__
    assert "site-packages" in place
    assert strangers == []
    assert all(module.startswith("ivshmem_scope.core.") for module in modules)


def test_the_hosts_example_of_the_readme(
    call: Callable[..., str], shm_file: MakeFile, project: Path
) -> None:
    path = shm_file(1 << 20, name="my-shared-memory")
    with path.open("r+b") as file:
        file.seek(64)
        file.write(b"Hello from the guest!")
    host, _ = readme_examples()
    assert f'Host("{path}")' in host
    (project / "host.py").write_text(host + "print(answer)\n")
    assert call("python", "host.py") == f"{b'Hello from the guest!'.ljust(64, bytes(1))}\n"
    assert path.read_bytes()[:64] == b"Hello from the host!".ljust(64, b"\0")


@pytest.mark.parametrize("words", [("ivshmem-scope",), ("python", "-m", "ivshmem_scope")])
def test_the_command(call: Callable[..., str], shm_file: MakeFile, words: tuple[str, ...]) -> None:
    path = shm_file(1 << 20, name="ivshmem-wheel-test", fill=b"wheel ")
    assert call(*words, "--version") == f"IVSHMEM Scope {__version__}\n"
    assert str(path) in call(*words, "list")
    told = json.loads(call(*words, "read", path, "0", "5", "--json"))
    assert bytes.fromhex(told["hex"]) == b"wheel"


@pytest.mark.parametrize("name", ["ivshmem-scope", "ivshmem-scope-gui"])
def test_the_window_and_its_children_run_under_the_installed_name(
    call: Callable[..., str], tmp_path: Path, name: str
) -> None:
    picture = tmp_path / "picture.png"
    call(name, "--demo", "--screenshot", picture, "--after", "0.5", "--theme", "dark")
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1280, 800)
    log = next(tmp_path.rglob("ivshmem-scope.log")).read_text()
    assert "engine" in log
    assert "ivshmem_scope.core.engine.child: /dev/shm/" in log
    assert "is open for process" in log
    assert not list(tmp_path.rglob("crash-*"))


def test_an_editable_install_of_a_new_checkout(tmp_path: Path, project: Path) -> None:
    tree, programs = wheels.install_editable(tmp_path)
    call = caller(programs, project)
    ask = "import app, ivshmem_scope.cli; print(app.NAME, ivshmem_scope.cli.__file__)"
    name = FOREIGN.split('"')[1]
    assert call("python", "-c", ask) == f"{name} {tree / 'app' / 'cli.py'}\n"
    (tree / "app" / "version.py").write_text('__version__ = "9.9"\n')
    for words in (("ivshmem-scope",), ("python", "-m", "ivshmem_scope")):
        assert call(*words, "--version") == "IVSHMEM Scope 9.9\n"
    picture = tmp_path / "picture.png"
    call("ivshmem-scope", "--demo", "--screenshot", picture, "--after", "0.2")
    assert not QImage(str(picture)).isNull()
    kernel = tree / "app" / "core" / "native" / "_kernel.so"
    kernel.touch()
    done = subprocess.run(["make", "clean"], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tree.iterdir()} == {*wheels.NEEDED, "scripts"}
    assert not kernel.exists()
    assert not list(tree.rglob("__pycache__"))
