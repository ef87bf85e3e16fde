# SPDX-License-Identifier: Apache-2.0
"""What types are alive at the end and who made them; what __slots__ would save."""

from fettle.html.memory import Places, moved
from fettle.html.naming import Side
from fettle.report import livetypes
from fettle.report.names import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.html.moving import Moves


def objects(
    places: Places, new: Side, old: Side | None, moves: "Moves | None"
) -> dict[str, object] | None:
    """The part "objects": by type and place; the place -1 is before the recording."""
    sides = [side for side in (new, old) if side]
    if not any(side.typical and side.typical.objects() for side in sides):
        return None
    groups = [_groups(places, side, side is old, moves) for side in sides]
    keys = list(dict.fromkeys(key for group in groups for key in group))
    keys.sort(key=lambda key: tuple(-group.get(key, (0, 0))[1] for group in groups))
    found: dict[str, object] = {"type": [key[0] for key in keys]}
    found["place"] = [key[1] for key in keys]
    for at, group in enumerate(groups):
        found["count" + "0" * at] = [group.get(key, (0, 0))[0] for key in keys]
        found["bytes" + "0" * at] = [group.get(key, (0, 0))[1] for key in keys]
    return found


def _groups(
    places: Places, side: Side, is_old: bool, moves: "Moves | None"
) -> dict[tuple[str, int], tuple[int, int]]:
    """Count and bytes by type and place, all processes together."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    if side.typical is None:
        return found
    mains = livetypes.main_modules(side.typical)
    for row in side.typical.objects():
        place = -1
        if row.site >= 0:
            site = side.sites[row.site]
            place = places.index(site, is_old, moved(moves if is_old else None, site))
        key = visible(livetypes.named(row.type, row.process, mains)), place
        count, size = found.get(key, (0, 0))
        found[key] = count + row.count, size + row.bytes
    return found


def classes(new: Side, old: Side | None) -> dict[str, object] | None:
    """The part "classes": what there would be to save, the most first."""
    sides = [side for side in (new, old) if side]
    groups = [_classes(side) for side in sides]
    if not any(groups):
        return None
    keys = list(dict.fromkeys(key for group in groups for key in group))
    keys.sort(key=lambda key: -groups[0].get(key, (0, 0))[0] * max(key[1] - key[2], 0))
    found: dict[str, object] = {
        "type": [key[0] for key in keys],
        "plain": [key[1] for key in keys],
        "slotted": [key[2] for key in keys],
        "why": [key[3] for key in keys],
    }
    for at, group in enumerate(groups):
        found["instances" + "0" * at] = [group.get(key, (0, 0))[0] for key in keys]
        found["bytes" + "0" * at] = [group.get(key, (0, 0))[1] for key in keys]
    return found


def _classes(side: Side) -> dict[tuple[str, int, int, str], tuple[int, int]]:
    """Instances and bytes by type, bytes of one without and with slots, and why not."""
    found: dict[tuple[str, int, int, str], tuple[int, int]] = {}
    if side.typical is None:
        return found
    mains = livetypes.main_modules(side.typical)
    for row in side.typical.classes():
        type = visible(livetypes.named(row.type, row.process, mains))
        key = type, row.plain, row.slotted, visible(row.why)
        instances, size = found.get(key, (0, 0))
        found[key] = instances + row.instances, size + row.bytes
    return found
