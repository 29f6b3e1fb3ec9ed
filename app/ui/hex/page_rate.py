"""How often a page changes, in words that do not claim more than was seen."""

from __future__ import annotations

from ...core.values.units import format_rate
from ...core.watch.frame import Activity


def rate_text(activity: Activity, cell: int, unit: str = "changes/s") -> str:
    """`12.5 changes/s`; `≥ 59.8 changes/s` where it changed in nearly every sample."""
    text = format_rate(float(activity.rate[cell]), unit)
    return f"≥ {text}" if activity.saturated[cell] else text


def undersampled_text(activity: Activity, cell: int) -> str:
    """Why the rate is only a lower bound; empty where it is not."""
    if not activity.saturated[cell]:
        return ""
    looks = format_rate(float(activity.rate[cell]), "/s").replace(" ", "")
    return f"sampled at {looks}, changed in every sample: may change more often"
