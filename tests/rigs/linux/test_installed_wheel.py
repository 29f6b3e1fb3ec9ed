"""README's two examples from the installed wheel: one on the host, one in the real guest."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.rigs.linux.guest import Guest
from tests.rigs.linux.test_linux_guest import README_PATH, peek, poke
from tests.wheel import FOREIGN, build_wheel, install, readme_examples

pytestmark = [pytest.mark.rig, pytest.mark.timeout(400)]


def test_the_readmes_examples_meet_beside_a_foreign_app(
    guest: Guest, big: Path, tmp_path: Path
) -> None:
    python = install(build_wheel(tmp_path), tmp_path) / "python"  # the guest sees the host's files
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text(FOREIGN)
    host, in_guest = readme_examples()
    (project / "host.py").write_text(
        "import app\n" + host.replace(README_PATH, str(big)) + "print(app.NAME, answer)\n"
    )
    (project / "guest.py").write_text(
        "import app\n" + in_guest + "print(app.NAME, greeting, guest.path)\n"
    )
    poke(big, 0, bytes(128))

    def on_host() -> str:
        done = subprocess.run(
            [str(python), "host.py"], cwd=project, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    name = FOREIGN.split('"')[1]
    assert on_host() == f"{name} {bytes(64)!r}\n"
    result = guest.run(str(python), str(project / "guest.py"))
    assert result.code == 0, result.err
    greeting = b"Hello from the host!".ljust(64, b"\0")
    assert result.out.startswith(f"{name} {greeting!r} /sys/bus/pci/devices/")
    answer = b"Hello from the guest!".ljust(64, b"\0")
    assert on_host() == f"{name} {answer!r}\n"
    assert peek(big, 0, 128) == greeting + answer
