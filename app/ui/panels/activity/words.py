"""What the Activity panel says: titles, figures, and what is under the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from time import localtime, monotonic_ns, strftime, time_ns
from typing import Final

from ....core.values.units import format_age, format_rate, format_size
from ....core.watch.frame import Activity, Frame
from ....core.watch.timing import WINDOW_NS
from ...hex.page_rate import rate_text, undersampled_text
from ...style.theme import Theme
from .address_view import AddressView, address_text
from .maps import Place
from .sample_buffer import F64
from .time_view import TimeView

MEAN_S: Final = 2
TITLES: Final = {
    "changes": "Observed change rate",
    "own": "Own traffic",
    "cost": "Sampler cost",
    "heat": "Page activity",
    "water": "Page activity over time",
}
_ZOOM: Final = "The wheel zooms, a drag moves, a double click shows all again."
# How each was measured.
ABOUT: Final = {
    "changes": "Bytes that differ from one sample to the next, per second. What changes "
    f"twice in between counts once. The curve is the mean of the {WINDOW_NS / 1e9:g} s before each "
    f"point, the figure the mean of the curve over {MEAN_S} s. {_ZOOM}",
    "own": "What this window copies out of the memory to watch it, and what it writes: means as of "
    f"the change rate. {_ZOOM}",
    "cost": f"Share of one processor core that watching takes. {_ZOOM}",
    "heat": "Every cell stands for so much of the region, in reading order. Its colour tells how "
    f"often its busiest page changes; a click goes there. {_ZOOM}",
    "water": "The region from left to right, the present on top, older samples below; hatched "
    "where there is none. A click goes there. The wheel zooms the time, with Ctrl the addresses; a "
    "drag moves, a double click shows all again.",
}


def clock_text(monotonic: float, *, tenths: bool = True) -> str:
    """`10:14:03.2`: the time of day of a monotonic time, nanoseconds."""
    wall = time_ns() - (monotonic_ns() - int(monotonic))
    text = strftime("%H:%M:%S", localtime(wall / 1e9))
    return f"{text}.{wall // 100_000_000 % 10}" if tenths else text


def titles(
    frame: Frame, tile_bytes: int, address: AddressView, time: TimeView, held_ns: int
) -> dict[str, str]:
    """The heads of the parts."""
    pages = ", by page" if not frame.activity.exact else ""
    zoomed = f" in {format_size(address.length)}" if address.zoomed else ""
    cell = f"{format_size(tile_bytes)} per cell"
    held = f"Ever changed since {clock_text(held_ns, tenths=False)}"
    heat = f"{held if held_ns else 'Page activity'}{zoomed}, {cell}"
    span = f"{time.span_s:.3g} s" if time.span_s < 120 else f"{time.span_s / 60:.3g} min"
    past = f", until {time.back_s:.3g} s ago" if time.back_s else ""
    return {
        "changes": f"Observed change rate (mean of {MEAN_S} s{pages})",
        "heat": heat,
        "water": f"Page activity over {span}{past}",
    }


def values(mean: F64 | None, theme: Theme) -> dict[str, str]:
    """The figures beside the heads; `mean` is of observed, read, written and cost."""
    if mean is None:
        return dict.fromkeys(("changes", "own", "cost"), "")
    colors = theme.traces
    observed, read, written, cost = mean.tolist()
    return {
        "changes": _ink(colors[0], format_rate(observed)),
        "own": f"{_ink(colors[1], f'reads {format_rate(read)}')}  "
        f"{_ink(colors[2], f'writes {format_rate(written)}')}",
        "cost": _ink(colors[3], f"{cost:.0f} % of a core"),
    }


def moment_text(end_ns: int, age_s: float) -> str:
    """`3.2 s ago (10:14:03.2)`."""
    return f"{age_s:.1f} s ago ({clock_text(end_ns - age_s * 1e9)})"


def sample_text(end_ns: int, age_s: float, sample: F64 | None) -> str:
    """A moment of the graphs."""
    moment = moment_text(end_ns, age_s)
    if sample is None:
        return f"{moment}  no data"
    observed, read, written, cost = sample.tolist()
    return (
        f"{moment}  observed {format_rate(observed)}  reads {format_rate(read)}  "
        f"writes {format_rate(written)}  cost {cost:.0f} %"
    )


def past(end_ns: int, place: Place, rate: float | None, names: Sequence[str]) -> list[str]:
    """A place and moment of the waterfall."""
    if rate is None:
        seen = "no data"
    else:
        seen = f"about {rate:.2g}/s per page" if rate else "no change seen"
    moment = moment_text(end_ns, place.age_s or 0.0)
    return [range_text(place), moment, seen, *names]


def present(
    activity: Activity, place: Place, now_ns: int, held: tuple[int, float], names: Sequence[str]
) -> list[str]:
    """A place of the heat map; `held` is since when and the greatest rate since then."""
    cell = place.cell
    changed = int(activity.changed_ns[cell])
    age = f"changed {format_age(max(0, now_ns - changed))} ago" if changed else "no change seen"
    state = age if activity.allocated[cell] else "never written (a hole)"
    rate = rate_text(activity, cell, "/s").replace(" /s", "/s")
    since, greatest = held
    most = f"at most {greatest:.1f}/s since {clock_text(since, tenths=False)}" if since else ""
    parts = [range_text(place), f"{rate} per page", state, most, *names]
    parts.append(undersampled_text(activity, cell))
    return [part for part in parts if part]


def range_text(place: Place) -> str:
    """`0x1C00000 (28 MiB) + 64 KiB`."""
    return f"{address_text(place.offset)} + {format_size(place.length)}"


def _ink(color: str, text: str) -> str:
    return f"<span style='color:{color}'>{text}</span>"
