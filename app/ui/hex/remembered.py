"""The hex view's options between two starts of the program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...core.errors import ValueFormatError
from ...core.values.byte_rules import ByteRule, parse_rule
from ...core.values.column_forms import HEX, form_named
from ...core.values.text_encodings import ASCII, encoding_named
from .emphasis_menu import FADES_MS
from .keys import GROUPS, ZOOM_LIMITS
from .paint.emphasis import PLAIN, Emphasis, Unchanged
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
        "classes": options.emphasis.classes,
        "rule": options.emphasis.rule.text if options.emphasis.rule else "",
        "unchanged": options.emphasis.unchanged.value,
        "entropy": options.entropy,
        "fade_ms": options.emphasis.fade_ns // 1_000_000,
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
        _emphasis_of(state),
        state.get("entropy") is True,
    )


def _emphasis_of(state: Mapping[str, Any]) -> Emphasis:
    fade, still = state.get("fade_ms"), state.get("unchanged")
    return Emphasis(
        state.get("classes") is True,
        _rule_of(state.get("rule")),
        Unchanged(still) if still in {each.value for each in Unchanged} else Unchanged.SHOWN,
        fade_ns=fade * 1_000_000 if fade in FADES_MS else PLAIN.fade_ns,
    )


def _rule_of(text: object) -> ByteRule | None:
    try:
        return parse_rule(text) if isinstance(text, str) and text else None
    except ValueFormatError:
        return None
