"""`list` and `info`: what there is, what is wrong with it, and how to mend it."""

from __future__ import annotations

import argparse
from typing import Any

from ..core.discovery.finder import Device, examine, find_devices
from ..core.health import Level
from ..core.measure.bandwidth.mapping_speed import measure_mapping
from ..core.protocols.known_content import identify
from ..core.region.region import Region
from ..core.values.units import format_size
from .common import OK, add_device, add_json, note, opened, plain, say, say_json

_MARKS = {Level.GOOD: "ok", Level.WARNING: "warning", Level.FAULT: "fault"}


def add_list(verbs: Any) -> None:
    """Declare `list`."""
    parser = verbs.add_parser("list", help="list host files, guest devices and kvmfr nodes")
    parser.add_argument("--all", action="store_true", help="also files that are hardly ivshmem")
    add_json(parser)
    parser.set_defaults(run=run_list)


def add_info(verbs: Any) -> None:
    """Declare `info`."""
    parser = verbs.add_parser("info", help="tell everything that is known of one device")
    add_device(parser)
    parser.set_defaults(run=run_info)


# -- list ----------------------------------------------------------------------------------------


def run_list(options: argparse.Namespace) -> int:
    """Print the devices."""
    found = find_devices()
    devices = [d for d in found.devices if d.likely_shared or options.all]
    if options.json:
        say_json({"devices": [_as_json(d) for d in devices], "problems": found.problems})
        return OK
    for device in devices:
        say(_line(device))
        if device.health.level is not Level.GOOD:
            say(f"    {device.health.text} {device.health.hint}".rstrip())
            if device.health.command:
                say(f"    $ {device.health.command}")
    if not devices:
        hidden = len(found.devices)
        more = f" {hidden} of other kinds are hidden; --all lists them." if hidden else ""
        say(f"No shared memory found. `ivshmem-scope --demo` shows a live one.{more}")
    for problem in found.problems:
        note(problem)
    return OK


def _line(device: Device) -> str:
    size = format_size(device.size) if device.size is not None else "?"
    about = [str(user) for user in device.users]
    if device.content is not None:
        about.append(str(device.content))
    line = f"{device.kind.value:8} {size:>10}  {_MARKS[device.health.level]:8} {device.location}"
    return f"{line}  [{'; '.join(about)}]" if about else line


def _as_json(device: Device) -> dict[str, Any]:
    health = device.health
    return {
        "kind": device.kind,
        "name": device.name,
        "location": device.location,
        "size_bytes": device.size,
        "address": str(device.address) if device.address else None,
        "windows_address": device.address.windows if device.address else None,
        "users": plain(device.users),
        "content": plain(device.content),
        "level": health.level,
        "health": health.code,
        "text": health.text,
        "hint": health.hint,
        "command": health.command,
        "likely_shared": device.likely_shared,
        "writable": device.writable,
        "share": device.share,
        "notes": device.notes,
    }


# -- info ----------------------------------------------------------------------------------------


def run_info(options: argparse.Namespace) -> int:
    """Print one device."""
    with opened(options) as region:
        facts = _facts(region)
    if options.json:
        say_json(facts)
        return OK
    for name, value in facts.items():
        if value not in ("", None, []):
            say(f"{name:16} {_words(value)}")
    return OK


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(value) if isinstance(value, list) else str(value)


def _facts(region: Region) -> dict[str, Any]:
    info = region.info
    content = identify(region)
    device = examine(info.spec)
    speed = measure_mapping(region)
    notes = [*info.notes, *info.details, *(device.notes if device else ())]
    return {
        "name": info.name,
        "kind": info.spec.kind.value,
        "system": info.system,
        "path": info.path,
        "size_bytes": info.size,
        "size": format_size(info.size),
        "address": str(info.address) if info.address else None,
        "windows_address": info.address.windows if info.address else None,
        "cache": info.cache,
        "read_bytes_per_s": round(speed.read_bytes_per_s),
        "speed": speed.sentence,
        "content": str(content) if content else None,
        "writable": device.writable if device else None,
        "share": device.share if device else None,
        "users": [str(user) for user in device.users] if device else [],
        "level": device.health.level.value if device else None,
        "health": device.health.text if device else None,
        "hint": device.health.hint if device else None,
        "command": device.health.command if device else None,
        "notes": list(dict.fromkeys(notes)),
    }
