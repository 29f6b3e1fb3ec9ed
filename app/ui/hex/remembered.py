"""The hex view's options between two starts of the program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...core.values.column_forms import HEX, form_named
from ...core.values.text_encodings import ASCII, encoding_named
from .keys import GROUPS, ZOOM_LIMITS
from .paint.geometry import MAX_COLUMNS, VALUE_PANES
from .paint.surface import Options

_PHASES: Final = range(8)


def state_of(options: Options) -> dict[str, Any]:
    """For the settings."""
    return {
        "columns": options.columns,
        "group": options.group,
        "zoom": options.zoom,
        "forms": [form.name for form in options.forms],
        "text": options.text.name,
        "phase": options.phase,
    }


def options_of(state: Mapping[str, Any]) -> Options:
    """From the settings; in place of anything odd the usual."""
    columns, group, zoom, phase = (state.get(key) for key in ("columns", "group", "zoom", "phase"))
    low, high = ZOOM_LIMITS
    names = state.get("forms")
    forms = [form_named(name) for name in names] if isinstance(names, list) else []
    known = tuple(form for form in forms if form is not None)
    return Options(
        columns if isinstance(columns, int) and 0 <= columns <= MAX_COLUMNS else 0,
        group if group in GROUPS else 1,
        float(zoom) if isinstance(zoom, int | float) and low <= zoom <= high else 1.0,
        known[: len(VALUE_PANES)] or (HEX,),
        encoding_named(state.get("text")) or ASCII,
        phase if isinstance(phase, int) and phase in _PHASES else 0,
    )
