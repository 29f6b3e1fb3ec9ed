"""What a person chose, as one JSON file in the platform's place.

Several programs may run at once. Each writes only what was changed in it, into the file as it is
by then, so that none takes back what another has written. A file that cannot be read as settings
is set aside under another name and never fatal; a file that cannot be written costs the settings,
not the work.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ..errors import StorageError
from .atomic_file import check_target, read_regular, replace_checked
from .folder_lock import folder_lock
from .os_errors import meaning
from .paths import settings_file
from .set_aside import set_aside

log = logging.getLogger(__name__)
VERSION: Final = 1
Values = dict[str, Any]
Change = Callable[[Values], None]


class Settings:
    """Named JSON values. Any thread may call.

    Attributes:
        problem: What was wrong with the file when it was last read or written; empty when nothing.
        on_change: Called after each change of a value, to have it saved soon.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or settings_file()
        self.problem = ""
        self.on_change: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._changes: list[Change] = []
        with folder_lock(self.path.parent):  # Windows replaces no file that is being read
            self._values = self._load() or {}

    @property
    def changed(self) -> bool:
        """Whether there is something to save."""
        return bool(self._changes)

    def get(self, name: str, default: Any) -> Any:
        """A value of the same type as `default`; anything else in the file counts as absent."""
        return _typed(self._values, name, default)

    def set(self, name: str, value: Any) -> None:
        """Change a value; save() makes it last. The same value is no change."""

        def change(values: Values) -> None:
            values[name] = value

        if name not in self._values or self._values[name] != value:
            self._change(change)

    def remember(self, name: str, item: str, limit: int = 12) -> None:
        """Put `item` at the head of a list of recent ones; what others remembered stays in it."""

        def change(values: Values) -> None:
            old = [one for one in _typed(values, name, []) if one != item and isinstance(one, str)]
            values[name] = [item, *old][:limit]

        self._change(change)

    def _change(self, change: Change) -> None:
        with self._lock:
            self._changes.append(change)
            self._values = dict(self._values)
            change(self._values)
        self.on_change()

    def save(self) -> bool:
        """Bring the changes into the file, in one step; False (and `problem`) when that fails."""
        with self._saving:
            return self._save()

    def _save(self) -> bool:
        with self._lock:
            changes = list(self._changes)
        if not changes:
            return True
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            target = check_target(self.path)  # looks through all processes: before the lock
            with folder_lock(self.path.parent):
                values = self._load()
                if values is None:  # gone or broken meanwhile: all that is known here
                    values = dict(self._values)
                for change in changes:
                    change(values)
                text = json.dumps({"version": VERSION, "values": values}, indent=1)
                replace_checked(target, (text.encode(),), mode=0o600)
        except (OSError, StorageError, TypeError, ValueError, RecursionError) as error:
            self.problem = self._why_not_saved(error)
            log.warning("settings were not saved: %s", error)
            return False
        with self._lock:
            del self._changes[: len(changes)]
            for change in self._changes:
                change(values)
            self._values = values
        return True

    def _why_not_saved(self, error: Exception) -> str:
        if isinstance(error, StorageError):  # it names the file
            return f"Settings cannot be saved: {error.message}"
        reason = meaning(error) if isinstance(error, OSError) else error
        return f"Settings cannot be saved in {self.path.parent} ({reason})."

    def _load(self) -> Values | None:
        try:
            content = json.loads(read_regular(self.path).decode("utf-8"))
            if content["version"] > VERSION:
                self._set_aside("newer", f"version {content['version']}")
                return None
            values = content["values"]
            if not isinstance(values, dict):
                raise TypeError("no values in it")
        except FileNotFoundError:
            return None
        except OSError as error:
            self.problem = f"The settings could not be read ({meaning(error)}); defaults are used."
            return None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            self._set_aside("broken", error)
            return None
        return values

    def _set_aside(self, what: str, why: object) -> None:
        try:
            where = f"set aside as {set_aside(self.path, what).name}"
        except OSError:
            where = "left as it is"
        reason = "was broken" if what == "broken" else "was made by a newer version"
        self.problem = f"The settings file {reason} and {where}; defaults are used."
        log.warning("settings file %s: %s; %s", self.path, why, where)


def _typed(values: Values, name: str, default: Any) -> Any:
    value = values.get(name, default)
    if default is None or isinstance(value, type(default)):
        return value
    if isinstance(default, float) and isinstance(value, int):
        return float(value)
    return default
