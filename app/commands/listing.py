"""`list` and `info`: what there is, what is wrong with it, and how to mend it."""

from __future__ import annotations

import argparse
from typing import Any

from app.commands.common import OK, add_device, add_json, note, opened, plain, say, say_json
from app.core.devices import Device, find_devices
from app.core.frame import Level
from app.core.known_content import identify
from app.core.region import Region
from app.core.units import format_size

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


def run_list(options: argparse.Namespace) -> int:
    """Print the devices."""
    found = find_devices()
    devices = [d for d in found.devices if d.plausible or options.all]
    if options.json:
        say_json({"devices": devices, "problems": found.problems})
        return OK
    for device in devices:
        say(_line(device))
        if device.health.level is not Level.GOOD:
            say(f"    {device.health.text} {device.health.hint}".rstrip())
            if device.health.command:
                say(f"    $ {device.health.command}")
    if not devices:
        say("No shared memory found. `ivshmem-scope --demo` shows a live one.")
    for problem in found.problems:
        note(str(problem))
    return OK


def _line(device: Device) -> str:
    size = format_size(device.size) if device.size is not None else "?"
    return f"{device.kind.value:8} {size:>10}  {_MARKS[device.health.level]:8} {device.location}"


def run_info(options: argparse.Namespace) -> int:
    """Print one device."""
    with opened(options) as region:
        facts = _facts(region)
    if options.json:
        say_json(facts)
    else:
        for name, value in facts.items():
            if value not in ("", None, [], ()):
                say(f"{name:20} {', '.join(value) if isinstance(value, list) else value}")
    return OK


def _facts(region: Region) -> dict[str, Any]:
    info = region.info
    content = identify(region)
    device = next((d for d in find_devices().devices if d.location == info.spec.location), None)
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
        "content": content.name if content else None,
        "writable": device.writable if device else None,
        "users": [str(plain(user)) for user in device.users] if device else [],
        "health": device.health.text if device else None,
        "hint": device.health.hint if device else None,
        "notes": list(info.notes),
    }
