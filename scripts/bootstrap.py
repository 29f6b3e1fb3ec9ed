"""Makes the environment for `run`, `test` or `lint`: system libraries, .venv, packages.

Standard library only. Each part has a stamp keyed by a hash of what it was made from, so that
a second call with nothing changed only compares stamps.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMPS = VENV / "stamps"

# Qt's xcb and offscreen platforms on a bare Debian or Ubuntu. A tuple is one need under the
# names that it has in different releases; the first that apt knows is taken.
QT_LIBRARIES: tuple[tuple[str, ...], ...] = (
    ("libegl1",),
    ("libgl1",),
    ("libxkbcommon0",),
    ("libxkbcommon-x11-0",),
    ("libdbus-1-3",),
    ("libfontconfig1",),
    ("libfreetype6",),
    ("libglib2.0-0t64", "libglib2.0-0"),
    ("libxcb-cursor0",),
    ("libxcb-icccm4",),
    ("libxcb-image0",),
    ("libxcb-keysyms1",),
    ("libxcb-render-util0",),
    ("libxcb-shape0",),
    ("libxcb-xinerama0",),
    ("libxcb-xkb1",),
    ("fonts-dejavu-core",),
)
RIG_PACKAGES: tuple[tuple[str, ...], ...] = (
    ("qemu-system-x86",),
    ("seabios",),
    ("busybox-static",),
    ("cpio",),
    ("kmod",),
    ("zstd",),
    ("xvfb",),
    ("xdotool",),
    ("x11-utils",),
    ("imagemagick",),
    ("debootstrap",),
    ("gcc-mingw-w64-x86-64-win32",),
    ("gcc",),
    ("libc6-dev",),
)
NEEDS = {
    "run": QT_LIBRARIES,
    "lint": (),
    "test": QT_LIBRARIES + RIG_PACKAGES,
}
REQUIREMENTS = {"run": ("run",), "lint": ("lint",), "test": ("test",)}


def say(text: str) -> None:
    """A line of progress."""
    print(text, flush=True)


def fresh(name: str, *inputs: str) -> tuple[Path, str, bool]:
    """A stamp's path, what it has to say, and whether it says so."""
    digest = hashlib.sha256("\0".join(inputs).encode()).hexdigest()
    stamp = STAMPS / name
    return stamp, digest, stamp.exists() and stamp.read_text() == digest


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run quietly; the output is in the result."""
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )


# -- system packages -----------------------------------------------------------------------------


def installed(names: list[str]) -> set[str]:
    """Those of the packages that dpkg has."""
    form = "${Package} ${db:Status-Status}\n"
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", form, *names], capture_output=True, text=True, check=False
    )
    rows = (line.split() for line in done.stdout.splitlines())
    return {row[0].split(":")[0] for row in rows if row[-1] == "installed"}


def apt(*arguments: str) -> subprocess.CompletedProcess[str] | None:
    """apt-get as root, by sudo without a question, or None where neither may be."""
    command = ["apt-get", "-y", "-qq", "-o", "DPkg::Lock::Timeout=120", *arguments]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if os.geteuid() == 0:
        return run(command, env=env)
    if shutil.which("sudo") and run(["sudo", "-n", "true"]).returncode == 0:
        return run(["sudo", "-n", "DEBIAN_FRONTEND=noninteractive", *command])
    return None


def known(names: tuple[str, ...]) -> str:
    """The first name that apt can install; the last one when it knows none."""
    for name in names:
        policy = run(["apt-cache", "policy", name]).stdout
        if "Candidate:" in policy and "Candidate: (none)" not in policy:
            return name
    return names[-1]


def system_packages(what: str, needs: tuple[tuple[str, ...], ...]) -> None:
    """Install what is missing; where that cannot be, say in one line what to type."""
    if not needs or not shutil.which("dpkg-query"):
        return
    have = installed([name for names in needs for name in names])
    missing = [names for names in needs if not have.intersection(names)]
    if not missing:
        return
    say(f"Setting up: {len(missing)} system packages (once) ...")
    apt("update")
    wanted = [known(names) for names in missing]
    done = apt("install", "--no-install-recommends", *wanted)
    if done is not None and done.returncode != 0:
        # One package that this release lacks must not cost all the others.
        for name in wanted:
            apt("install", "--no-install-recommends", name)
    have = installed(wanted)
    lacking = [name for name in wanted if name not in have]
    if lacking:
        say(f"Missing for `make {what}`: sudo apt-get install {' '.join(lacking)}")


# -- Python ----------------------------------------------------------------------------------------


def environment() -> None:
    """Make .venv with this Python."""
    python = VENV / "bin" / "python"
    identity = f"{sys.version}{sysconfig.get_platform()}{VENV}"
    stamp, digest, good = fresh("venv", identity)
    if good and python.exists():
        return
    say("Setting up: Python environment (once) ...")
    if VENV.exists():
        shutil.rmtree(VENV)
    done = run([sys.executable, "-m", "venv", str(VENV)])
    if done.returncode != 0:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        apt("update")
        apt("install", "--no-install-recommends", version)
        shutil.rmtree(VENV, ignore_errors=True)
        done = run([sys.executable, "-m", "venv", str(VENV)])
        if done.returncode != 0:
            sys.exit(f"No virtual environment could be made: sudo apt-get install {version}")
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest)


def packages(name: str) -> None:
    """Install one pinned set, hashes checked, and the project itself as it stands here."""
    file = ROOT / "requirements" / f"{name}.txt"
    project = (ROOT / "pyproject.toml").read_text()
    stamp, digest, good = fresh(f"packages-{name}", file.read_text(), project)
    if good:
        return
    say(f"Setting up: Python packages for {name} (once) ...")
    pip = [
        str(VENV / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    for arguments in (
        ["--require-hashes", "-r", str(file)],
        ["--no-deps", "--no-build-isolation", "-e", str(ROOT)],
    ):
        done = run([*pip, *arguments])
        if done.returncode != 0:
            sys.stderr.write(done.stdout)
            sys.exit("The Python packages could not be installed; the reason stands above.")
    stamp.write_text(digest)


def kernel() -> None:
    """Build the C kernel of the measurements where a compiler is; nothing is lost where none is."""
    source = ROOT / "app" / "core" / "native" / "kernel.c"
    script = ROOT / "scripts" / "build_kernel.py"
    compilers = repr([shutil.which(name) for name in ("cc", "gcc", "clang")])
    stamp, digest, good = fresh("kernel", source.read_text(), script.read_text(), compilers)
    if good:
        return
    done = run([str(VENV / "bin" / "python"), str(script)])
    if done.returncode != 0 or "not built" in done.stdout:
        sys.stderr.write(done.stdout)
    stamp.write_text(digest)


def main() -> None:
    """Set up for the purpose that is named."""
    what = sys.argv[1] if len(sys.argv) > 1 else "run"
    needs = NEEDS[what]
    environment()
    stamp, digest, good = fresh(f"system-{what}", repr(needs))
    if not good:
        system_packages(what, needs)
        stamp.write_text(digest)
    for name in REQUIREMENTS[what]:
        packages(name)
    if what != "lint":
        kernel()


if __name__ == "__main__":
    main()
