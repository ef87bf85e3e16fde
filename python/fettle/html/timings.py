# SPDX-License-Identifier: Apache-2.0
"""What `fettle time` measured: the median, its interval and the samples of each candidate."""

from math import isfinite

from fettle.html.naming import Side
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Description
    from fettle.timing.series import Series


def part(new: Side, old: Side | None) -> list[dict[str, object]] | None:
    """The part "timings"; times are seconds a call, None where they are not known. Candidates of
    two recordings are the same if their labels are, in their order."""
    found: dict[tuple[str, int], dict[str, object]] = {}
    for side in [side for side in (new, old) if side and side.model]:
        suffix = "0" * (side is old)
        seen: dict[str, int] = {}
        for series, description in _measured(side):
            label = visible(series.label)
            seen[label] = seen.get(label, 0) + 1
            into = found.setdefault(
                (label, seen[label]), {"label": label, "clock": series.clock, **_nothing("")}
            )
            if old:
                into.update({key: into.get(key, value) for key, value in _nothing("0").items()})
            into.update(_numbers(series, description, suffix))
    return list(found.values()) or None


def _measured(side: Side) -> "list[tuple[Series, Description]]":
    from fettle.timing import saving

    if side.model is None:
        return []
    return [
        pair
        for timing in saving.read(side.model)
        for pair in zip(timing.series, timing.descriptions, strict=True)
    ]


def _nothing(suffix: str) -> dict[str, object]:
    found: dict[str, object] = {f"{key}{suffix}": None for key in ("median", "low", "high")}
    return found | {f"samples{suffix}": []}


def _numbers(series: "Series", description: "Description", suffix: str) -> dict[str, object]:
    samples = [sample for group in series.groups for sample in group]
    return {
        f"median{suffix}": _finite(description.median),
        f"low{suffix}": _finite(description.low),
        f"high{suffix}": _finite(description.high),
        f"samples{suffix}": [_finite(sample) for sample in samples],
    }


def _finite(number: float) -> float | None:
    return number if isfinite(number) else None
