"""Configuration that gives a guest shared memory: QEMU arguments and libvirt XML.

The rules are those of libvirt's formatdomain (shmem: a power of two, at least 1 MiB, a name that is
one file in /dev/shm) and of memory-backend-file (docs/platform.md, "QEMU and libvirt on the host").
With a wrong value the guest would not start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..errors import ScopeError
from ..values.units import exact_size, format_size

SMALLEST: Final = 1 << 20
_LONGEST_NAME: Final = 255  # NAME_MAX
_FOLDER: Final = "/dev/shm"  # noqa: S108 - libvirt's place
# No slash by libvirt's rule; the others would need quoting in shell, QEMU arguments and XML.
_BAD: Final = (("/", "slash"), ("'", "quote"), ('"', "quote"), ("\\", "backslash"))


class SetupError(ScopeError):
    """A size or a name that no ivshmem device can have."""

    code = "setup"


@dataclass(frozen=True, slots=True)
class SetupHelp:
    """Texts to copy.

    Attributes:
        qemu_args: Two arguments for QEMU's command line.
        libvirt_xml: For the `<devices>` of a domain; with the remark on permission.
        tmpfiles: Line for /etc/tmpfiles.d that makes the file yours at each boot.
        path: The host file.
    """

    qemu_args: str
    libvirt_xml: str
    tmpfiles: str
    path: str


def setup_help(size: int, name: str) -> SetupHelp:
    """The configuration for a device of this size and name.

    Raises:
        SetupError: Not a power of two of at least 1 MiB, or not a file name.
    """
    _check_size(size)
    _check_name(name)
    path = f"{_FOLDER}/{name}"
    tmpfiles = f"f {_tmpfiles_path(path)} 0660 YOUR-USER kvm -"
    return SetupHelp(_qemu(size, path), _libvirt(size, name, tmpfiles), tmpfiles, path)


def _check_size(size: int) -> None:
    if size < SMALLEST or size & (size - 1):
        said = exact_size(size)
        near = SMALLEST if size < SMALLEST else 1 << size.bit_length()
        raise SetupError(
            f"{said}{',' if ',' in said else ''} is no size for an ivshmem device.",
            f"It is a power of two and at least {format_size(SMALLEST)}; "
            f"{format_size(near)} would do.",
        )


def _check_name(name: str) -> None:
    if not name.strip() or name in (".", ".."):
        raise SetupError("This is no name for a file.", "Give it a name such as ivshmem.")
    for mark, word in _BAD:
        if mark in name:
            raise SetupError(f"The name may not have a {word} in it.", "ivshmem would do.")
    if not name.isprintable():
        raise SetupError("The name has a sign that cannot be printed.", "ivshmem would do.")
    if len(name.encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
        raise SetupError(f"The name is longer than {_LONGEST_NAME} bytes.", "Shorten it.")


def _amount(size: int) -> str:
    return f"{size >> 30}G" if size % (1 << 30) == 0 else f"{size >> 20}M"


def _qemu(size: int, path: str) -> str:
    # QEMU writes a comma inside a value as two; the shell must leave blanks and dollars alone.
    value = path.replace(",", ",,")
    backend = f"memory-backend-file,id=shmem0,mem-path={value},size={_amount(size)},share=on"
    quoted = backend if _plain(backend) else f"'{backend}'"
    return f"-object {quoted} \\\n-device ivshmem-plain,memdev=shmem0"


def _plain(text: str) -> bool:
    return all(char.isalnum() or char in "-_=,./:+@" for char in text)


def _libvirt(size: int, name: str, tmpfiles: str) -> str:
    shown = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    element = (
        f"<shmem name='{shown}'>\n"
        "  <model type='ivshmem-plain'/>\n"
        f"  <size unit='M'>{size >> 20}</size>\n"
        "</shmem>"
    )
    if "--" in tmpfiles:  # may not stand in an XML comment
        return element
    return (
        f"{element}\n"
        "<!-- The file will belong to QEMU's user. To write to it\n"
        "     without root, put this line into\n"
        "     /etc/tmpfiles.d/10-ivshmem.conf before the VM starts:\n"
        f"     {tmpfiles} -->"
    )


def _tmpfiles_path(path: str) -> str:
    """tmpfiles.d(5): `%` begins a specifier, a blank ends the field."""
    escaped = path.replace("%", "%%")
    return f'"{escaped}"' if " " in path else escaped
