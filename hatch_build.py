"""Additions to the wheel: the C kernel, if there is a compiler, and the package's installed name.

An editable wheel carries a package `ivshmem_scope` whose modules are those of the checkout's `app`.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_EDITABLE = '''"""The checkout's `app`, under the name that programs import."""

from pathlib import Path

_TREE = Path({tree!r})
__path__ = [str(_TREE)]
__file__ = str(_TREE / "__init__.py")
exec(compile(Path(__file__).read_text(encoding="utf-8"), __file__, "exec"))
'''


class PackageHook(BuildHookInterface):  # type: ignore[type-arg]
    """Build, then carry; a wheel with a kernel is for one platform and any Python 3."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Hatchling calls it before the wheel is packed."""
        if version == "editable":
            self._name(build_data)
        else:
            self._kernel(build_data)

    def _name(self, build_data: dict[str, Any]) -> None:
        shim = Path(self.root) / "build" / "editable" / "ivshmem_scope.py"
        shim.parent.mkdir(parents=True, exist_ok=True)
        text = _EDITABLE.format(tree=str(Path(self.root) / "app"))
        shim.write_text(text, encoding="utf-8")
        build_data["force_include_editable"][str(shim)] = "ivshmem_scope/__init__.py"

    def _kernel(self, build_data: dict[str, Any]) -> None:
        script = runpy.run_path(str(Path(self.root) / "scripts" / "build_kernel.py"))
        built = script["build"](windows=sys.platform == "win32")
        if built is None:
            return
        from packaging.tags import sys_tags

        platform = next(tag.platform for tag in sys_tags() if "manylinux" not in tag.platform)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(str(built.relative_to(self.root)))
