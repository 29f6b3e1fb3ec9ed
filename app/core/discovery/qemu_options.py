"""Parsing of QEMU's command line: memory backends, ivshmem devices, the guest's name.

Options are written `driver,key=value,...` with `,,` for a comma, or, by libvirt, as JSON. Both
forms are parsed into the same mapping.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import ExpressionError
from ..values.units import parse_size

_TRUE: Final = frozenset({"on", "yes", "true", "y"})
_FALSE: Final = frozenset({"off", "no", "false", "n"})
# The key that a first word without `=` stands for (qemu-options: implied keys).
_IMPLIED: Final = {
    "object": "qom-type",
    "device": "driver",
    "chardev": "backend",
    "name": "guest",
    "machine": "type",
    "M": "type",
    "numa": "type",
}
FILE_BACKEND: Final = "memory-backend-file"
MEMFD_BACKEND: Final = "memory-backend-memfd"
SHM_BACKEND: Final = "memory-backend-shm"


@dataclass(frozen=True, slots=True)
class Backend:
    """One memory backend of a QEMU.

    Attributes:
        identity: Its `id=`.
        kind: `memory-backend-file`, `memory-backend-memfd` or `memory-backend-shm`.
        path: `mem-path=`; empty for the others.
        size: `size=` in bytes; None when it cannot be read.
        share: Whether the guest's writes reach the file (`share=on`).
        read_only: `readonly=on`.
        ivshmem: An ivshmem device uses it.
        guest_ram: It is the guest's own memory (main, DIMM, NVDIMM).
    """

    identity: str
    kind: str
    path: str
    size: int | None
    share: bool
    read_only: bool = False
    ivshmem: bool = False
    guest_ram: bool = False


@dataclass(frozen=True, slots=True)
class QemuOptions:
    """The parts of a QEMU command line that concern shared memory.

    Attributes:
        guest: The guest's name; empty without `-name`.
        backends: File, memfd and shm backends in the order given.
        doorbells: Socket paths of ivshmem-doorbell devices.
    """

    guest: str = ""
    backends: tuple[Backend, ...] = ()
    doorbells: tuple[str, ...] = ()


def parse_options(argv: Sequence[str]) -> QemuOptions:
    """Parse a command line; options that cannot be parsed are left out."""
    found: dict[str, list[dict[str, str]]] = {name: [] for name in _IMPLIED}
    for name, text in _option_pairs(argv):
        found[name].append(split_option(text, _IMPLIED[name]))
    devices = [d for d in found["device"] if d.get("driver", "").startswith("ivshmem")]
    plain = {device.get("memdev", "") for device in devices} - {""}
    ram = {m.get("memory-backend", "") for m in (*found["machine"], *found["M"])}
    ram |= {numa.get("memdev", "") for numa in found["numa"]}
    ram |= {d.get("memdev", "") for d in found["device"] if d not in devices}
    backends = (_backend(entry, plain, ram - {""}) for entry in found["object"])
    return QemuOptions(
        guest=next((n["guest"] for n in found["name"] if n.get("guest")), ""),
        backends=tuple(backend for backend in backends if backend is not None),
        doorbells=_doorbells(devices, found["chardev"]),
    )


def split_option(text: str, implied: str) -> dict[str, str]:
    """`file,id=a,mem-path=/x` or its JSON form as a flat mapping of texts."""
    if text.lstrip().startswith("{"):
        return _json_option(text)
    fields: dict[str, str] = {}
    for at, part in enumerate(_split_commas(text)):
        key, equals, value = part.partition("=")
        if equals:
            fields[key] = value
        elif at == 0:
            fields[implied] = part
        elif part:
            fields[part] = "on"
    return fields


def _option_pairs(argv: Sequence[str]) -> Iterator[tuple[str, str]]:
    for at, word in enumerate(argv[:-1]):
        name = word.lstrip("-")
        if word.startswith("-") and name in _IMPLIED:
            yield name, argv[at + 1]


def _split_commas(text: str) -> list[str]:
    guard = "\0"
    return [part.replace(guard, ",") for part in text.replace(",,", guard).split(",")]


def _json_option(text: str) -> dict[str, str]:
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(loaded, dict):
        return {}
    return {str(key): _flat(value) for key, value in loaded.items()}


def _flat(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _switch(fields: Mapping[str, str], key: str, *, default: bool) -> bool:
    value = fields.get(key, "").lower()
    return True if value in _TRUE else False if value in _FALSE else default


def _size(text: str) -> int | None:
    try:
        return parse_size(text)
    except ExpressionError:
        return None


def _backend(fields: Mapping[str, str], plain: set[str], ram: set[str]) -> Backend | None:
    kind = fields.get("qom-type", "")
    if kind not in (FILE_BACKEND, MEMFD_BACKEND, SHM_BACKEND):
        return None
    identity = fields.get("id", "")
    return Backend(
        identity=identity,
        kind=kind,
        path=fields.get("mem-path", "") if kind == FILE_BACKEND else "",
        size=_size(fields.get("size", "")),
        # qapi/qom.json: a file is private by default, a memfd shared; an shm always is.
        share=_switch(fields, "share", default=kind != FILE_BACKEND),
        read_only=_switch(fields, "readonly", default=False),
        ivshmem=identity in plain,
        guest_ram=identity in ram,
    )


def _doorbells(
    devices: Sequence[Mapping[str, str]], chardevs: Sequence[Mapping[str, str]]
) -> tuple[str, ...]:
    wanted = {device.get("chardev", "") for device in devices} - {""}
    return tuple(
        entry["path"] for entry in chardevs if entry.get("id") in wanted and entry.get("path")
    )
