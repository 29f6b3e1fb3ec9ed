"""Puts the C kernel of the measurements into the wheel, where a compiler is; else a pure wheel."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelHook(BuildHookInterface):  # type: ignore[type-arg]
    """Build, then carry; a wheel with a kernel is for one platform and any Python 3."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Hatchling calls it before the wheel is packed; an editable one needs nothing."""
        if version == "editable":
            return
        script = runpy.run_path(str(Path(self.root) / "scripts" / "build_kernel.py"))
        built = script["build"](windows=sys.platform == "win32")
        if built is None:
            return
        from packaging.tags import sys_tags

        platform = next(tag.platform for tag in sys_tags() if "manylinux" not in tag.platform)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(str(built.relative_to(self.root)))
