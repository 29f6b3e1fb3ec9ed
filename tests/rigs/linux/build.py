"""Builds what the guest boots: Debian's or Ubuntu's own kernel and a small initramfs.

Made once and kept outside the repository. The kernel package is downloaded by the machine's
apt and only unpacked, never installed. The initramfs holds busybox, the modules that the guest
needs to see the host's root through 9p, and `init`; the guest then runs this very checkout.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
# Full kernels: the cloud one has no 9p.
KERNELS: Final = ("linux-image-amd64", "linux-image-generic")
MODULES: Final = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
TOOLS: Final = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "depmod": "kmod",
    "apt-get": "apt",
    "dpkg": "dpkg",
}


class RigError(Exception):
    """The rig cannot be built or started here, and why."""


@dataclass(frozen=True, slots=True)
class Boot:
    """What QEMU starts."""

    kernel: Path
    initramfs: Path


def cache_dir() -> Path:
    """Where rigs are kept between runs."""
    base = os.environ.get("IVSHMEM_SCOPE_RIG_CACHE")
    home = Path(os.environ.get("RIG_HOME", Path.home()))
    return (Path(base) if base else home / ".cache" / "ivshmem-scope" / "rigs") / "linux"


def missing_packages() -> list[str]:
    """Packages without which the rig cannot be built."""
    return [package for tool, package in TOOLS.items() if shutil.which(tool) is None]


def build() -> Boot:
    """The rig's files, made when they are not there yet.

    Raises:
        RigError: A tool, the kernel package or the right to make it is missing.
    """
    missing = missing_packages()
    if missing:
        raise RigError(f"the Linux guest needs: apt-get install {' '.join(missing)}")
    digest = hashlib.sha256((HERE / "build.py").read_bytes() + (HERE / "init").read_bytes())
    place = cache_dir() / digest.hexdigest()[:16]
    boot = Boot(place / "vmlinuz", place / "initramfs.gz")
    if boot.initramfs.exists():
        return boot
    shutil.rmtree(place, ignore_errors=True)
    work = place.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        _make(work)
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "output", b"") or b""
        raise RigError(f"the Linux guest could not be built: {error} {output[-400:]!r}") from error
    shutil.rmtree(work / "root", ignore_errors=True)
    shutil.rmtree(work / "kernel", ignore_errors=True)
    work.rename(place)
    return boot


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300
    )
    return done.stdout.decode(errors="replace")


def _make(work: Path) -> None:
    kernel = work / "kernel"
    kernel.mkdir()
    for package in _kernel_packages():
        _run("apt-get", "download", "-q", package, cwd=work)
    for archive in sorted(work.glob("*.deb")):
        _run("dpkg", "-x", str(archive), str(kernel))
        archive.unlink()
    shutil.copy(next((kernel / "boot").glob("vmlinuz-*")), work / "vmlinuz")
    modules = kernel / "lib" / "modules"
    if not modules.is_dir():
        modules = kernel / "usr" / "lib" / "modules"
    version = next(modules.iterdir()).name
    base = modules.parent.parent
    _run("depmod", "-b", str(base), version)
    root = work / "root"
    for name in ("bin", "proc", "sys", "dev", "host", "new", "modules"):
        (root / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "", root / "bin" / "busybox")
    shutil.copy(HERE / "init", root / "init")
    (root / "init").chmod(0o755)
    order = _module_files(base, version)
    for number, path in enumerate(order):
        _unpack_module(path, root / "modules" / f"{number:02d}-{path.name.split('.ko')[0]}.ko")
    _pack(root, work / "initramfs.gz")


def _kernel_packages() -> list[str]:
    for meta in KERNELS:
        found = _depends(meta)
        if found:
            return found
    _run("apt-get", "update", "-qq")
    for meta in KERNELS:
        found = _depends(meta)
        if found:
            return found
    raise RigError(f"apt knows none of {', '.join(KERNELS)}")


def _depends(meta: str) -> list[str]:
    done = subprocess.run(["apt-cache", "depends", meta], capture_output=True, text=True)
    pattern = r"Depends: (linux-(?:image|modules)-[0-9][^\s]*)"
    names = re.findall(pattern, done.stdout)
    more = [
        name
        for image in names
        for name in re.findall(
            pattern,
            subprocess.run(["apt-cache", "depends", image], capture_output=True, text=True).stdout,
        )
    ]
    return list(dict.fromkeys(names + more))


def _module_files(base: Path, version: str) -> list[Path]:
    """Modules in the order in which they can be loaded; hand-made orders go wrong."""
    files: dict[Path, None] = {}
    for module in MODULES:
        text = _run("modprobe", "-d", str(base), "-S", version, "--show-depends", module)
        for line in text.splitlines():
            if line.startswith("insmod "):
                files[Path(line.split()[1])] = None
    return list(files)


def _unpack_module(source: Path, target: Path) -> None:
    if source.suffix == ".xz":  # Debian's; a minimal Debian 13 has no tool for it
        target.write_bytes(lzma.decompress(source.read_bytes()))
    elif source.suffix == ".zst":  # Ubuntu's
        with target.open("wb") as out:
            subprocess.run(["zstd", "-dc", str(source)], stdout=out, check=True)
    else:
        shutil.copy(source, target)


def _pack(root: Path, target: Path) -> None:
    names = "\n".join(str(p.relative_to(root)) for p in [root, *sorted(root.rglob("*"))])
    packed = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"],
        input=names.encode(),
        cwd=root,
        stdout=subprocess.PIPE,
        check=True,
    )
    with target.open("wb") as out:
        subprocess.run(["gzip", "-1"], input=packed.stdout, stdout=out, check=True)
