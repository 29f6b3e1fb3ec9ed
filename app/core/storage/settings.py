"""What a person chose, as one JSON file in the platform's place.

A file that cannot be read as settings is set aside under another name and never fatal; a file
that cannot be written loses the settings and nothing else.
"""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any, Final

from ..errors import StorageError
from .atomic_file import read_regular, write_text
from .os_errors import meaning
from .paths import settings_file

log = logging.getLogger(__name__)
VERSION: Final = 1


class Settings:
    """Named JSON values.

    Attributes:
        problem: What was wrong with the file when it was read; empty when nothing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or settings_file()
        self.problem = ""
        self._values: dict[str, Any] = self._load()

    def get(self, name: str, default: Any) -> Any:
        """A value of the same type as `default`; anything else in the file counts as absent."""
        value = self._values.get(name, default)
        if default is None or isinstance(value, type(default)):
            return value
        if isinstance(default, float) and isinstance(value, int):
            return float(value)
        return default

    def set(self, name: str, value: Any) -> None:
        """Change a value; save() makes it last."""
        self._values[name] = value

    def remember(self, name: str, item: str, limit: int = 12) -> None:
        """Put `item` at the head of a list of recent ones."""
        items = [old for old in self.get(name, []) if old != item and isinstance(old, str)]
        self.set(name, [item, *items][:limit])

    def save(self) -> bool:
        """Write the file in one step; False (and a log entry) when that fails."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text(
                self.path,
                json.dumps({"version": VERSION, "values": self._values}, indent=1),
                wait_s=0,
            )
        except (OSError, StorageError, TypeError, ValueError) as error:
            log.warning("settings were not saved: %s", error)
            return False
        return True

    def _load(self) -> dict[str, Any]:
        try:
            content = json.loads(read_regular(self.path).decode("utf-8"))
            if content["version"] > VERSION:
                self._set_aside("newer", f"version {content['version']}")
                return {}
            values = content["values"]
            if not isinstance(values, dict):
                raise TypeError("no values in it")
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.problem = f"The settings could not be read ({meaning(error)}); defaults are used."
            return {}
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            self._set_aside("broken", error)
            return {}
        return values

    def _set_aside(self, what: str, why: object) -> None:
        aside = self.path.with_name(f"{self.path.name}.{what}-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            self.path.replace(aside)
            where = f"set aside as {aside.name}"
        except OSError:
            where = "left as it is"
        reason = "was broken" if what == "broken" else "was made by a newer version"
        self.problem = f"The settings file {reason} and {where}; defaults are used."
        log.warning("settings file %s: %s; %s", self.path, why, where)
