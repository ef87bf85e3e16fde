# SPDX-License-Identifier: Apache-2.0
"""`fettle export`: a recording in another tool's format."""

import os

from fettle.options import Option, help_lines, parse
from fettle.problem import UNREADABLE, USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle._core import Profile

SUMMARY = "a recording in another tool's format"

OPTIONS = [
    Option("-f --format", "FORMAT of the export (what OUT ends in)", "FORMAT"),
    Option("-o --output", "where to write it; - for stdout (FILE and the format's suffix)", "OUT"),
    Option(
        "--max-nodes", "keep the N heaviest call paths; 0 keeps all (what viewers can take)", "N"
    ),
]

HELP = f"""\
usage: fettle export FILE [-f FORMAT] [-o OUT]

Writes the recording FILE in another tool's format.

{help_lines(OPTIONS)}

FORMAT is one of pstats, json, collapsed, speedscope, chrome, firefox, callgrind, pprof, lprof.
collapsed is what flame graph scripts read; Perfetto reads chrome, KCachegrind callgrind.

  fettle export app.fettle -f pstats -o app.pstats && python -m pstats app.pstats
  fettle export app.fettle -f json -o - | jq ."""


def main(words: list[str]) -> int:
    parsed = parse("export", OPTIONS, words, mixed=True)
    if len(parsed.words) != 1:
        raise Problem(USAGE, "fettle export needs one FILE; `fettle export --help` says more.")

    from fettle import _core, outfile, recording
    from fettle.cli import say

    source = recording.named(parsed.words[0])
    comfort = {name: [nodes, frames] for name, _, _, nodes, frames, *_ in _core.exporters()}
    suffixes = {name: suffix for name, suffix, *_ in _core.exporters()}
    out = parsed.values.get("output", "")
    form = _format(parsed.values.get("format", ""), out, suffixes)
    limits = [parsed.number("max-nodes", 0)] if "max-nodes" in parsed.values else comfort[form]
    out = out or _beside(source) + suffixes[form]
    opened = recording.open_one(source)
    outfile.check(out, [opened.profile], inputs=[source])
    _check_lines(source, form, opened.profile)
    _check_memory(source, form, opened.profile)
    _check_timings(source, form, opened.profile)
    for remark in opened.remarks:
        say(remark)
    profile = _prune(opened.profile, limits)
    try:
        data = profile.export(form)
    except _core.FileError:  # the only one of an export: too large
        raise Problem(
            UNREADABLE,
            f"the paths of {source} would fill more than 2 GiB as {form}; "
            "export another format, or fewer of them with --max-nodes.",
        ) from None
    outfile.write(data, out)
    return 0


def _beside(source: str) -> str:
    """app.fettle, and app.fettle too where that is called app: app.json may be the program's."""
    return os.path.basename(source).removesuffix(".fettle") + ".fettle"


def _check_lines(source: str, form: str, profile: "Profile") -> None:
    """Lines alone, and calls alone, are not made a file of nothing."""
    from fettle import _core

    if form == "lprof" and not profile.lines():
        raise Problem(
            USAGE,
            f"{source} holds no lines, and {form} holds nothing else; record them with"
            " `fettle run -l`, or export another format.",
        )
    holding = [name for name, *_, lines, _ in _core.exporters() if lines]
    if form in holding or profile.functions() or not profile.lines():
        return
    of_memory = any(memory for name, *_, memory in _core.exporters() if name == form)
    if of_memory and profile.heaps():
        return
    held = "calls and memory" if of_memory else "calls"
    raise Problem(
        USAGE,
        f"{source} holds lines and no calls, and {form} holds {held} only; "
        f"export {', '.join(holding[:-1])} or {holding[-1]}, or record calls with -C too.",
    )


def _check_memory(source: str, form: str, profile: "Profile") -> None:
    """Nor is memory alone."""
    from fettle import _core

    holding = [name for name, *_, memory in _core.exporters() if memory]
    if form in holding or profile.functions() or profile.lines() or not profile.heaps():
        return
    raise Problem(
        USAGE,
        f"{source} holds memory only, and {form} has no place for it; "
        f"export {', '.join(holding[:-1])} or {holding[-1]}, or record calls with -C too.",
    )


def _check_timings(source: str, form: str, profile: "Profile") -> None:
    """Nor are timings, for which json alone has a place."""
    has_others = profile.functions() or profile.lines() or profile.heaps()
    if form == "json" or has_others or not profile.timings():
        return
    raise Problem(
        USAGE,
        f"{source} holds timings only, and {form} has no place for them; export json, or record"
        " calls with `fettle run`.",
    )


def _prune(profile: "Profile", limits: list[int]) -> "Profile":
    """Within the limits, and said where that left something out."""
    from fettle.cli import say

    if not any(limits):
        return profile
    smaller, kept, pruned, own = profile.prune(*limits)
    if pruned == 0:
        return profile
    say(
        f"{pruned} of {kept + pruned} call paths with {_share(own, profile.totals().own)} of the"
        f" time were left out and are summed up as [pruned] below the {kept} heaviest;"
        " --max-nodes 0 keeps all."
    )
    return smaller


def _share(part: float, whole: float) -> str:
    percent = 100 * part / whole if whole else 0.0
    return "<0.01%" if 0 < percent < 0.01 else f"{percent:.2f}%"


def _format(word: str, out: str, suffixes: dict[str, str]) -> str:
    known = ", ".join(suffixes)
    if word:
        if word not in suffixes:
            raise Problem(USAGE, f"there is no format {word!r}; the formats are {known}.")
        return word
    named = [name for name, suffix in suffixes.items() if out.endswith(suffix)]
    if named:  # .speedscope.json ends in .json too
        return max(named, key=lambda name: len(suffixes[name]))
    raise Problem(USAGE, f"fettle export needs -f FORMAT; the formats are {known}.")
