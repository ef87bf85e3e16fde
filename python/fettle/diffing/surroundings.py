# SPDX-License-Identifier: Apache-2.0
"""What differed between the two sides besides the program, as far as their recordings tell."""

import re

from fettle.report.names import visible

_MUCH = 0.5  # of all CPUs: by how much the load differs where it is said, if it is twice as much


def remarks(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Of the properties of both: how times were not measured alike, and what that may mean.

    >>> remarks({"python": "3.12.1 python"}, {"python": "3.13.0 python"})[0][:45]
    'the interpreters differ (3.12.1 python before'
    """
    said = [
        f"the {noun} differ ({_told(before, key)} before, {_told(now, key)} now): a difference may"
        " be theirs, not the code's."
        for noun, key in (("machines", "machine"), ("interpreters", "python"))
        if before.get(key, "") != now.get(key, "")
    ]
    return said + _of_load(before, now)


def _told(meta: dict[str, str], key: str) -> str:
    return visible(meta.get(key, "")) or "not known"


def _of_load(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Of the same machine: how many wanted to run in the minute before."""
    loads = [re.match(r"(\d{1,9}\.\d\d) ", meta.get("load", "")) for meta in (before, now)]
    machine = now.get("machine", "")
    cpus = re.search(r" ([1-9]\d{0,8}) CPUs$", machine)
    if before.get("machine", "") != machine or not (loads[0] and loads[1] and cpus):
        return []
    least, most = sorted(float(load[1]) for load in loads if load)
    if most - least < _MUCH * int(cpus[1]) or most < 2 * least:
        return []
    return [
        f"the machine's load differed ({loads[0][1]} before, {loads[1][1]} now, of {cpus[1]} CPUs):"
        " a difference of times may be its, not the code's; `fettle time --rev` measures two"
        " revisions in turns."
    ]
